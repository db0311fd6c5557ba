/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An event as another process or a disk may hand it over: sound or not, reading it stays inside, showing it is
 * harmless. */
#include <stdlib.h>
#include <string.h>

#include "journal/event.h"
#include "journal/json.h"
#include "view/line.h"

#define MUST(x)                                                                                                        \
    do                                                                                                                 \
        if (!(x))                                                                                                      \
            abort();                                                                                                   \
    while (0)

static void is_harmless(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        MUST((uint8_t)at[i] >= 0x20 && at[i] != 0x7f);
}

static void show(const struct event *ev)
{
    char buffer[EVENT_JSON_BYTES];
    struct text t = TEXT_IN(buffer);

    event_json(ev, &t);
    MUST(!t.cut && t.at[0] == '{' && t.at[t.len - 1] == '}');
    is_harmless(t.at, t.len);
    t = text_in(buffer, LINE_TEXT);
    line_full(&t, ev, false);
    MUST(!t.cut);
    is_harmless(t.at, t.len);
    t = text_in(buffer, LINE_TEXT);
    line_short(&t, ev, false);
    MUST(!t.cut);
    is_harmless(t.at, t.len);
}

static void look(const struct event *ev)
{
    struct slice value;
    unsigned count = 0;
    enum field f;

    for (; event_field_at(ev, count, &f, &value); count++)
        MUST(value.at >= ev->body && value.at + value.len <= ev->body + EVENT_BODY);
    if (!event_is_whole(ev))
        return;
    MUST(count == ev->fields);
    show(ev);
    if (event_is_sound(ev)) {
        struct event again = event_new((enum event_kind)ev->kind);

        for (unsigned i = 0; event_field_at(ev, i, &f, &value); i++)
            event_add_bytes(&again, f, value.at, value.len);
        MUST(!again.cut && again.len == ev->len && memcmp(again.body, ev->body, EVENT_BODY) == 0);
    }
}

/* As it came; then with sound ends, so that the body is what is looked at. */
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct event ev = { 0 };

    memcpy(&ev, at, len < sizeof(ev) ? len : sizeof(ev));
    look(&ev);
    ev.src = ev.dst = (struct addr){ 0 };
    ev.grade = GRADE_WARN;
    ev.cut = 0;
    ev.kind = (uint16_t)(ev.kind % EV_KINDS);
    ev.len = (uint16_t)(ev.len % (EVENT_BODY + 1));
    memset(ev.body + ev.len, 0, EVENT_BODY - ev.len);
    look(&ev);
    return 0;
}
