/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * when - times as people type and read them, in the zone of the machine.
 *
 * `now_us` comes in by argument.  The C library reads the zone from a file
 * at first use: a part that goes into a jail calls tzset() before.
 */
#ifndef SERVIOLA_VIEW_WHEN_H
#define SERVIOLA_VIEW_WHEN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/words.h"

/*
 * 2026-11-22T18:28:03Z, with a fraction and an offset (RFC 3339); the same
 * with a blank, without seconds or without a zone (local time); 2026-11-22;
 * 18:28 and 18:28:03 (today); today, yesterday, now; 2h and 1h30min (that long ago: conf/value.h).
 */
bool when_read(struct slice s, int64_t now_us, int64_t *at_us);
#define WHEN_HELP                                                                                                      \
    N_("a time like 2026-11-22T18:28:03Z, \"2026-11-22 18:28\", 18:28, today, yesterday, or how long ago: 30s, 5min, " \
       "2h, 3d")

struct when_words {
    char text[48];
};
struct when_words when_clock(int64_t at_us);                /* 18:28:03.123 */
struct when_words when_full(int64_t at_us);                 /* 2026-11-22 18:28:03.123 */
struct when_words when_near(int64_t at_us, int64_t now_us); /* 18:28:03; on another day 2026-11-21 18:28:03 */
struct when_words when_long(int64_t span_us);               /* 1 h 2 min; under a second "less than a second" */
#endif
