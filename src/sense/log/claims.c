/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum {
    SECOND = 1000000,
    ENOUGH = 8,
    JUMP_S = 30,
    SPREAD_S = 20,
    TELL_EVERY_S = 60,
    QUARTER_S = 900,
    FARTHEST_ZONE_S = 14 * 3600,
    ZONE_SLACK_S = 20
};

struct name {
    bool renamed;
    char host[CLAIMS_NAME];
};

struct clock_key { /* whose clock: a relay brings those of many */
    uint64_t source;
    char host[CLAIMS_NAME];
};
struct clock {
    int64_t samples[CLAIMS_SAMPLES]; /* a ring */
    uint32_t count;
    bool told;
    int64_t told_us; /* the offset that was last told, */
    int64_t said_us; /* and when */
};

struct claims {
    struct table *names;  /* struct name by source */
    struct table *clocks; /* struct clock by struct clock_key */
};

struct claims *claims_new(size_t sources, uint64_t seed, struct err *e)
{
    struct claims *c = calloc(1, sizeof(*c));

    if (c) {
        c->names = table_new(sources, sizeof(uint64_t), sizeof(struct name), seed, e);
        c->clocks = table_new(sources, sizeof(struct clock_key), sizeof(struct clock), seed, e);
    }
    if (c && c->names && c->clocks)
        return c;
    claims_free(c);
    err_set(e, 0, "claims");
    return NULL;
}

void claims_free(struct claims *c)
{
    if (!c)
        return;
    table_free(c->names);
    table_free(c->clocks);
    free(c);
}

static int by_value(const void *a, const void *b)
{
    int64_t x;
    int64_t y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

/* False: too few, or they contradict each other: old lines are sent again, or several clocks share a name. */
static bool median(const struct clock *from, int64_t *us)
{
    int64_t sorted[CLAIMS_SAMPLES];
    uint32_t n = from->count < CLAIMS_SAMPLES ? from->count : CLAIMS_SAMPLES;

    if (n < ENOUGH)
        return false;
    memcpy(sorted, from->samples, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_value);
    *us = sorted[n / 2];
    return sorted[n - 2] - sorted[1] <= (int64_t)SPREAD_S * SECOND;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* A stamp that names no zone and is some quarters of an hour off: that is its zone, and no fault of its clock. */
static bool is_zone(int64_t us)
{
    int64_t quarters = (us + (us < 0 ? -1 : 1) * (int64_t)QUARTER_S * SECOND / 2) / ((int64_t)QUARTER_S * SECOND);

    return distance(us, 0) <= (int64_t)FARTHEST_ZONE_S * SECOND &&
           distance(us, quarters * QUARTER_S * SECOND) <= (int64_t)ZONE_SLACK_S * SECOND;
}

static void keep_name(char to[CLAIMS_NAME], struct slice host)
{
    size_t len = host.len < CLAIMS_NAME - 1 ? host.len : CLAIMS_NAME - 1;

    memset(to, 0, CLAIMS_NAME);
    if (len > 0)
        memcpy(to, host.at, len);
}

static void see_name(struct claims *c, const struct log_line *line, struct claims_told *told)
{
    struct name *from = table_add(c->names, &line->source, NULL, NULL, NULL);
    char name[CLAIMS_NAME];

    keep_name(name, line->host);
    if (from->host[0] == '\0')
        memcpy(from->host, name, sizeof(name));
    else if (!from->renamed && memcmp(from->host, name, sizeof(name)) != 0) {
        from->renamed = told->name = true; /* once: who relays for others has many names */
        memcpy(told->host_before, from->host, sizeof(name));
        memcpy(told->host, name, sizeof(name));
    }
}

static void see_clock(struct claims *c, const struct log_line *line, struct claims_told *told)
{
    struct clock_key key = { .source = line->source };
    struct clock *clock;
    int64_t now_us;

    keep_name(key.host, line->host);
    clock = table_add(c->clocks, &key, NULL, NULL, NULL);
    clock->samples[clock->count++ % CLAIMS_SAMPLES] = line->stamp_us - line->at_us;
    if (!median(clock, &now_us))
        return;
    if (!clock->told) {
        clock->told = true;
        clock->told_us = !line->zoned && is_zone(now_us) ? now_us : 0;
    }
    if (distance(now_us, clock->told_us) <= (int64_t)JUMP_S * SECOND ||
        (clock->said_us != 0 && line->at_us - clock->said_us < (int64_t)TELL_EVERY_S * SECOND))
        return;
    told->clock = true;
    told->offset_us = now_us;
    told->before_us = clock->told_us;
    memcpy(told->clock_of, key.host, sizeof(key.host));
    clock->told_us = now_us;
    clock->said_us = line->at_us;
}

bool claims_see(struct claims *c, const struct log_line *line, struct claims_told *told)
{
    *told = (struct claims_told){ 0 };
    if (line->host.len > 0)
        see_name(c, line, told);
    if (line->stamp_us != 0 && line->near_us == line->at_us)
        see_clock(c, line, told);
    return told->clock || told->name;
}
