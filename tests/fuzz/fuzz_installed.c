/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dpkg's list of packages, of any bytes: what is named lies inside of it, and each paragraph is one package at most. */
#include <assert.h>
#include <string.h>

#include "wire/installed.h"

static void lies_in(struct slice part, const uint8_t *data, size_t size)
{
    assert(part.len == 0 || (part.at >= data && part.at + part.len <= data + size));
    assert(part.len == 0 || !memchr(part.at, '\n', part.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    size_t left = size;
    struct installed p;

    while (installed_next(&rest, &p)) {
        lies_in(p.name, data, size);
        lies_in(p.version, data, size);
        lies_in(p.architecture, data, size);
        assert(p.name.len > 0 && p.version.len > 0);
        assert(rest.len < left);
        left = rest.len;
    }
    assert(rest.len == 0);
    return 0;
}
