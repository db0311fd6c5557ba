/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/expression.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    struct slice s;
    size_t at;
    bool ere;
    char *to;
    size_t len;
    bool crosses;
};

static void put(struct writer *w, const char *words)
{
    size_t n = strlen(words);

    memcpy(w->to + w->len, words, n);
    w->len += n;
}

static void put_byte(struct writer *w, uint8_t c)
{
    char hex[8];

    if (c >= 0x20 && c < 0x7f) {
        w->to[w->len++] = (char)c;
        return;
    }
    (void)snprintf(hex, sizeof(hex), "\\x%02x", c);
    put(w, hex);
}

static bool is_word_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* `[:name:]` at `at`; its length, 0: none. */
static size_t class_length(const struct writer *w)
{
    const uint8_t *from = w->s.at + w->at;
    size_t left = w->s.len - w->at;
    const uint8_t *end = left > 4 && from[0] == '[' && from[1] == ':' ? memmem(from + 2, left - 2, ":]", 2) : NULL;

    return end && end - from < 16 ? (size_t)(end - from) + 2 : 0;
}

static void write_class(struct writer *w, size_t n)
{
    if (slice_eq(slice_of(w->s.at + w->at, n), SLICE("[:space:]"))) {
        put(w, " \\t\\r\\f\\x0b");
    } else {
        memcpy(w->to + w->len, w->s.at + w->at, n);
        w->len += n;
    }
    w->at += n;
}

/* Inside brackets a backslash is itself in POSIX; elsewhere \s would let a newline in. */
static void write_escape_in_bracket(struct writer *w)
{
    uint8_t next = w->at + 1 < w->s.len ? w->s.at[w->at + 1] : '\\';

    if (w->ere) {
        put(w, "\\\\");
        w->at++;
        return;
    }
    w->at += 2;
    if (next == 's') {
        put(w, " \\t\\r\\f\\x0b");
        return;
    }
    if (strchr("WDSHNVR", next) || next == 'n' || next == 'v')
        w->crosses = true;
    put(w, "\\");
    put_byte(w, next);
}

static int write_bracket(struct writer *w, struct err *e)
{
    size_t start = w->at++;
    bool negated = w->at < w->s.len && w->s.at[w->at] == '^';

    put(w, "[");
    if (negated) {
        put(w, "^\\n");
        w->at++;
    }
    for (bool first = true; w->at < w->s.len; first = false) {
        uint8_t c = w->s.at[w->at];
        size_t class = class_length(w);

        if (c == ']' && !first) {
            put(w, "]");
            w->at++;
            return 0;
        }
        if (class > 0) {
            write_class(w, class);
        } else if (c == '\\') {
            write_escape_in_bracket(w);
        } else {
            if (c == '[' || (c == ']' && first))
                put(w, "\\");
            if (c == '\n')
                w->crosses = true;
            put_byte(w, c);
            w->at++;
        }
    }
    return err_set(e, 0, "at byte %zu: this bracket has no end", start);
}

static void write_escape(struct writer *w)
{
    uint8_t next = w->at + 1 < w->s.len ? w->s.at[w->at + 1] : '\\';

    w->at += 2;
    switch (next) {
    case 's':
        put(w, "[^\\S\\n]");
        return;
    case 'W':
        put(w, "[^\\w\\n]");
        return;
    case 'D':
        put(w, "[^\\d\\n]");
        return;
    case '<':
    case '>':
        put(w, w->ere ? "\\b" : next == '<' ? "<" : ">");
        return;
    case '`':
    case '\'':
        if (w->ere)
            put(w, next == '`' ? "^" : "$");
        else
            put_byte(w, next);
        return;
    default:
        break;
    }
    if (!w->ere && strchr("nvRNXCQEAZzGH", next))
        w->crosses = true;
    if (w->ere && next != 'w' && next != 'S' && next != 'b' && next != 'B' && is_word_byte(next) &&
        !(next >= '1' && next <= '9')) {
        put_byte(w, next); /* grep: an escaped letter is the letter */
        return;
    }
    put(w, "\\");
    put_byte(w, next);
}

/* {2,3}: a bound.  A brace that begins none is a brace. */
static bool is_bound(const struct writer *w)
{
    size_t i = w->at + 1;
    bool digits = false;

    while (i < w->s.len && ((w->s.at[i] >= '0' && w->s.at[i] <= '9') || w->s.at[i] == ',')) {
        digits = digits || w->s.at[i] != ',';
        i++;
    }
    return digits && i < w->s.len && w->s.at[i] == '}';
}

static int write_all(struct writer *w, struct err *e)
{
    while (w->at < w->s.len) {
        uint8_t c = w->s.at[w->at];

        if (c == '[') {
            if (write_bracket(w, e) < 0)
                return -1;
            continue;
        }
        if (c == '\\') {
            write_escape(w);
            continue;
        }
        if (c == '\n')
            w->crosses = true;
        if (c == '{' && !is_bound(w))
            put(w, "\\");
        if (c == '(' && !w->ere && w->at + 1 < w->s.len && w->s.at[w->at + 1] == '?')
            w->crosses =
                w->crosses || w->at + 2 >= w->s.len || w->s.at[w->at + 2] != ':'; /* options, look-around ... */
        put_byte(w, c);
        w->at++;
    }
    return 0;
}

static void write_literal(struct writer *w)
{
    for (; w->at < w->s.len; w->at++) {
        uint8_t c = w->s.at[w->at];

        if (c == '\n')
            w->crosses = true;
        if (c < 0x80 && !is_word_byte(c) && c > ' ')
            put(w, "\\");
        put_byte(w, c);
    }
}

int expression_write(struct slice written, unsigned flags, struct expression *x, struct err *e)
{
    struct writer w = { .s = written, .ere = flags & PATTERN_ERE };

    if (written.len > PATTERN_BYTES)
        return err_set(e, 0, "longer than %d bytes", PATTERN_BYTES);
    w.to = malloc(written.len * 12 + 32); /* the most that one byte becomes */
    if (!w.to)
        return err_set(e, ENOMEM, "patterns");
    if (flags & PATTERN_WORD)
        put(&w, "\\b(?:");
    if (flags & PATTERN_LITERAL)
        write_literal(&w);
    else if (write_all(&w, e) < 0) {
        free(w.to);
        return -1;
    }
    if (flags & PATTERN_WORD)
        put(&w, ")\\b");
    w.to[w.len] = '\0';
    x->text = w.to;
    x->crosses_lines = w.crosses;
    return 0;
}
