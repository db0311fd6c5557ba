/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * timeline - the lines of a span of time, of all hosts, in the order in which they happened.
 *
 * A line that was received is placed by its own stamp, minus what its source's clock was ahead of ours then: the median
 * of stamp - arrival over the lines of that source around it.  Where these contradict each other (lines that were
 * delivered late) the offset before or behind holds; an offset of less than TIMELINE_SMALL is none.  A line without a
 * stamp stands where it arrived; one that was imported from a file, where its stamp says.
 */
#ifndef SERVIOLA_SENSE_LOG_TIMELINE_H
#define SERVIOLA_SENSE_LOG_TIMELINE_H
#include "base/err.h"
#include "sense/log/lines.h"

enum { TIMELINE_SMALL_US = 2000000, TIMELINE_HOSTS = 32 };

struct timeline_wish {
    int64_t from_us, to_us; /* both included */
    struct slice hosts[TIMELINE_HOSTS];
    size_t hosts_count; /* 0: all */
    size_t most;        /* lines that are looked at, at most: 40 bytes of memory each */
};

struct timeline_line {
    int64_t at_us;     /* when it happened, by our clock */
    int64_t offset_us; /* how far its clock was ahead of ours */
    uint64_t seq;
    uint32_t block;           /* of the store */
    uint32_t raw_at, raw_len; /* in the block's payload */
    uint32_t clock;
};

struct timeline {
    struct timeline_line *at; /* in their order */
    size_t count;
    bool cut; /* there were more than `most`: the later ones are missing */
    uint64_t unreadable;
    char why[160]; /* of the first unreadable block */
};
/* Nobody may refresh `l` as long as the timeline is used. */
int timeline_make(struct timeline *t, const struct lines *l, const struct timeline_wish *w, struct err *e);
void timeline_done(struct timeline *t);
#endif
