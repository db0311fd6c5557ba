/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A dialogue of any bytes.  A 0xff in the input changes the side.  What is
 * said must not depend on where segments end, and what AUTH carried must
 * never be part of a path.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sense/hunt/session.h"

struct heard {
    uint64_t hash;
    size_t count;
};

static void on_said(void *ctx, enum said what, struct slice text, struct slice user)
{
    struct heard *h = ctx;

    h->count++;
    h->hash = (h->hash ^ (uint64_t)what) * 0x100000001b3u;
    for (size_t i = 0; i < text.len; i++)
        h->hash = (h->hash ^ text.at[i]) * 0x100000001b3u;
    for (size_t i = 0; i < user.len; i++)
        h->hash = (h->hash ^ user.at[i]) * 0x100000001b3u;
}

static void on_secret(void *ctx, struct slice bytes)
{
    (void)ctx;
    assert(bytes.len > 0);
}

static struct heard run(struct slice in, size_t most)
{
    struct heard h = { 1, 0 };
    struct session_talk talk = { &h, on_said, on_secret };
    struct session s;
    bool server = true;

    session_init(&s, false);
    while (in.len > 0) {
        struct slice after;
        struct slice part = slice_until(in, '\xff', &after);
        bool turn = part.len < in.len;

        for (struct slice rest = part; rest.len > 0; rest = slice_skip(rest, most)) {
            if (server)
                session_server(&s, slice_first(rest, most), &talk);
            else
                session_client(&s, slice_first(rest, most), 256, &talk);
        }
        in = after;
        server = turn ? !server : server;
    }
    session_done(&s);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct heard whole = run(in, size + 1);
    struct heard bytes = run(in, 1);

    assert(whole.count == bytes.count && whole.hash == bytes.hash);
    return 0;
}
