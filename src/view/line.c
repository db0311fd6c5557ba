/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/line.h"

#include <stdio.h>
#include <string.h>

#include "view/paint.h"
#include "view/tell.h"
#include "view/when.h"

static void hex(struct text *t, struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        text_addf(t, "%02x", value.at[i]);
}

void line_value(struct text *t, enum field f, struct slice value)
{
    struct addr a;
    uint64_t n = 0;

    (void)event_number(value, &n);
    switch (field_type(f)) {
    case FIELD_NUMBER:
        text_addf(t, "%llu", (unsigned long long)n);
        return;
    case FIELD_TIME:
        text_word(t, when_full((int64_t)n).text);
        return;
    case FIELD_SPAN:
        text_duration(t, (int64_t)n);
        return;
    case FIELD_HEX:
        hex(t, value);
        return;
    case FIELD_ADDR:
        if (value.len == sizeof(a)) {
            memcpy(&a, value.at, sizeof(a));
            text_word(t, addr_text(a).text);
        }
        return;
    case FIELD_TEXT:
        text_visible(t, value);
        return;
    }
}

/* A word stands bare; anything that could be taken for the next field stands in quotes. */
static void quoted(struct text *t, const char *words)
{
    if (*words && !strpbrk(words, " \"=")) {
        text_word(t, words);
        return;
    }
    text_word(t, "\"");
    for (; *words; words++) {
        if (*words == '"')
            text_word(t, "\\");
        text_add(t, slice_of(words, 1));
    }
    text_word(t, "\"");
}

void line_fields(struct text *t, const struct event *ev)
{
    char words[4 * EVENT_BODY + 64];
    struct slice value;
    enum field f;

    for (unsigned i = 0; event_field_at(ev, i, &f, &value); i++) {
        struct text one = TEXT_IN(words);

        line_value(&one, f, value);
        text_addf(t, "%s%s=", i ? " " : "", field_name(f));
        quoted(t, words);
    }
    if (ev->cut)
        text_word(t, " (cut)");
}

static void put_addrs(struct text *t, const struct event *ev)
{
    struct addr ends[2] = { ev->src, ev->dst };

    for (int i = 0; i < 2; i++) {
        if (i == 1 && ends[1].family)
            text_word(t, ends[0].family ? " > " : "> ");
        if (ends[i].family)
            text_word(t, ends[i].port ? addr_socket_text(ends[i]).text : addr_ip_text(ends[i]).text);
    }
}

void line_full(struct text *t, const struct event *ev, bool colour)
{
    enum grade g = (enum grade)ev->grade;
    size_t before;

    text_addf(t, "%s  ", when_full(ev->at_us).text);
    if (ev->seq)
        text_addf(t, "#%-6llu  ", (unsigned long long)ev->seq);
    text_addf(t, "%s%-5s%s  %-20s", paint_on(colour, paint_of(g)), grade_name(g), paint_off(colour && g != GRADE_NOTE),
              event_name((enum event_kind)ev->kind));
    if (ev->src.family || ev->dst.family) {
        text_word(t, "  ");
        put_addrs(t, ev);
    }
    text_word(t, ev->fields ? "  " : "");
    before = t->len;
    line_fields(t, ev);
    if (ev->cause)
        text_addf(t, "%s<- #%llu", t->len > before || !ev->fields ? "  " : "", (unsigned long long)ev->cause);
}

void line_short(struct text *t, const struct event *ev, bool colour)
{
    enum grade g = (enum grade)ev->grade;
    enum paint p = g == GRADE_NOTE ? PAINT_PLAIN : paint_of(g);

    text_addf(t, "%s%s%s  %s%-5s%s  ", paint_on(colour, PAINT_DIM), when_clock(ev->at_us).text, paint_off(colour),
              paint_on(colour, p), grade_name(g), paint_off(colour && p != PAINT_PLAIN));
    tell(t, ev, NULL, ev->at_us);
    if (ev->seq)
        text_addf(t, "  %s(#%llu)%s", paint_on(colour, PAINT_DIM), (unsigned long long)ev->seq, paint_off(colour));
}
