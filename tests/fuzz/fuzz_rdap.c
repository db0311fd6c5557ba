/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A registry's answer of any bytes: what is taken out of it lies in it, and a part of a whole answer is none. */
#include <assert.h>

#include "wire/rdap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    struct rdap r;
    struct rdap part;

    if (!rdap_read(all, &r))
        return 0;
    assert(size >= 2);
    assert(r.name.len == 0 || (r.name.at > data && r.name.at + r.name.len < data + size));
    assert(r.ends || r.ends_us == 0);
    while (all.len > 0 && all.at[all.len - 1] != '}')
        all.len--;
    assert(rdap_read(all, &part) && part.ends_us == r.ends_us);
    for (size_t n = 1; n <= 8 && n <= all.len; n++)
        assert(!rdap_read(slice_first(all, all.len - n), &part));
    return 0;
}
