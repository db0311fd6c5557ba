/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola watch: what is measured now; watch try: when an expression would have fired. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/recorded.h"
#include "sense/watch/indicator.h"
#include "sense/watch/trigger.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/paint.h"
#include "view/when.h"

#define MINUTE_US 60000000LL

struct watch_options {
    struct common_options common;
    int64_t since_us, until_us, calm_us;
    bool list;
};

static const struct option_row rows[] = {
    { "since", 's', OPTION_TIME, offsetof(struct watch_options, since_us), "T", N_("try: from this time on"), NULL },
    { "until", 'u', OPTION_TIME, offsetof(struct watch_options, until_us), "T", N_("try: up to this time"), NULL },
    { "calm", 0, OPTION_SPAN, offsetof(struct watch_options, calm_us), "SPAN",
      N_("try: over when it has been so for so long (5s)"), NULL },
    { "list", 'l', OPTION_FLAG, offsetof(struct watch_options, list), NULL,
      N_("what can be measured, and what it means"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "watch",
    .what = N_(
        "Shows what the watch measures at this instant, and which triggers stand.  A word shows only the names that\n"
        "hold it.  watch try tells when an expression would have fired, from the recorder's past: each second of the\n"
        "last quarter of an hour, each ten seconds before."),
    .synopsis = "[WORD] [--list] [--json] | try 'EXPR' [--since T] [--until T]",
    .rows = rows,
    .most = 2,
    .examples = N_("serviola watch|all that is measured now\n"
                   "serviola watch disk|only what speaks of disks\n"
                   "serviola watch try 'disk.latency > 2s for 3s or dstate.tasks > 10' --since yesterday|a trigger's "
                   "dry run"),
};

/* ---- try ---- */

struct trial {
    struct trigger *trigger;
    bool json;
    uint64_t fired;
    int64_t first_us, last_us, begun_us;
};

static void tell(const struct trial *t, int64_t at_us, const struct trigger_state *s, bool lasts)
{
    if (t->json) {
        char words[64];
        struct text text = TEXT_IN(words);

        text_time(&text, t->begun_us, 3);
        (void)printf("{\"fired\":\"%s\",\"value\":\"%s\",\"is\":%.6g,\"limit\":%.6g,\"seconds\":%.3f,\"lasts\":%s}\n",
                     words, s->why.name, s->why.value, s->why.limit, (double)(at_us - t->begun_us) / 1e6,
                     lasts ? "true" : "false");
        return;
    }
    (void)printf(lasts ? _("%s  %s; it lasts, since %s\n") : _("%s  %s; over after %s\n"), when_full(t->begun_us).text,
                 s->why.words, when_long(at_us - t->begun_us).text);
}

/* The wall clock is the one that is common to all files; where it goes back, the trial begins anew. */
static bool each(void *ctx, const struct reel_picture *p)
{
    struct trial *t = ctx;
    const struct trigger_state *s;

    if (p->at_us - t->last_us > MINUTE_US || p->at_us < t->last_us)
        trigger_paused(t->trigger);
    if (p->at_us < t->last_us)
        return true;
    t->first_us = t->first_us ? t->first_us : p->at_us;
    t->last_us = p->at_us;
    s = trigger_judge(t->trigger, &p->values, p->at_us);
    if (s->news == TRIGGER_FIRED) {
        t->fired++;
        t->begun_us = s->since_us;
    } else if (s->news == TRIGGER_OVER)
        tell(t, s->since_us + s->span_us, s, false);
    return true;
}

static int try(struct watch_options *o, struct sight *s)
{
    struct watch_trigger row = { .calm_us = o->calm_us ? o->calm_us : 5000000 };
    struct trial t = { .json = o->common.json };
    struct past *past = NULL;
    struct err e;
    int64_t pictures = -1;

    if (!text_cstr(row.when, sizeof(row.when), slice_text(o->common.words[1])))
        return options_wrong(&usage, _("an expression is %d letters at most"), WATCH_EXPRESSION - 1);
    t.trigger = trigger_new(&row, &e);
    if (!t.trigger)
        return options_wrong(&usage, "%s", e.text);
    past = recorded_open(s, &e);
    if (past)
        pictures = past_each(past, o->since_us, o->until_us ? o->until_us : INT64_MAX, each, &t, &e);
    if (pictures >= 0 && trigger_state(t.trigger)->active)
        tell(&t, t.last_us, trigger_state(t.trigger), true);
    if (pictures < 0)
        say("%s", e.text);
    else if (!o->common.json && pictures == 0)
        (void)puts(_("The recorder has no picture of this time."));
    else if (!o->common.json)
        (void)printf(words_many("It would have fired %llu time between %s and %s.\n",
                                "It would have fired %llu times between %s and %s.\n", t.fired),
                     (unsigned long long)t.fired, when_full(t.first_us).text, when_full(t.last_us).text);
    past_close(past);
    trigger_free(t.trigger);
    return pictures < 0 ? EXIT_CANNOT : t.fired > 0 ? EXIT_FOUND : EXIT_FINE;
}

/* ---- now ---- */

static void number_words(struct text *t, double number, const char *unit)
{
    static const char *const steps[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    unsigned step = 0;

    if (strcmp(unit, "s") == 0 && fabs(number) < 1) {
        text_addf(t, "%.3g ms", number * 1000);
        return;
    }
    if (strcmp(unit, "s") == 0 && number >= 120) {
        text_duration(t, llround(number * 1e6));
        return;
    }
    for (; strcmp(unit, "B") == 0 && number >= 1024 && step < 5; step++)
        number /= 1024;
    text_addf(t, number >= 1000 ? "%.0f%s%s" : "%.4g%s%s", number, unit[0] ? " " : "",
              strcmp(unit, "B") == 0 ? steps[step] : unit);
}

static void show_value(const struct value *v, bool json)
{
    const struct indicator_help *h = indicator_help_of(v->name);
    char words[40];
    struct text t = TEXT_IN(words);

    if (json) {
        (void)printf("{\"value\":\"%s\",\"is\":%.10g,\"unit\":\"%s\"}\n", v->name, v->number, h ? h->unit : "");
        return;
    }
    number_words(&t, v->number, h ? h->unit : "");
    (void)printf("%-28s %14s  %s\n", v->name, words, h ? _(h->help) : "");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct value *)a)->name, ((const struct value *)b)->name);
}

