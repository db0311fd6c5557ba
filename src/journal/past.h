/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * past - the events of the journal on disk, read by a process of its own: whoever reads a disk may hang with it.
 *
 * For a part that goes on where it was in an earlier life.
 */
#ifndef SERVIOLA_JOURNAL_PAST_H
#define SERVIOLA_JOURNAL_PAST_H
#include "base/err.h"
#include "journal/event.h"

enum { PAST_MOST = 16384 };

struct past_of {
    int64_t since_us; /* wall clock */
    const enum event_kind *kinds;
    size_t kinds_count;    /* borrowed during the call */
    enum event_kind after; /* none when such a one never stood in the journal; EV_NONE: no matter */
};

/*
 * Before the jail; the caller ignores SIGCHLD.  A descriptor from which struct events come, oldest first, then the end:
 * the newest PAST_MOST of them.  -1 with an error.
 */
int past_start(const char *folder, const struct past_of *of, const char *user, struct err *e);
#endif
