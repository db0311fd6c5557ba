/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counts - what the kernel has counted of blocked hosts that go on trying, brought home into the list of blocks.
 *
 * A host's element is made by its first packet that is stopped.  Read in
 * portions, as there may be as many as blocks.
 */
#ifndef SERVIOLA_HAND_COUNTS_H
#define SERVIOLA_HAND_COUNTS_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hand/bans.h"
#include "hand/elements.h"
#include "hand/nl.h"

enum { COUNTS_STALE = 256 };

struct counts {
    struct nl nl;      /* own */
    struct bans *bans; /* borrowed */
    char table[32];
    size_t set; /* which one is being read */
    int64_t now_us;
    struct elements_walk walk;
    size_t stale_count;
    struct ban
        stale[COUNTS_STALE]; /* counted, but not blocked any more: elements to be taken out; the rest next time */
};

int counts_open(struct counts *c, struct bans *bans, struct err *e);
void counts_close(struct counts *c);
int counts_begin(struct counts *c, const char *table, int64_t now_us); /* -1 with errno; gives up a reading under way */
int counts_step(struct counts *c);                                     /* 1: there is more, 0: that was all, -1 */
int counts_fd(const struct counts *c);                                 /* readable while there is more */
#endif
