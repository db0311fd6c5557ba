/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A netlink datagram of any bytes, read as sockets and as addresses. */
#include <assert.h>

#include "wire/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct diag_message m;

    while (diag_next(&rest, &m)) {
        struct diag_socket s;
        struct diag_address a;

        assert(m.body.at >= data && m.body.at + m.body.len <= data + size);
        assert(diag_error(&m) >= 0);
        if (diag_inet_read(m.body, &s))
            assert(s.local.family == 4 || s.local.family == 6);
        if (diag_unix_read(m.body, &s))
            assert(s.path.len == 0 || (s.path.at >= data && s.path.at + s.path.len <= data + size));
        (void)diag_packet_read(m.body, &s);
        if (diag_address_read(m.body, &a))
            assert(a.address.family == 4 || a.address.family == 6);
        assert(diag_state_name(s.state));
    }
    return 0;
}
