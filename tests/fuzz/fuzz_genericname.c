/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An address and a name of any bytes. */
#include <assert.h>

#include "wire/genericname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct generic_hit hit;
    struct slice name;
    enum generic kind;

    if (size < 17)
        return 0;
    name = slice_of(data + 17, size - 17);
    kind = generic_name(name, addr_from_ip(data[0] & 1 ? 4 : 6, data + 1, 0), &hit);
    if (kind == GENERIC_NOT)
        return 0;
    assert(hit.how);
    assert(hit.word.len == 0 || (hit.word.at >= name.at && hit.word.at + hit.word.len <= name.at + name.len));
    assert(kind != GENERIC_OWNED || hit.word.len > 0);
    return 0;
}
