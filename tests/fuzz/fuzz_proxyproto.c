/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PROXY headers: prefixes want more, what was read is what is written, and nothing behind a header matters. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/proxyproto.h"

static void check_written(const struct proxyproto *p)
{
    uint8_t out[PROXYPROTO_MOST];
    struct proxyproto again;
    size_t n = proxyproto_write_v1(p->src, p->dst, out, sizeof(out));

    assert(n > 0 && n <= PROXYPROTO_V1_MOST);
    assert(proxyproto_read(slice_of(out, n), &again) == PROXYPROTO_OK && again.used == n);
    assert(addr_eq(again.src, p->src) && addr_eq(again.dst, p->dst) && again.local == p->local);
    n = proxyproto_write_v2(p->src, p->dst, out, sizeof(out));
    assert(n > 0 && proxyproto_read(slice_of(out, n), &again) == PROXYPROTO_OK && again.used == n);
    assert(addr_eq(again.src, p->src) && addr_eq(again.dst, p->dst) && again.local == p->local);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct proxyproto p;
    struct proxyproto part;
    enum proxyproto_got got = proxyproto_read(in, &p);

    if (got == PROXYPROTO_MORE)
        assert(size < PROXYPROTO_V2_MOST);
    if (got == PROXYPROTO_OK) {
        assert(p.used > 0 && p.used <= size && p.used <= PROXYPROTO_V2_MOST);
        assert(p.local == (p.src.family == 0) && p.local == (p.dst.family == 0));
        assert(proxyproto_read(slice_first(in, p.used), &part) == PROXYPROTO_OK && part.used == p.used);
        assert(proxyproto_read(slice_first(in, p.used - 1), &part) == PROXYPROTO_MORE);
        check_written(&p);
    }
    for (size_t n = 0; n < size && n < 64 && got != PROXYPROTO_BAD; n++)
        assert(n >= p.used || proxyproto_read(slice_first(in, n), &part) == PROXYPROTO_MORE);
    return 0;
}
