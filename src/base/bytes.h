/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bytes - numbers and texts in a row of bytes, little-endian: what is kept for the next start.
 *
 * Writing grows a buffer; reading never passes the end: what is not there is 0 and makes `bad` true, so that a reader
 * asks once, at the end of a record.
 */
#ifndef SERVIOLA_BASE_BYTES_H
#define SERVIOLA_BASE_BYTES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct bytes_out { /* all zero is empty */
    uint8_t *at;   /* owned */
    size_t len, cap;
    bool bad; /* no memory, or longer than BYTES_MOST: what is there is no whole */
};
enum { BYTES_MOST = 1 << 30 };
void bytes_put(struct bytes_out *o, uint64_t value, size_t width); /* 1 to 8 low bytes */
void bytes_put_slice(struct bytes_out *o, struct slice s);         /* its length in 4 bytes, then itself */
void bytes_put_raw(struct bytes_out *o, const void *at, size_t len);
void bytes_done(struct bytes_out *o);

struct bytes_in {
    struct slice rest; /* borrowed */
    bool bad;
};
uint64_t bytes_get(struct bytes_in *i, size_t width);
struct slice bytes_get_slice(struct bytes_in *i, size_t most); /* longer than `most` is bad */
#endif
