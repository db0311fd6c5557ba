/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/diag.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/inet_diag.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/packet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

bool diag_next(struct slice *rest, struct diag_message *m)
{
    struct nlmsghdr h;

    if (rest->len < sizeof(h))
        return false;
    memcpy(&h, rest->at, sizeof(h));
    if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > rest->len)
        return false;
    m->type = h.nlmsg_type;
    m->flags = h.nlmsg_flags;
    m->body = slice_skip(slice_first(*rest, h.nlmsg_len), sizeof(h));
    *rest = slice_skip(*rest, ((size_t)h.nlmsg_len + 3) & ~(size_t)3);
    return true;
}

int diag_error(const struct diag_message *m)
{
    int32_t code = 0;

    if (m->type == NLMSG_ERROR && m->body.len >= sizeof(code))
        memcpy(&code, m->body.at, sizeof(code));
    return code < 0 && code > -4096 ? -code : 0;
}

/* The next attribute behind a message's fixed part. */
static bool next_attribute(struct slice *rest, uint16_t *type, struct slice *value)
{
    struct rtattr a;

    if (rest->len < sizeof(a))
        return false;
    memcpy(&a, rest->at, sizeof(a));
    if (a.rta_len < sizeof(a) || a.rta_len > rest->len)
        return false;
    *type = a.rta_type;
    *value = slice_skip(slice_first(*rest, a.rta_len), sizeof(a));
    *rest = slice_skip(*rest, ((size_t)a.rta_len + 3) & ~(size_t)3);
    return true;
}

static uint64_t cookie_of(const uint32_t half[2])
{
    return (uint64_t)half[1] << 32 | half[0];
}

bool diag_inet_read(struct slice body, struct diag_socket *s)
{
    struct inet_diag_msg m;
    uint8_t family;

    memset(s, 0, sizeof(*s));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    if (m.idiag_family != AF_INET && m.idiag_family != AF_INET6)
        return false;
    family = m.idiag_family == AF_INET ? 4 : 6;
    s->local = addr_from_ip(family, (const uint8_t *)m.id.idiag_src, ntohs(m.id.idiag_sport));
    s->remote = addr_from_ip(family, (const uint8_t *)m.id.idiag_dst, ntohs(m.id.idiag_dport));
    s->state = m.idiag_state;
    s->timer = m.idiag_timer;
    s->retransmits = m.idiag_retrans;
    s->uid = m.idiag_uid;
    s->inode = m.idiag_inode;
    s->receive_queue = m.idiag_rqueue;
    s->send_queue = m.idiag_wqueue;
    s->cookie = cookie_of(m.id.idiag_cookie);
    return true;
}

bool diag_unix_read(struct slice body, struct diag_socket *s)
{
    struct unix_diag_msg m;
    struct slice rest = slice_skip(body, sizeof(m));
    struct slice value;
    uint16_t type;

    memset(s, 0, sizeof(*s));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    if (m.udiag_family != AF_UNIX)
        return false;
    s->state = m.udiag_state;
    s->inode = m.udiag_ino;
    s->cookie = cookie_of(m.udiag_cookie);
    while (next_attribute(&rest, &type, &value)) {
        uint32_t number[2] = { 0, 0 };

        memcpy(number, value.at, value.len < sizeof(number) ? value.len : sizeof(number));
        if (type == UNIX_DIAG_NAME) {
            s->path = value;
        } else if (type == UNIX_DIAG_PEER) {
            s->peer_inode = number[0];
        } else if (type == UNIX_DIAG_UID) {
            s->uid = number[0];
        } else if (type == UNIX_DIAG_RQLEN) {
            s->receive_queue = number[0];
            s->send_queue = number[1];
        }
    }
    return true;
}

bool diag_packet_read(struct slice body, struct diag_socket *s)
{
    struct packet_diag_msg m;

    memset(s, 0, sizeof(*s));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    if (m.pdiag_family != AF_PACKET)
        return false;
    s->inode = m.pdiag_ino;
    s->cookie = cookie_of(m.pdiag_cookie);
    return true;
}

