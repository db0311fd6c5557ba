/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/watch/condition.h"
#include "sense/watch/condition_node.h"

struct reader {
    struct slice all, rest;
    struct condition *into;
    unsigned depth;
    struct err *e;
};

/* Where we are, counted from 1, and what is there. */
static int wrong(struct reader *r, const char *what)
{
    char words[64];
    struct text t = TEXT_IN(words);

    text_visible(&t, slice_first(r->rest, 12));
    return err_set(r->e, 0, "%s, at letter %zu%s%s%s", what, (size_t)(r->rest.at - r->all.at) + 1,
                   r->rest.len ? ": \"" : "", words, r->rest.len ? "\"" : "");
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.len > 0 && (r->rest.at[0] == ' ' || r->rest.at[0] == '\t' || r->rest.at[0] == '\n'))
        r->rest = slice_skip(r->rest, 1);
}

static bool in_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '/' || c == ':' || c == '-' || c == '*';
}

/* The word that begins here; not taken. */
static struct slice peek_word(struct reader *r)
{
    size_t n = 0;

    skip_blanks(r);
    while (n < r->rest.len && in_name(r->rest.at[n]))
        n++;
    return slice_first(r->rest, n);
}

static bool take_word(struct reader *r, struct slice word)
{
    if (!slice_eq(peek_word(r), word))
        return false;
    r->rest = slice_skip(r->rest, word.len);
    return true;
}

static bool take_sign(struct reader *r, const char *sign)
{
    struct slice s = slice_text(sign);

    skip_blanks(r);
    if (!slice_eq(slice_first(r->rest, s.len), s))
        return false;
    r->rest = slice_skip(r->rest, s.len);
    return true;
}

static int add_node(struct reader *r, struct node n)
{
    if (r->into->count == CONDITION_NODES)
        return wrong(r, "this is too long");
    n.since_us = NOT_SINCE;
    r->into->at[r->into->count] = n;
    return (int)r->into->count++;
}

/* ---- numbers ---- */

static const struct {
    const char *word;
    double times;
} units[] = {
    { "us", 1e-6 },
    { "ms", 1e-3 },
    { "s", 1 },
    { "min", 60 },
    { "h", 3600 },
    { "d", 86400 },
    { "KiB", 1024 },
    { "MiB", 1048576 },
    { "GiB", 1073741824 },
    { "TiB", 1099511627776 },
    { "k", 1e3 },
    { "M", 1e6 },
    { "G", 1e9 },
    { "%", 1 },
    { "", 1 },
};

static bool unit_of(struct slice word, double *times)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (slice_eq(word, slice_text(units[i].word))) {
            *times = units[i].times;
            return true;
        }
    return false;
}

static size_t digits(struct slice s)
{
    size_t n = 0;

    while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9')
        n++;
    return n;
}

static int read_number(struct reader *r, double *number)
{
    double times = 1;
    double value = 0;
    double part = 1;
    bool negative = take_sign(r, "-");
    size_t n = (skip_blanks(r), digits(r->rest));
    size_t behind = 0;
    size_t unit = 0;

    if (n == 0 || n > 18)
        return wrong(r, "a number was expected");
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (r->rest.at[i] - '0');
    r->rest = slice_skip(r->rest, n);
    if (r->rest.len > 1 && r->rest.at[0] == '.' && (behind = digits(slice_skip(r->rest, 1))) > 0) {
        for (size_t i = 1; i <= behind; i++)
            value += (r->rest.at[i] - '0') * (part /= 10);
        r->rest = slice_skip(r->rest, behind + 1);
    }
    while (unit < r->rest.len && ((r->rest.at[unit] | 0x20) >= 'a' && (r->rest.at[unit] | 0x20) <= 'z'))
        unit++;
    if (unit == 0 && r->rest.len > 0 && r->rest.at[0] == '%')
        unit = 1;
    if (!unit_of(slice_first(r->rest, unit), &times))
        return wrong(r, "there is no such unit (us ms s min h d KiB MiB GiB TiB k M G %)");
    r->rest = slice_skip(r->rest, unit);
    *number = (negative ? -value : value) * times;
    return 0;
}

