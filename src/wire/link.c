/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/link.h"

enum { MAC_PAIR = 12, TYPE_LEN_MAX = 1500 };

enum ether_type {
    ETHER_IPV4 = 0x0800,
    ETHER_IPV6 = 0x86dd,
    ETHER_VLAN = 0x8100,
    ETHER_QINQ = 0x88a8,
    ETHER_QINQ_OLD1 = 0x9100,
    ETHER_QINQ_OLD2 = 0x9200,
    ETHER_PPPOE = 0x8864,
    ETHER_MPLS = 0x8847,
    ETHER_MPLS_MULTICAST = 0x8848,
    ETHER_BACKBONE = 0x88e7, /* 802.1ah I-tag: a whole Ethernet frame behind it */
    ETHER_ETAG = 0x893f,
    ETHER_VNTAG = 0x8926,
    ETHER_BRIDGED = 0x6558 /* transparent Ethernet bridging */
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* One layer: what follows and of which type.  False ends the walk. */
struct layer {
    struct slice rest;
    uint16_t type;
};

static bool is_ip(struct slice s)
{
    return s.len > 0 && (s.at[0] >> 4 == 4 || s.at[0] >> 4 == 6);
}

static bool finish(struct slice s, struct link_packet *out)
{
    out->ip = s;
    return is_ip(s);
}

static bool take(struct layer *l, size_t header, size_t type_at)
{
    if (l->rest.len < header)
        return false;
    l->type = get16(l->rest.at + type_at);
    l->rest = slice_skip(l->rest, header);
    return true;
}

static bool take_vlan(struct layer *l, struct link_packet *out)
{
    if (l->rest.len < 4)
        return false;
    if (out->vlans < LINK_TAGS)
        out->vlan[out->vlans++] = get16(l->rest.at) & 0x0fff;
    return take(l, 4, 2);
}

static bool take_ethernet(struct layer *l, size_t before)
{
    l->rest = slice_skip(l->rest, before);
    return take(l, MAC_PAIR + 2, MAC_PAIR);
}

static uint16_t ppp_type(uint16_t protocol)
{
    return protocol == 0x0021 ? ETHER_IPV4 : protocol == 0x0057 ? ETHER_IPV6 : protocol == 0x0281 ? ETHER_MPLS : 0;
}

/* PPP protocol numbers may be one byte when that byte is odd (RFC 1661, 6.5). */
static bool take_ppp(struct layer *l)
{
    if (l->rest.len >= 2 && l->rest.at[0] == 0xff && l->rest.at[1] == 0x03)
        l->rest = slice_skip(l->rest, 2);
    if (l->rest.len < 2)
        return false;
    if (l->rest.at[0] & 1) {
        l->type = ppp_type(l->rest.at[0]);
        l->rest = slice_skip(l->rest, 1);
        return true;
    }
    l->type = ppp_type(get16(l->rest.at));
    l->rest = slice_skip(l->rest, 2);
    return true;
}

static bool take_pppoe(struct layer *l)
{
    if (l->rest.len < 6 || l->rest.at[0] != 0x11 || l->rest.at[1] != 0)
        return false;
    l->rest = slice_skip(l->rest, 6);
    return take_ppp(l);
}

/* Labels up to the bottom of the stack; then IP, or a pseudowire's control word and Ethernet (RFC 4448). */
static bool take_mpls(struct layer *l)
{
    bool bottom = false;

    for (int i = 0; i < LINK_LAYERS && !bottom; i++) {
        if (l->rest.len < 4)
            return false;
        bottom = l->rest.at[2] & 1;
        l->rest = slice_skip(l->rest, 4);
    }
    if (!bottom || l->rest.len == 0)
        return false;
    if (is_ip(l->rest)) {
        l->type = l->rest.at[0] >> 4 == 4 ? ETHER_IPV4 : ETHER_IPV6;
        return true;
    }
    return l->rest.at[0] >> 4 == 0 ? take_ethernet(l, 4) : take_ethernet(l, 0);
}

/* IEEE 802.3 with LLC and SNAP. */
static bool take_snap(struct layer *l)
{
    if (l->rest.len < 8 || l->rest.at[0] != 0xaa || l->rest.at[1] != 0xaa || l->rest.at[2] != 0x03)
        return false;
    return take(l, 8, 6);
}

static bool walk(struct layer l, struct link_packet *out)
{
    for (int i = 0; i < LINK_LAYERS; i++) {
        bool more;

        switch (l.type) {
        case ETHER_IPV4:
        case ETHER_IPV6:
            return finish(l.rest, out);
        case ETHER_VLAN:
        case ETHER_QINQ:
        case ETHER_QINQ_OLD1:
        case ETHER_QINQ_OLD2:
            more = take_vlan(&l, out);
            break;
        case ETHER_PPPOE:
            more = take_pppoe(&l);
            break;
        case ETHER_MPLS:
        case ETHER_MPLS_MULTICAST:
            more = take_mpls(&l);
            break;
        case ETHER_BACKBONE:
            more = take_ethernet(&l, 4);
            break;
        case ETHER_BRIDGED:
            more = take_ethernet(&l, 0);
            break;
        case ETHER_ETAG:
            more = take(&l, 8, 6);
            break;
        case ETHER_VNTAG:
            more = take(&l, 6, 4);
            break;
        default:
            more = l.type <= TYPE_LEN_MAX && l.type != 0 && take_snap(&l);
            break;
        }
        if (!more)
            return false;
    }
    return false;
}

bool link_read_type(uint16_t ether_type, struct slice rest, struct link_packet *out)
{
    return walk((struct layer){ rest, ether_type }, out);
}

static bool read_ethernet(struct slice frame, struct link_packet *out)
{
    struct layer l = { frame, 0 };

    if (!take_ethernet(&l, 0))
        return false;
    out->mac = frame.at + 6;
    return walk(l, out);
}

/* NFLOG: type-length values in the capturing host's order; number 9 is the packet. */
static bool read_nflog(struct slice s, struct link_packet *out)
{
    s = slice_skip(s, 4);
    while (s.len >= 4) {
        bool little = s.at[1] == 0 || s.at[3] == 0;
        size_t len = little ? (size_t)(s.at[0] | s.at[1] << 8) : get16(s.at);
        unsigned type = little ? (unsigned)(s.at[2] | s.at[3] << 8) : get16(s.at + 2);

        if (len < 4 || len > s.len)
            return false;
        if ((type & 0x7fff) == 9)
            return finish(slice_of(s.at + 4, len - 4), out);
        s = slice_skip(s, (len + 3) & ~(size_t)3);
    }
    return false;
}

static bool read_cooked(struct slice frame, size_t header, size_t type_at, size_t mac_at, struct link_packet *out)
{
    struct layer l = { frame, 0 };

    if (!take(&l, header, type_at))
        return false;
    out->mac = frame.at + mac_at;
    return walk(l, out);
}

bool link_read(enum link_type type, struct slice frame, struct link_packet *out)
{
    struct layer l = { frame, 0 };

    out->vlans = 0;
    out->mac = NULL;
    switch (type) {
    case LINK_ETHERNET:
        return read_ethernet(frame, out);
    case LINK_COOKED:
        return read_cooked(frame, 16, 14, 6, out);
    case LINK_COOKED2:
        return read_cooked(frame, 20, 0, 12, out);
    case LINK_NULL:
    case LINK_LOOP: /* the family's number differs between systems: the version nibble does not */
        return finish(slice_skip(frame, 4), out);
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6:
        return finish(frame, out);
    case LINK_PPP:
        return take_ppp(&l) && walk(l, out);
    case LINK_PPP_SERIAL:
        if (frame.len > 0 && frame.at[0] == 0xff)
            return take_ppp(&l) && walk(l, out);
        return take(&l, 4, 2) && walk(l, out);
    case LINK_CISCO_HDLC:
        return take(&l, 4, 2) && walk(l, out);
    case LINK_NFLOG:
        return read_nflog(frame, out);
    }
    return false;
}

bool link_known(uint32_t type)
{
    static const uint16_t known[] = { LINK_NULL, LINK_ETHERNET,   LINK_PPP,   LINK_RAW_BSD, LINK_RAW_OPENBSD,
                                      LINK_RAW,  LINK_PPP_SERIAL, LINK_LOOP,  LINK_COOKED,  LINK_CISCO_HDLC,
                                      LINK_IPV4, LINK_IPV6,       LINK_NFLOG, LINK_COOKED2 };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == type)
            return true;
    return false;
}

bool link_from_arphrd(uint32_t arphrd, enum link_type *type)
{
    switch (arphrd) {
    case 1:   /* ARPHRD_ETHER */
    case 772: /* ARPHRD_LOOPBACK: frames with empty addresses */
        *type = LINK_ETHERNET;
        return true;
    case 65534: /* ARPHRD_NONE: tun, wireguard */
    case 512:   /* ARPHRD_PPP: the kernel hands out the packet alone */
    case 768:   /* ARPHRD_TUNNEL */
    case 769:   /* ARPHRD_TUNNEL6 */
    case 776:   /* ARPHRD_SIT */
        *type = LINK_RAW;
        return true;
    default:
        return false;
    }
}
