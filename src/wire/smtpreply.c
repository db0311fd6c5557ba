/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/smtpreply.h"

#include <inttypes.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* One line without its end: `250-text`, `250 text`, `250`. */
static bool line_read(struct slice line, unsigned *code, bool *last, struct slice *text)
{
    if (line.len < 3 || !is_digit(line.at[0]) || !is_digit(line.at[1]) || !is_digit(line.at[2]))
        return false;
    *code = (unsigned)(line.at[0] - '0') * 100 + (unsigned)(line.at[1] - '0') * 10 + (unsigned)(line.at[2] - '0');
    *last = line.len == 3 || line.at[3] == ' ';
    *text = slice_skip(line, 4);
    return *code >= 200 && *code < 600 && (*last || line.at[3] == '-');
}

/* Cuts the first line off `rest`, its end taken off.  False: no line end is there. */
static bool cut_line(struct slice *rest, struct slice *line)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

    if (!end)
        return false;
    *line = slice_first(*rest, (size_t)(end - rest->at));
    *rest = slice_skip(*rest, line->len + 1);
    if (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* A number of at most three digits: a third of 5.1.1 */
static bool status_part(struct slice *s, unsigned *value)
{
    size_t n = 0;

    *value = 0;
    while (n < s->len && n < 3 && is_digit(s->at[n]))
        *value = *value * 10 + (unsigned)(s->at[n++] - '0');
    *s = slice_skip(*s, n);
    return n > 0;
}

static bool dot(struct slice *s)
{
    bool there = s->len > 0 && s->at[0] == '.';

    *s = slice_skip(*s, there ? 1 : 0);
    return there;
}

static void read_enhanced(struct smtpreply *r)
{
    struct slice s = r->first;
    unsigned part[3];

    if (status_part(&s, &part[0]) && dot(&s) && status_part(&s, &part[1]) && dot(&s) && status_part(&s, &part[2]) &&
        part[0] == r->code / 100 && (s.len == 0 || s.at[0] == ' '))
        memcpy(r->enhanced, part, sizeof part);
}

/* More may come, if there is room for it and what is there could become a line. */
static enum smtpreply_got not_yet(struct slice in, struct slice rest)
{
    for (size_t i = 0; i < 3 && i < rest.len; i++)
        if (!is_digit(rest.at[i]))
            return SMTPREPLY_BAD;
    return in.len < SMTPREPLY_BYTES ? SMTPREPLY_MORE : SMTPREPLY_BAD;
}

enum smtpreply_got smtpreply_read(struct slice in, struct smtpreply *r)
{
    struct slice rest, line, text;
    bool last = false;

    *r = (struct smtpreply){ 0 };
    in = slice_first(in, SMTPREPLY_BYTES);
    rest = in;
    while (!last) {
        unsigned code;

        if (!cut_line(&rest, &line))
            return not_yet(in, rest);
        if (r->lines == SMTPREPLY_LINES || !line_read(line, &code, &last, &text) || (r->lines > 0 && code != r->code))
            return SMTPREPLY_BAD;
        if (line.len > 0 && (memchr(line.at, '\r', line.len) || memchr(line.at, 0, line.len)))
            return SMTPREPLY_BAD;
        if (r->lines == 0) {
            r->code = code;
            r->first = text;
        }
        r->lines++;
    }
    r->all = slice_first(in, in.len - rest.len);
    read_enhanced(r);
    return SMTPREPLY_OK;
}

bool smtpreply_line(struct slice *rest, struct slice *text)
{
    struct slice line;

    if (!cut_line(rest, &line))
        return false;
    *text = slice_skip(line, 4);
    return true;
}

void smtpreply_write(const struct smtpreply *r, struct text *t)
{
    struct slice rest = r->all, text;

    for (unsigned n = 1; smtpreply_line(&rest, &text); n++) {
        text_addf(t, "%03u%c", r->code, n == r->lines ? ' ' : '-');
        while (text.len > 0) {
            size_t plain = 0;

            while (plain < text.len && (text.at[plain] == '\t' || (text.at[plain] >= ' ' && text.at[plain] != 0x7f)))
                plain++;
            text_add(t, slice_first(text, plain));
            if (plain < text.len)
                text_word(t, "?");
            text = slice_skip(text, plain + 1);
        }
        text_word(t, "\r\n");
    }
}

/* As far as it is printable ASCII: what is said again to others holds nothing else. */
static struct slice printable(struct slice s)
{
    size_t n = 0;

    while (n < s.len && s.at[n] >= ' ' && s.at[n] < 0x7f)
        n++;
    return slice_first(s, n);
}

struct slice smtpreply_name(const struct smtpreply *r)
{
    struct slice rest;

    return slice_until(printable(slice_trim(r->first)), ' ', &rest);
}

static const struct {
    const char *name;
    enum smtp_can can;
} extensions[] = {
    { "SIZE", SMTP_CAN_SIZE },
    { "8BITMIME", SMTP_CAN_8BITMIME },
    { "PIPELINING", SMTP_CAN_PIPELINING },
    { "DSN", SMTP_CAN_DSN },
    { "SMTPUTF8", SMTP_CAN_SMTPUTF8 },
    { "ENHANCEDSTATUSCODES", SMTP_CAN_ENHANCED },
    { "AUTH", SMTP_CAN_AUTH },
    { "STARTTLS", SMTP_CAN_STARTTLS },
    { "REQUIRETLS", SMTP_CAN_REQUIRETLS },
    { "DELIVERBY", SMTP_CAN_DELIVERBY },
    { "CHUNKING", SMTP_CAN_CHUNKING },
    { "XCLIENT", SMTP_CAN_XCLIENT },
};
enum { EXTENSIONS = sizeof extensions / sizeof extensions[0] };

/* One line of the answer: `SIZE 10240000`; also `AUTH=LOGIN PLAIN`, as old servers write it. */
static void offer_line(struct slice text, struct smtp_offer *o)
{
    struct slice argument, word = slice_until(slice_trim(text), ' ', &argument);

    if (slice_starts_nocase(word, SLICE("AUTH="))) {
        argument = slice_skip(slice_trim(text), 5);
        word = SLICE("AUTH");
    }
    argument = slice_trim(printable(slice_trim(argument)));
    for (int i = 0; i < EXTENSIONS; i++) {
        if (!slice_eq_nocase(word, slice_text(extensions[i].name)))
            continue;
        o->can |= extensions[i].can;
        if (extensions[i].can == SMTP_CAN_SIZE)
            o->size_told |= slice_to_u64(argument, &o->size);
        else if (extensions[i].can == SMTP_CAN_AUTH && argument.len > o->auth.len)
            o->auth = argument;
        else if (extensions[i].can == SMTP_CAN_XCLIENT)
            o->xclient = argument;
        else if (extensions[i].can == SMTP_CAN_DELIVERBY)
            o->deliverby = argument;
    }
}

bool smtp_offer_read(const struct smtpreply *r, struct smtp_offer *o)
{
    struct slice rest = r->all, text;

    *o = (struct smtp_offer){ .name = smtpreply_name(r) };
    if (r->code != 250 || !smtpreply_line(&rest, &text))
        return false;
    while (smtpreply_line(&rest, &text))
        offer_line(text, o);
    return true;
}

static void offer_word(const struct smtp_offer *o, int i, struct text *t)
{
    struct slice argument = { NULL, 0 };

    text_word(t, extensions[i].name);
    if (extensions[i].can == SMTP_CAN_SIZE && o->size_told)
        text_addf(t, " %" PRIu64, o->size);
    else if (extensions[i].can == SMTP_CAN_AUTH)
        argument = o->auth;
    else if (extensions[i].can == SMTP_CAN_XCLIENT)
        argument = o->xclient;
    else if (extensions[i].can == SMTP_CAN_DELIVERBY)
        argument = o->deliverby;
    if (argument.len > 0) {
        text_word(t, " ");
        text_add(t, argument);
    }
    text_word(t, "\r\n");
}

void smtp_offer_write(const struct smtp_offer *o, uint32_t can, struct slice name, struct text *t)
{
    uint32_t left = o->can & can;

    text_word(t, left ? "250-" : "250 ");
    text_add(t, name);
    text_word(t, "\r\n");
    for (int i = 0; i < EXTENSIONS; i++) {
        if (!(left & extensions[i].can))
            continue;
        left &= ~(uint32_t)extensions[i].can;
        text_word(t, left ? "250-" : "250 ");
        offer_word(o, i, t);
    }
}
