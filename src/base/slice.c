/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/slice.h"

#include <string.h>

struct slice slice_text(const char *terminated)
{
    return slice_of(terminated, terminated ? strlen(terminated) : 0);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && slice_starts_nocase(a, b);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (lower(s.at[i]) != lower(prefix.at[i]))
            return false;
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.at[0]))
        s = slice_skip(s, 1);
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_skip_blanks(struct slice s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
        s = slice_skip(s, 1);
    return s;
}

struct slice slice_until(struct slice s, char stop, struct slice *after)
{
    const uint8_t *hit = s.len ? memchr(s.at, stop, s.len) : NULL;

    if (!hit) {
        *after = slice_skip(s, s.len);
        return s;
    }
    size_t n = (size_t)(hit - s.at);
    *after = slice_skip(s, n + 1);
    return slice_first(s, n);
}

bool slice_to_u64(struct slice s, uint64_t *value)
{
    uint64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit = (uint64_t)s.at[i] - '0';

        if (s.at[i] < '0' || digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}
