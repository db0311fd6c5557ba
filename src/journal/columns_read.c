/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/columns.h"

struct step { /* some text of a template, then a variable */
    const uint8_t *text;
    uint32_t len;
    uint16_t column;
    uint8_t mark; /* 0: none */
};
struct column {
    const uint8_t *at, *end;
    uint64_t last;
};
struct last_stamp { /* as written: neighbours often have the same */
    uint8_t mark, len;
    uint8_t text[32];
};
struct reader {
    uint64_t bytes, lines, ends_with_newline, templates, texts_len, columns;
    struct slice texts;
    uint32_t *first_step; /* of each template; one more at the end */
    struct step *steps;
    struct column *column;
    struct last_stamp stamp[COLUMNS_FIRST_OWN];
};

static int damaged(struct err *e, const char *what)
{
    return err_set(e, 0, "columns: %s", what);
}

static bool read_number(const uint8_t **at, const uint8_t *end, uint64_t *n)
{
    const uint8_t *p = *at;

    *n = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint8_t byte = *p++;

        *n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *at = p;
            return true;
        }
    }
    return false;
}

/* ---- head and templates ---- */

static int read_head(struct reader *r, struct slice body, struct err *e)
{
    uint64_t *const fields[] = {
        &r->bytes, &r->lines, &r->ends_with_newline, &r->templates, &r->texts_len, &r->columns
    };
    const uint8_t *at = body.at;
    const uint8_t *const end = body.at + body.len;
    uint64_t version;

    if (body.len > COLUMNS_BODY_MAX || !read_number(&at, end, &version) || version != COLUMNS_VERSION)
        return damaged(e, "of another version");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (!read_number(&at, end, fields[i]))
            return damaged(e, "the head is cut");
    if (r->columns < COLUMNS_FIRST_OWN || r->columns > COLUMNS_MAX || r->templates > COLUMNS_TEMPLATES_MAX ||
        r->lines == 0 || r->ends_with_newline > 1 || r->texts_len > (uint64_t)(end - at))
        return damaged(e, "the head is out of bounds");
    r->column = calloc(r->columns, sizeof(*r->column));
    if (!r->column)
        return err_set(e, ENOMEM, "columns");
    for (uint64_t i = 0, sum = r->texts_len; i < r->columns; i++) {
        uint64_t len;

        if (!read_number(&at, end, &len) || len > body.len || (sum += len) > body.len)
            return damaged(e, "a column is too long");
        r->column[i].last = len; /* until it is known where it begins */
    }
    r->texts = slice_first(slice_of(at, (size_t)(end - at)), (size_t)r->texts_len);
    at += r->texts.len;
    for (uint64_t i = 0; i < r->columns; i++) {
        const uint64_t len = r->column[i].last;

        if (len > (uint64_t)(end - at))
            return damaged(e, "the columns are cut");
        r->column[i] = (struct column){ .at = at, .end = at + len };
        at += len;
    }
    return at == end && r->texts.len == r->texts_len ? 0 : damaged(e, "bytes that belong to no column");
}

/* One more step of the template that `text` begins in, up to and with the next mark, or the rest. */
static size_t read_step(struct slice text, struct step *step)
{
    size_t len = 0;
    const size_t escaped = text.len > 0 && text.at[0] == COLUMN_TEXT; /* the byte behind is text */

    if (escaped)
        text = slice_skip(text, 1);
    len = escaped && text.len > 0;
    while (len < text.len && !(text.at[len] >= COLUMN_NUMBER && text.at[len] <= COLUMN_TEXT))
        len++;
    *step = (struct step){ .text = text.at, .len = (uint32_t)len };
    if (len == text.len || text.at[len] == COLUMN_TEXT)
        return escaped + len;
    step->mark = text.at[len];
    return escaped + len + 1;
}

/* Enough of them: each but the last of a template ends at a mark of its own. */
static size_t count_steps(struct slice texts, size_t templates)
{
    size_t steps = templates;

    for (size_t i = 0; i < texts.len; i++)
        steps += (uint8_t)(texts.at[i] - COLUMN_NUMBER) <= COLUMN_TEXT - COLUMN_NUMBER;
    return steps;
}

static int read_templates(struct reader *r, struct err *e)
{
    struct slice texts = r->texts;
    uint32_t column = COLUMNS_FIRST_OWN;
    uint32_t n = 0;

    r->steps = calloc(count_steps(texts, (size_t)r->templates) + 1, sizeof(*r->steps));
    r->first_step = calloc(r->templates + 1, sizeof(*r->first_step));
    if (!r->steps || !r->first_step)
        return err_set(e, ENOMEM, "columns");
    for (uint64_t i = 0; i < r->templates; i++) {
        struct slice text = slice_until(texts, '\n', &texts);

        while (text.len > 0) {
            struct step *step = &r->steps[n++];

            text = slice_skip(text, read_step(text, step));
            if (column_is_stamp(step->mark))
                step->column = (uint16_t)column_of_stamp(step->mark);
            else if (step->mark > 0) {
                if (column >= r->columns)
                    return damaged(e, "the templates have more variables than there are columns");
                step->column = (uint16_t)column++;
            }
        }
        r->first_step[i + 1] = n;
    }
    return texts.len == 0 && column == r->columns ? 0 : damaged(e, "templates and columns do not fit");
}

