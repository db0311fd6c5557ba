/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/cuts.h"

#include <string.h>

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool cuts_add(struct cuts *c, const struct cut *one, int64_t now_us)
{
    if (c->count == CUTS_MOST)
        return false;
    if (c->count == c->out)
        c->first_us = now_us;
    c->last_us = now_us;
    c->at[c->count++] = *one;
    return true;
}

int64_t cuts_due_us(const struct cuts *c)
{
    int64_t share_us = CUTS_SHARE * c->took_us;
    int64_t quiet_us = c->last_us + CUTS_QUIET_US + 2 * c->took_us;
    int64_t late_us = c->first_us + CUTS_WAIT_US + share_us;

    if (c->busy || c->count == 0)
        return CUTS_NEVER;
    return larger(quiet_us < late_us ? quiet_us : late_us, c->ended_us + share_us);
}

size_t cuts_take(struct cuts *c, size_t most)
{
    c->out = c->count < most ? c->count : most;
    c->busy = true;
    return c->out;
}

void cuts_back(struct cuts *c, int64_t now_us, int64_t took_us)
{
    c->count -= c->out;
    memmove(c->at, c->at + c->out, c->count * sizeof(c->at[0]));
    c->out = 0;
    c->busy = false;
    c->ended_us = now_us;
    c->took_us = took_us;
}
