/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/timeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/table.h"

enum {
    WINDOW = 15,
    ENOUGH = 8,
    SPREAD_US = 20000000, /* samples of one clock differ by less, but for one on either side */
    NAME = 64,
    CLOCKS = 4096,
};
static const int64_t around_us = 600 * (int64_t)1000000; /* looked at before and behind, to know the clocks */
static const int64_t no_delta = INT64_MIN;

struct clock_key {
    uint64_t source;
    char host[NAME];
};

struct work {
    struct timeline *t;
    const struct timeline_wish *wish;
    struct table *clocks; /* uint32_t by struct clock_key */
    uint32_t clock_count;
    int64_t *deltas; /* of each line: stamp - arrival; no_delta: it has none */
    size_t cap;
};

/* ---- which lines ---- */

static bool overlaps(int64_t min, int64_t max, const struct timeline_wish *w)
{
    return max >= w->from_us - around_us && min <= w->to_us + around_us;
}

static bool may_matter(const struct lines_block *b, const struct timeline_wish *w)
{
    return overlaps(b->min_us, b->max_us, w) || overlaps(b->time_min_us, b->time_max_us, w);
}

static bool is_wanted(const struct timeline_wish *w, const struct log_line *line)
{
    bool host = w->hosts_count == 0;

    for (size_t i = 0; !host && i < w->hosts_count; i++)
        host = slice_eq_nocase(line->host, w->hosts[i]);
    return host && (overlaps(line->at_us, line->at_us, w) || overlaps(log_line_time(line), log_line_time(line), w));
}

static uint32_t clock_of(struct work *w, const struct log_line *line)
{
    struct clock_key key = { .source = line->source };
    uint32_t *number;
    bool fresh = false;

    if (line->host.len > 0)
        memcpy(key.host, line->host.at, line->host.len < NAME ? line->host.len : NAME - 1);
    number = table_add(w->clocks, &key, &fresh, NULL, NULL);
    if (fresh)
        *number = ++w->clock_count;
    return *number;
}

static int add(struct work *w, size_t block, const uint8_t *payload, const struct log_line *line, struct err *e)
{
    struct timeline *t = w->t;
    bool received = line->stamp_us != 0 && line->near_us == line->at_us;

    if (t->count == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 4096;
        struct timeline_line *at = reallocarray(t->at, cap, sizeof(*at));
        int64_t *deltas = reallocarray(w->deltas, cap, sizeof(*deltas));

        t->at = at ? at : t->at;
        w->deltas = deltas ? deltas : w->deltas;
        if (!at || !deltas)
            return err_set(e, ENOMEM, "timeline");
        w->cap = cap;
    }
    w->deltas[t->count] = received ? line->stamp_us - line->at_us : no_delta;
    t->at[t->count++] = (struct timeline_line){ .at_us = received ? line->stamp_us : log_line_time(line),
                                                .seq = line->seq,
                                                .block = (uint32_t)block,
                                                .raw_at = (uint32_t)(line->raw.at - payload),
                                                .raw_len = (uint32_t)line->raw.len,
                                                .clock = clock_of(w, line) };
    return 0;
}

static int gather(struct work *w, const struct lines *l, struct err *e)
{
    struct lines_room room = { 0 };
    int result = 0;

    for (size_t i = 0; result == 0 && !w->t->cut && i < lines_count(l); i++) {
        struct lines_walk walk;
        struct log_line line;
        struct slice payload;
        struct err why;

        if (!may_matter(lines_block(l, i), w->wish))
            continue;
        if (lines_load(l, i, &room, &payload, &why) < 0) {
            if (w->t->unreadable++ == 0)
                (void)snprintf(w->t->why, sizeof(w->t->why), "%.159s", why.text);
            continue;
        }
        walk = lines_walk(payload, lines_block(l, i)->first_seq);
        while (result == 0 && lines_next(&walk, &line)) {
            log_line_read(&line);
            if (!is_wanted(w->wish, &line))
                continue;
            w->t->cut = w->t->count == w->wish->most;
            if (w->t->cut)
                break;
            result = add(w, i, payload.at, &line, e);
        }
    }
    lines_room_done(&room);
    return result;
}

