/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/tls.h"

#include <string.h>

enum { RECORD_HANDSHAKE = 22, HANDSHAKE_CLIENT_HELLO = 1, EXTENSION_SERVER_NAME = 0 };

static size_t get16(const uint8_t *p)
{
    return (size_t)(p[0] << 8 | p[1]);
}

bool tls_is_hello_start(struct slice s)
{
    return s.len > 0 && s.at[0] == RECORD_HANDSHAKE && (s.len < 2 || s.at[1] == 3) &&
           (s.len < 6 || s.at[5] == HANDSHAKE_CLIENT_HELLO);
}

/* A vector with a length of `width` bytes in front; what follows it stays in *s. */
static bool take(struct slice *s, size_t width, struct slice *inside)
{
    size_t n = 0;

    if (s->len < width)
        return false;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | s->at[i];
    if (n > s->len - width)
        return false;
    *inside = slice_of(s->at + width, n);
    *s = slice_skip(*s, width + n);
    return true;
}

static bool read_names(struct slice list, struct slice *name)
{
    struct slice names;

    if (!take(&list, 2, &names))
        return false;
    while (names.len > 0) {
        uint8_t kind = names.at[0];
        struct slice one;

        names = slice_skip(names, 1);
        if (!take(&names, 2, &one))
            return false;
        if (kind == 0) {
            *name = one;
            return true;
        }
    }
    return true;
}

static enum tls_got read_message(struct slice body, struct slice *name)
{
    struct slice skipped;
    struct slice extensions;

    if (body.len < 34)
        return TLS_BAD;
    body = slice_skip(body, 34); /* version, random */
    if (!take(&body, 1, &skipped) || !take(&body, 2, &skipped) || !take(&body, 1, &skipped))
        return TLS_BAD;
    if (body.len == 0)
        return TLS_OK;
    if (!take(&body, 2, &extensions))
        return TLS_BAD;
    while (extensions.len >= 4) {
        size_t kind = get16(extensions.at);
        struct slice one;

        extensions = slice_skip(extensions, 2);
        if (!take(&extensions, 2, &one))
            return TLS_BAD;
        if (kind == EXTENSION_SERVER_NAME)
            return read_names(one, name) ? TLS_OK : TLS_BAD;
    }
    return TLS_OK;
}

enum tls_got tls_hello_read(struct slice s, struct tls_hello *h)
{
    size_t have = 0;

    h->name = slice_of(NULL, 0);
    for (;;) {
        size_t n;
        size_t whole;

        if (have > 0 && h->bytes[0] != HANDSHAKE_CLIENT_HELLO)
            return TLS_BAD;
        if (have >= 4) {
            size_t need = 4 + (get16(h->bytes + 2) | (size_t)h->bytes[1] << 16);

            if (need > TLS_HELLO_MAX)
                return TLS_BAD;
            if (have >= need)
                return read_message(slice_of(h->bytes + 4, need - 4), &h->name);
        }
        if (!(s.len > 0 && s.at[0] == RECORD_HANDSHAKE && (s.len < 2 || s.at[1] == 3)))
            return s.len == 0 ? TLS_MORE : TLS_BAD;
        if (s.len < 5)
            return TLS_MORE;
        whole = get16(s.at + 3);
        n = s.len - 5 < whole ? s.len - 5 : whole;
        if (whole == 0)
            return TLS_BAD;
        n = n < TLS_HELLO_MAX - have ? n : TLS_HELLO_MAX - have;
        memcpy(h->bytes + have, s.at + 5, n);
        have += n;
        s = slice_skip(s, 5 + n);
    }
}
