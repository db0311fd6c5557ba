/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a source usually speaks: lines and speaking minutes of each hour of four weeks, and how long its pauses are.
 *
 * What is usual in an hour is the median of that hour on other days, so neither a burst nor a past silence moves it.
 * Working days and the days of a weekend are kept apart as soon as there are enough of them.
 */
#include <stdlib.h>
#include <string.h>

#include "sense/log/analyse/inner.h"

enum { EXAMPLES = 3, FEW_A_DAY = 48, OWED_DAYS = 60 };

static unsigned gap_step(int64_t us)
{
    uint64_t s = us > 0 ? (uint64_t)(us / SECOND_US) : 0;
    unsigned octave = 0;
    unsigned step;

    if (s < 4)
        return (unsigned)s;
    while (s >> (octave + 1) > 0)
        octave++;
    step = 4 * (octave - 1) + (unsigned)((s >> (octave - 2)) & 3);
    return step < RHYTHM_GAPS ? step : RHYTHM_GAPS - 1;
}

/* The longest pause that falls into a step. */
static int64_t gap_of(unsigned step)
{
    unsigned octave = step / 4 + 1;

    if (step < 4)
        return (int64_t)(step + 1) * SECOND_US;
    return (int64_t)((4ull + step % 4 + 1) << (octave - 2)) * SECOND_US;
}

int64_t rhythm_longest_us(const struct rhythm *r)
{
    uint32_t beyond = r->gaps / 1000;
    unsigned step = RHYTHM_GAPS;

    for (uint32_t seen = 0; step > 0 && seen <= beyond; step--)
        seen += r->gap[step - 1];
    return gap_of(step);
}

static void add_gap(struct rhythm *r, int64_t us)
{
    if (r->gaps == 20000) {
        r->gaps = 0;
        for (unsigned i = 0; i < RHYTHM_GAPS; i++)
            r->gaps += r->gap[i] -= r->gap[i] / 2;
    }
    r->gap[gap_step(us)]++;
    r->gaps++;
}

static struct rhythm_hour *place_of(struct rhythm *r, int64_t hour)
{
    return &r->past[(uint64_t)(hour / 24) % RHYTHM_DAYS][(uint64_t)hour % 24];
}

/* What was counted goes to its place; hours without a line are known to be empty. */
static void turn(struct rhythm *r, int64_t hour)
{
    int64_t from = r->hour;

    if (hour <= from)
        return;
    r->now.known = true;
    *place_of(r, from) = r->now;
    if (hour - from > (int64_t)RHYTHM_DAYS * 24)
        from = hour - (int64_t)RHYTHM_DAYS * 24;
    for (int64_t h = from + 1; h < hour; h++)
        *place_of(r, h) = (struct rhythm_hour){ .known = true };
    memset(&r->now, 0, sizeof(r->now));
    r->hour = hour;
}

void rhythm_line(struct rhythm *r, int64_t now_us)
{
    int64_t minute = now_us / MINUTE_US;

    if (r->first_us == 0) {
        r->first_us = now_us;
        r->hour = now_us / HOUR_US;
    } else if (now_us > r->last_us + SECOND_US / 2)
        add_gap(r, now_us - r->last_us);
    turn(r, now_us / HOUR_US);
    r->now.lines = (uint16_t)(r->now.lines < UINT16_MAX ? r->now.lines + 1 : r->now.lines);
    r->now.minutes = (uint8_t)(r->now.minutes + (minute != r->minute && r->now.minutes < 60));
    r->minute = minute;
    r->last_us = r->owed_to_us = now_us;
    r->owed_lines = r->owed_minutes = 0;
}

static int by_size(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;

    return (a > b) - (a < b);
}

static uint32_t median(uint32_t *at, unsigned n)
{
    qsort(at, n, sizeof(*at), by_size);
    return n == 0 ? 0 : n < EXAMPLES ? at[0] / 2 : at[(n - 1) / 2]; /* few: the smallest, and not all of it */
}

static bool is_weekend(int64_t hour)
{
    int64_t day = (hour / 24 + 4) % 7; /* 1970 began on a Thursday; 0 is a Sunday */

    return day == 0 || day == 6;
}

/* An hour and its neighbours, thousandths of lines or minutes: a third of their sum.  False: it is not known. */
static bool example(struct rhythm *r, int64_t hour, uint32_t *lines, uint32_t *minutes)
{
    uint32_t known = 0;
    uint32_t l = 0;
    uint32_t m = 0;

    if (hour < r->first_us / HOUR_US || hour >= r->hour || !place_of(r, hour)->known)
        return false;
    for (int64_t h = hour - 1; h <= hour + 1; h++) {
        const struct rhythm_hour *p = place_of(r, h);

        if (!p->known || h >= r->hour || h < r->first_us / HOUR_US)
            continue;
        known++;
        l += p->lines;
        m += p->minutes;
    }
    *lines = l * 1000 / known;
    *minutes = m * 1000 / known;
    return true;
}