/* ---- conditions ---- */

static int read_or(struct reader *r);

static const struct {
    const char *sign;
    enum compare compare;
} signs[] = {
    { ">=", COMPARE_GE }, { "<=", COMPARE_LE }, { "==", COMPARE_EQ },
    { "!=", COMPARE_NE }, { ">", COMPARE_GT },  { "<", COMPARE_LT },
};

static bool is_keyword(struct slice word)
{
    return slice_eq(word, SLICE("and")) || slice_eq(word, SLICE("or")) || slice_eq(word, SLICE("not")) ||
           slice_eq(word, SLICE("for"));
}

static int read_comparison(struct reader *r)
{
    struct node n = { .kind = NODE_COMPARE, .compare = COMPARE_NE, .limit = 0 };
    struct slice name = peek_word(r);

    if (name.len == 0 || is_keyword(name))
        return wrong(r, "the name of a value was expected");
    if (name.len >= VALUE_NAME)
        return wrong(r, "this name is too long");
    memcpy(n.name, name.at, name.len);
    n.any = memchr(n.name, '*', name.len) != NULL;
    r->rest = slice_skip(r->rest, name.len);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (take_sign(r, signs[i].sign)) {
            n.compare = signs[i].compare;
            return read_number(r, &n.limit) < 0 ? -1 : add_node(r, n);
        }
    return add_node(r, n);
}

static int read_inside(struct reader *r)
{
    int inside;

    if (!take_sign(r, "("))
        return read_comparison(r);
    inside = read_or(r);
    if (inside >= 0 && !take_sign(r, ")"))
        return wrong(r, "a ) was expected");
    return inside;
}

static int read_not(struct reader *r)
{
    int inside;

    if (++r->depth > CONDITION_DEPTH)
        return wrong(r, "this is nested too deep");
    if (take_word(r, SLICE("not"))) {
        inside = read_not(r);
        inside = inside < 0 ? -1 : add_node(r, (struct node){ .kind = NODE_NOT, .left = (uint8_t)inside });
    } else
        inside = read_inside(r);
    r->depth--;
    return inside;
}

static int read_for(struct reader *r)
{
    int inside = read_not(r);
    double seconds;

    if (inside < 0 || !take_word(r, SLICE("for")))
        return inside;
    if (read_number(r, &seconds) < 0)
        return -1;
    if (seconds < 0 || seconds > 366.0 * 86400)
        return wrong(r, "`for` wants a time up to a year");
    return add_node(r, (struct node){ .kind = NODE_FOR, .left = (uint8_t)inside, .span_us = llround(seconds * 1e6) });
}

static int read_and(struct reader *r)
{
    int left = read_for(r);

    while (left >= 0 && take_word(r, SLICE("and"))) {
        int right = read_for(r);

        left = right < 0
                 ? -1
                 : add_node(r, (struct node){ .kind = NODE_AND, .left = (uint8_t)left, .right = (uint8_t)right });
    }
    return left;
}

static int read_or(struct reader *r)
{
    int left = read_and(r);

    while (left >= 0 && take_word(r, SLICE("or"))) {
        int right = read_and(r);

        left = right < 0
                 ? -1
                 : add_node(r, (struct node){ .kind = NODE_OR, .left = (uint8_t)left, .right = (uint8_t)right });
    }
    return left;
}

struct condition *condition_read(struct slice text, struct err *e)
{
    struct reader r = { .all = text, .rest = text, .e = e, .into = calloc(1, sizeof(*r.into)) };
    int root;

    if (!r.into) {
        err_set(e, ENOMEM, "an expression");
        return NULL;
    }
    root = read_or(&r);
    skip_blanks(&r);
    if (root >= 0 && r.rest.len > 0)
        root = wrong(&r, "this was not expected");
    if (root < 0) {
        condition_free(r.into);
        return NULL;
    }
    r.into->root = (uint8_t)root;
    return r.into;
}

void condition_free(struct condition *x)
{
    free(x);
}
