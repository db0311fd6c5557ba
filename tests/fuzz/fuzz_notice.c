/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of any bytes as mail and JSON: always the same headers, never a line of their own, JSON that stays inside its
 * quotes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "act/notify/letter.h"
#include "view/tell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char bytes[LETTER_TEXT];

/* Folded lines begin with a space. */
static void look_at_mail(const struct text *t)
{
    static const char *const heads[] = { "Date: ",         "From: ",         "To: ",
                                         "Message-ID: ",   "Subject: ",      "Auto-Submitted: ",
                                         "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: " };
    struct slice rest = slice_of(t->at, t->len);
    unsigned n = 0;

    for (size_t i = 0; i < t->len; i++) {
        uint8_t c = (uint8_t)t->at[i];

        assert(c >= ' ' || c == '\r' || c == '\n');
        assert(c != '\n' || t->at[i - 1] == '\r');
        assert(c != '\r' || t->at[i + 1] == '\n');
    }
    while (rest.len > 0) {
        struct slice line = slice_trim(slice_until(rest, '\n', &rest));

        if (line.len == 0)
            break;
        if (slice_starts_nocase(line, SLICE("=?")))
            continue; /* the subject goes on */
        assert(n < sizeof(heads) / sizeof(heads[0]) && slice_starts_nocase(line, slice_text(heads[n])));
        n++;
    }
    assert(n == sizeof(heads) / sizeof(heads[0]));
}

static void look_at_json(const struct text *t)
{
    int depth = 0;
    bool inside = false;

    for (size_t i = 0; i < t->len; i++) {
        char c = t->at[i];

        assert((uint8_t)c >= ' ' || (c == '\n' && i + 1 == t->len));
        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == '{' || c == '['))
            depth++;
        else if (!inside && (c == '}' || c == ']'))
            assert(--depth >= 0);
    }
    assert(depth == 0 && !inside && !t->cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tray_entry entry;
    static struct notify_settings set = { .keep_us = 1, .window_us = 1 };
    static struct notify_way way = { .name = "w", .to = "a@b.example" };
    struct letter l = {
        .at = &entry, .count = 1, .host = "h", .way = &way, .set = &set, .now_us = 1763900000000000, .tell = tell
    };
    void (*const forms[])(const struct letter *, struct text *) = { letter_json, letter_slack, letter_alerts,
                                                                    letter_alerts_hook };
    struct text t = TEXT_IN(bytes);

    if (size < 2 + sizeof(struct event))
        return 0;
    memcpy(&entry.notice.ev, data + 2, sizeof(struct event));
    if (!event_is_sound(&entry.notice.ev))
        return 0;
    entry.notice.stage = (uint8_t)(NOTICE_BEGAN + data[0] % 4);
    entry.notice.grade = entry.notice.ev.grade;
    entry.notice.lasts = data[0] & 64;
    entry.notice.has_end = data[0] & 128;
    l.frozen_us = data[1] & 1 ? 1500000 : 0;
    l.more = data[1] >> 4;
    letter_mail(&l, "f@b.example", &t);
    look_at_mail(&t);
    for (unsigned f = 0; f < 4; f++) {
        t = TEXT_IN(bytes);
        forms[f](&l, &t);
        look_at_json(&t);
    }
    t = TEXT_IN(bytes);
    letter_syslog(&l, &entry.notice, &t);
    assert(!memchr(bytes, '\n', t.len));
    return 0;
}
