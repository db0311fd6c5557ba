/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A netlink datagram of any bytes, read as sockets and as addresses. */
#include <assert.h>

#include "wire/diag.h"

static void others(struct slice body)
{
    struct diag_link l;
    struct diag_route r;
    struct diag_neighbour n;
    struct diag_track t;

    if (diag_link_read(body, &l))
        assert(l.name.at >= body.at && l.name.at + l.name.len <= body.at + body.len);
    assert(diag_link_state_name(l.state));
    if (diag_route_read(body, &r))
        assert(r.net.family == 4 || r.net.family == 6);
    if (diag_neighbour_read(body, &n))
        assert(n.hardware.len <= body.len && diag_neighbour_state_name(n.state));
    if (diag_track_read(body, &t))
        assert(t.from.family != 0 && t.reply_to.family != 0 &&
               (diag_track_translated(&t) || addr_eq(t.from, t.reply_to)));
}

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
        others(m.body);
    }
    return 0;
}