/* ---- clocks ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x;
    int64_t y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

/* The median of the samples around one; no_delta: too few, or they contradict each other. */
static int64_t median(const int64_t *samples, size_t count, size_t here)
{
    size_t from = here > WINDOW / 2 ? here - WINDOW / 2 : 0;
    int64_t sorted[WINDOW];
    size_t n;

    if (from + WINDOW > count)
        from = count > WINDOW ? count - WINDOW : 0;
    n = count - from < WINDOW ? count - from : WINDOW;
    if (n < ENOUGH)
        return no_delta;
    memcpy(sorted, samples + from, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_value);
    return sorted[n - 2] - sorted[1] <= SPREAD_US ? sorted[n / 2] : no_delta;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* `line` are the places of one clock's lines with a delta, in the order they came. */
static void correct(struct work *w, const size_t *line, const int64_t *samples, int64_t *offset, size_t count)
{
    int64_t last = 0;
    int64_t next = 0;

    for (size_t i = 0; i < count; i++)
        offset[i] = median(samples, count, i);
    for (size_t i = 0; i < count; i++) {
        struct timeline_line *at = &w->t->at[line[i]];
        int64_t own = offset[i];

        if (own == no_delta) { /* the clock jumps, or this was late: which side does it belong to? */
            size_t k = i;

            while (k < count && offset[k] == no_delta && k < i + WINDOW)
                k++;
            next = k < count && offset[k] != no_delta ? offset[k] : last;
            own = distance(samples[i], next) < distance(samples[i], last) && distance(samples[i], next) <= SPREAD_US
                    ? next
                    : last;
        } else
            last = own;
        at->offset_us = distance(own, 0) > TIMELINE_SMALL_US ? own : 0;
        at->at_us -= at->offset_us;
    }
}

static int by_clock(const void *a, const void *b, void *own)
{
    const struct timeline_line *lines = own;
    size_t x;
    size_t y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    if (lines[x].clock != lines[y].clock)
        return lines[x].clock < lines[y].clock ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int correct_all(struct work *w, struct err *e)
{
    size_t n = w->t->count;
    size_t *line = calloc(n + 1, sizeof(*line));
    int64_t *samples = calloc(n + 1, sizeof(*samples));
    int64_t *offset = calloc(n + 1, sizeof(*offset));
    size_t count = 0;
    int result = line && samples && offset ? 0 : err_set(e, ENOMEM, "timeline");

    for (size_t i = 0; result == 0 && i < n; i++)
        if (w->deltas[i] != no_delta)
            line[count++] = i;
    if (result == 0 && count > 0)
        qsort_r(line, count, sizeof(*line), by_clock, w->t->at);
    for (size_t i = 0; result == 0 && i < count; i++)
        samples[i] = w->deltas[line[i]];
    for (size_t from = 0, to; result == 0 && from < count; from = to) {
        to = from;
        while (to < count && w->t->at[line[to]].clock == w->t->at[line[from]].clock)
            to++;
        correct(w, line + from, samples + from, offset + from, to - from);
    }
    free(line);
    free(samples);
    free(offset);
    return result;
}

/* ---- all of it ---- */

static int by_time(const void *a, const void *b)
{
    const struct timeline_line *x = a;
    const struct timeline_line *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void leave_out_others(struct timeline *t, const struct timeline_wish *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->count; i++)
        if (t->at[i].at_us >= w->from_us && t->at[i].at_us <= w->to_us)
            t->at[kept++] = t->at[i];
    t->count = kept;
}

int timeline_make(struct timeline *t, const struct lines *l, const struct timeline_wish *wish, struct err *e)
{
    struct work w = { .t = t, .wish = wish };
    uint64_t seed;
    int result = -1;

    *t = (struct timeline){ 0 };
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return err_set(e, errno, "getrandom");
    w.clocks = table_new(CLOCKS, sizeof(struct clock_key), sizeof(uint32_t), seed, e);
    if (w.clocks && gather(&w, l, e) == 0 && correct_all(&w, e) == 0) {
        leave_out_others(t, wish);
        if (t->count > 0)
            qsort(t->at, t->count, sizeof(*t->at), by_time);
        result = 0;
    }
    table_free(w.clocks);
    free(w.deltas);
    return result;
}

void timeline_done(struct timeline *t)
{
    free(t->at);
    *t = (struct timeline){ 0 };
}
