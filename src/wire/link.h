/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * link - from a captured frame down to its IP packet.
 *
 * Ethernet with any mix of 802.1Q, QinQ, PPPoE, MPLS, 802.1ah, E-tag and
 * VN-tag; PPP, Linux cooked v1 and v2, BSD loopback, raw IP, NFLOG.
 */
#ifndef SERVIOLA_WIRE_LINK_H
#define SERVIOLA_WIRE_LINK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* The numbers of pcap's LINKTYPE registry. */
enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_PPP_SERIAL = 50,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_LOOP = 108,
    LINK_COOKED = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_NFLOG = 239,
    LINK_COOKED2 = 276
};

enum { LINK_TAGS = 3, LINK_LAYERS = 12 };
struct link_packet {
    struct slice ip;          /* from the version nibble to the end of the frame, padding included */
    uint16_t vlan[LINK_TAGS]; /* VLAN ids outermost first; more than three: the first three */
    uint8_t vlans;
    const uint8_t *mac; /* 6 bytes: the sender's, inside the frame; NULL when the link has none */
};

/* False: no IP inside, or malformed. */
bool link_read(enum link_type type, struct slice frame, struct link_packet *out);
/* The same from an Ethernet-like payload whose type is known. */
bool link_read_type(uint16_t ether_type, struct slice rest, struct link_packet *out);
bool link_known(uint32_t type); /* one of the above */
/* ARPHRD_* of a live interface; false when such frames can't be read. */
bool link_from_arphrd(uint32_t arphrd, enum link_type *type);
#endif
