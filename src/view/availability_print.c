/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/words.h"
#include "view/availability.h"
#include "view/number.h"
#include "view/paint.h"
#include "view/when.h"

#define SECOND_US 1000000LL

struct share_words {
    char text[24];
};

/* "99.982 %"; rounded down, so that 100 is all of it; "-" when nothing is known. */
static struct share_words share(const struct availability_time *t)
{
    struct share_words w = { "-" };
    int64_t known_us = t->up_us + t->down_us;
    int64_t thousandths = known_us > 0 ? (int64_t)((double)t->up_us / (double)known_us * 100000) : 0;

    if (known_us > 0 && t->down_us == 0)
        thousandths = 100000;
    else if (thousandths == 100000)
        thousandths = 99999;
    if (known_us > 0)
        (void)snprintf(w.text, sizeof(w.text), "%d.%03d %%", (int)(thousandths / 1000), (int)(thousandths % 1000));
    return w;
}

static struct when_words span(int64_t us)
{
    struct when_words none = { "-" };

    return us == 0 ? none : when_long(us);
}

static bool happened(const struct availability_time *t)
{
    return t->up_us + t->down_us + t->unknown_us > 0;
}

/* Exactly, as a loss is known: "2.345 s", "1 h 2 min". */
static struct when_words exactly(int64_t us)
{
    struct when_words w = when_long(us);

    if (us >= 0 && us < 60 * SECOND_US)
        (void)snprintf(w.text, sizeof(w.text), "%d.%03d s", (int)(us / SECOND_US), (int)(us % SECOND_US / 1000));
    return w;
}

static void print_losses(const struct availability_service *s, FILE *to)
{
    uint64_t first = s->losses_count > AVAILABILITY_LOSSES ? s->losses_count - AVAILABILITY_LOSSES : 0;

    if (first > 0)
        (void)fprintf(to, _("  %llu older losses are not told\n"), (unsigned long long)first);
    for (uint64_t i = first; i < s->losses_count; i++) {
        const struct availability_loss *l = &s->losses[i % AVAILABILITY_LOSSES];

        if (l->until_us == 0)
            (void)fprintf(to, _("  down since %s"), when_full(l->since_us).text);
        else
            (void)fprintf(
                to, l->unsure ? _("  down from %s, back before %s, %s at most") : _("  down from %s to %s, %s"),
                when_full(l->since_us).text, when_full(l->until_us).text, exactly(l->until_us - l->since_us).text);
        (void)fprintf(to, l->why[0] ? ": %s\n" : "%s\n", l->why[0] ? _(l->why) : "");
    }
}

static void part_name(const struct availability *a, uint32_t i, char *name, size_t size)
{
    time_t s = (time_t)(a->parts[i] / SECOND_US);
    struct tm tm = { 0 };

    (void)localtime_r(&s, &tm);
    (void)strftime(name, size, a->months ? "%Y-%m" : "%Y-%m-%d", &tm);
}

static void print_parts(const struct availability *a, const struct availability_service *s, FILE *to)
{
    char name[16];

    for (uint32_t i = 0; a->parts_count > 1 && i < a->parts_count; i++) {
        const struct availability_time *t = &s->parts[i];

        if (!happened(t))
            continue;
        part_name(a, i, name, sizeof(name));
        (void)fprintf(to, "  %-10s  %10s  %13s  %13s\n", name, share(t).text, span(t->down_us).text,
                      span(t->unknown_us).text);
    }
}

void availability_print(const struct availability *a, FILE *to, bool colour)
{
    int width = 8;

    for (uint32_t i = 0; i < a->count; i++)
        if ((int)strlen(a->at[i]->name) > width)
            width = (int)strlen(a->at[i]->name);
    (void)fprintf(to, _("From %s to %s\n"), when_full(a->from_us).text, when_full(a->to_us).text);
    (void)fprintf(to, "%s%-*s  %10s  %13s  %6s  %13s%s\n", paint_on(colour, PAINT_BOLD), width, _("SERVICE"),
                  _("THERE"), _("DOWN"), _("LOSSES"), _("NOT KNOWN"), paint_off(colour));
    for (uint32_t i = 0; i < a->count; i++) {
        const struct availability_service *s = a->at[i];

        if (!happened(&s->all))
            continue;
        (void)fprintf(to, "%s%-*s  %10s  %13s  %6s  %13s%s\n", paint_on(colour && s->all.down_us > 0, PAINT_YELLOW),
                      width, s->name, share(&s->all).text, span(s->all.down_us).text,
                      number_words(s->losses_count).text, span(s->all.unknown_us).text,
                      paint_off(colour && s->all.down_us > 0));
        print_losses(s, to);
        print_parts(a, s, to);
    }
}

static void json_time(const struct availability_time *t, FILE *to)
{
    int64_t known_us = t->up_us + t->down_us;

    if (known_us > 0)
        (void)fprintf(to, "\"availability\":%.9g,", (double)t->up_us / (double)known_us);
    else
        (void)fputs("\"availability\":null,", to);
    (void)fprintf(to, "\"up_us\":%lld,\"down_us\":%lld,\"unknown_us\":%lld", (long long)t->up_us, (long long)t->down_us,
                  (long long)t->unknown_us);
}

static void json_losses(const struct availability_service *s, FILE *to)
{
    uint64_t first = s->losses_count > AVAILABILITY_LOSSES ? s->losses_count - AVAILABILITY_LOSSES : 0;
    char line[512];

    for (uint64_t i = first; i < s->losses_count; i++) {
        const struct availability_loss *l = &s->losses[i % AVAILABILITY_LOSSES];
        struct text t = TEXT_IN(line);

        text_word(&t, i > first ? ",{\"since\":\"" : "{\"since\":\"");
        text_time(&t, l->since_us, 6);
        text_word(&t, "\"");
        if (l->until_us != 0) {
            text_word(&t, ",\"until\":\"");
            text_time(&t, l->until_us, 6);
            text_addf(&t, "\",\"span_us\":%lld", (long long)(l->until_us - l->since_us));
        }
        text_addf(&t, ",\"unsure\":%s,\"why\":\"", l->unsure ? "true" : "false");
        text_json(&t, slice_text(l->why));
        (void)fprintf(to, "%s\"}", line);
    }
}

void availability_json(const struct availability *a, FILE *to)
{
    char words[300];

    for (uint32_t i = 0; i < a->count; i++) {
        const struct availability_service *s = a->at[i];
        struct text t = TEXT_IN(words);
        bool first = true;

        if (!happened(&s->all))
            continue;
        text_word(&t, "{\"service\":\"");
        text_json(&t, slice_text(s->name));
        text_word(&t, "\",\"from\":\"");
        text_time(&t, a->from_us, 6);
        text_word(&t, "\",\"to\":\"");
        text_time(&t, a->to_us, 6);
        (void)fprintf(to, "%s\",", words);
        json_time(&s->all, to);
        (void)fprintf(to, ",\"losses_count\":%llu,\"losses\":[", (unsigned long long)s->losses_count);
        json_losses(s, to);
        (void)fprintf(to, "],\"%s\":[", a->months ? "months" : "days");
        for (uint32_t k = 0; k < a->parts_count; k++) {
            if (!happened(&s->parts[k]))
                continue;
            part_name(a, k, words, sizeof(words));
            (void)fprintf(to, "%s{\"%s\":\"%s\",", first ? "" : ",", a->months ? "month" : "day", words);
            json_time(&s->parts[k], to);
            (void)fputs("}", to);
            first = false;
        }
        (void)fputs("]}\n", to);
    }
}
