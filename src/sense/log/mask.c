/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/mask.h"

#include <string.h>

/*
 * What a byte is.  A run is a stretch of bytes that have a weight; what is neither in a run nor a gap delimits and
 * stays.  A weight has a 1 in each of its bytes that the byte counts in, so that their sum tells of a whole run.
 */
enum { COUNT_ALL, COUNT_DIGIT, COUNT_DOT, COUNT_SLASH, COUNT_AT, COUNT_LOWER, COUNT_UPPER, COUNT_NO_HEX };

#define BETWEEN(c, a, z) ((c) >= (a) && (c) <= (z))
#define IS_LOWER(c)      (BETWEEN(c, 'a', 'z') || (c) >= 0x80)
#define IS_JOIN(c)                                                                                                     \
    ((c) == '.' || (c) == '-' || (c) == ':' || (c) == '/' || (c) == '@' || (c) == '_' || (c) == '%' || (c) == '+' ||   \
     (c) == '#' || (c) == '*' || (c) == '$' || (c) == '\\' || (c) == '~' || (c) == '&')
#define IN_RUN(c)        (BETWEEN(c, '0', '9') || BETWEEN(c, 'A', 'Z') || IS_LOWER(c) || IS_JOIN(c))
#define COUNTS(is, what) ((uint64_t)(is) << 8 * (what))
#define WEIGHT(c)                                                                                                      \
    (COUNTS(IN_RUN(c), COUNT_ALL) | COUNTS(BETWEEN(c, '0', '9'), COUNT_DIGIT) | COUNTS((c) == '.', COUNT_DOT) |        \
     COUNTS((c) == '/', COUNT_SLASH) | COUNTS((c) == '@', COUNT_AT) | COUNTS(IS_LOWER(c), COUNT_LOWER) |               \
     COUNTS(BETWEEN(c, 'A', 'Z'), COUNT_UPPER) |                                                                       \
     COUNTS(IN_RUN(c) && !BETWEEN(c, '0', '9') && !BETWEEN(c, 'a', 'f') && !BETWEEN(c, 'A', 'F'), COUNT_NO_HEX))
#define FOUR(c)    WEIGHT(c), WEIGHT((c) + 1), WEIGHT((c) + 2), WEIGHT((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)

static const uint64_t weights[256] = { SIXTEEN(0x00), SIXTEEN(0x10), SIXTEEN(0x20), SIXTEEN(0x30),
                                       SIXTEEN(0x40), SIXTEEN(0x50), SIXTEEN(0x60), SIXTEEN(0x70),
                                       SIXTEEN(0x80), SIXTEEN(0x90), SIXTEEN(0xa0), SIXTEEN(0xb0),
                                       SIXTEEN(0xc0), SIXTEEN(0xd0), SIXTEEN(0xe0), SIXTEEN(0xf0) };

static bool is_gap(uint8_t c) /* every control byte, so that TEMPLATE_MARK is ours alone */
{
    return c <= ' ' || c == 0x7f;
}

static bool is_digit(uint8_t c)
{
    return BETWEEN(c, '0', '9');
}

static bool is_upper(uint8_t c)
{
    return BETWEEN(c, 'A', 'Z');
}

static bool is_letter(uint8_t c)
{
    return is_upper(c) || IS_LOWER(c);
}

struct run {
    const uint8_t *at; /* borrowed from the message */
    size_t len;
    uint64_t sum; /* of its weights; 255 says "and more" */
};

static size_t count_of(const struct run *r, unsigned what)
{
    return r->sum >> 8 * what & 0xff;
}

enum { COUNT_MOST = 255 };

/* What comes behind COUNT_MOST bytes. */
static void go_on(struct slice s, struct run *r)
{
    for (; r->len < s.len && weights[s.at[r->len]] != 0; r->len++)
        for (unsigned what = COUNT_ALL; what <= COUNT_NO_HEX; what++)
            if (count_of(r, what) < COUNT_MOST)
                r->sum += weights[s.at[r->len]] & (uint64_t)COUNT_MOST << 8 * what;
}

/* The run at the beginning of `s`, without the dots and colons at its end: they belong to the sentence. */
static inline struct run run_at(struct slice s)
{
    struct run r = { .at = s.at };
    size_t to = s.len < COUNT_MOST ? s.len : COUNT_MOST;
    uint64_t weight;

    for (; r.len < to && (weight = weights[s.at[r.len]]) != 0; r.len++)
        r.sum += weight;
    if (r.len == COUNT_MOST)
        go_on(s, &r);
    for (; r.len > 1 && (s.at[r.len - 1] == '.' || s.at[r.len - 1] == ':'); r.len--)
        r.sum -= weights[s.at[r.len - 1]];
    return r;
}

