/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seek - a search (search.h) through a whole store, by several threads at once: what is found comes one block after
 * the other, in order, while later blocks are still looked through.
 *
 *   while ((got = seek_next(k, &found)) > 0)
 *       found.lines[0 .. found.count)
 */
#ifndef SERVIOLA_SENSE_LOG_SEEK_H
#define SERVIOLA_SENSE_LOG_SEEK_H
#include "sense/log/search.h"

struct seek_settings {
    unsigned threads;   /* 0: as many as there are processors, at most SEEK_THREADS */
    bool oldest_first;  /* otherwise the newest */
    bool count_only;    /* the lines themselves are not wanted */
    uint64_t after_seq; /* only lines behind this one */
};
enum { SEEK_THREADS = 16 };

struct seek_found {              /* of one block; blocks without a match are passed over */
    const struct log_line *line; /* in the order of their numbers; NULL with count_only */
    size_t count;
    size_t block;           /* in the store */
    const char *unreadable; /* NULL, or why this block could not be looked through; count is 0 then */
};

struct seek;
/* Both are borrowed; nobody may refresh `lines` before seek_free. */
struct seek *seek_new(const struct search *s, const struct lines *lines, const struct seek_settings *set,
                      struct err *e);
void seek_free(struct seek *k); /* ends the threads, whatever is left to do; NULL is fine */
/* 1: here is the next block, borrowed until the next call; 0: that was all. */
int seek_next(struct seek *k, struct seek_found *found);
uint64_t seek_given_up(const struct seek *k); /* lines left undecided; when seek_next gave 0 */
#endif
