/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lines - read a store of lines (store.h), also while its writer is at work.
 *
 * Needs no lock and writes nothing; sees whole blocks only.  What is damaged
 * is stepped over, counted and named.  A block's facts come from the
 * segment's index, so that a search looks only into blocks that may match;
 * of the active segment nothing but numbers and arrival times is known, and
 * everything may be in there.
 *
 *   struct lines *l = lines_open(folder, &e);
 *   for (size_t i = lines_count(l); i-- > 0;)            newest first
 *       if (lines_may_hold(...))
 *           lines_load(l, i, &room, &payload, &e);
 *           struct lines_walk w = lines_walk(payload, block->first_seq);
 *           while (lines_next(&w, &line)) ...
 *
 * One struct lines may be shared by threads as long as nobody refreshes it:
 * lines_load writes into the caller's own struct lines_room alone.
 */
#ifndef SERVIOLA_SENSE_LOG_LINES_H
#define SERVIOLA_SENSE_LOG_LINES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/log/line.h"

struct lines;

struct lines_block {
    uint64_t segment;
    uint64_t offset; /* of the block in the segment's file: with segment and line the proof of a line */
    uint32_t size;   /* stored */
    uint32_t count;  /* lines */
    uint64_t first_seq, last_seq;
    int64_t min_us, max_us;           /* at_us, both included */
    int64_t time_min_us, time_max_us; /* log_line_time, both included */
    uint64_t hosts[4], programs[4];   /* bit lines_bit(name) of each claimed one */
    uint8_t severities;               /* bit of each that occurs */
    bool known;                       /* false: active segment; all of the above but seq and arrival say "perhaps" */
    uint8_t zero[2];
    struct slice filter; /* tokens; empty: anything may be in here.  Borrowed until lines_refresh */
};

struct lines *lines_open(const char *folder, struct err *e);
struct lines *lines_open_at(int dir, struct err *e); /* stays the caller's */
void lines_close(struct lines *l);                   /* NULL is fine */
/* Looks again: new blocks of the active segment, new segments, segments that left.  Indexes of blocks may change. */
int lines_refresh(struct lines *l, struct err *e);

/* A descriptor that becomes readable when the store may have changed (inotify, non-blocking); -1: there is none, look
 * every now and then.  The caller's. */
int lines_watch(const struct lines *l);

const uint8_t *lines_id(const struct lines *l); /* the store's, 32 bytes; NULL: nothing in it tells.  Borrowed */

size_t lines_count(const struct lines *l); /* blocks, oldest first, in the order of their numbers */
const struct lines_block *lines_block(const struct lines *l, size_t i);
size_t lines_find(const struct lines *l, uint64_t seq); /* first block whose last_seq >= seq; lines_count: none */
/* Blocks or files that could not be read, and the first of them in words ("" for none). */
uint64_t lines_damaged(const struct lines *l, const char **what);

struct lines_room { /* a thread's own; zeroed at first; lines_room_done frees it */
    uint8_t *stored, *raw;
    void *zstd;
};
void lines_room_done(struct lines_room *room);
/* The payload stays valid until the next call with this room.  -1: damaged, or the segment has left meanwhile. */
int lines_load(const struct lines *l, size_t block, struct lines_room *room, struct slice *payload, struct err *e);

struct lines_walk {
    struct slice rest;
    struct log_line line; /* what the last mark said */
    uint64_t seq;
    uint64_t next_bytes;
    bool sized;
};
struct lines_walk lines_walk(struct slice payload, uint64_t first_seq);
/* The receiver's fields and `raw`; the claims are left empty: log_line_read finds them.  False at the end. */
bool lines_next(struct lines_walk *w, struct log_line *line);
/* The line that holds the byte `at` of the payload, for who searched the payload as a whole; the walk goes on behind
 * it.  `at` must not lie before what was walked already. */
bool lines_skip_to(struct lines_walk *w, const uint8_t *at, struct log_line *line);

/* Names of hosts and programs in a block's sets: letters' case does not count. */
unsigned lines_bit(struct slice name); /* 0 to 255 */
static inline bool lines_set_has(const uint64_t set[4], unsigned bit)
{
    return set[bit / 64] >> bit % 64 & 1;
}

/*
 * Tokens: runs of letters, digits, '_' and bytes from 0x80 on, 3 bytes and
 * more, case does not count; and dotted numbers (10.1.0.2) as a whole.  A
 * token of a literal may be asked for only when both its ends are known to be
 * ends of the token in the line too.
 */
enum { LINES_TOKEN_MIN = 3 };
typedef void lines_token_seen(void *ctx, uint64_t key);
void lines_tokens(struct slice text, lines_token_seen *seen, void *ctx);
uint64_t lines_token_key(struct slice token);
bool lines_may_hold(const struct lines_block *block, uint64_t key); /* false: surely no line has this token */
#endif
