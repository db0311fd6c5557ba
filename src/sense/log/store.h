/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store - keeps received lines: memory, then disk, then sealed.
 *
 * The folder is a journal's (journal/journal.h) with lines in the place of
 * events: NNN.wal as it comes, NNN.zst compressed, indexed and signed.
 *
 * One thread appends (the receiver's); a second writes and syncs what has
 * gathered, a third compresses and seals.  A line has its number at once; it
 * is acknowledged when `synced` names that number or a higher one, which
 * comes only after the fdatasync that covers it.  What is not acknowledged
 * may be lost by a crash; what is, is not.
 *
 * Payload of a block, which `zstdcat` prints (unless it was packed again in columns): lines, each with a newline
 * behind it, and, in front of lines that share them, what the receiver knows:
 *
 *   \x1e2026-11-22T18:28:03.123456Z tcp 10.1.0.2:49152 [near=STAMP] [origin=N] [bytes=N] [whole=N sha256=HEX]\n
 *
 * (origin: the number in the store it was forwarded from; it rises by one from line to line.)
 * It holds for all lines up to the next such mark, but for `bytes` (the next
 * line has N bytes, whatever they are: it holds a newline or begins with
 * \x1e) and `whole` (it was cut; so long it was, and that was its SHA-256),
 * which are the next line's own.  Each commit begins with a mark.
 */
#ifndef SERVIOLA_SENSE_LOG_STORE_H
#define SERVIOLA_SENSE_LOG_STORE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "journal/journal.h"
#include "journal/segment.h"
#include "sense/log/line.h"

enum {
    STORE_LINE_MAX = 192 << 10, /* longest line that is kept whole; the settings may say less */
    STORE_PEER_MAX = 256,
};

struct store_limits {
    struct journal_limits files; /* sizes and ages of segments, retention, reserve */
    int64_t sync_us;             /* lines wait at most so long for the disk to be asked */
    uint64_t memory_bytes;       /* that may wait for it; then store_append says no */
    int level;                   /* zstd's, of sealed segments */
    bool columns;                /* packed again, lines are taken apart: smaller by far, slower to pack */
    int64_t head_us;             /* how often the open head is told */
    int64_t again_us;            /* sealed so long ago, they are packed again, smaller; INT64_MAX: never */
};
struct store_limits store_default_limits(void);

struct store_calls { /* all from store_turn, in the appending thread */
    void *ctx;
    void (*synced)(void *ctx, uint64_t seq);                     /* every line up to here is on disk */
    void (*room)(void *ctx);                                     /* after store_append said no: try again */
    void (*failed)(void *ctx, const struct err *why, bool full); /* the disk refuses; tried again until it does not */
    void (*back)(void *ctx, int64_t span_us);                    /* it takes lines again */
    void (*sealed)(void *ctx, const struct journal_sealed *s);
    void (*head)(void *ctx, const struct seg_seal *s); /* the open head (journal/seal.h), each head_us of new lines */
    void (*expired)(void *ctx, const struct journal_expired *x);
};

struct store;
/* Locks the folder and recovers it; starts no thread yet (so that a jail may be entered between). */
struct store *store_open(const char *folder, const struct store_limits *l, const struct store_calls *calls,
                         int64_t now_us, struct journal_opened *found, struct err *e);
int store_start(struct store *s, struct err *e); /* the threads */
/* Other limits from now on; memory_bytes and the reserve stay. */
void store_renew(struct store *s, const struct store_limits *l);
int store_fd(const struct store *s); /* readable: call store_turn */
void store_turn(struct store *s);
/* Seals what is on disk, when nothing more comes for a while; false: it took longer than `wait_us`. */
bool store_seal(struct store *s, int64_t wait_us);
/* Writes, syncs and acknowledges what is there, at most `wait_us` long; then stops the threads.  NULL is fine. */
void store_close(struct store *s, int64_t wait_us);

/*
 * Takes raw, peer, way, at_us, near_us and whole_bytes of `line`; copies.
 * Its number, or 0: memory is full, nothing was taken, `room` follows.
 * `digest` is of the whole line when whole_bytes is not 0 (32 bytes), else NULL.
 */
uint64_t store_append(struct store *s, const struct log_line *line, const uint8_t *digest);
/*
 * Hands what was appended to the writer if that is idle: at once when somebody waits for an acknowledgement, else when
 * it is sync_us old.  Call it whenever a round of receiving ends; microseconds until it wants to be called again, 0:
 * nothing waits for the clock.
 */
int64_t store_push(struct store *s, int64_t mono_us, bool ack_waits);

uint64_t store_last(const struct store *s);   /* newest appended */
uint64_t store_synced(const struct store *s); /* newest acknowledged */
bool store_has_room(const struct store *s);
const uint8_t *store_id(const struct store *s); /* 32 bytes; borrowed */
#endif
