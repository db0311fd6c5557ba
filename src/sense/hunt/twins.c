/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/twins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ip.h"
#include "wire/tcp.h"

/* Others have seen a flow for so long, its reader has not: the route has changed. */
#define SILENT_US  INT64_C(5000000)
#define IDLE_US    INT64_C(600000000) /* what is read where is known for as long as an idle flow is */
#define OPENING_US INT64_C(2000000)   /* from one interface to the other */

enum { NOBODY = 255 };

struct owned {
    uint64_t flow;
    int64_t at_us;     /* last frame that was read, or of a twin */
    int64_t missed_us; /* the first one since that others saw; 0: none */
    uint8_t reader[2]; /* interface, by direction; NOBODY: not yet known */
    bool inner;
    bool twin; /* the translated copy of a flow that is read elsewhere */
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
    f->direction = from < to;
    f->opening = (tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? mix(to, tcp.seq) | 1 : 0;
    return true;
}

/* Another interface saw the same opening a moment ago. */
static bool seen_elsewhere(struct twins *t, uint8_t interface, uint64_t opening, int64_t at_us)
{
    struct opening *o = &t->opening[opening / 2 % TWINS_OPENINGS];

    if (o->opening == opening && at_us - o->at_us < OPENING_US)
        return o->interface != interface;
    *o = (struct opening){ .opening = opening, .at_us = at_us, .interface = interface };
    return false;
}

static void take(struct owned *o, struct twins_place place, const struct twins_frame *f, int64_t at_us)
{
    *o = (struct owned){ .flow = f->flow, .at_us = at_us, .reader = { NOBODY, NOBODY }, .inner = place.inner };
    o->reader[f->direction] = place.interface;
}

/* Somebody else's frame.  Its reader sees it too, a moment before or after; if it no longer does, who sees it reads it.
 */
static bool missed(struct owned *o, int64_t at_us)
{
    if (o->missed_us == 0)
        o->missed_us = at_us;
    return at_us - o->missed_us >= SILENT_US;
}

bool twins_mine(struct twins *t, struct twins_place place, const struct twins_frame *f, int64_t at_us)
{
    struct owned *o = &t->owned[f->flow / 2 % TWINS_FLOWS];
    bool known = o->flow == f->flow && at_us - o->at_us < IDLE_US;
    bool elsewhere = f->opening && seen_elsewhere(t, place.interface, f->opening, at_us);
    uint8_t *reader = &o->reader[f->direction];

    if (known && o->twin && f->opening && !elsewhere)
        known = false; /* the port is used again, by this host itself */
    if (!known || (place.inner && !o->inner && !o->twin)) {
        take(o, place, f, at_us);
        o->twin = !known && elsewhere && !place.inner;
        return !o->twin;
    }
    if (*reader == NOBODY && (o->reader[!f->direction] == place.interface || (place.leaves && place.inner)))
        *reader = place.interface;
    if (!o->twin && *reader != place.interface) {
        if (!missed(o, at_us))
            return false;
        take(o, place, f, at_us);
    }
    o->at_us = at_us;
    o->missed_us = 0;
    return !o->twin;
}
