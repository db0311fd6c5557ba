/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nameserver - a name server on loopback that says what a test wrote down, on the test's own loop.
 *
 * UDP and TCP on one port.  A name without a record does not exist; its
 * manners decide how what it says is spoilt on the way.
 */
#ifndef SERVIOLA_TESTS_NAMESERVER_H
#define SERVIOLA_TESTS_NAMESERVER_H
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/text.h"
#include "sense/gate/settings.h"
#include "sys/clock.h"
#include "sys/loop.h"
#include "wire/dns.h"

enum { NS_CNAME = 5, NS_SOA = 6, NS_RECORDS = 1200, NS_MESSAGE = 65535, NS_TCP = 8 };
enum ns_manner {
    NS_PLAIN,
    NS_SILENT,
    NS_SERVFAIL,
    NS_WRONG_ID,
    NS_WRONG_QUESTION,
    NS_OTHER_PORT,
    NS_CUT,     /* over UDP the answer is cut */
    NS_LOOP,    /* a compression pointer to itself */
    NS_OLD,     /* knows no EDNS */
    NS_STUFFED, /* 64 KB over TCP, cut over UDP */
};
struct ns_record {
    const char *name;
    uint16_t type;
    uint16_t preference;
    uint32_t ttl;
    struct slice value; /* address as text, name (each \x01 a label break is not needed: dots are), text */
};
struct ns {
    struct loop *loop;
    int udp, tcp, stranger;
    struct addr at;
    bool dead;  /* says nothing to anybody */
    bool fails; /* each question, but for localhost, as a resolver without a way out */
    unsigned asked, asked_tcp;
    size_t count, manners;
    struct ns_record record[NS_RECORDS];
    struct {
        const char *name;
        enum ns_manner manner;
    } manner[32];
    uint8_t message[NS_MESSAGE];
    size_t len;
    int peers[NS_TCP];
};

static inline void ns_add_slice(struct ns *n, const char *name, uint16_t type, uint16_t preference, struct slice value)
{
    assert_true(n->count < NS_RECORDS);
    n->record[n->count++] = (struct ns_record){ name, type, preference, 300, value };
}

static inline void ns_add(struct ns *n, const char *name, enum dns_kind kind, const char *value)
{
    ns_add_slice(n, name, dns_type(kind), 10, slice_text(value));
}

static inline void ns_alias(struct ns *n, const char *name, const char *to)
{
    ns_add_slice(n, name, NS_CNAME, 0, slice_text(to));
}

static inline void ns_manner_set(struct ns *n, const char *name, enum ns_manner manner)
{
    n->manner[n->manners].name = name;
    n->manner[n->manners++].manner = manner;
}

static inline void ns_put(struct ns *n, const void *at, size_t len)
{
    assert_true(n->len + len <= sizeof(n->message));
    memcpy(n->message + n->len, at, len);
    n->len += len;
}

