/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * talk - a TCP conversation made of bytes, for tests of the hunt: segments
 * with right checksums go into an engine, rows and events come out as text.
 */
#ifndef SERVIOLA_TEST_TALK_H
#define SERVIOLA_TEST_TALK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sense/hunt/engine.h"
#include "wire/ip.h"
#include "wire/tcp.h"

struct talk { /* one tested engine and what it said */
    struct hunt_settings settings;
    struct engine *engine;
    int64_t now_us;
    char rows[65536];   /* "MAIL a@b;RCPT c@d;" */
    char events[65536]; /* "hunt.mail_seen 10.1.0.2;" */
    size_t events_count;
    struct engine_verdict verdict; /* of the last frame */
    char kept[65536];              /* what the packet hook would keep, secrets as '*' */
    size_t kept_len;
};

struct peer { /* one connection; side 0 is the client */
    struct talk *t;
    uint8_t ip[2][4];
    uint16_t port[2];
    uint32_t next[2];
    uint8_t ttl;
    bool bad_sum;
    uint16_t vlan;
    enum engine_way way[2];
    bool held;
};

static void talk_row(void *ctx, const struct mail_row *row)
{
    static const char *const names[] = { "MAIL", "RCPT", "SNI", "AUTH" };
    struct talk *t = ctx;
    struct text out = text_in(t->rows + strlen(t->rows), sizeof(t->rows) - strlen(t->rows));

    text_addf(&out, "%s ", names[row->verb]);
    text_ascii(&out, row->text);
    if (row->user.len > 0) {
        text_word(&out, " as ");
        text_ascii(&out, row->user);
    }
    text_word(&out, ";");
}

static void talk_event(void *ctx, struct event *ev, uint64_t flow)
{
    struct talk *t = ctx;
    struct text out = text_in(t->events + strlen(t->events), sizeof(t->events) - strlen(t->events));

    (void)flow;
    t->events_count++;
    text_addf(&out, "%s %s;", event_name((enum event_kind)ev->kind), addr_ip_text(ev->src).text);
}

static void talk_packet(void *ctx, const struct engine_packet *p)
{
    struct talk *t = ctx;

    for (size_t i = 0; i < p->frame->bytes.len && t->kept_len < sizeof(t->kept); i++)
        t->kept[t->kept_len++] =
            i >= p->secret_at && i < p->secret_at + p->secret_len ? '*' : (char)p->frame->bytes.at[i];
}

static void talk_init(struct talk *t)
{
    static const uint16_t ports[] = { 25, 465, 587, 2525 };
    struct engine_calls calls = { t, talk_event, talk_row, talk_packet };

    memset(t, 0, sizeof(*t));
    t->settings = (struct hunt_settings){ .limits = { .any_mail = true, .window_us = 60000000 },
                                          .flows = 1024,
                                          .sources = 256,
                                          .half_open = 4096,
                                          .reorder_bytes = 65536,
                                          .reorder_total = 1 << 20,
                                          .fragments_bytes = 1 << 20,
                                          .line_bytes = 2048,
                                          .idle_us = 600000000,
                                          .half_open_us = 10000000,
                                          .closed_us = 5000000 };
    t->settings.ports.count = 4;
    memcpy(t->settings.ports.at, ports, sizeof(ports));
    t->now_us = 1700000000000000;
    t->engine = engine_new(&t->settings, 7, &calls, NULL);
    assert_non_null(t->engine);
}

static void talk_done(struct talk *t)
{
    engine_tick(t->engine, INT64_MAX / 2);
    engine_free(t->engine);
}

static void talk_put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void talk_put32(uint8_t *p, uint32_t v)
{
    talk_put16(p, v >> 16);
    talk_put16(p + 2, v & 0xffff);
}

static void talk_sum(uint8_t *at, uint64_t sum)
{
    uint16_t folded = (uint16_t)~ip_fold(sum);

    memcpy(at, &folded, 2);
}

static size_t peer_segment(const struct peer *c, int side, uint32_t seq, uint32_t ack, unsigned flags,
                           struct slice data, uint8_t *p)
{
    size_t len = 40 + data.len;
    uint8_t pseudo[12] = { 0 };