#define FIELD(what) ((uint64_t)COUNT_MOST << 8 * (what))

/* EXT4-fs, jk2_init, i2c: one digit between letters, short, and no hex. */
static bool is_name_with_digit(const struct run *r)
{
    return count_of(r, COUNT_DIGIT) == 1 && r->len <= 12 && is_letter(r->at[0]) && is_letter(r->at[r->len - 1]) &&
           count_of(r, COUNT_NO_HEX) > 0 && (r->sum & (FIELD(COUNT_SLASH) | FIELD(COUNT_DOT) | FIELD(COUNT_AT))) == 0;
}

/* How much of it stands in front of a number: `core.` of core.10019; 0 when letters come behind the first digit. */
static size_t word_before_number(const struct run *r)
{
    size_t letters = 0;
    size_t lead;

    while (letters < r->len && (is_letter(r->at[letters]) || r->at[letters] == '_'))
        letters++;
    lead = letters;
    while (lead < r->len && (r->at[lead] == '.' || r->at[lead] == ':' || r->at[lead] == '#'))
        lead++;
    if (letters < 2 || !(lead > letters || r->at[lead] == '-' || r->at[lead - 1] == '_'))
        return 0;
    for (size_t i = lead; i < r->len; i++)
        if (is_letter(r->at[i]) || r->at[i] == '/' || r->at[i] == '@')
            return 0;
    return lead;
}

static bool ends_as_host(const struct run *r)
{
    static const struct {
        uint8_t len;
        char text[7];
    } ends[] = { { 4, ".com" }, { 4, ".net" },   { 4, ".org" }, { 4, ".edu" },
                 { 4, ".gov" }, { 6, ".local" }, { 4, ".lan" } };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (r->len > ends[i].len && memcmp(r->at + r->len - ends[i].len, ends[i].text, ends[i].len) == 0)
            return true;
    return false;
}

/* de:ad:be:ef:ca:fe */
static bool is_pairs(const struct run *r)
{
    if (r->len < 8 || r->len % 3 != 2 || count_of(r, COUNT_NO_HEX) != r->len / 3)
        return false;
    for (size_t i = 2; i < r->len; i += 3)
        if (r->at[i] != ':')
            return false;
    return true;
}

/* deadbeef, ABCDEF, de:ad:be:ef:ca:fe: hex without a single digit. */
static bool is_bare_hex(const struct run *r)
{
    if (count_of(r, COUNT_NO_HEX) == 0)
        return r->len >= 8 || (r->len >= 6 && count_of(r, COUNT_LOWER) == 0);
    return is_pairs(r);
}

/* Without digits, but with dots, slashes or an @. */
static bool is_place(const struct run *r)
{
    size_t slashes = count_of(r, COUNT_SLASH);
    size_t dots = count_of(r, COUNT_DOT);
    bool letters = is_letter(r->at[0]) && is_letter(r->at[r->len - 1]);

    if (slashes > 0 && r->len > 1 && (slashes > 1 || r->at[0] == '/' || r->at[0] == '.' || r->at[0] == '~'))
        return true;
    if (count_of(r, COUNT_AT) > 0 && r->len > 2 && letters)
        return true;
    if (dots > 0 && count_of(r, COUNT_UPPER) == 0 && letters)
        return dots > 1 || ends_as_host(r);
    return is_bare_hex(r);
}

static inline bool is_value(const struct run *r)
{
    if (r->sum & FIELD(COUNT_DIGIT))
        return !is_name_with_digit(r);
    if (r->sum & (FIELD(COUNT_SLASH) | FIELD(COUNT_DOT) | FIELD(COUNT_AT)))
        return is_place(r);
    return is_bare_hex(r);
}

static bool is_date_name(struct slice s)
{
    static const char names[][4] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar",
                                     "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    char three[4] = { 0 };

    if (s.len < 3 || !is_upper(s.at[0]) || (s.len > 3 && is_letter(s.at[3])))
        return false;
    memcpy(three, s.at, 3);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (memcmp(names[i], three, 4) == 0)
            return true;
    return false;
}

/* Fri of `Fri Jun 17`, and Jun too; not Mar of `Mar Gonzales`.  `s` begins with the run. */
static bool is_in_date(struct slice s)
{
    struct slice after = slice_skip(s, 3);

    if (!is_date_name(s))
        return false;
    if (after.len > 0 && after.at[0] == ',')
        after = slice_skip(after, 1);
    while (after.len > 0 && is_gap(after.at[0]))
        after = slice_skip(after, 1);
    return after.len > 0 && (is_digit(after.at[0]) || is_date_name(after));
}

/* Most are short. */
static inline void copy(char *to, const uint8_t *from, size_t n)
{
    if (n > 16)
        memcpy(to, from, n);
    else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else
        for (size_t i = 0; i < n; i++)
            to[i] = (char)from[i];
}

