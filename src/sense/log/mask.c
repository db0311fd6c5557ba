/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/mask.h"

#include <string.h>

/* What a byte is.  A run is a stretch of RUN bytes; what is neither in a run nor a gap delimits and stays. */
enum {
    LOWER = 1,
    UPPER = 2,
    DIGIT = 4,
    JOIN = 8,
    GAP = 16, /* every control byte, so that TEMPLATE_MARK is ours alone */
    RUN = LOWER | UPPER | DIGIT | JOIN,
};

static uint8_t kind_of(uint8_t c)
{
    static const uint8_t kinds[128] = {
        ['.'] = JOIN, ['-'] = JOIN, [':'] = JOIN, ['/'] = JOIN,  ['@'] = JOIN, ['_'] = JOIN, ['%'] = JOIN, ['+'] = JOIN,
        ['#'] = JOIN, ['*'] = JOIN, ['$'] = JOIN, ['\\'] = JOIN, ['~'] = JOIN, ['&'] = JOIN, [0x7f] = GAP,
    };

    if (c >= 'a' && c <= 'z')
        return LOWER;
    if (c <= ' ')
        return GAP;
    if (c >= '0' && c <= '9')
        return DIGIT;
    if (c >= 'A' && c <= 'Z')
        return UPPER;
    return c >= 0x80 ? LOWER : kinds[c];
}

struct run {
    const uint8_t *at; /* borrowed from the message */
    size_t len;
    size_t digits, dots, slashes, ats;
    uint8_t any; /* all kinds in it */
};

/* The run at the beginning of `s`, without the dots and colons at its end: they belong to the sentence. */
static struct run run_at(struct slice s)
{
    struct run r = { .at = s.at };
    uint8_t k;

    for (; r.len < s.len && ((k = kind_of(s.at[r.len])) & RUN); r.len++) {
        r.any |= k;
        r.digits += k == DIGIT;
        r.dots += s.at[r.len] == '.';
        r.slashes += s.at[r.len] == '/';
        r.ats += s.at[r.len] == '@';
    }
    for (; r.len > 1 && (s.at[r.len - 1] == '.' || s.at[r.len - 1] == ':'); r.len--)
        r.dots -= s.at[r.len - 1] == '.';
    return r;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_letter(uint8_t c)
{
    return kind_of(c) & (LOWER | UPPER);
}

/* EXT4-fs, jk2_init, i2c: one digit between letters, short, and no hex. */
static bool is_name_with_digit(const struct run *r)
{
    bool hex = true;

    if (r->digits != 1 || r->len > 12 || !is_letter(r->at[0]) || !is_letter(r->at[r->len - 1]))
        return false;
    for (size_t i = 0; i < r->len; i++)
        hex = hex && is_hex(r->at[i]);
    return !hex && r->slashes + r->dots + r->ats == 0;
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
    for (size_t i = lead; i < r->len; i++)
        if (is_letter(r->at[i]) || r->at[i] == '/' || r->at[i] == '@')
            return 0;
    return letters >= 2 && (lead > letters || r->at[lead] == '-' || r->at[lead - 1] == '_') ? lead : 0;
}

static bool ends_as_host(const struct run *r)
{
    static const char ends[][7] = { ".com", ".net", ".org", ".edu", ".gov", ".local", ".lan" };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t n = strlen(ends[i]);

        if (r->len > n && memcmp(r->at + r->len - n, ends[i], n) == 0)
            return true;
    }
    return false;
}

/* deadbeef, ABCDEF, de:ad:be:ef:ca:fe: hex without a single digit. */
static bool is_bare_hex(const struct run *r)
{
    bool pairs = r->len >= 8 && r->len % 3 == 2;
    bool solid = r->len >= 8 || (r->len >= 6 && !(r->any & LOWER));

    for (size_t i = 0; i < r->len && (pairs || solid); i++) {
        solid = solid && is_hex(r->at[i]);
        pairs = pairs && (i % 3 == 2 ? r->at[i] == ':' : is_hex(r->at[i]));
    }
    return pairs || solid;
}

static bool is_value(const struct run *r)
{
    if (r->digits > 0)
        return !is_name_with_digit(r);
    if (r->slashes > 0 && r->len > 1 && (r->slashes > 1 || r->at[0] == '/' || r->at[0] == '.' || r->at[0] == '~'))
        return true;
    if (r->ats > 0 && r->len > 2 && is_letter(r->at[0]) && is_letter(r->at[r->len - 1]))
        return true;
    if (r->dots > 0 && !(r->any & UPPER) && is_letter(r->at[0]) && is_letter(r->at[r->len - 1]))
        return r->dots > 1 || ends_as_host(r);
    return is_bare_hex(r);
}

static bool is_date_name(struct slice s)
{
    static const char names[] = "Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";

    if (s.len < 3 || kind_of(s.at[0]) != UPPER || (s.len > 3 && is_letter(s.at[3])))
        return false;
    for (size_t i = 0; i < sizeof(names) - 1; i += 4)
        if (memcmp(names + i, s.at, 3) == 0)
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
    while (after.len > 0 && kind_of(after.at[0]) == GAP)
        after = slice_skip(after, 1);
    return after.len > 0 && (kind_of(after.at[0]) == DIGIT || is_date_name(after));
}

static void put(struct masked *m, const void *bytes, size_t n)
{
    if (n > sizeof(m->text) - 2 - m->len) { /* two are kept for the last value */
        n = sizeof(m->text) - 2 - m->len;
        m->cut = true;
    }
    memcpy(m->text + m->len, bytes, n);
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
        put(m, r.at, r.digits > 0 ? word_before_number(&r) : 0);
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

    if (s.at[0] == '<' && s.len > 1 && kind_of(s.at[1]) == DIGIT) /* <1 sec; but <20071126@host> closes */
        while (++i < s.len && kind_of(s.at[i]) != GAP && s.at[i] != '>')
            ;
    i = i > 0 && !(i < s.len && s.at[i] == '>');
    while (i < s.len && kind_of(s.at[i]) != GAP) {
        if (kind_of(s.at[i]) & RUN)
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

    while (n < len && is_letter((uint8_t)word[n]))
        n++;
    for (size_t i = n; i < len; i++)
        if (kind_of((uint8_t)word[i]) & (LOWER | UPPER | DIGIT) || word[i] == TEMPLATE_MARK)
            return 0;
    for (size_t i = 0; n < sizeof(units[0]) && i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i]) == n && memcmp(units[i], word, n) == 0)
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

        while (s.len > 0 && kind_of(s.at[0]) == GAP)
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