const char *diag_state_name(uint8_t state)
{
    static const char *const names[] = { "?",         "ESTABLISHED", "SYN_SENT",    "SYN_RECV",   "FIN_WAIT1",
                                         "FIN_WAIT2", "TIME_WAIT",   "CLOSE",       "CLOSE_WAIT", "LAST_ACK",
                                         "LISTEN",    "CLOSING",     "NEW_SYN_RECV" };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

bool diag_address_read(struct slice body, struct diag_address *a)
{
    struct ifaddrmsg m;
    struct slice rest = slice_skip(body, sizeof(m));
    struct slice value;
    uint16_t type;

    memset(a, 0, sizeof(*a));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    if (m.ifa_family != AF_INET && m.ifa_family != AF_INET6)
        return false;
    uint8_t family = m.ifa_family == AF_INET ? 4 : 6;
    size_t size = family == 4 ? 4 : 16;

    a->bits = m.ifa_prefixlen;
    a->interface = m.ifa_index;
    while (next_attribute(&rest, &type, &value)) {
        /* IFA_LOCAL is ours; IFA_ADDRESS the other end's on a point-to-point line, and ours elsewhere. */
        if ((type == IFA_LOCAL || (type == IFA_ADDRESS && a->address.family == 0)) && value.len == size)
            a->address = addr_from_ip(family, value.at, 0);
        else if (type == IFA_LABEL)
            a->label = value.len > 0 && value.at[value.len - 1] == '\0' ? slice_first(value, value.len - 1) : value;
    }
    return a->address.family != 0;
}

/* --- interfaces, routes, neighbours */

static uint32_t u32_of(struct slice value)
{
    uint32_t number = 0;

    memcpy(&number, value.at, value.len < sizeof(number) ? value.len : sizeof(number));
    return number;
}

static struct slice without_end(struct slice s)
{
    return s.len > 0 && s.at[s.len - 1] == '\0' ? slice_first(s, s.len - 1) : s;
}

static struct addr addr_of(uint8_t family, struct slice value)
{
    struct addr none = { .family = 0 };

    if (family == AF_INET && value.len == 4)
        return addr_from_ip(4, value.at, 0);
    return family == AF_INET6 && value.len == 16 ? addr_from_ip(6, value.at, 0) : none;
}

static void link_stats(struct diag_link *l, struct slice value)
{
    struct rtnl_link_stats64 stats;

    memset(&stats, 0, sizeof(stats));
    memcpy(&stats, value.at, value.len < sizeof(stats) ? value.len : sizeof(stats));
    l->errors = stats.rx_errors + stats.tx_errors;
    l->dropped = stats.rx_dropped + stats.tx_dropped;
}

bool diag_link_read(struct slice body, struct diag_link *l)
{
    struct ifinfomsg m;
    struct slice rest = slice_skip(body, sizeof(m));
    struct slice value;
    uint16_t type;

    memset(l, 0, sizeof(*l));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    l->number = (uint32_t)m.ifi_index;
    while (next_attribute(&rest, &type, &value)) {
        if (type == IFLA_IFNAME)
            l->name = without_end(value);
        else if (type == IFLA_ADDRESS)
            l->hardware = value;
        else if (type == IFLA_MTU)
            l->mtu = u32_of(value);
        else if (type == IFLA_PROMISCUITY)
            l->promiscuous = u32_of(value) > 0;
        else if (type == IFLA_OPERSTATE && value.len > 0)
            l->state = value.at[0];
        else if (type == IFLA_STATS64)
            link_stats(l, value);
    }
    return l->name.len > 0;
}

const char *diag_link_state_name(uint8_t state)
{
    static const char *const names[] = {
        "unknown", "not there", "down", "lower layer down", "testing", "dormant", "up"
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

bool diag_route_read(struct slice body, struct diag_route *r)
{
    struct rtmsg m;
    struct slice rest = slice_skip(body, sizeof(m));
    struct slice value;
    uint16_t type;

    memset(r, 0, sizeof(*r));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    if (m.rtm_family != AF_INET && m.rtm_family != AF_INET6)
        return false;
    r->bits = m.rtm_dst_len;
    r->type = m.rtm_type;
    r->table = m.rtm_table;
    r->net.family = m.rtm_family == AF_INET ? 4 : 6;
    while (next_attribute(&rest, &type, &value)) {
        struct addr a = addr_of(m.rtm_family, value);

        if (type == RTA_DST && a.family != 0)
            r->net = a;
        else if (type == RTA_GATEWAY)
            r->gateway = a;
        else if (type == RTA_OIF)
            r->interface = u32_of(value);
        else if (type == RTA_PRIORITY)
            r->metric = u32_of(value);
    }
    return true;
}

bool diag_neighbour_read(struct slice body, struct diag_neighbour *n)
{
    struct ndmsg m;
    struct slice rest = slice_skip(body, sizeof(m));
    struct slice value;
    uint16_t type;

    memset(n, 0, sizeof(*n));
    if (body.len < sizeof(m))
        return false;
    memcpy(&m, body.at, sizeof(m));
    n->interface = (uint32_t)m.ndm_ifindex;
    n->state = m.ndm_state;
    while (next_attribute(&rest, &type, &value)) {
        if (type == NDA_DST)
            n->address = addr_of(m.ndm_family, value);
        else if (type == NDA_LLADDR)
            n->hardware = value;
    }
    return n->address.family != 0;
}

const char *diag_neighbour_state_name(uint16_t state)
{
    static const struct {
        uint16_t bit;
        const char *name;
    } names[] = { { NUD_PERMANENT, "permanent" }, { NUD_NOARP, "no ARP" },         { NUD_REACHABLE, "reachable" },
                  { NUD_STALE, "stale" },         { NUD_DELAY, "delay" },          { NUD_PROBE, "probe" },
                  { NUD_FAILED, "failed" },       { NUD_INCOMPLETE, "incomplete" } };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (state & names[i].bit)
            return names[i].name;
    return "none";
}

/* --- conntrack: attributes within attributes, numbers in network order */

static bool next_nested(struct slice *rest, uint16_t *type, struct slice *value)
{
    if (!next_attribute(rest, type, value))
        return false;
    *type = *type & 0x3fff; /* NLA_TYPE_MASK: above it are flags */
    return true;
}

static uint16_t port_of(struct slice value)
{
    return value.len >= 2 ? (uint16_t)(((unsigned)value.at[0] << 8 | value.at[1]) & 0xffffU) : 0;
}

static void tuple_ip(struct slice rest, struct addr *from, struct addr *to)
{
    struct slice value;
    uint16_t type;

    while (next_nested(&rest, &type, &value)) {
        if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
            *from = addr_of(type == CTA_IP_V4_SRC ? AF_INET : AF_INET6, value);
        else if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
            *to = addr_of(type == CTA_IP_V4_DST ? AF_INET : AF_INET6, value);
    }
}

static void tuple_read(struct slice rest, struct addr *from, struct addr *to, uint8_t *protocol)
{
    uint16_t ports[2] = { 0, 0 };
    struct slice value;
    struct slice inner;
    uint16_t type;

    while (next_nested(&rest, &type, &value)) {
        if (type == CTA_TUPLE_IP) {
            tuple_ip(value, from, to);
            continue;
        }
        if (type != CTA_TUPLE_PROTO)
            continue;
        while (next_nested(&value, &type, &inner)) {
            if (type == CTA_PROTO_NUM && inner.len > 0)
                *protocol = inner.at[0];
            else if (type == CTA_PROTO_SRC_PORT)
                ports[0] = port_of(inner);
            else if (type == CTA_PROTO_DST_PORT)
                ports[1] = port_of(inner);
        }
    }
    from->port = ports[0];
    to->port = ports[1];
}

bool diag_track_read(struct slice body, struct diag_track *t)
{
    struct slice rest = slice_skip(body, sizeof(struct nfgenmsg));
    struct slice value;
    uint16_t type;

    memset(t, 0, sizeof(*t));
    while (next_nested(&rest, &type, &value)) {
        if (type == CTA_TUPLE_ORIG)
            tuple_read(value, &t->from, &t->to, &t->protocol);
        else if (type == CTA_TUPLE_REPLY)
            tuple_read(value, &t->reply_from, &t->reply_to, &t->protocol);
    }
    return t->from.family != 0 && t->to.family != 0 && t->reply_from.family != 0 && t->reply_to.family != 0;
}

bool diag_track_translated(const struct diag_track *t)
{
    return !addr_eq(t->from, t->reply_to) || !addr_eq(t->to, t->reply_from);
}
