/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Do a program's errors become more?  The share of errors among its lines in the last day against the days
 * before; spread over several hours, so a burst alone is none.
 */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { RECENT = 24, BEFORE_LEAST = 24, ERRORS_LEAST = 10, HOURS_LEAST = 6, TIMES = 4 };

struct sum {
    uint64_t lines, errors;
    uint64_t most;  /* errors of the worst hour: what is one burst is no ramp */
    unsigned hours; /* with an error */
};

static struct sum sum_of(const struct log_stream *s, int64_t from, int64_t to)
{
    struct sum n = { 0 };

    for (int64_t h = from; h < to; h++) {
        n.lines += s->ramp_lines[(uint64_t)h % RAMP_HOURS];
        n.errors += s->ramp_errors[(uint64_t)h % RAMP_HOURS];
        n.hours += s->ramp_errors[(uint64_t)h % RAMP_HOURS] > 0;
        if (s->ramp_errors[(uint64_t)h % RAMP_HOURS] > n.most)
            n.most = s->ramp_errors[(uint64_t)h % RAMP_HOURS];
    }
    return n;
}

static void tell(struct analysis *a, struct log_stream *s, enum log_phase phase, struct sum now, struct sum before)
{
    struct log_finding f = finding_of(a, "error_ramp", GRADE_WARN, s->host);

    f.phase = phase;
    f.from_us = s->ramp_from_us;
    f.to_us = phase == LOG_ENDED ? a->now_us : 0;
    f.count = s->ramp_count;
    finding_text(
        &f, _("%s on %s: %" PRIu64 " of %" PRIu64 " lines in a day are errors; before it were %" PRIu64 " of %" PRIu64),
        shown_program(a, s->program).text, shown_host(a, s->host).text, now.errors, now.lines, before.errors,
        before.lines);
    finding_proof(&f, _("%" PRIu64 " errors since %s"), s->ramp_count, shown_time(s->ramp_from_us).text);
    finding_tell(a, &f, (uint64_t)s->program << 32 ^ (uint64_t)s->ramp_from_us);
}

/* Once an hour and stream: `hour` has just begun. */
static void judge(struct analysis *a, struct log_stream *s, int64_t hour)
{
    struct sum now = sum_of(s, hour - RECENT, hour);
    struct sum half = sum_of(s, hour - RECENT / 2, hour);
    int64_t oldest =
        s->rhythm.first_us / HOUR_US > hour - RAMP_HOURS ? s->rhythm.first_us / HOUR_US : hour - RAMP_HOURS;
    struct sum before = { 0 };
    bool many;

    if (s->ramp_from_us != 0)
        oldest = s->ramp_from_us / HOUR_US - RECENT - 48 > oldest ? s->ramp_from_us / HOUR_US - RECENT - 48 : oldest;
    if (hour - RECENT - oldest < BEFORE_LEAST)
        return;
    before = sum_of(s, oldest, hour - RECENT);
    many = now.errors - now.most >= ERRORS_LEAST && now.hours >= HOURS_LEAST && before.lines > 0 &&
           (now.errors - now.most) * (before.lines + 1) > TIMES * (before.errors + 1) * now.lines;
    if (s->ramp_from_us == 0 && many && half.errors * 2 >= now.errors) {
        s->ramp_from_us = (hour - RECENT) * HOUR_US;
        s->ramp_count = now.errors;
        tell(a, s, LOG_BEGAN, now, before);
    } else if (s->ramp_from_us != 0) {
        s->ramp_count += s->ramp_errors[(uint64_t)(hour - 1) % RAMP_HOURS];
        if (now.errors < ERRORS_LEAST / 2 || hour * HOUR_US - s->ramp_from_us > 3 * DAY_US) {
            tell(a, s, LOG_ENDED, now, before);
            s->ramp_from_us = 0;
        }
    }
}

static void turn(struct analysis *a, struct log_stream *s, int64_t hour)
{
    if (s->ramp_hour == 0 || hour - s->ramp_hour > RAMP_HOURS)
        s->ramp_hour = hour - RAMP_HOURS > s->ramp_hour ? hour - RAMP_HOURS : s->ramp_hour;
    while (s->ramp_hour < hour) {
        s->ramp_hour++;
        if (s->ramp_hour == hour)
            judge(a, s, hour);
        s->ramp_lines[(uint64_t)s->ramp_hour % RAMP_HOURS] = 0;
        s->ramp_errors[(uint64_t)s->ramp_hour % RAMP_HOURS] = 0;
    }
}

void ramp_line(struct analysis *a, struct reading *r)
{
    struct log_stream *s = r->stream;
    uint64_t at;
    bool error = r->kind.marks & KIND_ERROR || r->line->severity <= 3;

    if (r->kind.marks & (KIND_AUTH | KIND_MAIL | KIND_PACKET | KIND_HARDWARE)) /* others look at those */
        error = false;
    turn(a, s, r->at_us / HOUR_US);
    at = (uint64_t)s->ramp_hour % RAMP_HOURS;
    s->ramp_lines[at] = (uint16_t)(s->ramp_lines[at] + (s->ramp_lines[at] < UINT16_MAX));
    s->ramp_errors[at] = (uint16_t)(s->ramp_errors[at] + (error && s->ramp_errors[at] < UINT16_MAX));
}

void ramp_tick(struct analysis *a, int64_t now_us)
{
    for (struct log_stream *s = table_oldest(a->streams); s; s = table_newer(a->streams, s))
        if (s->ramp_from_us != 0)
            turn(a, s, now_us / HOUR_US);
}