static int show_values(const struct reel_picture *p, const char *word, bool json)
{
    struct value *sorted = calloc(p->values.count + 1, sizeof(*sorted));
    int code = EXIT_FOUND;

    if (!sorted)
        return EXIT_CANNOT;
    memcpy(sorted, p->values.at, p->values.count * sizeof(*sorted));
    qsort(sorted, p->values.count, sizeof(*sorted), by_name);
    for (uint32_t i = 0; i < p->values.count; i++)
        if (!isnan(sorted[i].number) && (!word || strstr(sorted[i].name, word))) {
            show_value(&sorted[i], json);
            code = EXIT_FINE;
        }
    free(sorted);
    return code;
}

struct standing {
    struct trigger *at[WATCH_TRIGGERS];
    const struct watch_settings *settings;
};

static bool judge_all(void *ctx, const struct reel_picture *p)
{
    struct standing *s = ctx;

    for (uint32_t i = 0; i < s->settings->triggers_count; i++)
        if (s->at[i])
            (void)trigger_judge(s->at[i], &p->values, p->mono_us);
    return true;
}

/* The triggers of the configuration, judged over the last minutes; how many stand. */
static unsigned show_triggers(struct past *past, const struct watch_settings *settings, bool json)
{
    struct standing s = { .settings = settings };
    unsigned active = 0;
    struct err e;

    for (uint32_t i = 0; i < settings->triggers_count; i++)
        s.at[i] = trigger_new(&settings->triggers[i], &e);
    (void)past_each(past, past_newest_us(past) - 5 * MINUTE_US, INT64_MAX, judge_all, &s, &e);
    for (uint32_t i = 0; i < settings->triggers_count; i++) {
        const struct trigger_state *t = s.at[i] ? trigger_state(s.at[i]) : NULL;

        if (t && t->active) {
            active++;
            (void)printf(json ? "{\"trigger\":\"%s\",\"why\":\"%s\"}\n" : "\n%s: %s\n", settings->triggers[i].name,
                         t->why.words);
        }
        trigger_free(s.at[i]);
    }
    if (active == 0 && !json)
        (void)printf(words_many("\n%u trigger waits; none stands.\n", "\n%u triggers wait; none stands.\n",
                                settings->triggers_count),
                     settings->triggers_count);
    return active;
}

static int now(const struct watch_options *o, struct sight *s)
{
    const char *word = o->common.count > 0 ? o->common.words[0] : NULL;
    const struct reel_picture *p;
    struct past *past;
    struct err e;
    int code = EXIT_CANNOT;

    past = recorded_live(s, &e);
    p = past ? past_at(past, past_newest_us(past), &e) : NULL;
    if (!p)
        say("%s", e.text);
    else {
        code = show_values(p, word, o->common.json);
        if (!word && show_triggers(past, &s->conf->watch, o->common.json) > 0)
            code = EXIT_FOUND;
    }
    past_close(past);
    return code;
}

static void list(bool json)
{
    for (size_t i = 0; indicators[i]; i++)
        for (const struct indicator_help *h = indicators[i]->values; h->name; h++)
            (void)printf(json ? "{\"value\":\"%s\",\"unit\":\"%s\",\"what\":\"%s\"}\n" : "%-24s %-3s %s\n", h->name,
                         h->unit, _(h->help));
}

int cmd_watch(int argc, char **argv)
{
    struct watch_options o = { 0 };
    struct sight s = { 0 };
    bool tries;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    tries = o.common.count > 0 && strcmp(o.common.words[0], "try") == 0;
    if (tries ? o.common.count != 2 : o.common.count > 1 || o.since_us || o.until_us || o.calm_us)
        return options_wrong(&usage, _("it is `serviola watch [WORD]` or `serviola watch try 'EXPR' [--since T]`"));
    if (o.list) {
        list(o.common.json);
        return EXIT_FINE;
    }
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE)
        code = tries ? try(&o, &s) : now(&o, &s);
    sight_close(&s);
    return fflush(stdout) == 0 ? code : EXIT_CANNOT;
}
