/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cuts - blocked hosts whose running connections are to be cut, collected: one walk through the tracker serves all.
 *
 * The kernel's tracker can only be walked as a whole; with a quarter of a
 * million buckets that costs 20 ms of a processor on which no packet moves
 * meanwhile, even when it is empty.  The rules stop the hosts already, so
 * this can wait until no more blocks come, and for its fair share of time.
 * Pure: the clock comes in, and who walks is told by act.
 */
#ifndef SERVIOLA_HAND_CUTS_H
#define SERVIOLA_HAND_CUTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { CUTS_MOST = 4096 }; /* hosts that may wait */
enum {
    CUTS_QUIET_US = 5000, /* without another host, and twice as long as the last walk took */
    CUTS_WAIT_US = 20000, /* of the first host at most, and CUTS_SHARE times as long as the last walk took */
    CUTS_SHARE = 20,      /* one part of the time goes to walks, the others are without one */
    CUTS_NEVER = -1,
};

struct cut {
    struct addr who; /* port 0 */
    uint32_t id;     /* of the ask */
    uint64_t cause;
};

struct cuts {
    size_t count;              /* of at[] */
    bool busy;                 /* the cutter walks, or has not begun yet */
    size_t out;                /* the first so many are with the cutter */
    int64_t first_us, last_us; /* when the oldest and the newest of those that wait came */
    int64_t ended_us, took_us; /* the last walk */
    struct cut at[CUTS_MOST];
};

bool cuts_add(struct cuts *c, const struct cut *one, int64_t now_us); /* false: no more fit */
int64_t cuts_due_us(const struct cuts *c); /* when the next walk should begin; CUTS_NEVER: none waits, or one runs */
/* All that wait, at most `most`, are out now; returns how many: at[0] to at[count - 1]. */
size_t cuts_take(struct cuts *c, size_t most);
/* They came back: room for others.  The caller has answered them. */
void cuts_back(struct cuts *c, int64_t now_us, int64_t took_us);
#endif
