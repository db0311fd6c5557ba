/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A frame of any bytes and link type (the first byte chooses): every layer lies inside the one around it. */
#include <assert.h>

#include "wire/ip.h"
#include "wire/link.h"
#include "wire/smtp.h"
#include "wire/tcp.h"

static void inside(struct slice in, struct slice out)
{
    assert(in.len == 0 || (in.at >= out.at && in.at + in.len <= out.at + out.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum link_type types[] = { LINK_ETHERNET, LINK_NULL,       LINK_PPP,    LINK_PPP_SERIAL,
                                            LINK_RAW,      LINK_CISCO_HDLC, LINK_LOOP,   LINK_COOKED,
                                            LINK_IPV4,     LINK_NFLOG,      LINK_COOKED2 };
    struct slice frame = slice_of(data, size);
    struct link_packet l;
    struct ip_packet ip;
    struct tcp_segment t;
    struct smtp_command c;
    struct slice gre;
    uint16_t type;

    if (size == 0)
        return 0;
    frame = slice_skip(frame, 1);
    if (!link_read(types[data[0] % (sizeof(types) / sizeof(types[0]))], frame, &l))
        return 0;
    inside(l.ip, frame);
    assert(l.vlans <= LINK_TAGS);
    if (!ip_read(l.ip, &ip))
        return 0;
    inside(ip.payload, l.ip);
    assert(ip.payload.len <= ip.wire_len || ip.family == 6);
    if (ip.proto == IP_PROTO_GRE && ip_gre(ip.payload, &type, &gre))
        inside(gre, ip.payload);
    (void)tcp_sum(&ip);
    if (!tcp_read(ip.payload, ip.wire_len, &t))
        return 0;
    inside(t.payload, ip.payload);
    assert(t.payload.len <= t.wire_len);
    if (smtp_command_read(t.payload, &c)) {
        inside(c.argument, t.payload);
        inside(c.path, t.payload);
        inside(c.initial, t.payload);
    }
    assert(smtp_secret_at(t.payload) <= t.payload.len);
    return 0;
}
