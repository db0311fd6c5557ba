/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * patterns - many regular expressions over many lines, in one pass.
 *
 * Vectorscan does the work.  What it can't do (back-references, look-around ...) it narrows down, and PCRE2 decides,
 * with limits on its work, for the line in question alone.  A line is bytes between newlines: no expression matches
 * beyond its line, whatever it says of newlines.
 *
 * Add, compile, then scan: a compiled set never changes and may be shared by threads; each thread has a scan of its
 * own.  A reload is a new set beside the old one.
 */
#ifndef SERVIOLA_SENSE_LOG_PATTERNS_H
#define SERVIOLA_SENSE_LOG_PATTERNS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum pattern_flag {
    PATTERN_NOCASE = 1 << 0,  /* ASCII letters */
    PATTERN_LITERAL = 1 << 1, /* the bytes as they are */
    PATTERN_ERE = 1 << 2,     /* a POSIX extended expression as egrep reads it; else one of Perl's kind */
    PATTERN_WORD = 1 << 3,    /* not within a longer word */
};

enum {
    PATTERN_BYTES = 16384,   /* of one expression, at most */
    PATTERNS_MOST = 1 << 16, /* expressions */
    PATTERN_STEPS = 100000,  /* PCRE2's match limit for one line: what needs more does not match, and is counted */
    PATTERN_BLOCK = 1 << 30, /* bytes of a block, at most */
};

struct patterns;
struct patterns *patterns_new(struct err *e);
void patterns_free(struct patterns *p); /* NULL is fine */
/* `id` is told when it matches.  -1: it is no expression; e says where it is wrong. */
int patterns_add(struct patterns *p, struct slice expression, unsigned flags, uint32_t id, struct err *e);
/* Takes seconds for a thousand expressions. */
int patterns_compile(struct patterns *p, struct err *e);
size_t patterns_count(const struct patterns *p);
size_t patterns_confirmed(const struct patterns *p); /* how many need PCRE2 */

struct patterns_scan;
struct patterns_scan *patterns_scan_new(const struct patterns *p, struct err *e);
void patterns_scan_free(struct patterns_scan *s);               /* NULL is fine */
uint64_t patterns_scan_given_up(const struct patterns_scan *s); /* lines for which PCRE2 reached its limit */

/*
 * `block` holds lines, each ended by a newline (the last one may lack it; an empty block is an empty line).  `hit` is
 * called with an expression's id and the line it matches, from the first line on for each expression, each pair once;
 * but expressions come mixed.  True from `hit` ends the scan.  -1: the block is too large or the scanner failed.
 */
int patterns_block(struct patterns_scan *s, struct slice block, bool (*hit)(void *own, uint32_t id, struct slice line),
                   void *own, struct err *e);
/* One line without a newline in it. */
bool patterns_line(struct patterns_scan *s, struct slice line, uint32_t *id);
#endif