/* The least that a sparse source says on an ordinary day, thousandths an hour. */
static uint32_t daily(struct rhythm *r, int64_t hour)
{
    uint32_t lines[RHYTHM_DAYS];
    unsigned n = 0;
    uint32_t usual;

    for (int64_t d = 1; d < RHYTHM_DAYS; d++) {
        int64_t first = hour - d * 24 - 23;
        uint32_t sum = 0;

        if (first < r->first_us / HOUR_US)
            break;
        for (int64_t h = first; h < first + 24; h++)
            sum += place_of(r, h)->lines;
        lines[n++] = sum;
    }
    usual = median(lines, n);
    return n >= EXAMPLES && usual <= FEW_A_DAY ? usual * 1000 / 48 : 0;
}

static void rate(struct rhythm *r, int64_t hour)
{
    uint32_t lines[2][RHYTHM_DAYS];
    uint32_t minutes[2][RHYTHM_DAYS];
    unsigned n[2] = { 0, 0 };
    bool alike, few;
    uint32_t least;

    turn(r, hour);
    for (int64_t d = 1; d < RHYTHM_DAYS; d++) {
        int64_t h = hour - d * 24;

        alike = is_weekend(h) == is_weekend(hour);
        if (example(r, h, &lines[alike][n[alike]], &minutes[alike][n[alike]]))
            n[alike]++;
    }
    few = n[1] < EXAMPLES && n[0] > 0;
    alike = !(n[1] < EXAMPLES && n[0] > n[1]);
    r->rate_lines = median(lines[alike], n[alike]);
    r->rate_minutes = median(minutes[alike], n[alike]);
    if (few && is_weekend(hour)) { /* it may well rest on its first weekend */
        r->rate_lines /= 3;
        r->rate_minutes /= 3;
    }
    least = daily(r, hour);
    if (r->rate_lines < least) {
        r->rate_lines = least;
        r->rate_minutes = r->rate_minutes > least / 2 ? r->rate_minutes : least / 2;
    }
    r->owed_hour = hour;
}

void rhythm_owe(struct rhythm *r, int64_t now_us)
{
    if (now_us - r->owed_to_us > OWED_DAYS * DAY_US)
        r->owed_to_us = now_us - OWED_DAYS * DAY_US;
    while (r->first_us != 0 && r->owed_to_us < now_us) {
        int64_t hour = r->owed_to_us / HOUR_US;
        int64_t until = (hour + 1) * HOUR_US < now_us ? (hour + 1) * HOUR_US : now_us;

        if (hour != r->owed_hour)
            rate(r, hour);
        r->owed_lines += (until - r->owed_to_us) / SECOND_US * r->rate_lines / 3600;
        r->owed_minutes += (until - r->owed_to_us) / SECOND_US * r->rate_minutes / 3600;
        r->owed_to_us = until;
    }
}

void rhythm_forget(struct rhythm *r, int64_t from_us, int64_t to_us)
{
    int64_t from = from_us / HOUR_US;
    int64_t to = to_us / HOUR_US;

    if (to - from > (int64_t)RHYTHM_DAYS * 24)
        from = to - (int64_t)RHYTHM_DAYS * 24;
    for (int64_t h = from; h <= to; h++)
        place_of(r, h)->known = false;
}

void rhythm_down(struct rhythm *r, int64_t from_us, int64_t to_us)
{
    if (r->first_us == 0 || from_us <= 0 || to_us <= from_us)
        return;
    turn(r, to_us / HOUR_US);
    rhythm_forget(r, from_us, to_us);
    r->last_us = r->owed_to_us = to_us > r->last_us ? to_us : r->last_us;
}

void rhythm_save(const struct rhythm *r, struct bytes_out *to)
{
    bytes_put(to, (uint64_t)r->first_us, 8);
    bytes_put(to, (uint64_t)r->last_us, 8);
    bytes_put(to, (uint64_t)r->hour, 8);
    for (size_t d = 0; d < RHYTHM_DAYS; d++)
        for (size_t h = 0; h < 24; h++) {
            bytes_put(to, r->past[d][h].lines, 2);
            bytes_put(to, r->past[d][h].minutes | (r->past[d][h].known ? 0x80u : 0), 1);
        }
    for (size_t i = 0; i < RHYTHM_GAPS; i++)
        bytes_put(to, r->gap[i], 2);
}

void rhythm_load(struct rhythm *r, struct bytes_in *from)
{
    memset(r, 0, sizeof(*r));
    r->first_us = (int64_t)bytes_get(from, 8);
    r->last_us = r->owed_to_us = (int64_t)bytes_get(from, 8);
    r->hour = (int64_t)bytes_get(from, 8);
    for (size_t d = 0; d < RHYTHM_DAYS; d++)
        for (size_t h = 0; h < 24; h++) {
            uint8_t minutes;

            r->past[d][h].lines = (uint16_t)bytes_get(from, 2);
            minutes = (uint8_t)bytes_get(from, 1);
            r->past[d][h].minutes = minutes & 0x7f;
            r->past[d][h].known = minutes >> 7;
        }
    for (size_t i = 0; i < RHYTHM_GAPS; i++)
        r->gaps += r->gap[i] = (uint32_t)bytes_get(from, 2);
    from->bad = from->bad || r->first_us < 0 || r->last_us < r->first_us || r->hour < r->first_us / HOUR_US ||
                r->last_us > INT64_MAX / 2 || r->hour > r->last_us / HOUR_US + 366 * 24;
}
