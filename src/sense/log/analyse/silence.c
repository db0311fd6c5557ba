/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who fell silent?  A host, one program of a host that goes on, or several hosts at once (then it is the way to us).
 *
 * It is silent when lines are missing that should have come by what is usual (rhythm.c), and the pause is longer than
 * its pauses ever are.  So a host that speaks at night alone, and one that hardly speaks, are left in peace.  When it
 * speaks again the verdict waits ten minutes: lines that come late turn a silence into a delay.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { GROUPS = 8, GROUP_HOSTS = 64, GROUP_LEAST = 3 };
#define VERDICT_US (10 * MINUTE_US)
#define JOINT_US   (10 * MINUTE_US)

struct group {
    uint64_t key; /* 0: free */
    int64_t from_us, to_us;
    int64_t lost;
    uint64_t late_lines;
    uint32_t host[GROUP_HOSTS];
    unsigned hosts, silent, late; /* in it; still silent; whose lines came late */
};

struct groups {
    struct group at[GROUPS];
};

/* What is enough to be an alarm. */
struct measure {
    int64_t lines, minutes; /* thousandths that are missing */
    int64_t factor;         /* times the longest pause */
    int64_t pause_us;       /* a shorter one is never an alarm */
    int64_t known_us;       /* so long it was heard of before */
};
static const struct measure for_host = { 10000, 5000, 3, 5 * MINUTE_US, DAY_US };
static const struct measure for_program = { 12000, 8000, 4, 5 * MINUTE_US, 5 * DAY_US };
static const struct measure for_company = { 3000, 3000, 1, 3 * MINUTE_US, DAY_US }; /* others are silent already */

int silence_open(struct analysis *a, struct err *e)
{
    a->groups = calloc(1, sizeof(*a->groups));
    return a->groups ? 0 : err_set(e, ENOMEM, "analysis");
}

void silence_close(struct analysis *a)
{
    free(a->groups);
}

static bool is_silent(struct rhythm *r, const struct measure *m, int64_t now_us)
{
    if (r->last_us == 0 || now_us - r->last_us < m->pause_us || r->last_us - r->first_us < m->known_us)
        return false;
    rhythm_owe(r, now_us);
    return r->owed_lines >= m->lines && r->owed_minutes >= m->minutes &&
           now_us - r->last_us > m->factor * rhythm_longest_us(r);
}

/* --- several at once */

static struct group *group_near(struct analysis *a, int64_t from_us)
{
    for (size_t i = 0; i < GROUPS; i++)
        if (a->groups->at[i].key != 0 && llabs(a->groups->at[i].from_us - from_us) < JOINT_US)
            return &a->groups->at[i];
    return NULL;
}

static void tell_group(struct analysis *a, struct group *g, enum log_phase phase)
{
    bool late = phase == LOG_ENDED && 2 * g->late > g->hosts;
    struct log_finding f = finding_of(a, late ? "late" : "network_silence", late ? GRADE_NOTE : GRADE_ALARM, 0);

    f.phase = phase;
    f.from_us = g->from_us;
    f.to_us = phase == LOG_ENDED ? g->to_us : 0;
    f.count = late ? g->late_lines : (uint64_t)(g->lost / 1000);
    if (late)
        finding_text(&f,
                     _("%u hosts were not heard from %s to %s (%s), then %" PRIu64
                       " lines came late: nothing is lost, the way to us was closed"),
                     g->hosts, shown_time(g->from_us).text, shown_time(g->to_us).text,
                     shown_span(g->to_us - g->from_us).text, f.count);
    else if (phase == LOG_ENDED)
        finding_text(&f, _("%u hosts fell silent at once, from %s to %s (%s): suspect the network between them and us"),
                     g->hosts, shown_time(g->from_us).text, shown_time(g->to_us).text,
                     shown_span(g->to_us - g->from_us).text);
    else
        finding_text(&f, _("%u hosts fell silent at once, at %s: suspect the network between them and us"), g->hosts,
                     shown_time(g->from_us).text);
    for (unsigned i = 0; i < g->hosts; i++)
        finding_proof(&f, "%s", shown_host(a, g->host[i]).text);
    if (!late)
        finding_next(&f, "%s", _("look at the switch, the tunnel or the relay that they have in common"));
    finding_tell_as(a, &f, "network_silence", g->key);
}

