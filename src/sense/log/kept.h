/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kept - a search (search.h) through the lines that have left the store and live on in the stores of their classes
 * (classes.h): one order over all of them, by the numbers the lines had in the store, each line once.
 *
 *   while ((got = kept_next(k, &line)) > 0)
 *       line.seq is that number
 */
#ifndef SERVIOLA_SENSE_LOG_KEPT_H
#define SERVIOLA_SENSE_LOG_KEPT_H
#include "sense/log/search.h"

enum {
    KEPT_STORES = 64
}; /* folders of classes that are looked at; those of classes that are no more may stand there */

struct kept;
/*
 * Below `folder`, a store's; lines whose number is below `before`.  NULL: no memory, or no thread.  What can't be read
 * is in kept_trouble().  `s` is borrowed.
 */
struct kept *kept_new(const char *folder, uint64_t before, const struct search *s, bool oldest_first, struct err *e);
void kept_free(struct kept *k); /* NULL is fine */
/* 1: here is the next line, borrowed until the next call; 0: that was all. */
int kept_next(struct kept *k, struct log_line *line);
/* Blocks and stores that could not be looked through, and the first of them in words ("" for none). */
uint64_t kept_trouble(const struct kept *k, const char **what);
#endif
