/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "journal/columns.h"

static const char months[12][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_in_word(uint8_t c)
{
    return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 26 || c == '_' || c == '.' || c == '-' || c >= 0x80;
}

/* ---- stamps ---- */

struct stamp {
    uint32_t year, month, day, hour, minute, second, us;
};

static uint64_t number_of(const struct stamp *s)
{
    return ((((s->year * 12 + s->month) * (uint64_t)31 + s->day) * 24 + s->hour) * 60 + s->minute) * 60 + s->second;
}

/* `count` digits, below `end`. */
static bool read_digits(const uint8_t *at, int count, uint32_t end, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(at[i]))
            return false;
        *value = *value * 10 + (at[i] - '0');
    }
    return *value < end;
}

static bool read_clock(const uint8_t *at, struct stamp *s) /* "18:28:03" */
{
    return at[2] == ':' && at[5] == ':' && read_digits(at, 2, 24, &s->hour) && read_digits(at + 3, 2, 60, &s->minute) &&
           read_digits(at + 6, 2, 60, &s->second);
}

/* The stamp that begins here; its bytes, 0: there is none. */
static size_t read_bsd(struct slice at, struct column_var *var)
{
    struct stamp s = { 0 };
    size_t len = 15;

    if (at.len < len || at.at[3] != ' ')
        return 0;
    while (s.month < 12 && memcmp(at.at, months[s.month], 3) != 0)
        s.month++;
    if (s.month == 12)
        return 0;
    var->mark = COLUMN_BSD;
    if (at.at[5] == ' ') {
        var->mark = COLUMN_BSD_BARE;
        len--;
    }
    if (at.at[4] == ' ' || var->mark == COLUMN_BSD_BARE) {
        if (!read_digits(at.at + (var->mark == COLUMN_BSD ? 5 : 4), 1, 10, &s.day))
            return 0;
    } else if (!read_digits(at.at + 4, 2, 32, &s.day) || s.day < 10)
        return 0;
    if (s.day-- == 0 || at.at[len - 9] != ' ' || !read_clock(at.at + len - 8, &s))
        return 0;
    var->number = number_of(&s);
    return len;
}

static size_t read_iso(struct slice at, struct column_var *var)
{
    struct stamp s = { 0 };
    const uint8_t *c = at.at;

    if (at.len < 19 || c[4] != '-' || c[7] != '-' || c[10] != 'T' || !read_digits(c, 4, 10000, &s.year) ||
        !read_digits(c + 5, 2, 13, &s.month) || s.month-- == 0 || !read_digits(c + 8, 2, 32, &s.day) || s.day-- == 0 ||
        !read_clock(c + 11, &s))
        return 0;
    var->mark = COLUMN_ISO;
    var->number = number_of(&s);
    if (at.len < 26 || c[19] != '.' || !read_digits(c + 20, 6, 1000000, &s.us))
        return 19;
    var->mark = COLUMN_ISO_US;
    var->number = var->number * 1000000 + s.us;
    return 26;
}

static void put_digits(uint8_t *to, int count, uint64_t value)
{
    while (count-- > 0) {
        to[count] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

static uint64_t take(uint64_t *number, uint64_t of)
{
    uint64_t part = *number % of;

    *number /= of;
    return part;
}

static void put_clock(uint8_t *to, uint64_t second, uint64_t minute, uint64_t hour)
{
    put_digits(to, 2, hour);
    put_digits(to + 3, 2, minute);
    put_digits(to + 6, 2, second);
    to[2] = to[5] = ':';
}

size_t column_stamp_write(uint8_t mark, uint64_t number, uint8_t to[COLUMN_STAMP_MAX])
{
    const uint64_t us = mark == COLUMN_ISO_US ? take(&number, 1000000) : 0;
    const uint64_t second = take(&number, 60);
    const uint64_t minute = take(&number, 60);
    const uint64_t hour = take(&number, 24);
    const uint64_t day = 1 + take(&number, 31);
    const uint64_t month = take(&number, 12);
    const size_t len = mark == COLUMN_BSD_BARE ? 14 : 15;

    if (mark == COLUMN_BSD || mark == COLUMN_BSD_BARE) {
        memcpy(to, months[month], 3);
        to[3] = to[4] = to[len - 9] = ' ';
        if (mark == COLUMN_BSD && day >= 10)
            to[4] = (uint8_t)('0' + day / 10);
        to[len - 10] = (uint8_t)('0' + day % 10);
        put_clock(to + len - 8, second, minute, hour);
        return len;
    }
    put_digits(to, 4, number);
    put_digits(to + 5, 2, month + 1);
    put_digits(to + 8, 2, day);
    put_clock(to + 11, second, minute, hour);
    to[4] = to[7] = '-';
    to[10] = 'T';
    if (mark == COLUMN_ISO)
        return 19;
    to[19] = '.';
    put_digits(to + 20, 6, us);
    return 26;
}

/* ---- lines ---- */

static void put_word(struct slice word, bool pure, struct column_var *var)
{
    var->mark = COLUMN_WORD;
    var->word = word;
    if (!pure || word.len > 17 || (word.at[0] == '0' && word.len > 1))
        return;
    var->mark = COLUMN_NUMBER;
    var->number = 0;
    for (size_t i = 0; i < word.len; i++)
        var->number = var->number * 10 + (word.at[i] - '0');
}

/* The word or stamp at the beginning of `rest`; its bytes, and whether it is a variable. */
static size_t read_word(struct slice rest, struct column_var *var, bool *is_var)
{
    const uint8_t first = rest.at[0];
    size_t digits = 0;
    size_t len = 0;

    if (first >= 'A' && first <= 'S')
        len = read_bsd(rest, var);
    else if (is_digit(first))
        len = read_iso(rest, var);
    *is_var = len > 0;
    if (*is_var)
        return len;
    for (; len < rest.len && is_in_word(rest.at[len]); len++)
        digits += is_digit(rest.at[len]);
    *is_var = digits > 0;
    if (*is_var)
        put_word(slice_first(rest, len), digits == len, var);
    return len;
}

void column_whole(struct slice line, struct column_line *to)
{
    to->template[0] = COLUMN_WORD;
    to->len = to->count = 1;
    to->vars[0] = (struct column_var){ .mark = COLUMN_WORD, .word = line };
}

void column_split(struct slice line, struct column_line *to)
{
    struct slice rest = line;

    if (line.len > COLUMNS_LINE_BYTES) {
        column_whole(line, to);
        return;
    }
    to->len = to->count = 0;
    while (rest.len > 0) {
        const uint8_t c = rest.at[0];
        struct column_var var;
        bool is_var;
        size_t len;

        if (!is_in_word(c)) {
            if (c >= COLUMN_NUMBER && c <= COLUMN_TEXT)
                to->template[to->len++] = COLUMN_TEXT;
            to->template[to->len++] = c;
            rest = slice_skip(rest, 1);
            continue;
        }
        len = read_word(rest, &var, &is_var);
        if (!is_var) {
            memcpy(to->template + to->len, rest.at, len);
            to->len += len;
        } else if (to->count < COLUMNS_LINE_VARS) {
            to->template[to->len++] = var.mark;
            to->vars[to->count++] = var;
        } else {
            column_whole(line, to);
            return;
        }
        rest = slice_skip(rest, len);
    }
}
