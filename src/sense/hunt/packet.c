/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "sense/hunt/inner.h"

enum { TUNNELS = 3, ETHER_V4 = 0x0800, ETHER_V6 = 0x86dd, ETHER_Q = 0x8100 };
enum { DULL_MIN = 42 }; /* a tagged Ethernet header and an IPv4 header, or what of an IPv6 one is looked at */

static const struct engine_verdict no_mail;

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/*
 * Most frames of a busy wire are none of our business, and these few reads
 * say so: plain Ethernet (one tag or none) with whole IPv4 or IPv6 and UDP or
 * TCP of other ports.  False: it needs the long way.
 */
static bool is_dull(const struct engine *g, const struct engine_frame *f)
{
    const uint8_t *p = f->bytes.at;
    size_t at = 14;
    size_t data;

    if (f->link != LINK_ETHERNET || f->bytes.len < DULL_MIN)
        return false;
    if (get16(p + 12) == ETHER_Q)
        at = 18;
    switch (get16(p + at - 2)) {
    case ETHER_V4:
        if (p[at] != 0x45 || (get16(p + at + 6) & 0x3fff) != 0)
            return false;
        if (p[at + 9] == IP_PROTO_UDP)
            return true;
        if (p[at + 9] != IP_PROTO_TCP)
            return false;
        at += 20;
        break;
    case ETHER_V6:
        if (p[at + 6] == IP_PROTO_UDP)
            return true;
        if (p[at + 6] != IP_PROTO_TCP)
            return false;
        at += 40;
        break;
    default:
        return false;
    }
    if (at + 13 > f->bytes.len || port_in(&g->watched, get16(p + at)) || port_in(&g->watched, get16(p + at + 2)))
        return false;
    /* A mail server greets on any port: `220`. */
    data = at + (size_t)(p[at + 12] >> 4) * 4;
    return data + 3 > f->bytes.len || p[data] != '2' || p[data + 1] != '2' || p[data + 2] != '0';
}

static struct engine_verdict read_tcp(struct engine *g, const struct link_packet *link, const struct ip_packet *ip,
                                      bool inner)
{
    struct tcp_segment t;
    struct seen_segment s = { .link = link, .ip = ip, .tcp = &t, .inner = inner, .sum_known = true, .sum_good = true };

    g->counts.tcp++;
    if (!tcp_read(ip->payload, ip->wire_len, &t)) {
        g->counts.malformed++;
        return no_mail;
    }
    if (!port_in(&g->watched, t.sport) && !port_in(&g->watched, t.dport) && !segment_greets(t.payload))
        return no_mail;
    g->counts.mail_frames++;
    if (g->frame->sum == SUM_CHECK) {
        enum tcp_sum sum = tcp_sum(ip);

        s.sum_known = sum != TCP_SUM_UNKNOWN;
        s.sum_good = sum == TCP_SUM_GOOD;
    }
    return segment_read(g, &s);
}

static struct engine_verdict read_ip(struct engine *g, struct link_packet *link, unsigned tunnels)
{
    struct ip_packet ip;
    struct ip_packet whole;
    struct link_packet inside = *link;
    uint16_t type;

    if (!ip_read(link->ip, &ip)) {
        g->counts.malformed++;
        return no_mail;
    }
    if (ip.fragment) {
        g->counts.fragments++;
        if ((ip.family == 4 && ip.proto != IP_PROTO_TCP) || !frags_put(g->frags, link, &ip, g->at_us, &whole))
            return no_mail;
        ip = whole;
    }
    if (ip.proto == IP_PROTO_TCP)
        return read_tcp(g, link, &ip, tunnels > 0);
    if (tunnels == TUNNELS)
        return no_mail;
    if (ip.proto == IP_PROTO_IPV4 || ip.proto == IP_PROTO_IPV6)
        inside.ip = ip.payload;
    else if (ip.proto != IP_PROTO_GRE || !ip_gre(ip.payload, &type, &inside.ip) ||
             !link_read_type(type, inside.ip, &inside))
        return no_mail;
    return read_ip(g, &inside, tunnels + 1);
}

/* Tags that the network card took off stand before those in the frame. */
static void put_tags(struct link_packet *link, const struct engine_frame *f)
{
    uint16_t all[LINK_TAGS] = { 0 };
    size_t n = 0;

    for (; n < f->vlans && n < 2; n++)
        all[n] = f->tci[n] & 0x0fff;
    for (size_t i = 0; i < link->vlans && n < LINK_TAGS; i++)
        all[n++] = link->vlan[i];
    memcpy(link->vlan, all, sizeof(all));
    link->vlans = (uint8_t)n;
}

struct engine_verdict packet_read(struct engine *g, const struct engine_frame *f)
{
    struct link_packet link;

    if (is_dull(g, f))
        return no_mail;
    g->frame = f;
    g->at_us = f->at_us;
    if (!link_read(f->link, f->bytes, &link))
        return no_mail;
    if (f->vlans > 0)
        put_tags(&link, f);
    return read_ip(g, &link, 0);
}
