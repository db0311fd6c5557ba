/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/fan.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hand/op.h"
#include "part/link.h"
#include "sense/hunt/capture.h"
#include "sys/memfile.h"
#include "sys/say.h"
#include "wire/ip.h"
#include "wire/tcp.h"

struct reader { /* one of the threads, from this side */
    struct fan *fan;
    struct fan_reader given;
    struct chan *link; /* owned; NULL once it has ended */
    pthread_t thread;
    bool running;
    struct link_counters told[CAPTURE_LINKS]; /* as it last said, by name */
};

struct fan {
    struct role *role;
    void (*body)(struct fan_reader reader);
    unsigned count;
    struct reader at[FAN_MOST];
};

/* ---- whose is a frame ---- */

static bool is_mail_port(const struct key_ports *ports, uint16_t port)
{
    for (uint32_t i = 0; i < ports->count; i++)
        if (ports->at[i] == port)
            return true;
    return false;
}

bool fan_is_ours(const struct fan_share *s, const struct engine_frame *f, const struct key_ports *ports)
{
    struct link_packet packet;
    struct ip_packet ip;
    struct tcp_segment tcp;
    const uint8_t *client;

    if (s->of < 2)
        return true;
    if (!link_read(f->link, f->bytes, &packet) || !ip_read(packet.ip, &ip) || ip.proto != IP_PROTO_TCP ||
        (ip.fragment && ip.offset > 0) || !tcp_read(ip.payload, ip.wire_len, &tcp))
        return true;
    client = is_mail_port(ports, tcp.dport) ? ip.src : ip.dst;
    return addr_hash(addr_from_ip(ip.family, client, 0), s->seed) % s->of == s->own;
}

/* ---- what the readers say goes on to the core ---- */

static int on_event(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)fd;
    (void)chan_send(((struct reader *)ctx)->fan->role->core, m->op, 0, m->cause, body, m->len, -1);
    return 0;
}

/* The number of the asker comes back with the answer. */
static int on_ask(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct reader *r = ctx;

    (void)from;
    (void)fd;
    (void)chan_send(r->fan->role->core, m->op, r->given.share.own + 1, m->cause, body, m->len, -1);
    return 0;
}

static int on_evidence(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)chan_send(((struct reader *)ctx)->fan->role->core, m->op, 0, m->cause, body, m->len, fd);
    memfile_close(fd);
    return 0;
}

static struct link_counters *told_of(struct reader *r, const char name[16])
{
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        if (r->told[i].name[0] == '\0' || memcmp(r->told[i].name, name, sizeof(r->told[i].name)) == 0)
            return &r->told[i];
    return NULL;
}

/* All see the same packets; each may lose some of them, and each sees mails of its own. */
static int on_counters(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct reader *r = ctx;
    struct fan *f = r->fan;
    struct link_counters now;
    struct link_counters sum = { 0 };
    struct link_counters *told;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&now, body, sizeof(now));
    told = told_of(r, now.name);
    if (!told)
        return 0;
    *told = now;
    memcpy(sum.name, now.name, sizeof(sum.name));
    for (unsigned i = 0; i < f->count; i++) {
        const struct link_counters *one = told_of(&f->at[i], now.name);

        if (!one)
            continue;
        sum.packets = one->packets > sum.packets ? one->packets : sum.packets;
        sum.lost += one->lost;
        sum.mails += one->mails;
    }
    (void)chan_send(f->role->core, LINK_COUNTERS, 0, 0, &sum, sizeof(sum), -1);
    return 0;
}

static const struct chan_op ops[] = {
    { LINK_EVENT, "event", sizeof(struct event), sizeof(struct event), false, on_event },
    { LINK_COUNTERS, "counters", sizeof(struct link_counters), sizeof(struct link_counters), false, on_counters },
    { LINK_EVIDENCE, "evidence", sizeof(struct link_evidence), sizeof(struct link_evidence), true, on_evidence },
    { HAND_CAPTURE, "capture", sizeof(struct hand_capture), sizeof(struct hand_capture), false, on_ask },
};

static void on_ended(void *ctx, struct chan *c, const char *why)
{
    struct reader *r = ctx;

    (void)c;
    say_debug("reader %u: %s", r->given.share.own, why);
    chan_free(r->link);
    r->link = NULL;
    loop_stop(r->fan->role->loop); /* a hunt with a blind spot is started anew */
}

/* ---- the threads ---- */

struct fan *fan_new(struct role *r, unsigned threads, uint64_t seed, void (*body)(struct fan_reader reader),
                    struct err *e)
{
    struct fan *f = calloc(1, sizeof(*f));

    if (!f) {
        (void)err_set(e, ENOMEM, "readers");
        return NULL;
    }
    f->role = r;
    f->body = body;
    f->count = threads < FAN_MOST ? threads : FAN_MOST;
    for (unsigned i = 0; i < f->count; i++) {
        f->at[i].fan = f;
        f->at[i].given = (struct fan_reader){ .share = { .own = i, .of = f->count, .seed = seed } };
    }
    return f;
}

static void *thread_body(void *arg)
{
    struct reader *r = arg;

    r->fan->body(r->given);
    return NULL;
}

static int start(struct reader *r, struct err *e)
{
    struct role *role = r->fan->role;
    int ends[2];

    r->given.settings = memfile_from(role->settings, role->settings_size, "hunt settings", e);
    if (r->given.settings < 0)
        return -1;
    if (chan_pair(ends, e) < 0)
        goto fail;
    r->given.link = ends[1];
    r->link = chan_new(ends[0], "reader", ops, sizeof(ops) / sizeof(ops[0]), r, e);
    if (!r->link || chan_attach(r->link, role->loop, on_ended, e) < 0)
        goto fail_link;
    if ((errno = pthread_create(&r->thread, NULL, thread_body, r)) != 0) {
        (void)err_set(e, errno, "thread");
        goto fail_link;
    }
    r->running = true;
    return 0;
fail_link:
    chan_free(r->link);
    r->link = NULL;
    memfile_close(ends[1]);
fail:
    memfile_close(r->given.settings);
    return -1;
}

int fan_start(struct fan *f, struct err *e)
{
    for (unsigned i = 0; i < f->count; i++)
        if (start(&f->at[i], e) < 0)
            return err_wrap(e, "reader %u", i);
    return 0;
}

void fan_stop(struct fan *f)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->at[i].link)
            (void)chan_send(f->at[i].link, LINK_STOP, 0, 0, NULL, 0, -1);
    for (unsigned i = 0; i < f->count; i++) {
        struct reader *r = &f->at[i];

        if (r->running)
            (void)pthread_join(r->thread, NULL);
        r->running = false;
        if (r->link)
            (void)chan_read(r->link, NULL); /* its last words */
        chan_free(r->link);
        r->link = NULL;
    }
}

void fan_pass(struct fan *f, const struct msg *m, const void *body, int fd)
{
    bool answer = m->op >= HAND_ANSWER && m->op < HAND_FACT_LINK;

    for (unsigned i = 0; i < f->count; i++)
        if (f->at[i].link && (!answer || m->id == i + 1))
            (void)chan_send(f->at[i].link, m->op, m->id, m->cause, body, m->len, fd);
    if (fd >= 0)
        memfile_close(fd);
}

void fan_reload(struct fan *f)
{
    struct msg m = { .op = LINK_SETTINGS };
    struct err e;
    int fd = memfile_from(f->role->settings, f->role->settings_size, "hunt settings", &e);

    if (fd < 0)
        say("new settings do not reach the readers: %s", e.text);
    else
        fan_pass(f, &m, NULL, fd);
}
