/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/columns.h"

enum { SLOTS = 2 * COLUMNS_TEMPLATES_MAX, WHOLE_LINE = 0 /* template: one word */ };

struct template
{
    uint64_t hash;
    uint32_t at, len;
    uint32_t first_column;
};
struct column {
    uint64_t last;
    size_t bytes, at; /* `at`: in the body, while it is filled */
};
struct writer {
    uint32_t templates, columns, lines;
    size_t vars_count, vars_cap;
    struct column_var *vars; /* of all lines, in their order; numbers as they will be written */
    struct seg_out texts;    /* of templates */
    struct column_line line;
    struct template template[COLUMNS_TEMPLATES_MAX];
    struct column column[COLUMNS_MAX];
    uint16_t slots[SLOTS]; /* number of a template + 1 */
};

static uint64_t hash_of(const uint8_t *at, size_t len)
{
    uint64_t h = len;
    uint64_t word = 0;

    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    word = 0;
    memcpy(&word, at, len);
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static size_t number_bytes(uint64_t n)
{
    size_t bytes = 1;

    while (n >>= 7)
        bytes++;
    return bytes;
}

static uint8_t *put_number(uint8_t *to, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        *to++ = (uint8_t)(n | 0x80);
    *to++ = (uint8_t)n;
    return to;
}

/* ---- templates ---- */

static int add_template(struct writer *w, uint64_t hash, struct err *e)
{
    struct template *t = &w->template[w->templates];

    if (seg_out_room(&w->texts, w->line.len + 1, e) < 0)
        return -1;
    *t = (struct template){
        .hash = hash, .at = (uint32_t)w->texts.len, .len = (uint32_t)w->line.len, .first_column = w->columns
    };
    memcpy(w->texts.at + w->texts.len, w->line.template, w->line.len);
    w->texts.at[w->texts.len + w->line.len] = '\n';
    w->texts.len += w->line.len + 1;
    for (size_t i = 0; i < w->line.count; i++)
        w->columns += !column_is_stamp(w->line.vars[i].mark);
    w->templates++;
    return 0;
}

/* The line's, or that of whole lines when there are too many. */
static int find_template(struct writer *w, struct slice line, uint32_t *id, struct err *e)
{
    uint64_t hash = hash_of(w->line.template, w->line.len);
    uint16_t *slot = &w->slots[hash % SLOTS];

    for (; *slot > 0; slot = slot == w->slots + SLOTS - 1 ? w->slots : slot + 1) {
        const struct template *t = &w->template[*slot - 1];

        if (t->hash == hash && t->len == w->line.len && memcmp(w->texts.at + t->at, w->line.template, t->len) == 0) {
            *id = *slot - 1u;
            return 0;
        }
    }
    if (w->templates == COLUMNS_TEMPLATES_MAX || w->columns + w->line.count > COLUMNS_MAX) {
        column_whole(line, &w->line);
        *id = WHOLE_LINE;
        return 0;
    }
    *id = w->templates;
    *slot = (uint16_t)(w->templates + 1);
    return add_template(w, hash, e);
}

/* ---- variables ---- */

static void count_var(struct writer *w, struct column_var *var)
{
    struct column *c = &w->column[var->column];

    if (var->mark != COLUMN_WORD && var->column != 0) {
        int64_t more = (int64_t)(var->number - c->last);

        c->last = var->number;
        var->number = (uint64_t)more << 1 ^ (uint64_t)(more >> 63);
    }
    c->bytes += var->mark == COLUMN_WORD ? var->word.len + 1 : number_bytes(var->number);
}

static int add_line(struct writer *w, struct slice line, struct err *e)
{
    uint32_t column;
    uint32_t id;

    column_split(line, &w->line);
    if (find_template(w, line, &id, e) < 0)
        return -1;
    if (w->vars_cap - w->vars_count < w->line.count + 1) {
        size_t cap = w->vars_cap * 2 + 4096;
        struct column_var *vars = reallocarray(w->vars, cap, sizeof(*vars));

        if (!vars)
            return err_set(e, errno, "columns");
        w->vars = vars;
        w->vars_cap = cap;
    }
    column = w->template[id].first_column;
    w->vars[w->vars_count] = (struct column_var){ .mark = COLUMN_NUMBER, .number = id };
    count_var(w, &w->vars[w->vars_count++]);
    for (size_t i = 0; i < w->line.count; i++) {
        struct column_var *var = &w->vars[w->vars_count++];

        *var = w->line.vars[i];
        var->column = column_is_stamp(var->mark) ? column_of_stamp(var->mark) : column++;
        count_var(w, var);
    }
    w->lines++;
    return 0;
}

static int add_lines(struct writer *w, struct slice text, struct err *e)
{
    uint32_t id;

    w->columns = COLUMNS_FIRST_OWN;
    column_whole(text, &w->line);
    if (find_template(w, text, &id, e) < 0) /* the first: WHOLE_LINE */
        return -1;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;

        if (add_line(w, slice_first(text, len), e) < 0)
            return -1;
        text = slice_skip(text, len + 1);
    }
    return 0;
}

/* ---- the body ---- */

static int put_head(struct writer *w, struct slice text, struct seg_out *body, struct err *e)
{
    const uint64_t numbers[] = { COLUMNS_VERSION, text.len,     w->lines,  text.at[text.len - 1] == '\n',
                                 w->templates,    w->texts.len, w->columns };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (seg_put_number(body, numbers[i], e) < 0)
            return -1;
    for (uint32_t i = 0; i < w->columns; i++)
        if (seg_put_number(body, w->column[i].bytes, e) < 0)
            return -1;
    return 0;
}

static void put_vars(struct writer *w, struct seg_out *body)
{
    for (uint32_t i = 0; i < w->columns; i++) {
        w->column[i].at = body->len;
        body->len += w->column[i].bytes;
    }
    for (size_t i = 0; i < w->vars_count; i++) {
        const struct column_var *var = &w->vars[i];
        struct column *c = &w->column[var->column];
        uint8_t *to = body->at + c->at;

        if (var->mark == COLUMN_WORD) {
            memcpy(to, var->word.at, var->word.len);
            to += var->word.len;
            *to++ = '\n';
        } else
            to = put_number(to, var->number);
        c->at = (size_t)(to - body->at);
    }
}

static int put_body(struct writer *w, struct slice text, struct seg_out *body, struct err *e)
{
    size_t bytes = w->texts.len;

    if (put_head(w, text, body, e) < 0)
        return -1;
    for (uint32_t i = 0; i < w->columns; i++)
        bytes += w->column[i].bytes;
    if (body->len + bytes > COLUMNS_BODY_MAX)
        return 1;
    if (seg_out_room(body, bytes + COLUMNS_BEHIND, e) < 0)
        return -1;
    memcpy(body->at + body->len, w->texts.at, w->texts.len);
    body->len += w->texts.len;
    put_vars(w, body);
    memset(body->at + body->len, 0, COLUMNS_BEHIND);
    return 0;
}

int columns_write(struct slice text, struct seg_out *body, struct err *e)
{
    struct writer *w;
    int result = 1;

    if (text.len == 0 || text.len > SEG_RAW_MAX)
        return 1;
    w = calloc(1, sizeof(*w));
    if (!w)
        return err_set(e, ENOMEM, "columns");
    result = add_lines(w, text, e);
    if (result == 0)
        result = put_body(w, text, body, e);
    seg_out_free(&w->texts);
    free(w->vars);
    free(w);
    return result;
}
