/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/sitting.h"

#include <string.h>

#define MINUTE_US 60000000LL

static void begin(struct sitting *s, int64_t now_us)
{
    s->under_way = true;
    s->shown = s->keep = false;
    s->begun_us = now_us;
}

/* Nobody waits for ever for one who is gone. */
static bool is_under_way(struct sitting *s, int64_t now_us)
{
    if (s->under_way && now_us - s->begun_us > SITTING_MOST_US) {
        s->under_way = false;
        s->count = 0;
    }
    return s->under_way;
}

static size_t leave(struct sitting *s, struct sitter waited[SITTING_WAITERS])
{
    size_t count = s->count;

    memcpy(waited, s->waiters, count * sizeof(*waited));
    s->count = 0;
    return count;
}

enum sitting_answer sitting_ask(struct sitting *s, const struct sitter *who, int64_t now_us)
{
    bool takes_one = !is_under_way(s, now_us) || (s->shown && s->count == 0); /* now or next: only for this ask */

    if (s->count == SITTING_WAITERS)
        return SITTING_CROWDED;
    if (takes_one && rate_count(&s->asked, MINUTE_US, now_us) >= SITTING_A_MINUTE)
        return SITTING_TOO_OFTEN;
    if (takes_one)
        (void)rate_add(&s->asked, MINUTE_US, now_us, 1);
    s->waiters[s->count++] = *who;
    if (s->under_way)
        return s->shown ? SITTING_NEXT : SITTING_JOINS;
    begin(s, now_us);
    return SITTING_BEGINS;
}

bool sitting_begin(struct sitting *s, int64_t now_us)
{
    bool free_now = !is_under_way(s, now_us);

    if (free_now)
        begin(s, now_us);
    s->keep = true;
    return free_now;
}

bool sitting_show(struct sitting *s, struct sitter waited[SITTING_WAITERS], size_t *count)
{
    bool keep = s->keep;

    *count = leave(s, waited);
    for (size_t i = 0; i < *count; i++)
        keep = keep || waited[i].keep;
    s->shown = true;
    return keep;
}

bool sitting_end(struct sitting *s, struct sitter waited[SITTING_WAITERS], size_t *count, int64_t now_us)
{
    *count = 0;
    if (!s->under_way)
        return false;
    if (!s->shown)
        *count = leave(s, waited);
    s->under_way = false;
    if (s->count == 0)
        return false;
    begin(s, now_us);
    return true;
}