/* ---- lines ---- */

/* These take where the text goes on and where it ends, and give where it goes on then; NULL: it does not fit, or the
 * column has no more. */

static inline uint8_t *put(uint8_t *to, const uint8_t *end, const uint8_t *at, size_t len)
{
    const size_t room = (size_t)(end - to);

    if (len <= COLUMNS_BEHIND && room >= COLUMNS_BEHIND) /* one instruction; the bytes too many are overwritten */
        memcpy(to, at, COLUMNS_BEHIND);
    else if (len <= room)
        memcpy(to, at, len);
    else
        return NULL;
    return to + len;
}

static inline bool next_difference(struct column *c, uint64_t *value)
{
    uint64_t n;

    if (c->at < c->end && *c->at < 0x80)
        n = *c->at++;
    else if (!read_number(&c->at, c->end, &n))
        return false;
    *value = c->last += n >> 1 ^ -(n & 1);
    return true;
}

static inline uint8_t *put_decimal(uint8_t *to, const uint8_t *end, struct column *c)
{
    size_t digits = 1;
    uint64_t n;

    if (!next_difference(c, &n))
        return NULL;
    for (uint64_t power = 10; digits < 20 && n >= power; power *= 10)
        digits++;
    if (digits > (size_t)(end - to))
        return NULL;
    for (size_t i = digits; i-- > 0; n /= 10)
        to[i] = (uint8_t)('0' + n % 10);
    return to + digits;
}

/* How many bytes stand in front of the newline; `most` when there is none.  Mostly there are few: eight at a time. */
static inline size_t word_len(const uint8_t *at, size_t most)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint8_t *newline;

    for (size_t i = 0; i < COLUMNS_BEHIND && i < most; i += 8) {
        uint64_t eight;
        uint64_t hits;

        memcpy(&eight, at + i, sizeof(eight));
        eight ^= ones * '\n';
        hits = (eight - ones) & ~eight & ones << 7; /* the lowest bit is that of the first newline */
        if (hits != 0) {
            i += (size_t)__builtin_ctzll(hits) / 8;
            return i < most ? i : most;
        }
    }
    newline = memchr(at, '\n', most);
    return newline ? (size_t)(newline - at) : most;
}

static inline uint8_t *put_word(uint8_t *to, const uint8_t *end, struct column *c)
{
    const uint8_t *at = c->at;
    const size_t most = (size_t)(c->end - at);
    const size_t len = word_len(at, most);

    if (len == most)
        return NULL;
    c->at = at + len + 1;
    return put(to, end, at, len);
}

static uint8_t *put_stamp(uint8_t *to, const uint8_t *end, struct column *c, struct last_stamp *last, uint8_t mark)
{
    const uint64_t before = c->last;
    uint64_t n;

    if (!next_difference(c, &n))
        return NULL;
    if (n != before || last->mark != mark) {
        last->mark = mark;
        last->len = (uint8_t)column_stamp_write(mark, n, last->text);
    }
    return put(to, end, last->text, last->len);
}

static uint8_t *put_line(struct reader *r, uint8_t *to, const uint8_t *end, uint64_t id)
{
    const struct step *step = r->steps + r->first_step[id];
    const struct step *const last = r->steps + r->first_step[id + 1];
    struct column *const columns = r->column;

    for (; step < last && to; step++) {
        to = put(to, end, step->text, step->len);
        if (!to || step->mark == 0)
            continue;
        if (step->mark == COLUMN_WORD)
            to = put_word(to, end, &columns[step->column]);
        else if (step->mark == COLUMN_NUMBER)
            to = put_decimal(to, end, &columns[step->column]);
        else
            to = put_stamp(to, end, &columns[step->column], &r->stamp[step->column], step->mark);
    }
    return to;
}

static int put_lines(struct reader *r, uint8_t *to, const uint8_t *end, struct err *e)
{
    for (uint64_t i = 0; i < r->lines; i++) {
        uint64_t id;

        if (!read_number(&r->column[0].at, r->column[0].end, &id) || id >= r->templates)
            return damaged(e, "no such template");
        to = put_line(r, to, end, id);
        if (!to)
            return damaged(e, "a line is longer than what is left, or its column shorter");
        if (i + 1 == r->lines && !r->ends_with_newline)
            break;
        if (to == end)
            return damaged(e, "there are more lines than what is left");
        *to++ = '\n';
    }
    for (uint64_t i = 0; i < r->columns; i++)
        if (r->column[i].at != r->column[i].end)
            return damaged(e, "a column is longer than its lines");
    return to == end ? 0 : damaged(e, "the lines are shorter than they were");
}

int columns_read(struct slice body, uint8_t *text, size_t len, struct err *e)
{
    struct reader r = { 0 };
    int result = read_head(&r, body, e);

    if (result == 0 && r.bytes != len)
        result = damaged(e, "of another length than the block says");
    if (result == 0)
        result = read_templates(&r, e);
    if (result == 0)
        result = put_lines(&r, text, text + len, e);
    free(r.column);
    free(r.first_step);
    free(r.steps);
    return result;
}
