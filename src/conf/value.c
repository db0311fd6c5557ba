/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/value.h"

#include <string.h>

struct unit {
    const char *name;
    uint64_t times;
};

/* Largest first, so that a writer finds the shortest spelling. */
static const struct unit thousands[] = { { "G", 1000000000 }, { "M", 1000000 }, { "k", 1000 }, { "", 1 } };
static const struct unit powers[] = { { "TiB", 1ull << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 },
                                      { "KiB", 1 << 10 },    { "", 1 },          { "B", 1 } };
static const struct unit spans[] = { { "d", 86400000000 }, { "h", 3600000000 }, { "min", 60000000 },
                                     { "s", 1000000 },     { "ms", 1000 },      { "us", 1 } };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Digits, then a unit of the table; *rest is what follows. */
static bool read_unit(struct slice s, const struct unit *units, size_t count, uint64_t *value, struct slice *rest)
{
    size_t digits = 0;
    size_t letters;
    uint64_t n;

    while (digits < s.len && s.at[digits] >= '0' && s.at[digits] <= '9')
        digits++;
    letters = digits;
    while (letters < s.len && !(s.at[letters] >= '0' && s.at[letters] <= '9'))
        letters++;
    if (!slice_to_u64(slice_first(s, digits), &n))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!slice_eq(slice_first(slice_skip(s, digits), letters - digits), slice_text(units[i].name)))
            continue;
        *rest = slice_skip(s, letters);
        return !__builtin_mul_overflow(n, units[i].times, value);
    }
    return false;
}

bool value_bool(struct slice s, bool *value)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (slice_eq_nocase(s, slice_text(words[i]))) {
            *value = i % 2 == 1;
            return true;
        }
    }
    return false;
}

bool value_number(struct slice s, uint64_t *value)
{
    struct slice rest;
    uint64_t n;

    if (!read_unit(s, thousands, COUNT(thousands), &n, &rest) || rest.len > 0)
        return false;
    *value = n;
    return true;
}

bool value_bytes(struct slice s, uint64_t *value)
{
    struct slice rest;
    uint64_t n;

    if (!read_unit(s, powers, COUNT(powers), &n, &rest) || rest.len > 0)
        return false;
    *value = n;
    return true;
}

bool value_span(struct slice s, int64_t *us)
{
    uint64_t total = 0;

    if (slice_eq(s, SLICE("0"))) {
        *us = 0;
        return true;
    }
    do {
        uint64_t part;

        if (!read_unit(s, spans, COUNT(spans), &part, &s) || __builtin_add_overflow(total, part, &total))
            return false;
    } while (s.len > 0);
    if (total > INT64_MAX)
        return false;
    *us = (int64_t)total;
    return true;
}

static void write_unit(struct text *t, const struct unit *units, uint64_t value)
{
    while (units->times > 1 && (value % units->times != 0 || value == 0))
        units++;
    text_addf(t, "%llu%s", (unsigned long long)(value / units->times), units->name);
}

void value_write_number(struct text *t, uint64_t value)
{
    write_unit(t, thousands, value);
}

void value_write_bytes(struct text *t, uint64_t value)
{
    write_unit(t, powers, value);
}

void value_write_span(struct text *t, int64_t us)
{
    if (us <= 0)
        text_word(t, "0");
    else
        write_unit(t, spans, (uint64_t)us);
}