static void join(struct group *g, struct log_host *h)
{
    h->quiet.alone = h->quiet.key;
    h->quiet.key = g->key;
    h->quiet.from_us = h->rhythm.last_us;
    h->quiet.to_us = 0;
    h->quiet.of_group = h->quiet.told = true;
    g->silent++;
    if (g->hosts < GROUP_HOSTS)
        g->host[g->hosts++] = h->id;
    if (h->rhythm.last_us < g->from_us)
        g->from_us = h->rhythm.last_us;
}

/* It fell silent when `h` did; perhaps it was told already, alone. */
static bool is_company(struct log_host *k, const struct log_host *h, int64_t now_us)
{
    if (llabs(k->rhythm.last_us - h->rhythm.last_us) >= JOINT_US)
        return false;
    return k->quiet.key == 0 ? is_silent(&k->rhythm, &for_company, now_us) : k->quiet.to_us == 0 && !k->quiet.of_group;
}

/* Hosts that fell silent together with `h`, itself included; true: they are enough to be a group. */
static bool make_group(struct analysis *a, struct log_host *h, int64_t now_us)
{
    struct log_host *with[GROUP_HOSTS];
    struct group *g = NULL;
    unsigned n = 0;

    for (uint32_t id = 1; id <= names_count(a->host_names) && n < GROUP_HOSTS; id++) {
        struct log_host *k = &a->hosts[id];

        if (is_company(k, h, now_us))
            with[n++] = k;
    }
    for (size_t i = 0; i < GROUPS && n >= GROUP_LEAST && !g; i++)
        if (a->groups->at[i].key == 0)
            g = &a->groups->at[i];
    if (!g)
        return false;
    g->key = (uint64_t)h->rhythm.last_us;
    g->from_us = h->rhythm.last_us;
    for (unsigned i = 0; i < n; i++)
        join(g, with[i]);
    tell_group(a, g, LOG_BEGAN);
    return true;
}

static void leave_group(struct analysis *a, const struct log_host *h, const struct quiet *q, bool late)
{
    for (size_t i = 0; i < GROUPS; i++) {
        struct group *g = &a->groups->at[i];

        if (g->key == 0 || g->key != q->key)
            continue;
        g->lost += q->lost;
        g->late += late;
        g->late_lines += late ? h->late_lines : 0;
        g->silent--;
        if (q->to_us > g->to_us)
            g->to_us = q->to_us;
        if (g->silent == 0) {
            tell_group(a, g, LOG_ENDED);
            memset(g, 0, sizeof(*g));
        }
    }
}

/* --- one */

static void last_words(const struct analysis *a, struct log_finding *f, const struct log_host *h)
{
    if (h->last_len > 0)
        finding_proof(f, _("the last line, %s %s: %s"), shown_time(h->rhythm.last_us).text,
                      shown_program(a, h->last_program).text, shown(slice_of(h->last, h->last_len)).text);
}

static void host_fell_silent(struct analysis *a, struct log_host *h, int64_t now_us)
{
    struct log_finding f = finding_of(a, "silence", GRADE_ALARM, h->id);

    h->quiet.key = (uint64_t)h->rhythm.last_us;
    h->quiet.from_us = h->rhythm.last_us;
    h->quiet.to_us = 0;
    h->quiet.of_group = false;
    h->quiet.alone = 0;
    h->quiet.told = true;
    f.phase = LOG_BEGAN;
    f.from_us = h->rhythm.last_us;
    f.count = (uint64_t)(h->rhythm.owed_lines / 1000);
    finding_text(&f, _("%s is silent since %s; about %" PRIu64 " lines should have come in %s"),
                 shown_host(a, h->id).text, shown_time(f.from_us).text, f.count, shown_span(now_us - f.from_us).text);
    last_words(a, &f, h);
    finding_next(&f, "%s",
                 _("look at the host's console: when its disk hangs it still answers to ping, and logs nothing"));
    finding_tell(a, &f, h->quiet.key);
}

