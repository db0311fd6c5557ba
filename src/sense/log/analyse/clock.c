/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a source's clock go right?  And which lines came late?
 *
 * How far a clock is ahead is stamp minus arrival of the lines that dawdled least.  Lines that are a minute and more
 * beside it are off beat.  When their stamps fill a time in which the source was not heard they came late; when they
 * lie over time that was heard already, or ahead, and all by the same, the clock jumped.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

#define OFF_US        (2 * MINUTE_US)  /* so far beside is off beat */
#define SKEW_US       (30 * SECOND_US) /* so far beside all the time is worth to be told */
#define STEADY_US     (90 * SECOND_US) /* a file's arrivals are no better than that */
#define UNSET_US      (30 * DAY_US)    /* so far back is a clock that was never set */
#define LATE_JOINT_US (5 * MINUTE_US)
#define LATE_US       (5 * MINUTE_US) /* less is not worth a word */
#define ADOPT_US      (6 * HOUR_US)
enum { LATE_HOSTS = 64, JUMP_LINES = 3 };

struct clocks {    /* lines that came late, of several hosts at the same time */
    int64_t at_us; /* first arrival; 0: none */
    int64_t from_us, to_us;
    uint64_t lines;
    uint32_t host[LATE_HOSTS];
    unsigned hosts;
};

int clock_open(struct analysis *a, struct err *e)
{
    a->clocks = calloc(1, sizeof(*a->clocks));
    return a->clocks ? 0 : err_set(e, ENOMEM, "analysis");
}

void clock_close(struct analysis *a)
{
    free(a->clocks);
}

static int by_size(const void *x, const void *y)
{
    int32_t a = *(const int32_t *)x;
    int32_t b = *(const int32_t *)y;

    return (a > b) - (a < b);
}

static void tell_skew(struct analysis *a, struct log_host *h, int64_t spread_ms)
{
    struct log_finding f = finding_of(a, "clock_skew", GRADE_NOTE, h->id);
    int64_t ms = h->offset_us / 1000;

    if (h->skew_told || llabs(h->offset_us) < SKEW_US || spread_ms > 5000)
        return;
    h->skew_told = true;
    f.from_us = a->now_us;
    f.count = (uint64_t)llabs(ms / 1000);
    finding_text(&f, _("the clock of %s is %" PRIi64 ".%03d s %s"), shown_host(a, h->id).text, imaxabs(ms) / 1000,
                 (int)(llabs(ms) % 1000), ms > 0 ? _("ahead") : _("behind"));
    finding_next(&f, "%s", _("let it follow a time server; until then compare its stamps with care"));
    finding_tell(a, &f, 0);
}

static void sample(struct analysis *a, struct log_host *h, int64_t beside_us)
{
    int64_t ms = beside_us / 1000;

    h->sample[h->samples++] = ms > INT32_MAX ? INT32_MAX : ms < INT32_MIN ? INT32_MIN : (int32_t)ms;
    if (h->samples < OFFSET_SAMPLES)
        return;
    qsort(h->sample, OFFSET_SAMPLES, sizeof(h->sample[0]), by_size);
    h->offset_us = (int64_t)h->sample[OFFSET_SAMPLES * 9 / 10] * 1000; /* a line may dawdle, it is never early */
    h->offset_known = true;
    tell_skew(a, h, (int64_t)h->sample[OFFSET_SAMPLES * 3 / 4] - h->sample[OFFSET_SAMPLES / 4]);
    h->samples = 0;
}

/* --- late lines */

/* A host that was told to be silent is told to be late by the same file (silence.c). */
static void drop_silent(struct analysis *a, struct clocks *c)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < c->hosts; i++) {
        const struct quiet *q = &a->hosts[c->host[i]].quiet;

        if (q->key == 0 || q->to_us == 0)
            c->host[kept++] = c->host[i];
    }
    c->hosts = kept;
}

static void tell_late(struct analysis *a)
{
    struct clocks *c = a->clocks;
    struct log_finding f;

    drop_silent(a, c);
    if (c->hosts == 0) {
        memset(c, 0, sizeof(*c));
        return;
    }
    f = finding_of(a, "late", GRADE_NOTE, c->hosts == 1 ? c->host[0] : 0);
    f.phase = LOG_ENDED;
    f.from_us = c->from_us;
    f.to_us = c->at_us;
    f.count = c->lines;
    if (c->hosts == 1)
        finding_text(&f, _("%" PRIu64 " lines of %s came late, at %s; nothing is lost"), c->lines,
                     shown_host(a, c->host[0]).text, shown_time(c->at_us).text);
    else
        finding_text(&f, _("%" PRIu64 " lines of %u hosts came late, at %s; nothing is lost, the way to us was closed"),
                     c->lines, c->hosts, shown_time(c->at_us).text);
    finding_proof(&f, _("stamps from %s to %s"), shown_time(c->from_us).text, shown_time(c->to_us).text);
    for (unsigned i = 0; i < c->hosts && c->hosts > 1; i++)
        finding_proof(&f, "%s", shown_host(a, c->host[i]).text);
    finding_tell(a, &f, (uint64_t)c->at_us);
    memset(c, 0, sizeof(*c));
}

static void add_late(struct analysis *a, struct log_host *h)
{
    const struct offbeat *o = &h->off;
    struct clocks *c = a->clocks;
    int64_t from = o->first_stamp_us - h->offset_us;
    int64_t to = o->last_stamp_us - h->offset_us;

    if (o->least_us - h->offset_us > -LATE_US)
        return;
    if (c->at_us != 0 && o->first_us - c->at_us > LATE_JOINT_US)
        tell_late(a);
    if (c->at_us == 0) {
        c->at_us = o->first_us;
        c->from_us = from;
        c->to_us = to;
    }
    c->from_us = from < c->from_us ? from : c->from_us;
    c->to_us = to > c->to_us ? to : c->to_us;
    c->lines += o->lines;
    if (c->hosts < LATE_HOSTS)
        c->host[c->hosts++] = h->id;
    h->late_from_us = from;
    h->late_to_us = to;
    h->late_lines = o->lines;
}

