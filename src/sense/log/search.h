/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * search - finds lines in the blocks of a store (lines.h): which blocks may hold one, and which lines of them match.
 *
 * A search never changes after search_new.  Nothing is printed here.
 */
#ifndef SERVIOLA_SENSE_LOG_SEARCH_H
#define SERVIOLA_SENSE_LOG_SEARCH_H
#include "base/err.h"
#include "sense/log/lines.h"

enum search_how { SEARCH_LITERAL, SEARCH_WORD, SEARCH_REGEX };

struct search_query {
    struct slice pattern; /* bytes of one line */
    enum search_how how;
    bool nocase;
    int64_t since_us, until_us; /* of log_line_time, both included; INT64_MIN and INT64_MAX: any */
    struct slice host, program; /* as the line claims them, case does not count; empty: any */
    unsigned severity;          /* this one and worse; LOG_UNKNOWN: any */
};

struct search;
struct search *search_new(const struct search_query *q, struct err *e); /* the query's slices stay the caller's */
void search_free(struct search *s);                                     /* NULL is fine */

/* False: surely no line of this block matches. */
bool search_may_hold(const struct search *s, const struct lines_block *block);
/* Calls `hit` for each line that matches, the newest first; its claims are read.  -1: the scanner failed. */
int search_block(struct search *s, struct slice payload, uint64_t first_seq,
                 void (*hit)(void *own, const struct log_line *line), void *own, struct err *e);
uint64_t search_given_up(const struct search *s); /* lines for which an expression reached its limit */
#endif
