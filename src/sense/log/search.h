/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * search - finds lines in the blocks of a store (lines.h): which blocks may hold one, and which lines of them match.
 *
 * A search never changes after search_new and may be shared by threads; each thread has a scan of its own.  Nothing
 * is printed here; seek.h looks through a whole store.
 */
#ifndef SERVIOLA_SENSE_LOG_SEARCH_H
#define SERVIOLA_SENSE_LOG_SEARCH_H
#include "base/bytes.h"
#include "base/err.h"
#include "sense/log/lines.h"
#include "sense/log/template.h"

enum search_how { SEARCH_LITERAL, SEARCH_WORD, SEARCH_REGEX };

struct search_query {
    struct slice pattern; /* bytes of one line; empty: every line that passes what follows */
    enum search_how how;
    bool nocase;
    bool invert;                /* lines that the pattern does not match */
    int64_t since_us, until_us; /* of log_line_time, both included; INT64_MIN and INT64_MAX: any */
    struct slice host, program; /* as the line claims them, case does not count; empty: any */
    unsigned severity;          /* this one and worse; LOG_UNKNOWN: any */
    uint32_t template;          /* lines whose message is of this one; 0: any */
    struct slice templates;     /* what templates_save wrote of the set that `template` belongs to */
};

struct search;
struct search *search_new(const struct search_query *q, struct err *e); /* host and program stay borrowed */
void search_free(struct search *s);                                     /* NULL is fine */
/* False: surely no line of this block matches. */
bool search_may_hold(const struct search *s, const struct lines_block *block);

struct search_hits {     /* zeroed at first; what was found last, in the order of the lines */
    struct log_line *at; /* claims are read; they borrow from the payload */
    size_t count, room;
};
void search_hits_done(struct search_hits *h);

struct search_scan;
struct search_scan *search_scan_new(const struct search *s, struct err *e);
void search_scan_free(struct search_scan *c); /* NULL is fine */
/* Puts each line of the block that matches into `h`.  -1: the scanner failed. */
int search_block(struct search_scan *c, struct slice payload, uint64_t first_seq, struct search_hits *h, struct err *e);
uint64_t search_given_up(const struct search_scan *c); /* lines for which an expression reached its limit */
#endif
