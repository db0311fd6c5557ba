/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Length of the valid UTF-8 sequence at s (RFC 3629) and its code point; 0 when there is none. */
static size_t utf8_read(struct slice s, uint32_t *point)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
    size_t n = 0;

    while (n < 4 && (s.at[0] & forms[n].mask) != forms[n].lead)
        n++;
    if (n == 4 || n >= s.len)
        return 0;
    *point = s.at[0] & (uint8_t)~forms[n].mask;
    for (size_t i = 1; i <= n; i++) {
        if ((s.at[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (s.at[i] & 0x3f);
    }
    if (*point < forms[n].least || (*point >= 0xd800 && *point <= 0xdfff) || *point > 0x10ffff)
        return 0;
    return n + 1;
}

/* Controls, and what has no shape of its own but moves or hides what has: it could forge a line on a terminal. */
static bool is_plain(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } tricks[] = {
        { 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },     { 0x180e, 0x180e },
        { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x115f, 0x1160 },   { 0x3164, 0x3164 },
        { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
    };

    for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++)
        if (point >= tricks[i].first && point <= tricks[i].last)
            return false;
    return true;
}

static bool add_hex(struct text *t, const char *lead, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char out[24];
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        for (const char *c = lead; *c; c++)
            out[len++] = *c;
        out[len++] = digits[bytes[i] >> 4];
        out[len++] = digits[bytes[i] & 15];
    }
    return add_whole(t, out, len);
}

void text_visible(struct text *t, struct slice s)
{
    while (s.len > 0 && !t->cut) {
        uint32_t point = 0;
        size_t n = utf8_read(s, &point);

        if (n == 1 && point == '\\')
            (void)add_whole(t, "\\\\", 2);
        else if (n == 0 || !is_plain(point))
            (void)add_hex(t, "\\x", s.at, n ? n : 1);
        else
            (void)add_whole(t, s.at, n);
        s = slice_skip(s, n ? n : 1);
    }
}

void text_ascii(struct text *t, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.at[i] < 0x20 || s.at[i] > 0x7e ? add_hex(t, "\\x", s.at + i, 1) : add_whole(t, s.at + i, 1)))
            return;
}

static void add_json_escape(struct text *t, uint32_t point) /* over U+FFFF: a surrogate pair */
{
    char out[16];
    int n;

    if (point > 0xffff)
        n = snprintf(out, sizeof(out), "\\u%04x\\u%04x", (0xd7c0 + (point >> 10)) & 0xffff, 0xdc00 + (point & 0x3ff));
    else
        n = snprintf(out, sizeof(out), "\\u%04x", point & 0xffff);
    (void)add_whole(t, out, (size_t)n);
}

void text_json(struct text *t, struct slice s)
{
    while (s.len > 0 && !t->cut) {
        uint32_t point = s.at[0]; /* of a stray byte: its own value */
        size_t n = utf8_read(s, &point);

        if (n == 1 && (point == '"' || point == '\\')) {
            char two[2] = { '\\', (char)point };

            (void)add_whole(t, two, 2);
        } else if (n == 0)
            add_json_escape(t, s.at[0]);
        else if (!is_plain(point))
            add_json_escape(t, point);
        else
            (void)add_whole(t, s.at, n);
        s = slice_skip(s, n ? n : 1);
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

/* Gregorian date of a day since 1970-01-01; years begin in March here, so that the leap day is the last. */
static void date_of(int64_t day, int64_t *year, int *month, int *day_of_month)
{
    int64_t shifted = day + 719468; /* since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t march_based = (5 * of_year + 2) / 153;

    *day_of_month = (int)(of_year - (153 * march_based + 2) / 5 + 1);
    *month = (int)(march_based < 10 ? march_based + 3 : march_based - 9);
    *year = years + era * 400 + (*month <= 2);
}

void text_time(struct text *t, int64_t at_us, int digits)
{
    static const int divide[7] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
    const int64_t day_us = 86400000000;
    int64_t day = at_us / day_us - (at_us % day_us < 0);
    int64_t of_day = at_us % day_us + (at_us % day_us < 0 ? day_us : 0);
    int second = (int)(of_day / 1000000);
    int fraction = (int)(of_day % 1000000);
    int64_t year;
    int month;
    int mday;

    date_of(day, &year, &month, &mday);
    text_addf(t, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year, month, mday, second / 3600, second / 60 % 60,
              second % 60);
    if (digits > 0 && digits <= 6)
        text_addf(t, ".%0*d", digits, fraction / divide[digits]);
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
