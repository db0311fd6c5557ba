/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/rate.h"

#include <string.h>

static int64_t part_at(int64_t window_us, int64_t now_us)
{
    int64_t span_us = window_us / RATE_PARTS;

    return now_us / (span_us > 0 ? span_us : 1);
}

/* Empties the parts that time has left behind. */
static void move_to(struct rate_window *w, int64_t part)
{
    if (part <= w->part)
        return;
    if ((uint64_t)part - (uint64_t)w->part >= RATE_PARTS)
        memset(w->count, 0, sizeof(w->count));
    else
        for (int64_t p = w->part + 1; p <= part; p++)
            w->count[(uint64_t)p % RATE_PARTS] = 0;
    w->part = part;
}

static uint64_t sum(const struct rate_window *w)
{
    uint64_t all = 0;

    for (int i = 0; i < RATE_PARTS; i++)
        all += w->count[i];
    return all;
}

uint64_t rate_add(struct rate_window *w, int64_t window_us, int64_t now_us, uint32_t n)
{
    uint32_t *newest;

    move_to(w, part_at(window_us, now_us));
    newest = &w->count[(uint64_t)w->part % RATE_PARTS];
    *newest = *newest > UINT32_MAX - n ? UINT32_MAX : *newest + n;
    return sum(w);
}

uint64_t rate_count(const struct rate_window *w, int64_t window_us, int64_t now_us)
{
    struct rate_window then = *w;

    move_to(&then, part_at(window_us, now_us));
    return sum(&then);
}

bool rate_take(struct rate_bucket *b, uint64_t burst, int64_t each_us, int64_t now_us)
{
    int64_t from_us = b->full_at_us > now_us ? b->full_at_us : now_us;
    uint64_t owed_us = (uint64_t)from_us - (uint64_t)now_us; /* until all that was taken is back */

    if (burst == 0 || (each_us > 0 && owed_us > 0 && (owed_us - 1) / (uint64_t)each_us + 1 >= burst))
        return false;
    if (__builtin_add_overflow(from_us, each_us, &b->full_at_us))
        b->full_at_us = INT64_MAX;
    return true;
}
