/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * query - read a journal's folder, also while the scribe writes in it.
 *
 * Needs no lock and writes nothing; sees whole blocks only.  Segments and
 * blocks that can't hold a match are skipped by their index.  What is damaged
 * is stepped over, counted and named: a reader always learns what it did not see.
 */
#ifndef SERVIOLA_JOURNAL_QUERY_H
#define SERVIOLA_JOURNAL_QUERY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/event.h"

struct reader;
struct reader *reader_open(const char *folder, struct err *e);
struct reader *reader_open_at(int dir, struct err *e); /* of an open folder, which stays the caller's */
void reader_close(struct reader *r);                   /* NULL is fine */

struct query {                  /* zeroed: everything, oldest first */
    int64_t since_us, until_us; /* since <= at < until; 0: open */
    uint64_t from_seq, to_seq;  /* both included; 0: open */
    const enum event_kind *kinds;
    size_t kinds_count;     /* 0: all; borrowed */
    enum grade grade;       /* at least; 0: all */
    struct prefix src, dst; /* family 0: any */
    struct prefix either;   /* src or dst in it; family 0: any */
    uint64_t cause;         /* what this event led to directly; 0: any */
    bool reverse;           /* newest first */
    uint64_t limit;         /* 0: none */
};
bool query_matches(const struct query *q, const struct event *ev); /* one event, from the tail for instance */

struct query_told {
    uint64_t matched;
    uint64_t segments, segments_skipped;
    uint64_t blocks, blocks_skipped;
    uint64_t damaged; /* blocks, or files, that could not be read */
    char damage[256]; /* the first of them: file, place, numbers */
};

/* Calls `seen` for each match until it returns false; `told` may be NULL.  -1 only when the folder can't be read. */
int reader_query(struct reader *r, const struct query *q, bool (*seen)(void *own, const struct event *ev), void *own,
                 struct query_told *told, struct err *e);
/* The event of that number: 1 found, 0 not here, -1 as above. */
int reader_find(struct reader *r, uint64_t seq, struct event *ev, struct err *e);
/* The oldest and newest number here; both 0 when it is empty. */
int reader_range(struct reader *r, uint64_t *first, uint64_t *last, struct err *e);
#endif