    memset(p, 0, 40);
    p[0] = 0x45;
    talk_put16(p + 2, (unsigned)len);
    p[8] = c->ttl;
    p[9] = IP_PROTO_TCP;
    memcpy(p + 12, c->ip[side], 4);
    memcpy(p + 16, c->ip[1 - side], 4);
    talk_sum(p + 10, ip_sum(slice_of(p, 20), 0));
    talk_put16(p + 20, c->port[side]);
    talk_put16(p + 22, c->port[1 - side]);
    talk_put32(p + 24, seq);
    talk_put32(p + 28, ack);
    p[32] = 0x50;
    p[33] = (uint8_t)flags;
    talk_put16(p + 34, 64240);
    if (data.len > 0)
        memcpy(p + 40, data.at, data.len);
    memcpy(pseudo, p + 12, 8);
    pseudo[9] = IP_PROTO_TCP;
    talk_put16(pseudo + 10, (unsigned)(len - 20));
    talk_sum(p + 36, ip_sum(slice_of(p + 20, len - 20), ip_sum(slice_of(pseudo, 12), 0)));
    if (c->bad_sum)
        p[36] ^= 0x5a;
    return len;
}

/* A segment anywhere; moves nothing. */
static void peer_send_at(struct peer *c, int side, uint32_t seq, uint32_t ack, unsigned flags, struct slice data)
{
    static uint8_t p[70000];
    size_t len = peer_segment(c, side, seq, ack, flags, data, p);
    struct engine_frame f = { .link = LINK_RAW,
                              .bytes = slice_of(p, len),
                              .wire_len = len,
                              .at_us = c->t->now_us += 100,
                              .vlans = c->vlan ? 1 : 0,
                              .tci = { c->vlan, 0 },
                              .way = c->way[side],
                              .held = c->held };

    c->t->verdict = engine_frame(c->t->engine, &f);
}

static void peer_send(struct peer *c, int side, unsigned flags, struct slice data)
{
    uint32_t seq = c->next[side];

    c->next[side] += (uint32_t)data.len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
    peer_send_at(c, side, seq, flags & TCP_ACK ? c->next[1 - side] : 0, flags, data);
}

static struct peer peer_new(struct talk *t, unsigned host, unsigned port)
{
    struct peer c = { .t = t, .port = { (uint16_t)port, 25 }, .next = { 1000 * port, 77777 * port }, .ttl = 64 };
    const uint8_t client[4] = { 10, 1, (uint8_t)(host >> 8), (uint8_t)host };
    const uint8_t server[4] = { 192, 0, 2, 9 };

    memcpy(c.ip[0], client, 4);
    memcpy(c.ip[1], server, 4);
    return c;
}

static void peer_open(struct peer *c)
{
    peer_send(c, 0, TCP_SYN, slice_of(NULL, 0));
    peer_send(c, 1, TCP_SYN | TCP_ACK, slice_of(NULL, 0));
    peer_send(c, 0, TCP_ACK, slice_of(NULL, 0));
}

/* Client's or server's text, and the other side's ACK. */
static void peer_says(struct peer *c, int side, const char *words)
{
    peer_send(c, side, TCP_ACK | TCP_PSH, slice_text(words));
    peer_send(c, 1 - side, TCP_ACK, slice_of(NULL, 0));
}

static void peer_greet(struct peer *c)
{
    peer_open(c);
    peer_says(c, 1, "220 mx ESMTP\r\n");
    peer_says(c, 0, "EHLO pc\r\n");
    peer_says(c, 1, "250-mx\r\n250 PIPELINING\r\n");
}

static void peer_bye(struct peer *c)
{
    peer_send(c, 0, TCP_FIN | TCP_ACK, slice_of(NULL, 0));
    peer_send(c, 1, TCP_FIN | TCP_ACK, slice_of(NULL, 0));
    peer_send(c, 0, TCP_ACK, slice_of(NULL, 0));
}
#endif
