/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TLS hello of any bytes: the name lies in the message; more bytes never make a good one worse. */
#include <assert.h>

#include "wire/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_hello h;
    enum tls_got before = TLS_MORE;

    for (size_t n = size > 600 ? size : 0; n <= size; n++) {
        enum tls_got got = tls_hello_read(slice_of(data, n), &h);

        assert(before == TLS_MORE || got == before);
        before = got;
        if (got == TLS_OK && h.name.len > 0)
            assert(h.name.at >= h.bytes && h.name.at + h.name.len <= h.bytes + TLS_HELLO_MAX);
    }
    return 0;
}
