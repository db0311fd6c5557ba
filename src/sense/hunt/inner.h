/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - what the engine's own files share: engine.c (tables and time),
 * packet.c (frame to segment), segment.c (segment to conversation).
 */
#ifndef SERVIOLA_HUNT_INNER_H
#define SERVIOLA_HUNT_INNER_H
#include "sense/hunt/detect.h"
#include "sense/hunt/engine.h"
#include "sense/hunt/flow.h"
#include "sense/hunt/frags.h"
#include "sense/hunt/source.h"
#include "wire/ip.h"
#include "wire/link.h"
#include "wire/tcp.h"

/* The last bytes that a client's stream gave out, to compare repetitions with.  Slots are shared by turns. */
enum { HISTORY_SLOTS = 4096, HISTORY_BYTES = 1024 };
struct history {
    uint64_t flow; /* number of its owner */
    uint32_t end;  /* sequence number behind the last byte */
    uint32_t len;
    uint8_t bytes[HISTORY_BYTES]; /* byte of sequence number n at n % HISTORY_BYTES */
};

struct port_set {
    uint64_t words[1024];
};

struct engine {
    const struct hunt_settings *settings; /* borrowed */
    struct engine_calls calls;
    struct knocks *knocks;
    struct flow_table flows;
    struct sources *sources;
    struct frags *frags;
    struct stream_budget budget;
    struct detect detect;
    struct engine_counts counts;
    struct history *history; /* owned */
    uint32_t history_next, history_slots;
    uint64_t full_told; /* evictions that were reported */
    int64_t full_told_us;
    struct port_set mail;    /* from the settings */
    struct port_set watched; /* those, and where a mail server greeted */
    /* The frame in hand. */
    const struct engine_frame *frame;
    struct flow *flow;
    int64_t at_us;
    size_t secret_from, secret_to; /* offsets in the frame; equal: none */
};

static inline bool port_in(const struct port_set *s, uint16_t port)
{
    return s->words[port >> 6] >> (port & 63) & 1;
}

static inline void port_add(struct port_set *s, uint16_t port)
{
    s->words[port >> 6] |= UINT64_C(1) << (port & 63);
}

/* A segment with where it came from. */
struct seen_segment {
    const struct link_packet *link;
    const struct ip_packet *ip;
    const struct tcp_segment *tcp;
    bool sum_known, sum_good;
    bool sum_doubted; /* bad, in a direction that is good otherwise: a decoy, or the capture was rewritten */
    bool inner;       /* inside a tunnel: anybody can write both sides of such a flow */
};

/* packet.c: all layers of a frame; segment.c: one segment of a connection that may carry mail. */
struct engine_verdict packet_read(struct engine *g, const struct engine_frame *f);
struct engine_verdict segment_read(struct engine *g, struct seen_segment *s);
/* A segment of no watched port whose payload is a mail server's greeting. */
bool segment_greets(struct slice payload);

/* engine.c */
void engine_end_flow(struct engine *g, struct flow *f);
struct flow *engine_begin_flow(struct engine *g, const struct flow_key *key, enum flow_list list); /* makes room */
void engine_history_add(struct engine *g, struct flow *f, struct slice bytes, uint32_t seq);
bool engine_history_differs(struct engine *g, const struct flow *f, struct slice bytes, uint32_t seq);
#endif
