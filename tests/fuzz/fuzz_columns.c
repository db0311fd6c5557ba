/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines in columns.  The bytes as a body: it is refused, or gives exactly as many bytes as it says.  And the bytes as
 * text: it comes back; of a body with a changed byte something as long comes back, or it is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/columns.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MOST = 1 << 14 };

/* In memory of exactly their size, so that a step too far is seen. */
static int read_it(struct slice body, size_t len, struct slice same)
{
    uint8_t *copy = calloc(1, body.len + COLUMNS_BEHIND);
    uint8_t *text = malloc(len + 1);
    int result;

    MUST(copy && text);
    if (body.len > 0)
        memcpy(copy, body.at, body.len);
    text[len] = 0xa5;
    result = columns_read(slice_of(copy, body.len), text, len, NULL);
    MUST(text[len] == 0xa5);
    if (result == 0 && same.at)
        MUST(len == same.len && memcmp(text, same.at, len) == 0);
    free(copy);
    free(text);
    return result;
}

/* How many bytes of text the body says it has: the number behind the version's. */
static size_t said(struct slice body)
{
    size_t n = 0;

    for (size_t i = 1; i < body.len && i < 4; i++) {
        n |= (size_t)(body.at[i] & 0x7f) << 7 * (i - 1);
        if (body.at[i] < 0x80)
            break;
    }
    return n < TEXT_MOST ? n : TEXT_MOST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    struct seg_out body = { 0 };

    if (size == 0 || size > TEXT_MOST)
        return 0;
    (void)read_it(all, said(all), slice_of(NULL, 0));
    MUST(columns_write(all, &body, NULL) == 0);
    MUST(read_it(slice_of(body.at, body.len), size, all) == 0);
    body.at[(size_t)data[0] * 31 % body.len] ^= data[size / 2];
    (void)read_it(slice_of(body.at, body.len), size, slice_of(NULL, 0));
    seg_out_free(&body);
    return 0;
}