static void program_fell_silent(struct analysis *a, struct log_stream *s, int64_t now_us)
{
    struct log_finding f = finding_of(a, "program_silence", GRADE_WARN, s->host);

    s->quiet.key = (uint64_t)s->rhythm.last_us;
    s->quiet.from_us = s->rhythm.last_us;
    s->quiet.to_us = 0;
    s->quiet.told = true;
    f.phase = LOG_BEGAN;
    f.from_us = s->rhythm.last_us;
    f.count = (uint64_t)(s->rhythm.owed_lines / 1000);
    finding_text(
        &f, _("%s on %s is silent since %s while the host goes on; about %" PRIu64 " lines should have come in %s"),
        shown_program(a, s->program).text, shown_host(a, s->host).text, shown_time(f.from_us).text, f.count,
        shown_span(now_us - f.from_us).text);
    finding_next(&f, _("is %s running on %s?"), shown_program(a, s->program).text, shown_host(a, s->host).text);
    finding_tell(a, &f, s->quiet.key ^ ((uint64_t)s->program << 48));
}

/* How much of the gap the lines that came late fill. */
static bool was_late(const struct log_host *h, const struct quiet *q)
{
    int64_t from = h->late_from_us > q->from_us ? h->late_from_us : q->from_us;
    int64_t to = h->late_to_us < q->to_us ? h->late_to_us : q->to_us;

    return h->late_lines > 0 && to > from && (to - from) * 2 > q->to_us - q->from_us;
}

static void end_host(struct analysis *a, struct log_host *h)
{
    struct quiet q = h->quiet;
    bool late = was_late(h, &q);
    struct log_finding f = finding_of(a, late ? "late" : "silence", late ? GRADE_NOTE : GRADE_ALARM, h->id);

    memset(&h->quiet, 0, sizeof(h->quiet));
    rhythm_forget(&h->rhythm, q.from_us, q.to_us);
    if (q.of_group) {
        leave_group(a, h, &q, late);
        if (q.alone == 0)
            return;
        q.key = q.alone;
    }
    f.phase = LOG_ENDED;
    f.from_us = q.from_us;
    f.to_us = q.to_us;
    f.count = late ? h->late_lines : (uint64_t)(q.lost / 1000);
    if (late)
        finding_text(
            &f, _("%s was not heard from %s to %s (%s); its lines came late, %" PRIu64 " of them: nothing is lost"),
            shown_host(a, h->id).text, shown_time(q.from_us).text, shown_time(q.to_us).text,
            shown_span(q.to_us - q.from_us).text, f.count);
    else
        finding_text(&f, _("%s was silent from %s to %s (%s); about %" PRIu64 " lines are missing"),
                     shown_host(a, h->id).text, shown_time(q.from_us).text, shown_time(q.to_us).text,
                     shown_span(q.to_us - q.from_us).text, f.count);
    if (!late && h->booted_us >= q.to_us - SECOND_US && h->booted_us < q.to_us + VERDICT_US)
        finding_text(&f, h->halted_us > q.from_us - VERDICT_US
                             ? _("; it was shut down, and came back with a boot")
                             : _("; it came back with a boot, and nobody had shut it down"));
    finding_proof(&f, _("last line before: %s"), shown_time(q.from_us).text);
    finding_proof(&f, _("first line after: %s"), shown_time(q.to_us).text);
    finding_next(&f, _("serviola log new --host %s --since %s: what was never logged before"),
                 shown_host(a, h->id).text, shown_time(q.to_us).text);
    finding_tell_as(a, &f, "silence", q.key);
}

static void end_program(struct analysis *a, struct log_stream *s)
{
    struct quiet q = s->quiet;
    struct log_finding f = finding_of(a, "program_silence", GRADE_WARN, s->host);

    memset(&s->quiet, 0, sizeof(s->quiet));
    rhythm_forget(&s->rhythm, q.from_us, q.to_us);
    f.phase = LOG_ENDED;
    f.from_us = q.from_us;
    f.to_us = q.to_us;
    f.count = (uint64_t)(q.lost / 1000);
    finding_text(
        &f, _("%s on %s was silent from %s to %s (%s) while the host went on; about %" PRIu64 " lines are missing"),
        shown_program(a, s->program).text, shown_host(a, s->host).text, shown_time(q.from_us).text,
        shown_time(q.to_us).text, shown_span(q.to_us - q.from_us).text, f.count);
    finding_next(&f, _("why did %s stop on %s?"), shown_program(a, s->program).text, shown_host(a, s->host).text);
    finding_tell(a, &f, q.key ^ ((uint64_t)s->program << 48));
}

