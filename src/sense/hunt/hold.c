/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hand/hold.h"
#include "sys/chan.h"
#include "sys/clock.h"
#include "wire/ip.h"
#include "wire/tcp.h"

enum { DISTRUSTED = 1024 }; /* flows remembered; a later one may push out an earlier one with the same remainder */

struct hold {
    struct chan *valve; /* owned */
    struct hold_calls calls;
    bool fails_open;
    uint64_t distrusted[DISTRUSTED];
    struct hold_verdict verdict[HOLD_BATCH];
    size_t verdicts;
};

bool hold_passes(const struct hold_case *c)
{
    const struct engine_verdict *v = &c->engine;

    if (v->allowed)
        return true;
    if (v->found || c->differs)
        return false;
    if (v->spoke_mail && c->any_mail)
        return false;
    if (v->flow == 0 && c->has_data)
        return c->fails_open;
    return true;
}

struct ends { /* of a queued packet */
    struct addr client, server;
    bool has_data;
};

static struct ends ends_of(struct slice packet)
{
    struct ends e = { .has_data = true }; /* what can't be read may hold anything */
    struct ip_packet ip;
    struct tcp_segment tcp;

    if (!ip_read(packet, &ip))
        return e;
    e.client = addr_from_ip(ip.family, ip.src, 0);
    e.server = addr_from_ip(ip.family, ip.dst, 0);
    if (ip.fragment || ip.proto != IP_PROTO_TCP || !tcp_read(ip.payload, ip.wire_len, &tcp))
        return e;
    e.client.port = tcp.sport;
    e.server.port = tcp.dport;
    e.has_data = tcp.wire_len > 0;
    return e;
}

static bool judge(struct hold *h, const struct hold_packet *p, struct slice bytes)
{
    struct engine_frame f = { .link = LINK_RAW,
                              .bytes = bytes,
                              .wire_len = p->whole,
                              .at_us = clock_wall_us(),
                              .way = WAY_UNKNOWN,
                              .sum = p->offload & 1 ? SUM_GOOD : SUM_CHECK,
                              .held = true };
    struct ends ends = ends_of(bytes);
    struct hold_case c = { .has_data = ends.has_data, .fails_open = h->fails_open };

    c.engine = h->calls.judge(h->calls.ctx, &f);
    c.any_mail = h->calls.any_mail(h->calls.ctx, addr_ip(ends.client));
    c.differs = c.engine.flow != 0 && h->distrusted[c.engine.flow % DISTRUSTED] == c.engine.flow;
    if (hold_passes(&c))
        return true;
    h->calls.held(h->calls.ctx, c.engine.flow, ends.client, ends.server);
    return false;
}

static int on_packet(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hold *h = ctx;
    struct hold_packet p;

    (void)from;
    (void)fd;
    memcpy(&p, body, sizeof(p));
    if (p.len != m->len - sizeof(p) || p.whole < p.len)
        return -1;
    h->calls.before(h->calls.ctx);
    if (h->verdicts == HOLD_BATCH)
        hold_flush(h);
    h->verdict[h->verdicts++] =
        (struct hold_verdict){ .id = p.id, .accept = judge(h, &p, slice_of((const uint8_t *)body + sizeof(p), p.len)) };
    return 0;
}

static const struct chan_op ops[] = {
    { HOLD_PACKET, "packet", sizeof(struct hold_packet), CHAN_BODY, false, on_packet },
};

static void on_ended(void *ctx, struct chan *c, const char *why)
{
    struct hold *h = ctx;

    (void)c;
    h->calls.gone(h->calls.ctx, why);
}

struct hold *hold_new(int fd, struct loop *l, const struct hold_calls *calls, bool fails_open, struct err *e)
{
    struct hold *h = calloc(1, sizeof(*h));
    struct chan *valve = chan_new(fd, "valve", ops, sizeof(ops) / sizeof(ops[0]), h, e); /* closes fd if it can't */

    if (!h)
        (void)err_set(e, ENOMEM, "valve");
    if (!h || !valve)
        goto fail;
    h->calls = *calls;
    h->fails_open = fails_open;
    h->valve = valve;
    if (chan_attach(valve, l, on_ended, e) < 0)
        goto fail;
    return h;
fail:
    chan_free(valve);
    free(h);
    return NULL;
}

void hold_free(struct hold *h)
{
    if (!h)
        return;
    chan_free(h->valve);
    free(h);
}

void hold_set(struct hold *h, bool fails_open)
{
    h->fails_open = fails_open;
}

void hold_distrust(struct hold *h, uint64_t flow)
{
    h->distrusted[flow % DISTRUSTED] = flow;
}

void hold_flush(struct hold *h)
{
    if (h->verdicts == 0)
        return;
    /* What the link refuses, the valve answers itself when the time is over: open or closed. */
    (void)chan_send(h->valve, HOLD_VERDICT, 0, 0, h->verdict, h->verdicts * sizeof(h->verdict[0]), -1);
    h->verdicts = 0;
}