static inline void ns_put16(struct ns *n, unsigned v)
{
    ns_put(n, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static inline void ns_put_name(struct ns *n, struct slice name)
{
    while (name.len > 0) {
        struct slice label = slice_until(name, '.', &name);

        assert_true(label.len < 64);
        ns_put(n, (uint8_t[]){ (uint8_t)label.len }, 1);
        ns_put(n, label.at, label.len);
    }
    ns_put(n, "", 1);
}

static inline void ns_put_value(struct ns *n, const struct ns_record *r)
{
    size_t length_at = n->len;

    ns_put16(n, 0);
    if (r->type == dns_type(DNS_A) || r->type == dns_type(DNS_AAAA)) {
        uint8_t ip[16]; /* addr_read would fold ::ffff:0:0/96 */
        bool v4 = r->type == dns_type(DNS_A);

        assert_int_equal(inet_pton(v4 ? AF_INET : AF_INET6, (const char *)r->value.at, ip), 1);
        ns_put(n, ip, v4 ? 4 : 16);
    } else if (r->type == dns_type(DNS_TXT)) {
        for (struct slice left = r->value; left.len > 0; left = slice_skip(left, 200)) {
            struct slice part = slice_first(left, 200);

            ns_put(n, (uint8_t[]){ (uint8_t)part.len }, 1);
            ns_put(n, part.at, part.len);
        }
    } else {
        if (r->type == dns_type(DNS_MX))
            ns_put16(n, r->preference);
        ns_put_name(n, r->value);
    }
    n->message[length_at] = (uint8_t)((n->len - length_at - 2) >> 8);
    n->message[length_at + 1] = (uint8_t)(n->len - length_at - 2);
}

static inline void ns_put_record(struct ns *n, const struct ns_record *r)
{
    ns_put_name(n, slice_text(r->name));
    ns_put16(n, r->type);
    ns_put16(n, 1);
    ns_put16(n, r->ttl >> 16);
    ns_put16(n, r->ttl & 0xffff);
    ns_put_value(n, r);
}

/* The records of one question, aliases followed; whether the name is there at all. */
static inline bool ns_find(struct ns *n, struct slice name, uint16_t type, unsigned *count)
{
    bool there = false;

    for (size_t i = 0; i < n->count; i++) {
        const struct ns_record *r = &n->record[i];

        if (!slice_eq_nocase(slice_text(r->name), name))
            continue;
        there = true;
        if (r->type != type && r->type != NS_CNAME)
            continue;
        ns_put_record(n, r);
        ++*count;
        if (r->type == NS_CNAME)
            (void)ns_find(n, r->value, type, count);
    }
    return there;
}

static inline enum ns_manner ns_manner_of(const struct ns *n, struct slice name)
{
    for (size_t i = 0; !n->fails && i < n->manners; i++)
        if (slice_eq_nocase(slice_text(n->manner[i].name), name))
            return n->manner[i].manner;
    return n->fails && !slice_eq_nocase(SLICE("localhost"), name) ? NS_SERVFAIL : NS_PLAIN;
}

/* Fills n->message with the answer to a question; what it is to be sent as. */
static inline enum ns_manner ns_answer(struct ns *n, const uint8_t *at, size_t len, bool tcp)
{
    char name[300];
    struct text t = TEXT_IN(name);
    size_t pos = 12;
    uint16_t type;
    unsigned count = 0;
    bool there;
    enum ns_manner manner;

    assert_true(len > 16);
    while (pos < len && at[pos] != 0) {
        if (t.len > 0)
            text_word(&t, ".");
        text_add(&t, slice_of(at + pos + 1, at[pos]));
        pos += at[pos] + 1u;
    }
    type = (uint16_t)(at[pos + 1] << 8 | at[pos + 2]);
    pos += 5;
    n->asked++;
    n->asked_tcp += tcp;
    manner = ns_manner_of(n, slice_of(name, t.len));
    n->len = 0;
    ns_put(n, at, 2);
    ns_put(n, (uint8_t[]){ 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0 }, 10);
    ns_put(n, at + 12, pos - 12);
    if (manner == NS_SERVFAIL) {
        n->message[3] |= 2;
        return manner;
    }
    if (manner == NS_OLD && at[11] > 0) {
        n->message[3] |= 1;
        return manner;
    }
    there = ns_find(n, slice_of(name, t.len), type, &count);
    if (manner == NS_STUFFED)
        while (n->len < NS_MESSAGE - 300) {
            ns_put_record(n, &(struct ns_record){ name, type, 10, 300, SLICE("10.0.0.1") });
            count++;
        }
    if (manner == NS_LOOP) {
        ns_put16(n, 0xc000 | (unsigned)n->len);
        ns_put(n, (uint8_t[]){ 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1 }, 14);
        count = 1;
        there = true;
    }
    if (!there && count == 0)
        n->message[3] |= 3;
    if (manner == NS_WRONG_ID)
        n->message[0] ^= 0x55;
    if (manner == NS_WRONG_QUESTION)
        n->message[13] ^= 1;
    n->message[6] = (uint8_t)(count >> 8);
    n->message[7] = (uint8_t)count;
    if (!tcp && (manner == NS_CUT || n->len > 1232)) {
        n->message[2] |= 2;
        n->message[6] = n->message[7] = 0;
        n->len = pos;
    }
    return manner;
}

static inline void ns_udp_ready(void *ctx, int fd, int events)
{
    struct ns *n = ctx;
    uint8_t question[1500];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(fd, question, sizeof(question), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
    enum ns_manner manner;

    (void)events;
    if (len < 0)
        return;
    if (n->dead) {
        n->asked++;
        return;
    }
    manner = ns_answer(n, question, (size_t)len, false);
    if (manner != NS_SILENT)
        assert_int_equal(sendto(manner == NS_OTHER_PORT ? n->stranger : fd, n->message, n->len, 0,
                                (struct sockaddr *)&from, from_len),
                         n->len);
}

static inline void ns_peer_ready(void *ctx, int fd, int events)
{
    struct ns *n = ctx;
    uint8_t question[1500];
    ssize_t len = recv(fd, question, sizeof(question), MSG_DONTWAIT);

    (void)events;
    if (len > 18) {
        uint8_t length[2];

        (void)ns_answer(n, question + 2, (size_t)len - 2, true);
        length[0] = (uint8_t)(n->len >> 8);
        length[1] = (uint8_t)n->len;
        assert_int_equal(send(fd, length, 2, MSG_NOSIGNAL), 2);
        assert_int_equal(send(fd, n->message, n->len, MSG_NOSIGNAL), n->len); /* loopback takes 64 KB at once */
        return;
    }
    loop_unwatch(n->loop, fd);
    for (int i = 0; i < NS_TCP; i++)
        if (n->peers[i] == fd)
            n->peers[i] = -1;
    (void)close(fd);
}

static inline void ns_tcp_ready(void *ctx, int fd, int events)
{
    struct ns *n = ctx;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    int i = 0;

    (void)events;
    while (i < NS_TCP && n->peers[i] >= 0)
        i++;
    assert_true(i < NS_TCP);
    n->peers[i] = peer;
    assert_int_equal(loop_watch(n->loop, peer, LOOP_IN, ns_peer_ready, n, NULL), 0);
}

static inline struct ns *ns_new(struct loop *l)
{
    struct ns *n = calloc(1, sizeof(*n));
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);

    n->loop = l;
    memset(n->peers, -1, sizeof(n->peers));
    n->stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (;;) { /* a port that is free for both */
        sa.sin_port = 0;
        n->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        n->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(n->udp, (struct sockaddr *)&sa, len), 0);
        assert_int_equal(getsockname(n->udp, (struct sockaddr *)&sa, &len), 0);
        if (bind(n->tcp, (struct sockaddr *)&sa, len) == 0)
            break;
        (void)close(n->udp);
        (void)close(n->tcp);
    }
    assert_int_equal(listen(n->tcp, 16), 0);
    n->at = addr_v4(INADDR_LOOPBACK, ntohs(sa.sin_port));
    assert_int_equal(loop_watch(l, n->udp, LOOP_IN, ns_udp_ready, n, NULL), 0);
    assert_int_equal(loop_watch(l, n->tcp, LOOP_IN, ns_tcp_ready, n, NULL), 0);
    return n;
}

static inline void ns_free(struct ns *n)
{
    for (int i = 0; i < NS_TCP; i++)
        if (n->peers[i] >= 0) {
            loop_unwatch(n->loop, n->peers[i]);
            (void)close(n->peers[i]);
        }
    loop_unwatch(n->loop, n->udp);
    loop_unwatch(n->loop, n->tcp);
    (void)close(n->udp);
    (void)close(n->tcp);
    (void)close(n->stranger);
    free(n);
}

/* Settings that ask it. */
static inline struct gate_settings *ns_settings(const struct ns *n)
{
    struct gate_settings *set = calloc(1, sizeof(*set));

    set->dns = (struct gate_dns){
        .servers = { .count = 1, .at = { n->at } },
        .try_us = 100000,
        .total_us = 250000,
        .tries = 2,
        .cache = 64,
        .in_flight = 32,
    };
    return set;
}

/* Runs the loop until `over` holds; fails after 10 s. */
struct ns_wait {
    struct loop *loop;
    const bool *over;
    int64_t until_us;
};
static inline void ns_wait_look(void *ctx)
{
    struct ns_wait *w = ctx;

    if (*w->over || clock_mono_us() > w->until_us)
        loop_stop(w->loop);
}
static inline void ns_run_until(struct loop *l, const bool *over)
{
    struct ns_wait w = { l, over, clock_mono_us() + 10000000 };
    uint32_t id = loop_timer(l, 0, 1000, ns_wait_look, &w);

    while (!*over && clock_mono_us() < w.until_us)
        assert_int_equal(loop_run(l, NULL), 0);
    loop_untimer(l, id);
    assert_true(*over);
}
#endif