static inline void put(struct masked *m, const void *bytes, size_t n)
{
    if (n > sizeof(m->text) - 2 - m->len) { /* two are kept for the last value */
        n = sizeof(m->text) - 2 - m->len;
        m->cut = true;
    }
    copy(m->text + m->len, bytes, n);
    m->len += n;
}

static void put_mark(struct masked *m)
{
    static const char mark = TEMPLATE_MARK;

    put(m, &mark, 1);
}

/* The length of the run that `s` begins with. */
static size_t mask_run(struct slice s, struct masked *m)
{
    struct run r = run_at(s);

    if (is_value(&r)) {
        put(m, r.at, r.sum & FIELD(COUNT_DIGIT) ? word_before_number(&r) : 0);
        put_mark(m);
    } else if (r.len == 3 && is_in_date(s)) {
        put_mark(m);
    } else
        put(m, r.at, r.len);
    return r.len;
}

/* The word that `s` begins with, masked; its length. */
static size_t mask_word(struct slice s, struct masked *m)
{
    size_t i = 0;

    if (s.at[0] == '<' && s.len > 1 && is_digit(s.at[1])) /* <1 sec; but <20071126@host> closes */
        while (++i < s.len && !is_gap(s.at[i]) && s.at[i] != '>')
            ;
    i = i > 0 && !(i < s.len && s.at[i] == '>');
    while (i < s.len && !is_gap(s.at[i])) {
        if (weights[s.at[i]] != 0)
            i += mask_run(slice_skip(s, i), m);
        else
            put(m, s.at + i++, 1);
    }
    return i;
}

/* How much of the word is a unit; what may follow it is punctuation. */
static size_t unit_length(const char *word, size_t len)
{
    static const char units[][8] = { "s",      "sec", "secs", "second",  "seconds", "ms",   "msec",  "us",  "usec",
                                     "minute", "min", "mins", "minutes", "h",       "hour", "hours", "day", "days",
                                     "kB",     "KB",  "MB",   "GB",      "TB",      "KiB",  "MiB",   "GiB", "TiB" };
    size_t n = 0;

    while (n < len && n < sizeof(units[0]) && is_letter((uint8_t)word[n]))
        n++;
    if (n == 0 || n == sizeof(units[0]))
        return 0;
    for (size_t i = n; i < len; i++)
        if (is_letter((uint8_t)word[i]) || is_digit((uint8_t)word[i]) || word[i] == TEMPLATE_MARK)
            return 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i][0] == word[0] && units[i][n] == '\0' && memcmp(units[i], word, n) == 0)
            return n;
    return 0;
}

static bool ends_with(const struct masked *m, struct slice end)
{
    return m->len >= end.len && memcmp(m->text + m->len - end.len, end.at, end.len) == 0;
}

/* The word at `start` was added: does it belong to the one before? */
static void join_words(struct masked *m, size_t start)
{
    size_t len = m->len - start;
    size_t unit;

    if (len == 2 && (memcmp(m->text + start, "()", 2) == 0 || memcmp(m->text + start, "[]", 2) == 0)) {
        m->text[start + 2] = m->text[start + 1];
        m->text[start + 1] = TEMPLATE_MARK;
        m->len++;
        return;
    }
    if (start < 2 || m->text[start - 2] != TEMPLATE_MARK)
        return;
    if (len == 1 && m->text[start] == TEMPLATE_MARK && (start == 2 || m->text[start - 3] == ' ')) {
        m->len = start - 1;
        m->words--;
    } else if ((unit = unit_length(m->text + start, len)) > 0) {
        memmove(m->text + start - 1, m->text + start + unit, len - unit);
        m->len -= unit + 1;
        m->words--;
        if (ends_with(m, SLICE("\2 bytes (\2)"))) {
            m->len -= sizeof(" (\2)") - 1;
            m->words--;
        }
    }
}

void mask_message(struct slice s, struct masked *m)
{
    m->len = m->words = 0;
    m->cut = false;
    for (;;) {
        size_t start;

        while (s.len > 0 && is_gap(s.at[0]))
            s = slice_skip(s, 1);
        if (s.len == 0)
            return;
        if (m->cut || m->words == TEMPLATE_WORDS - 1 || m->len + 4 > sizeof(m->text))
            break;
        if (m->words > 0)
            put(m, " ", 1);
        start = m->len;
        m->words++;
        s = slice_skip(s, mask_word(s, m));
        if (!m->cut)
            join_words(m, start);
    }
    m->cut = true;
    m->words++;
    m->text[m->len++] = ' ';
    m->text[m->len++] = TEMPLATE_MARK;
}