/* --- jumps */

static void tell_jump(struct analysis *a, struct log_host *h, enum log_phase phase)
{
    struct offbeat *o = &h->off;
    int64_t by_us = o->most_us - h->offset_us;
    bool unset = by_us < -UNSET_US;
    struct log_finding f = finding_of(a, unset ? "clock_unset" : "clock", GRADE_WARN, h->id);
    int64_t seconds = (by_us + (by_us < 0 ? -SECOND_US / 2 : SECOND_US / 2)) / SECOND_US;

    f.phase = phase;
    f.from_us = o->first_us;
    f.to_us = phase == LOG_ENDED ? o->last_us : 0;
    f.count = (uint64_t)llabs(seconds);
    if (unset)
        finding_text(&f, _("%s wrote %" PRIu32 " lines with an unset clock: its stamps say %s"),
                     shown_host(a, h->id).text, o->lines, shown_time(o->first_stamp_us).text);
    else
        finding_text(&f, _("the clock of %s jumped by %+" PRIi64 " s at %s"), shown_host(a, h->id).text, seconds,
                     shown_time(o->first_us).text);
    if (phase == LOG_ENDED)
        finding_text(&f, _("; it was right again at %s"), shown_time(o->last_us).text);
    finding_proof(&f, _("%" PRIu32 " lines from %s to %s by our clock, from %s to %s by its own"), o->lines,
                  shown_time(o->first_us).text, shown_time(o->last_us).text, shown_time(o->first_stamp_us).text,
                  shown_time(o->last_stamp_us).text);
    finding_tell(a, &f, (uint64_t)o->first_us);
    o->told = true;
}

static bool is_steady(const struct offbeat *o)
{
    return o->lines >= JUMP_LINES && o->most_us - o->least_us < STEADY_US;
}

/* Its stamps lie where nothing was heard of it. */
static bool fills_a_gap(const struct log_host *h)
{
    const struct offbeat *o = &h->off;

    return o->most_us - h->offset_us < 0 && o->first_stamp_us - h->offset_us > o->before_us - OFF_US &&
           !(is_steady(o) && o->last_us - o->first_us > 2 * MINUTE_US);
}

static void end_offbeat(struct analysis *a, struct log_host *h)
{
    struct offbeat *o = &h->off;

    if (o->told)
        tell_jump(a, h, LOG_ENDED);
    else if (fills_a_gap(h))
        add_late(a, h);
    else if (is_steady(o))
        tell_jump(a, h, LOG_ENDED);
    memset(o, 0, sizeof(*o));
}

static void off_beat(struct analysis *a, struct log_host *h, int64_t stamp_us, int64_t at_us)
{
    struct offbeat *o = &h->off;
    int64_t beside = stamp_us - at_us;

    if (o->lines > 0 && o->told && (beside > o->most_us + STEADY_US || beside < o->least_us - STEADY_US))
        end_offbeat(a, h); /* another jump */
    if (o->lines == 0) {
        *o = (struct offbeat){ .first_us = at_us,
                               .least_us = beside,
                               .most_us = beside,
                               .first_stamp_us = stamp_us,
                               .last_stamp_us = stamp_us,
                               .before_us = h->on_time_us };
    }
    o->lines++;
    o->last_us = at_us;
    o->least_us = beside < o->least_us ? beside : o->least_us;
    o->most_us = beside > o->most_us ? beside : o->most_us;
    o->first_stamp_us = stamp_us < o->first_stamp_us ? stamp_us : o->first_stamp_us;
    o->last_stamp_us = stamp_us > o->last_stamp_us ? stamp_us : o->last_stamp_us;
    if (!o->told && is_steady(o) && !fills_a_gap(h))
        tell_jump(a, h, LOG_BEGAN);
    if (o->told && at_us - o->first_us > ADOPT_US) { /* it will not come back: that is how it goes now */
        end_offbeat(a, h);
        h->offset_us = beside;
        h->samples = 0;
    }
}

void clock_line(struct analysis *a, struct reading *r)
{
    struct log_host *h = r->host;
    int64_t stamp = r->line->stamp_us;

    if (stamp == 0 || h->id == 0)
        return;
    if (!h->offset_known && h->samples == 0 && h->on_time_us == 0)
        h->offset_us = llabs(stamp - r->at_us) < DAY_US ? stamp - r->at_us : 0; /* better than nothing */
    if (llabs(stamp - r->at_us - h->offset_us) > OFF_US && h->on_time_us != 0) {
        off_beat(a, h, stamp, r->at_us);
        return;
    }
    if (h->off.lines > 0)
        end_offbeat(a, h);
    h->on_time_us = r->at_us;
    sample(a, h, stamp - r->at_us);
}

void clock_tick(struct analysis *a, int64_t now_us)
{
    for (uint32_t id = 1; id <= names_count(a->host_names); id++)
        if (a->hosts[id].off.lines > 0 && !a->hosts[id].off.told && now_us - a->hosts[id].off.last_us > LATE_JOINT_US)
            end_offbeat(a, &a->hosts[id]);
    if (a->clocks->at_us != 0 && now_us - a->clocks->at_us > 2 * LATE_JOINT_US)
        tell_late(a);
}
