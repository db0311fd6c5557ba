/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/rulereader.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"
#include "sense/log/logrules.h"
#include "sense/log/payload.h"
#include "sense/log/template.h"
#include "sense/log/unknowns.h"
#include "sys/say.h"

enum { WAITING = 1024, KINDS = 8192, HOST_MOST = 80, A_MINUTE = 60 };
#define MINUTE_US (60 * (int64_t)1000000)
#define HOUR_US   (60 * MINUTE_US)

struct waiting { /* a line that is not judged yet */
    int64_t at_us;
    struct addr from;
    char host[HOST_MOST];
};

struct kind_key {
    uint64_t host;
    uint32_t template, verdict;
};
struct kind {
    int64_t told_us, since_us;
    uint64_t lines;
};

struct rulereader {
    struct live *live;
    struct logrules *rules; /* NULL: none */
    struct logrules_scan *scan;
    struct templates *templates;
    struct table *kinds; /* struct kind_key -> struct kind */
    struct unknowns *unknowns;
    uint64_t rules_count, unknown_lines; /* read from the main thread, too */
    uint64_t seed;
    struct waiting waiting[WAITING];
    uint64_t given, judged; /* lines */
    int64_t minute;
    uint64_t in_minute;

    struct log_analyse now; /* of the rules above */
    pthread_mutex_t lock;   /* of the two below */
    struct log_analyse next;
    bool renewed;
};

/* ---- what they say ---- */

static struct event event_of(enum logrules_verdict v, const struct waiting *of, const struct kind *k, uint64_t flow,
                             struct slice text)
{
    struct event ev = event_new(EV_LOG_FOUND);
    char words[160];
    struct text t = TEXT_IN(words);

    ev.grade = v == LOGRULES_ATTACKS ? GRADE_ALARM : GRADE_WARN;
    ev.src = of->from;
    event_add_words(&ev, F_RULE, v == LOGRULES_ATTACKS ? "rule_attack" : "rule_violation");
    if (of->host[0])
        event_add_text(&ev, F_NAME, slice_first(slice_text(of->host), 32));
    event_add_number(&ev, F_COUNT, k->lines);
    event_add_number(&ev, F_SINCE, (uint64_t)k->since_us);
    event_add_number(&ev, F_FLOW, flow);
    text_visible(&t, text);
    event_add_words(&ev, F_WHY, words);
    return ev;
}

/* Else no rule knows any line, and that tells nothing. */
static bool says_what_is_harmless(const struct log_analyse *s)
{
    bool harmless = s->logcheck[0] != '\0';

    for (uint32_t i = 0; i < s->rules_count && i < LOG_RULES; i++)
        harmless = harmless || s->rules[i].means == LOG_RULE_HARMLESS;
    return harmless;
}

static void on_judged(void *own, enum logrules_verdict v, struct slice text)
{
    struct rulereader *r = own;
    const struct waiting *of = &r->waiting[r->judged++ % WAITING];
    struct kind_key key = { .verdict = (uint32_t)v };
    struct kind *k;
    bool fresh;

    if (v == LOGRULES_UNKNOWN && says_what_is_harmless(&r->now)) {
        const struct unknown_line line = { .at_us = of->at_us, .from = of->from, .host = of->host, .text = text };

        (void)__atomic_add_fetch(&r->unknown_lines, 1, __ATOMIC_RELAXED);
        unknowns_line(r->unknowns, &line, r->now.unknown);
    }
    if (v != LOGRULES_ATTACKS && v != LOGRULES_VIOLATES)
        return;
    key.host = hash_bytes(of->host, strlen(of->host), r->seed);
    key.template = templates_learn(r->templates, text);
    k = table_add(r->kinds, &key, &fresh, NULL, NULL);
    if (k->lines++ == 0)
        k->since_us = of->at_us;
    if (!fresh && of->at_us - k->told_us < HOUR_US)
        return;
    if (of->at_us / MINUTE_US != r->minute)
        r->in_minute = 0;
    r->minute = of->at_us / MINUTE_US;
    if (r->in_minute++ < A_MINUTE) {
        struct event ev = event_of(v, of, k, hash_bytes(&key, sizeof(key), (uint64_t)k->since_us), text);

        live_event(r->live, &ev);
    }
    k->told_us = of->at_us;
    k->lines = 0;
}

/* ---- rules ---- */

static void on_bad_rule(void *own, const char *file, unsigned line, const char *why)
{
    char visible[512];
    struct text t = TEXT_IN(visible);

    (void)own;
    text_visible(&t, slice_text(file));
    say("%s:%u: %s", visible, line, why);
}

static int add_own(struct logrules *rules, const struct log_analyse *s, struct err *e)
{
    static const enum rule_layer layers[] = { LOGRULES_ATTACK, LOGRULES_VIOLATION, LOGRULES_IGNORE,
                                              LOGRULES_VIOLATION_NOT, LOGRULES_ATTACK_NOT };

    for (uint32_t i = 0; i < s->rules_count && i < LOG_RULES; i++) {
        struct slice match = slice_text(s->rules[i].match);
        int means = s->rules[i].means;

        if (logrules_add(rules, layers[means], match, PATTERN_ERE, e) < 0)
            return err_wrap(e, "rule %s", s->rules[i].name);
        for (size_t k = 3; means == LOG_RULE_HARMLESS && k < 5; k++)
            if (logrules_add(rules, layers[k], match, PATTERN_ERE, e) < 0)
                return err_wrap(e, "rule %s", s->rules[i].name);
    }
    return 0;
}

