/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which message comes far more often than ever?  Lines of one kind on one host, counted in steps of five minutes,
 * against the busiest step before.  Mail and logins are left to their own questions.
 */
#include <inttypes.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { LEAST = 100, TIMES = 8 };
#define STEP_US  (5 * MINUTE_US)
#define LEARN_US DAY_US

static void tell(struct analysis *a, const struct trace_key *key, const struct log_trace *t, enum log_phase phase)
{
    bool grave = t->kind.marks & (KIND_ERROR | KIND_HARDWARE | KIND_CAPACITY) || t->severity <= 3;
    struct log_finding f = finding_of(a, "burst", grave ? GRADE_WARN : GRADE_NOTE, key->host);

    f.phase = phase;
    f.from_us = t->burst_from_us;
    f.to_us = phase == LOG_ENDED ? t->burst_last_us : 0;
    f.count = t->burst_lines;
    finding_text(&f,
                 _("%s on %s wrote one message %" PRIu64 " times in %s, where at most %" PRIu32
                   " in five minutes are usual: %s"),
                 shown_program(a, key->program).text, shown_host(a, key->host).text, t->burst_lines,
                 shown_span(t->burst_last_us - t->burst_from_us).text, t->busiest,
                 shown(slice_of(t->example, t->example_len)).text);
    finding_proof(&f, _("from %s to %s"), shown_time(t->burst_from_us).text, shown_time(t->burst_last_us).text);
    finding_tell(a, &f, (uint64_t)key->program << 40 ^ (uint64_t)key->template << 8 ^ (uint64_t)t->burst_from_us);
}

static void end(struct analysis *a, struct log_trace *t)
{
    tell(a, table_key(a->traces, t), t, LOG_ENDED);
    t->burst_from_us = 0;
    t->in_step = 0;
    a->bursts--;
}

static void turn(struct analysis *a, struct log_trace *t, int64_t step)
{
    bool calm = t->in_step < LEAST / 2 || t->in_step < TIMES * t->busiest / 2;

    if (step == t->step)
        return;
    if (t->burst_from_us != 0) {
        if (calm || step > t->step + 1)
            end(a, t);
    } else if (t->in_step > t->busiest)
        t->busiest = t->in_step;
    t->step = step;
    t->in_step = 0;
}

void burst_line(struct analysis *a, struct reading *r)
{
    struct log_trace *t = r->trace;

    if (!t || r->kind.marks & (KIND_MAIL | KIND_AUTH))
        return;
    turn(a, t, r->at_us / STEP_US);
    t->in_step++;
    if (t->burst_from_us != 0) {
        t->burst_lines++;
        t->burst_last_us = r->at_us;
    } else if (t->in_step >= LEAST && t->in_step >= TIMES * t->busiest && r->at_us - a->began_us > LEARN_US) {
        t->burst_from_us = t->step * STEP_US > t->first_us ? t->step * STEP_US : t->first_us;
        t->burst_last_us = r->at_us;
        t->burst_lines = t->in_step;
        a->bursts++;
        tell(a, table_key(a->traces, t), t, LOG_BEGAN);
    }
}

void burst_tick(struct analysis *a, int64_t now_us)
{
    for (struct log_trace *t = a->bursts > 0 ? table_oldest(a->traces) : NULL; t; t = table_newer(a->traces, t))
        if (t->burst_from_us != 0 && now_us - t->burst_last_us > 2 * STEP_US)
            end(a, t);
}

void burst_leaves(void *analysis, const void *key, void *trace)
{
    struct log_trace *t = trace;

    (void)key;
    if (t->burst_from_us != 0)
        end(analysis, t);
}