/* --- lines and minutes */

/* True: a silence ended with this line. */
static bool heard(struct rhythm *r, struct quiet *q, int64_t at_us)
{
    bool ended = q->key != 0 && q->to_us == 0;

    if (ended) {
        rhythm_owe(r, at_us);
        q->lost = r->owed_lines;
        q->to_us = at_us;
    }
    rhythm_line(r, at_us);
    return ended;
}

/* What its host's silence hid is not held against a program. */
static void excuse_programs(struct analysis *a, const struct log_host *h)
{
    for (struct log_stream *s = table_oldest(a->streams); s; s = table_newer(a->streams, s))
        if (s->host == h->id && s->quiet.key == 0)
            rhythm_down(&s->rhythm, h->quiet.from_us, h->quiet.to_us);
}

void silence_line(struct analysis *a, struct reading *r)
{
    struct log_host *h = r->host;
    size_t n = r->text.len < sizeof(h->last) ? r->text.len : sizeof(h->last);

    if (heard(&h->rhythm, &h->quiet, r->at_us))
        excuse_programs(a, h);
    (void)heard(&r->stream->rhythm, &r->stream->quiet, r->at_us);
    h->last_program = r->program;
    h->last_len = (uint8_t)n;
    if (n > 0)
        memcpy(h->last, r->text.at, n);
}

static void look_at_host(struct analysis *a, struct log_host *h, int64_t now_us)
{
    struct group *g;

    if (h->quiet.key != 0) {
        if (h->quiet.to_us != 0 && now_us - h->quiet.to_us > VERDICT_US)
            end_host(a, h);
        return;
    }
    if (!is_silent(&h->rhythm, &for_host, now_us))
        return;
    g = group_near(a, h->rhythm.last_us);
    if (g) {
        join(g, h);
        tell_group(a, g, LOG_BEGAN);
    } else if (!make_group(a, h, now_us))
        host_fell_silent(a, h, now_us);
}

static void look_at_program(struct analysis *a, struct log_stream *s, int64_t now_us)
{
    const struct log_host *h = &a->hosts[s->host];
    int64_t pause = now_us - s->rhythm.last_us;

    if (s->quiet.key != 0) {
        if (s->quiet.to_us != 0 && now_us - s->quiet.to_us > VERDICT_US)
            end_program(a, s);
        return;
    }
    if (s->host == 0 || s->program == 0 || h->quiet.key != 0 || now_us - h->rhythm.last_us > pause / 4)
        return;
    if (is_silent(&s->rhythm, &for_program, now_us))
        program_fell_silent(a, s, now_us);
}

void silence_tick(struct analysis *a, int64_t now_us)
{
    for (uint32_t id = 1; id <= names_count(a->host_names); id++)
        look_at_host(a, &a->hosts[id], now_us);
    for (struct log_stream *s = table_oldest(a->streams); s; s = table_newer(a->streams, s))
        look_at_program(a, s, now_us);
}

void silence_end(struct analysis *a)
{
    for (uint32_t id = 1; id <= names_count(a->host_names); id++)
        if (a->hosts[id].quiet.key != 0 && a->hosts[id].quiet.to_us != 0)
            end_host(a, &a->hosts[id]);
    for (struct log_stream *s = table_oldest(a->streams); s; s = table_newer(a->streams, s))
        if (s->quiet.key != 0 && s->quiet.to_us != 0)
            end_program(a, s);
}

void silence_down(struct analysis *a, int64_t from_us, int64_t to_us)
{
    for (uint32_t id = 1; id <= names_count(a->host_names); id++)
        if (a->hosts[id].quiet.key == 0)
            rhythm_down(&a->hosts[id].rhythm, from_us, to_us);
    for (struct log_stream *s = table_oldest(a->streams); s; s = table_newer(a->streams, s))
        if (s->quiet.key == 0)
            rhythm_down(&s->rhythm, from_us, to_us);
}
