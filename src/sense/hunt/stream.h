/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream - one direction of a TCP connection, put in order.
 *
 * Where segments overlap with different bytes, the reader must agree with the
 * receiver, and that is mostly Linux.  Measured there: bytes in order beat an
 * earlier piece that came too early; of two equal early pieces the first
 * stays; a later and longer one replaces the shorter; what was received never
 * changes.  So the first copy wins, except where Linux does otherwise; any
 * difference is reported.
 *
 * A segment that the receiver may never have got (of a flow without a proven
 * start, behind a RST or FIN, with a TTL unlike its fellows) is `held`: it
 * counts when the other side acknowledged it, and anything sound beats it.
 */
#ifndef SERVIOLA_HUNT_STREAM_H
#define SERVIOLA_HUNT_STREAM_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct stream_piece;

/* Bytes that came too early, over all streams. */
struct stream_budget {
    uint64_t per_stream, total; /* limits */
    uint64_t used, held;        /* held: of that, waiting for an acknowledgement; at most a quarter of total */
    uint64_t dropped;           /* pieces that found no room */
};

struct stream {
    uint32_t next;               /* sequence number of the next byte to be given out */
    uint32_t acked;              /* the other side has everything before it */
    uint32_t fin;                /* where the FIN stands, with fin_seen */
    uint32_t window;             /* the other side's, scaled; 0: not known */
    uint32_t stored;             /* bytes in pieces */
    struct stream_piece *pieces; /* owned; by sequence number */
    int8_t scale;                /* of the windows this side announces; -1: none */
    uint8_t ttl;                 /* of its first segment */
    uint8_t good_sums, bad_sums; /* up to 255 */
    bool started, acked_known, fin_seen, ended;
};

struct stream_out {
    void *ctx;
    void (*bytes)(void *ctx, struct slice s, uint32_t seq);
    void (*gap)(void *ctx, uint32_t len);
    void (*conflict)(void *ctx); /* pieces overlap with different bytes */
};

void stream_start(struct stream *s, uint32_t next);
void stream_done(struct stream *s, struct stream_budget *b);
/* `bytes` of the `wire_len` that stand at `seq` were captured.  Old bytes are cut off here: compare them before. */
void stream_put(struct stream *s, struct stream_budget *b, uint32_t seq, struct slice bytes, uint32_t wire_len,
                bool hold, const struct stream_out *out);
/* The other side has everything before `ack`: held pieces may go out, and what is missing is lost. */
void stream_ack(struct stream *s, struct stream_budget *b, uint32_t ack, const struct stream_out *out);
/* What waits here ends with a line that is a dot alone. */
bool stream_ends_body(const struct stream *s);
/* Everything before `to` is given up unread. */
void stream_skip(struct stream *s, struct stream_budget *b, uint32_t to);
/* False: a bad checksum in a direction whose checksums are right otherwise (a capture at the sender has none right). */
bool stream_sum(struct stream *s, bool good);
#endif
