/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct text text_in(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){ .at = buffer, .cap = size };
}

/* All of it or nothing: an escape is never cut in half. */
static bool add_whole(struct text *t, const void *at, size_t len)
{
    if (t->cut || len >= t->cap - t->len) {
        t->cut = true;
        return false;
    }
    if (len > 0)
        memcpy(t->at + t->len, at, len);
    t->len += len;
    t->at[t->len] = '\0';
    return true;
}

void text_add(struct text *t, struct slice s)
{
    size_t room = t->cap - t->len - 1;

    if (t->cut)
        return;
    (void)add_whole(t, s.at, s.len < room ? s.len : room);
    t->cut = s.len > room;
}

void text_word(struct text *t, const char *terminated)
{
    text_add(t, slice_text(terminated));
}

void text_addf(struct text *t, const char *format, ...)
{
    va_list args;
    int n;
    size_t room = t->cap - t->len;

    if (t->cut)
        return;
    va_start(args, format);
    n = vsnprintf(t->at + t->len, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room) {
        t->cut = true;
        t->len = t->cap - 1;
        t->at[t->len] = '\0';
        return;
    }
    t->len += (size_t)n;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629), 0 when there is none. */
static size_t utf8_length(struct slice s)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = s.at[0];
    size_t n = first < 0x80                  ? 1
             : first >= 0xc2 && first < 0xe0 ? 2
             : first >= 0xe0 && first < 0xf0 ? 3
             : first >= 0xf0 && first < 0xf5 ? 4
                                             : 0;
    uint32_t point = n > 1 ? first & (0x7fu >> n) : first;

    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s.at[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (s.at[i] & 0x3f);
    }
    if (n > 1 && (point < least[n] || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff))
        return 0;
    return n;
}

/* C1 controls, line and paragraph separators and direction marks can forge a line on a terminal. */
static bool utf8_is_plain(struct slice s, size_t n)
{
    if (n == 2)
        return !(s.at[0] == 0xc2 && s.at[1] < 0xa0);
    if (n == 3 && s.at[0] == 0xe2 && s.at[1] == 0x80)
        return !(s.at[2] >= 0xa8 && s.at[2] <= 0xae) && !(s.at[2] >= 0x8b && s.at[2] <= 0x8f);
    if (n == 3 && s.at[0] == 0xe2 && s.at[1] == 0x81)
        return !(s.at[2] >= 0xa6 && s.at[2] <= 0xa9);
    return !(n == 3 && s.at[0] == 0xef && s.at[1] == 0xbb && s.at[2] == 0xbf);
}

static bool add_hex(struct text *t, const char *lead, uint8_t byte)
{
    char out[8];
    int n = snprintf(out, sizeof(out), "%s%02x", lead, byte);

    return add_whole(t, out, (size_t)n);
}

void text_visible(struct text *t, struct slice s)
{
    while (s.len > 0 && !t->cut) {
        size_t n = utf8_length(s);
        bool ok;

        if (n == 1 && s.at[0] == '\\')
            ok = add_whole(t, "\\\\", 2);
        else if (n == 0 || s.at[0] < 0x20 || s.at[0] == 0x7f || !utf8_is_plain(s, n)) {
            n = n ? n : 1;
            ok = true;
            for (size_t i = 0; i < n && ok; i++)
                ok = add_hex(t, "\\x", s.at[i]);
        } else
            ok = add_whole(t, s.at, n);
        if (!ok)
            return;
        s = slice_skip(s, n);
    }
}

void text_ascii(struct text *t, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.at[i] < 0x20 || s.at[i] > 0x7e ? add_hex(t, "\\x", s.at[i]) : add_whole(t, s.at + i, 1)))
            return;
}

void text_json(struct text *t, struct slice s)
{
    while (s.len > 0 && !t->cut) {
        size_t n = utf8_length(s);

        if (n == 0 || s.at[0] < 0x20 || s.at[0] == 0x7f) {
            n = 1;
            (void)add_hex(t, "\\u00", s.at[0]);
        } else if (n == 1 && (s.at[0] == '"' || s.at[0] == '\\')) {
            char two[2] = { '\\', (char)s.at[0] };

            (void)add_whole(t, two, 2);
        } else
            (void)add_whole(t, s.at, n);
        s = slice_skip(s, n);
    }
}

void text_duration(struct text *t, int64_t us)
{
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {
        { 86400000000, "d" }, { 3600000000, "h" }, { 60000000, "min" }, { 1000000, "s" }, { 1000, "ms" }, { 1, "us" },
    };
    const size_t n = sizeof(units) / sizeof(units[0]);

    if (us < 0) {
        text_word(t, "-");
        us = us == INT64_MIN ? INT64_MAX : -us;
    }
    for (size_t i = 0; i < n; i++) {
        int64_t rest = us % units[i].us;

        if (us < units[i].us && i + 1 < n)
            continue;
        text_addf(t, "%lld %s", (long long)(us / units[i].us), units[i].name);
        if (i + 1 < n && i < 3 && rest / units[i + 1].us > 0)
            text_addf(t, " %lld %s", (long long)(rest / units[i + 1].us), units[i + 1].name);
        return;
    }
}

void text_time(struct text *t, int64_t at_us, int digits)
{
    static const int64_t divide[7] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
    int64_t fraction = at_us % 1000000;
    time_t seconds;
    struct tm tm;

    if (fraction < 0)
        fraction += 1000000;
    seconds = (time_t)((at_us - fraction) / 1000000);
    if (!gmtime_r(&seconds, &tm)) {
        text_addf(t, "%lldus", (long long)at_us);
        return;
    }
    text_addf(t, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
              tm.tm_sec);
    if (digits > 0 && digits <= 6)
        text_addf(t, ".%0*lld", digits, (long long)(fraction / divide[digits]));
    text_word(t, "Z");
}

bool text_cstr(char *buffer, size_t size, struct slice s)
{
    if (s.len >= size || (s.len > 0 && memchr(s.at, '\0', s.len)))
        return false;
    if (s.len > 0)
        memcpy(buffer, s.at, s.len);
    buffer[s.len] = '\0';
    return true;
}
