/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/httpreply.h"

#include <string.h>

#include "base/text.h"

void httpreply_init(struct httpreply *r, struct slice wanted)
{
    size_t k = 0;

    memset(r, 0, sizeof(*r));
    r->wanted_len = wanted.len < HTTPREPLY_WANTED ? wanted.len : HTTPREPLY_WANTED;
    r->found = r->wanted_len == 0;
    if (r->found)
        return;
    memcpy(r->wanted, wanted.at, r->wanted_len);
    for (size_t i = 1; i < r->wanted_len; i++) { /* Knuth, Morris and Pratt */
        while (k > 0 && r->wanted[i] != r->wanted[k])
            k = r->back[k - 1];
        k += r->wanted[i] == r->wanted[k];
        r->back[i] = (uint8_t)k;
    }
}

static void look(struct httpreply *r, struct slice part)
{
    if (r->page && r->bytes < r->page_room) {
        struct slice kept = slice_first(part, r->page_room - (size_t)r->bytes);

        memcpy(r->page + r->bytes, kept.at, kept.len);
    }
    r->bytes += part.len;
    for (size_t i = 0; i < part.len && !r->found; i++) {
        while (r->matched > 0 && part.at[i] != r->wanted[r->matched])
            r->matched = r->back[r->matched - 1];
        r->matched += part.at[i] == r->wanted[r->matched];
        r->found = r->matched == r->wanted_len;
    }
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct httpreply *r, struct slice line)
{
    struct slice rest;
    uint64_t code;

    if (!slice_starts_nocase(line, SLICE("HTTP/1.")) || line.len < 12 || line.at[8] != ' ')
        return false;
    if (!slice_to_u64(slice_until(slice_skip(line, 9), ' ', &rest), &code) || code < 100 || code > 599)
        return false;
    r->status = (unsigned)code;
    r->state = HTTPREPLY_HEAD;
    return true;
}

static void begin_page(struct httpreply *r)
{
    if (r->status < 200) { /* the answer itself is still to come */
        r->state = HTTPREPLY_STATUS;
        r->status = 0;
        r->chunked = r->has_length = false;
        return;
    }
    r->head_whole = true;
    if (r->status == 204 || r->status == 304 || (!r->chunked && r->has_length && r->left == 0))
        r->state = HTTPREPLY_OVER;
    else
        r->state = r->chunked ? HTTPREPLY_SIZE : r->has_length ? HTTPREPLY_LENGTH : HTTPREPLY_ENDLESS;
}

static bool read_head(struct httpreply *r, struct slice line)
{
    struct slice value;
    struct slice name;
    uint64_t length;

    if (line.len == 0) {
        begin_page(r);
        return true;
    }
    name = slice_until(line, ':', &value);
    value = slice_trim(value);
    if (slice_eq_nocase(name, SLICE("transfer-encoding")))
        r->chunked = slice_eq_nocase(value, SLICE("chunked"));
    if (slice_eq_nocase(name, SLICE("location")) && !text_cstr(r->location, sizeof(r->location), value))
        r->location[0] = '\0';
    if (!slice_eq_nocase(name, SLICE("content-length")))
        return true;
    if (!slice_to_u64(value, &length) || (r->has_length && r->left != length))
        return false; /* two lengths: where would the page end? */
    r->has_length = true;
    r->left = length;
    return true;
}

/* "1a2b; extension" */
static bool read_size(struct httpreply *r, struct slice line)
{
    struct slice rest;
    struct slice digits = slice_trim(slice_until(line, ';', &rest));
    uint64_t size = 0;

    if (digits.len == 0 || digits.len > 15)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.at[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
                       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                              : 16;

        if (digit == 16)
            return false;
        size = size * 16 + digit;
    }
    r->left = size;
    r->state = size == 0 ? HTTPREPLY_TRAILER : HTTPREPLY_CHUNK;
    return true;
}

static bool read_line(struct httpreply *r, struct slice line)
{
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    if (!r->chunked || !r->head_whole) /* chunks may be many */
        if (++r->lines > HTTPREPLY_LINES)
            return false;
    if (r->state == HTTPREPLY_STATUS)
        return read_status(r, line);
    if (r->state == HTTPREPLY_HEAD)
        return read_head(r, line);
    if (r->state == HTTPREPLY_SIZE)
        return read_size(r, line);
    if (r->state == HTTPREPLY_CHUNK_END) {
        r->state = HTTPREPLY_SIZE;
        return line.len == 0;
    }
    if (line.len == 0) /* of the trailer */
        r->state = HTTPREPLY_OVER;
    return true;
}

/* One line, or what there is of it; false: it is too long, or makes no sense. */
static bool take_line(struct httpreply *r, struct slice *in)
{
    const uint8_t *end = memchr(in->at, '\n', in->len);
    size_t n = end ? (size_t)(end - in->at) : in->len;
    bool sound = true;

    if (n > HTTPREPLY_LINE - r->line_len)
        return false;
    memcpy(r->line + r->line_len, in->at, n);
    r->line_len += n;
    *in = slice_skip(*in, end ? n + 1 : n);
    if (end) {
        sound = read_line(r, slice_of(r->line, r->line_len));
        r->line_len = 0;
    }
    return sound;
}

static void take_page(struct httpreply *r, struct slice *in)
{
    struct slice part =
        r->state == HTTPREPLY_ENDLESS ? *in : slice_first(*in, r->left < in->len ? (size_t)r->left : in->len);

    look(r, part);
    *in = slice_skip(*in, part.len);
    if (r->state == HTTPREPLY_ENDLESS)
        return;
    r->left -= part.len;
    if (r->left == 0)
        r->state = r->state == HTTPREPLY_CHUNK ? HTTPREPLY_CHUNK_END : HTTPREPLY_OVER;
}

enum httpreply_got httpreply_feed(struct httpreply *r, struct slice in)
{
    while (in.len > 0 && r->state != HTTPREPLY_OVER) {
        if (r->state == HTTPREPLY_CHUNK || r->state == HTTPREPLY_LENGTH || r->state == HTTPREPLY_ENDLESS)
            take_page(r, &in);
        else if (!take_line(r, &in))
            return HTTPREPLY_BAD;
    }
    return r->state == HTTPREPLY_OVER ? HTTPREPLY_WHOLE : HTTPREPLY_MORE;
}

bool httpreply_ends(const struct httpreply *r)
{
    return r->state == HTTPREPLY_OVER || r->state == HTTPREPLY_ENDLESS;
}
