/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/ranges.h"

#include <stdlib.h>
#include <string.h>

static int by_first(const void *a, const void *b)
{
    return memcmp(((const struct range *)a)->first, ((const struct range *)b)->first, 16);
}

/* The first address behind the prefix; to_the_end when the carry falls off. */
static struct range range_of(struct prefix p)
{
    struct range r = { .to_the_end = true };
    size_t bytes = p.net.family == 4 ? 4 : 16;

    memcpy(r.first, p.net.ip, bytes);
    memcpy(r.behind, p.net.ip, bytes);
    if (p.bits == 0)
        return r;
    for (size_t i = (size_t)(p.bits - 1) / 8 + 1; i-- > 0;) {
        unsigned step = i == (size_t)(p.bits - 1) / 8 ? 0x80u >> ((p.bits - 1u) % 8) : 1;
        unsigned sum = r.behind[i] + step;

        r.behind[i] = (uint8_t)sum;
        if (sum < 256) {
            r.to_the_end = false;
            break;
        }
    }
    return r;
}

size_t ranges_of(const struct prefix *at, size_t count, uint8_t family, struct range *out)
{
    size_t n = 0;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (at[i].net.family == family)
            out[n++] = range_of(at[i]);
    qsort(out, n, sizeof(*out), by_first);
    for (size_t i = 0; i < n; i++) {
        struct range *last = kept > 0 ? &out[kept - 1] : NULL;

        if (!last || (!last->to_the_end && memcmp(out[i].first, last->behind, 16) > 0)) {
            out[kept++] = out[i];
            continue;
        }
        if (!last->to_the_end && (out[i].to_the_end || memcmp(out[i].behind, last->behind, 16) > 0)) {
            memcpy(last->behind, out[i].behind, 16);
            last->to_the_end = out[i].to_the_end;
        }
    }
    return kept;
}
