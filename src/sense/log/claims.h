/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * claims - what a source says about itself, compared with what it said before: its clock, its name.
 *
 * The offset of a source's clock is the median of stamp - arrival over its
 * last samples; lines are never rewritten, an offset that changes is told.  A
 * table of fixed size; the source not heard of for longest leaves.
 */
#ifndef SERVIOLA_SENSE_LOG_CLAIMS_H
#define SERVIOLA_SENSE_LOG_CLAIMS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/log/line.h"

enum { CLAIMS_SAMPLES = 15, CLAIMS_NAME = 64 };

struct claims_told { /* what a line gave occasion to tell */
    bool clock;      /* the offset is another one than was last told */
    bool name;       /* a source with one name so far has a second one */
    int64_t offset_us, before_us;
    char clock_of[CLAIMS_NAME];
    char host[CLAIMS_NAME], host_before[CLAIMS_NAME];
};

struct claims;
struct claims *claims_new(size_t sources, uint64_t seed, struct err *e);
void claims_free(struct claims *c);
/* A line with its claims and its source; true: something is to be told. */
bool claims_see(struct claims *c, const struct log_line *line, struct claims_told *told);
#endif
