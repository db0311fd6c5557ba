/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *room(struct bytes_out *o, size_t n)
{
    if (!o->bad && o->cap - o->len < n) {
        size_t cap = o->cap * 2 > o->len + n ? o->cap * 2 : o->len + n + 256;
        uint8_t *at = cap <= BYTES_MOST ? realloc(o->at, cap) : NULL;

        o->bad = !at;
        if (at) {
            o->at = at;
            o->cap = cap;
        }
    }
    if (o->bad)
        return NULL;
    o->len += n;
    return o->at + o->len - n;
}

void bytes_put(struct bytes_out *o, uint64_t value, size_t width)
{
    uint8_t *to = room(o, width);

    for (size_t i = 0; to && i < width; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

void bytes_put_raw(struct bytes_out *o, const void *at, size_t len)
{
    uint8_t *to = room(o, len);

    if (to && len > 0)
        memcpy(to, at, len);
}

void bytes_put_slice(struct bytes_out *o, struct slice s)
{
    bytes_put(o, s.len, 4);
    bytes_put_raw(o, s.at, s.len);
}

void bytes_done(struct bytes_out *o)
{
    free(o->at);
    memset(o, 0, sizeof(*o));
}

uint64_t bytes_get(struct bytes_in *i, size_t width)
{
    uint64_t value = 0;

    if (i->rest.len < width) {
        i->bad = true;
        i->rest.len = 0;
        return 0;
    }
    for (size_t n = 0; n < width; n++)
        value |= (uint64_t)i->rest.at[n] << (8 * n);
    i->rest = slice_skip(i->rest, width);
    return value;
}

struct slice bytes_get_slice(struct bytes_in *i, size_t most)
{
    size_t len = (size_t)bytes_get(i, 4);
    struct slice s;

    if (len > most || len > i->rest.len) {
        i->bad = true;
        i->rest.len = 0;
        return slice_of(NULL, 0);
    }
    s = slice_first(i->rest, len);
    i->rest = slice_skip(i->rest, len);
    return s;
}
