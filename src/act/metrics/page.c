/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/metrics/page.h"

#include <math.h>
#include <string.h>

enum { LINE = 1024 };

/* A whole line or none. */
static void put_line(struct page *p, const struct text *line)
{
    if (line->cut || p->text.len + line->len + 2 > p->text.cap) {
        p->left_out++;
        return;
    }
    text_add(&p->text, slice_of(line->at, line->len));
    text_word(&p->text, "\n");
}

/* One line of valid UTF-8, with backslash and quote escaped as the form wants it (in HELP a quote is no matter). */
static void put_escaped(struct text *t, const char *words, bool label)
{
    char visible[LINE];
    struct text v = TEXT_IN(visible);

    text_visible(&v, slice_text(words));
    for (size_t i = 0; i < v.len; i++) {
        if (visible[i] == '\\' || (label && visible[i] == '"'))
            text_word(t, "\\");
        text_add(t, slice_of(visible + i, 1));
    }
}

void page_family(struct page *p, const char *name, enum page_type type, const char *help)
{
    char words[LINE];
    struct text line = TEXT_IN(words);

    p->family = name;
    text_addf(&line, "# HELP %s ", name);
    put_escaped(&line, help, false);
    put_line(p, &line);
    line = TEXT_IN(words);
    text_addf(&line, "# TYPE %s %s", name, type == PAGE_COUNTER ? "counter" : "gauge");
    put_line(p, &line);
}

static void put_number(struct text *t, double value)
{
    if (isnan(value))
        text_word(t, "NaN");
    else if (isinf(value))
        text_word(t, value < 0 ? "-Inf" : "+Inf");
    else
        text_addf(t, "%.17g", value);
}

void page_sample(struct page *p, struct page_label a, struct page_label b, double value)
{
    const struct page_label labels[] = { a, b };
    char words[LINE];
    struct text line = TEXT_IN(words);
    bool any = false;

    text_word(&line, p->family);
    for (unsigned i = 0; i < 2; i++) {
        if (!labels[i].name)
            continue;
        text_addf(&line, "%s%s=\"", any ? "," : "{", labels[i].name);
        put_escaped(&line, labels[i].value, true);
        text_word(&line, "\"");
        any = true;
    }
    text_word(&line, any ? "} " : " ");
    put_number(&line, value);
    put_line(p, &line);
}

void page_value(struct page *p, double value)
{
    page_sample(p, (struct page_label){ 0 }, (struct page_label){ 0 }, value);
}

void page_end(struct page *p)
{
    enum { ROOM = 256 };

    p->text.cap += ROOM; /* kept free by whoever made the page */
    page_family(p, "serviola_metrics_left_out", PAGE_GAUGE, "Lines that found no place on this page.");
    page_value(p, (double)p->left_out);
}

static bool ends_with(const char *at, size_t len, const char *end)
{
    size_t n = strlen(end);

    return len >= n && memcmp(at + len - n, end, n) == 0;
}

void page_name(struct text *t, const char *measure, const char *unit)
{
    static const struct {
        const char *unit, *suffix;
    } units[] = { { "s", "seconds" }, { "B", "bytes" }, { "%", "ratio" }, { "days", "seconds" } };

    text_word(t, "serviola_watch_");
    for (const char *c = measure; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            text_word(t, "each");
            while (c[1] >= 'A' && c[1] <= 'Z')
                c++;
        } else
            text_addf(t, "%c", (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ? *c : '_');
    }
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].unit) == 0 && !ends_with(t->at, t->len, units[i].suffix))
            text_addf(t, "_%s", units[i].suffix);
}
