/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was never logged before?  Ranked by what it is about: hardware first, then what the line says of its own
 * gravity.  Told at once when it is grave; the rest waits for analyse_new.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { GRAVE = 80, LEARN_HOURS = 24 };

static uint32_t rank_of(const struct kind *k, uint8_t severity, bool only_here)
{
    uint32_t rank = 10;

    if (k->marks & KIND_HARDWARE)
        rank = 100;
    else if (k->marks & KIND_HUNG)
        rank = 90;
    else if (k->marks & KIND_OOM)
        rank = 85;
    else if (severity <= 2 || k->marks & KIND_CAPACITY)
        rank = 60;
    else if (severity == 3 || k->marks & KIND_ERROR)
        rank = 45;
    else if (k->marks & KIND_WARNING)
        rank = 40;
    else if (severity == 4)
        rank = 20;
    if (k->marks & KIND_KERNEL && rank > 20 && rank < 60)
        rank += 20;
    return only_here ? 2 * rank : rank;
}

static void write_finding(struct analysis *a, struct log_finding *f, const struct trace_key *key,
                          const struct log_trace *t)
{
    struct slice example = slice_of(t->example, t->example_len);

    f->rank = rank_of(&t->kind, t->severity, t->only_here);
    f->from_us = t->first_us;
    f->to_us = t->last_us;
    f->count = t->lines;
    f->grade = f->rank >= 2 * GRAVE ? GRADE_ALARM : f->rank >= GRAVE ? GRADE_WARN : GRADE_NOTE;
    finding_text(f,
                 t->only_here ? _("never logged before: %s %s: %s") : _("never logged before on this host: %s %s: %s"),
                 shown_host(a, key->host).text, shown_program(a, key->program).text, shown(example).text);
    finding_proof(f, _("first at %s"), shown_time(t->first_us).text);
    if (t->lines > 1)
        finding_proof(f, words_many("%" PRIu64 " line until %s", "%" PRIu64 " lines until %s", t->lines), t->lines,
                      shown_time(t->last_us).text);
    if (t->kind.marks & KIND_HARDWARE)
        finding_next(f, _("class %s: save what can be saved, then look at the device"),
                     fault_class_name(t->kind.fault));
}

static void tell_first(struct analysis *a, const struct reading *r)
{
    struct trace_key key = { r->host->id, r->program, r->template };
    struct log_finding f = finding_of(a, "first_seen", GRADE_WARN, r->host->id);

    write_finding(a, &f, &key, r->trace);
    finding_tell(a, &f, (uint64_t)r->program << 32 | r->template);
}

void first_line(struct analysis *a, struct reading *r)
{
    if (r->fresh && r->at_us - a->began_us >= LEARN_HOURS * HOUR_US && !(r->kind.marks & KIND_MAIL) &&
        rank_of(&r->kind, r->trace->severity, r->trace->only_here) >= GRAVE)
        tell_first(a, r);
}

struct newcomer {
    const struct trace_key *key;
    const struct log_trace *trace;
    uint32_t rank;
};

static int graver(const void *x, const void *y)
{
    const struct newcomer *a = x;
    const struct newcomer *b = y;

    if (a->rank != b->rank)
        return a->rank < b->rank ? 1 : -1;
    return (a->trace->first_us > b->trace->first_us) - (a->trace->first_us < b->trace->first_us);
}

void analyse_new(struct analysis *a, int64_t since_us, struct slice host, size_t most, log_found *found, void *own)
{
    uint32_t only = host.len > 0 ? names_find(a->host_names, host) : 0;
    struct newcomer *all = calloc(table_count(a->traces) + 1, sizeof(*all));
    size_t n = 0;

    if (!all || (host.len > 0 && only == 0)) {
        free(all);
        return;
    }
    for (const struct log_trace *t = table_oldest(a->traces); t; t = table_newer(a->traces, t)) {
        const struct trace_key *key = table_key(a->traces, t);

        if (t->first_us < since_us || (only != 0 ? key->host != only : !t->only_here))
            continue;
        all[n++] = (struct newcomer){ key, t, rank_of(&t->kind, t->severity, t->only_here) };
    }
    qsort(all, n, sizeof(*all), graver);
    for (size_t i = 0; i < n && i < most; i++) {
        struct log_finding f = finding_of(a, "first_seen", GRADE_NOTE, all[i].key->host);

        write_finding(a, &f, all[i].key, all[i].trace);
        f.key = i;
        found(own, &f);
    }
    free(all);
}
