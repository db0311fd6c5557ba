/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum { SECOND = 1000000, ENOUGH = 8, JUMP_S = 30, QUARTER_S = 900, FARTHEST_ZONE_S = 14 * 3600, ZONE_SLACK_S = 20 };

struct claimant {
    int64_t samples[CLAIMS_SAMPLES]; /* a ring */
    uint32_t count;
    bool told;
    bool renamed;
    int64_t told_us;
    char host[CLAIMS_NAME];
};

struct claims {
    struct table *sources;
};

struct claims *claims_new(size_t sources, uint64_t seed, struct err *e)
{
    struct claims *c = calloc(1, sizeof(*c));

    if (c)
        c->sources = table_new(sources, sizeof(uint64_t), sizeof(struct claimant), seed, e);
    if (c && c->sources)
        return c;
    free(c);
    err_set(e, 0, "claims");
    return NULL;
}

void claims_free(struct claims *c)
{
    if (c)
        table_free(c->sources);
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

static bool median(const struct claimant *from, int64_t *us)
{
    int64_t sorted[CLAIMS_SAMPLES];
    uint32_t n = from->count < CLAIMS_SAMPLES ? from->count : CLAIMS_SAMPLES;

    if (n < ENOUGH)
        return false;
    memcpy(sorted, from->samples, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_value);
    *us = sorted[n / 2];
    return true;
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

static void see_name(struct claimant *from, struct slice host, struct claims_told *told)
{
    char name[CLAIMS_NAME];

    if (host.len == 0)
        return;
    keep_name(name, host);
    if (from->host[0] == '\0')
        memcpy(from->host, name, sizeof(name));
    else if (!from->renamed && memcmp(from->host, name, sizeof(name)) != 0) {
        from->renamed = told->name = true; /* once: who relays for others has many names */
        memcpy(told->host_before, from->host, sizeof(name));
        memcpy(told->host, name, sizeof(name));
    }
}

static void see_clock(struct claimant *from, const struct log_line *line, struct claims_told *told)
{
    int64_t now_us;

    if (line->stamp_us == 0 || line->near_us != line->at_us)
        return;
    from->samples[from->count++ % CLAIMS_SAMPLES] = line->stamp_us - line->at_us;
    if (!median(from, &now_us))
        return;
    if (!from->told) {
        from->told = true;
        from->told_us = !line->zoned && is_zone(now_us) ? now_us : 0;
    }
    if (distance(now_us, from->told_us) <= (int64_t)JUMP_S * SECOND)
        return;
    told->clock = true;
    told->offset_us = now_us;
    told->before_us = from->told_us;
    from->told_us = now_us;
    keep_name(told->host, line->host);
}

bool claims_see(struct claims *c, const struct log_line *line, struct claims_told *told)
{
    struct claimant *from = table_add(c->sources, &line->source, NULL, NULL, NULL);

    *told = (struct claims_told){ 0 };
    see_name(from, line->host, told);
    see_clock(from, line, told);
    return told->clock || told->name;
}

bool claims_offset(struct claims *c, uint64_t source, int64_t *offset_us)
{
    const struct claimant *from = table_find(c->sources, &source);

    return from && median(from, offset_us);
}