/* What the settings name; *rules is NULL when that is nothing. */
static int read_rules(struct rulereader *r, const struct log_analyse *s, struct logrules **rules,
                      struct logrules_scan **scan, struct err *e)
{
    *rules = NULL;
    *scan = NULL;
    if (!s->logcheck[0] && s->rules_count == 0)
        return 0;
    *rules = logrules_new(e);
    if (*rules && (!s->logcheck[0] ||
                   logrules_logcheck(*rules, s->logcheck, (enum logrules_level)s->level, on_bad_rule, r, e) == 0)) {
        if (logrules_count(*rules) == 0 && s->rules_count == 0)
            (void)err_set(e, 0, "%s: there are no rules that this part can read", s->logcheck);
        else if (add_own(*rules, s, e) == 0 && logrules_compile(*rules, e) == 0 &&
                 (*scan = logrules_scan_new(*rules, on_judged, r, e)))
            return 0;
    }
    logrules_free(*rules);
    *rules = NULL;
    return -1;
}

static void flush(struct rulereader *r)
{
    struct err e;

    if (r->scan && logrules_flush(r->scan, &e) < 0)
        say("rules: %s", e.text);
    r->judged = r->given;
}

static void take_new(struct rulereader *r, const struct log_analyse *s)
{
    struct logrules *rules;
    struct logrules_scan *scan;
    struct err e;

    flush(r);
    if (read_rules(r, s, &rules, &scan, &e) < 0) {
        say("new rules for lines are not taken, the old ones stay: %s", e.text);
        return;
    }
    logrules_scan_free(r->scan);
    logrules_free(r->rules);
    r->rules = rules;
    r->scan = scan;
    __atomic_store_n(&r->rules_count, rules ? logrules_count(rules) : 0, __ATOMIC_RELAXED);
    say("%zu rules for lines hold from line %llu on", rules ? logrules_count(rules) : 0,
        (unsigned long long)r->given + 1);
}

static void look_for_new(struct rulereader *r)
{
    bool renewed;

    (void)pthread_mutex_lock(&r->lock);
    renewed = r->renewed;
    if (renewed)
        r->now = r->next;
    r->renewed = false;
    (void)pthread_mutex_unlock(&r->lock);
    if (renewed)
        take_new(r, &r->now);
}

/* ---- the reader ---- */

static void on_line(void *own, const struct log_line *l, bool again)
{
    struct rulereader *r = own;
    struct waiting *w = &r->waiting[r->given % WAITING];
    struct text t = TEXT_IN(w->host);
    struct err e;

    (void)again;
    if (__atomic_load_n(&r->renewed, __ATOMIC_RELAXED))
        look_for_new(r);
    if (!r->scan)
        return;
    w->at_us = l->at_us;
    w->from = live_sender(l);
    text_visible(&t, l->host);
    r->given++;
    if (logrules_line(r->scan, l, &e) < 0)
        say("rules: %s", e.text);
    if (r->given - r->judged == WAITING)
        flush(r);
}

static void on_tick(void *own, int64_t now_us, bool again)
{
    struct rulereader *r = own;

    (void)again;
    look_for_new(r);
    unknowns_tick(r->unknowns, now_us);
    unknowns_save(r->unknowns, now_us);
}

static void tell_unknown(void *ctx, const struct event *ev)
{
    live_event(((struct rulereader *)ctx)->live, ev);
}

static void on_settle(void *own)
{
    flush(own);
}

static void on_end(void *own)
{
    struct rulereader *r = own;

    logrules_scan_free(r->scan);
    logrules_free(r->rules);
    unknowns_free(r->unknowns);
    templates_free(r->templates);
    table_free(r->kinds);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

struct rulereader *rulereader_add(struct live *l, const struct log_analyse *s, struct err *e)
{
    static const struct template_caps caps = { .templates = 4096, .children = 256, .spellings = 8192 };
    struct live_reader reader = {
        .name = "rules", .line = on_line, .tick = on_tick, .settle = on_settle, .end = on_end
    };
    struct rulereader *r = calloc(1, sizeof(*r));

    if (!r || getrandom(&r->seed, sizeof(r->seed), 0) != (ssize_t)sizeof(r->seed)) {
        (void)err_set(e, errno, "log: rules");
        free(r);
        return NULL;
    }
    r->live = l;
    (void)pthread_mutex_init(&r->lock, NULL);
    r->templates = templates_new(&caps, r->seed, e);
    r->kinds = table_new(KINDS, sizeof(struct kind_key), sizeof(struct kind), r->seed, e);
    r->next = *s;
    r->renewed = s->logcheck[0] || s->rules_count > 0;
    reader.own = r;
    r->unknowns = unknowns_new(live_folder(l), &(struct unknowns_way){ .ctx = r, .tell = tell_unknown }, r->seed, e);
    if (r->templates && r->kinds && r->unknowns && live_add(l, &reader, e) == 0)
        return r;
    on_end(r);
    return NULL;
}

void rulereader_figures(const struct rulereader *r, uint64_t *rules, uint64_t *unknown)
{
    *rules = __atomic_load_n(&r->rules_count, __ATOMIC_RELAXED);
    *unknown = __atomic_load_n(&r->unknown_lines, __ATOMIC_RELAXED);
}

void rulereader_renew(struct rulereader *r, const struct log_analyse *s)
{
    (void)pthread_mutex_lock(&r->lock);
    r->next = *s;
    __atomic_store_n(&r->renewed, true, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&r->lock);
}
