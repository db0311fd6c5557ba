/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/twins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ip.h"
#include "wire/tcp.h"

#define SILENT_US  INT64_C(5000000)   /* an owner that sees no more of a flow loses it: the route has changed */
#define TWIN_US    INT64_C(600000000) /* a translated copy is known for as long as an idle flow is */
#define OPENING_US INT64_C(2000000)   /* from one interface to the other */

struct owned {
    uint64_t flow;
    int64_t at_us;
    uint8_t interface;
    bool inner;
    bool twin; /* the translated copy of a flow that `interface` reads */
};

struct opening {
    uint64_t opening;
    int64_t at_us;
    uint8_t interface;
};

struct twins {
    uint64_t seed;
    struct owned owned[TWINS_FLOWS];
    struct opening opening[TWINS_OPENINGS];
};

struct twins *twins_new(uint64_t seed, struct err *e)
{
    struct twins *t = calloc(1, sizeof(*t));

    if (!t)
        (void)err_set(e, ENOMEM, "memory for flows seen on two interfaces");
    else
        t->seed = seed;
    return t;
}

void twins_free(struct twins *t)
{
    free(t);
}

static uint64_t mix(uint64_t h, uint64_t more)
{
    h = (h ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t end_hash(uint64_t seed, const uint8_t *ip, size_t len, uint16_t port)
{
    uint64_t part[2] = { 0 };

    memcpy(part, ip, len);
    return mix(mix(mix(seed, part[0]), part[1]), port);
}

bool twins_read(const struct twins *t, enum link_type link, struct slice frame, struct twins_frame *f)
{
    struct link_packet packet;
    struct ip_packet ip;
    struct tcp_segment tcp;
    uint64_t from, to;
    size_t len;

    if (!link_read(link, frame, &packet) || !ip_read(packet.ip, &ip) || ip.proto != IP_PROTO_TCP ||
        (ip.fragment && ip.offset > 0) || !tcp_read(ip.payload, ip.wire_len, &tcp))
        return false;
    len = ip.family == 4 ? 4 : 16;
    from = end_hash(t->seed, ip.src, len, tcp.sport);
    to = end_hash(t->seed, ip.dst, len, tcp.dport);
    f->flow = mix(from + to, from ^ to) | 1;
    f->opening = (tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? mix(to, tcp.seq) | 1 : 0;
    return true;
}

/* The interface that saw the same opening a moment ago under another flow; -1: none. */
static int seen_elsewhere(struct twins *t, unsigned interface, uint64_t opening, int64_t at_us)
{
    struct opening *o = &t->opening[opening / 2 % TWINS_OPENINGS];

    if (o->opening == opening && at_us - o->at_us < OPENING_US)
        return o->interface != interface ? o->interface : -1;
    *o = (struct opening){ .opening = opening, .at_us = at_us, .interface = (uint8_t)interface };
    return -1;
}

bool twins_mine(struct twins *t, unsigned interface, bool inner, const struct twins_frame *f, int64_t at_us)
{
    struct owned *o = &t->owned[f->flow / 2 % TWINS_FLOWS];
    bool known = o->flow == f->flow && at_us - o->at_us < (o->twin ? TWIN_US : SILENT_US);
    int other = f->opening ? seen_elsewhere(t, interface, f->opening, at_us) : -1;

    if (known && o->twin && f->opening && other < 0)
        known = false; /* the port is used again, by this host itself */
    if (known && (o->twin || o->interface == interface)) {
        o->at_us = at_us;
        return !o->twin;
    }
    if (known && (o->inner || !inner))
        return false;
    *o = (struct owned){ .flow = f->flow, .at_us = at_us, .interface = (uint8_t)interface, .inner = inner };
    if (other >= 0 && !inner && !known) {
        o->twin = true;
        return false;
    }
    return true;
}
