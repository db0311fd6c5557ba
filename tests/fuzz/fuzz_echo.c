/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet of any bytes: what is taken for a reply holds its token inside. */
#include <assert.h>

#include "wire/dnsask.h"
#include "wire/echo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token;
    uint8_t asked[DNSASK_BYTES];
    size_t n = dnsask_write(asked, 1, (enum dns_kind)(size % DNS_KINDS), slice_of(data, size));

    for (uint8_t family = 4; family <= 6; family += 2)
        if (echo_read(slice_of(data, size), family, &token))
            assert(token.len == ECHO_TOKEN && token.at >= data + 8 && token.at + token.len <= data + size);
    if (dnsask_is_for(slice_of(data, size), 7))
        assert(dnsask_code(slice_of(data, size)) < 16);
    assert(n <= DNSASK_BYTES && (n == 0 || n >= size));
    return 0;
}
