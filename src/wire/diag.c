/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/diag.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/inet_diag.h>
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
