/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other ends of connections that live for a moment: the listing comes to them when they are gone.
 *
 * Whoever was forked meanwhile is looked at (xray_newcomers), and the kernel
 * is asked for the other end of each of its connections by name, at once.
 */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/xray/inner.h"

enum { ESTABLISHED = 1, ANSWER = 1024 };

void xray_partners_begin(struct xray *x)
{
    x->partners.fd = netlink_open(NETLINK_SOCK_DIAG);
    x->partners.first_holder = x->s->part[SNAP_HOLDER].count;
    x->partners.count = 0;
}

static void ask(struct xray *x, const struct addr *local, const struct addr *remote)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 q;
    } question = {
        .h = { .nlmsg_len = sizeof(question), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
        .q = { .sdiag_family = local->family == 4 ? AF_INET : AF_INET6,
               .sdiag_protocol = IPPROTO_TCP,
               .idiag_states = ~0U,
               .id = { .idiag_sport = htons(remote->port),
                       .idiag_dport = htons(local->port),
                       .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } }
    };
    _Alignas(struct nlmsghdr) uint8_t room[ANSWER];
    struct diag_message m;
    struct slice rest;
    ssize_t n;

    if (x->partners.count == XRAY_PARTNERS || x->partners.fd < 0)
        return;
    memcpy(question.q.id.idiag_src, remote->ip, remote->family == 4 ? 4 : 16);
    memcpy(question.q.id.idiag_dst, local->ip, local->family == 4 ? 4 : 16);
    if (send(x->partners.fd, &question, sizeof(question), 0) < 0 ||
        (n = recv(x->partners.fd, room, sizeof(room), 0)) <= 0)
        return;
    rest = slice_of(room, (size_t)n);
    if (diag_next(&rest, &m) && m.type == SOCK_DIAG_BY_FAMILY &&
        diag_inet_read(m.body, &x->partners.at[x->partners.count]))
        x->partners.count++;
}

void xray_partner_of(struct xray *x, const struct diag_socket *s)
{
    const struct snap_array *holders = &x->s->part[SNAP_HOLDER];
    const struct snap_holder *all = holders->at;

    if (s->state != ESTABLISHED || s->inode == 0)
        return;
    for (size_t i = x->partners.first_holder; i < holders->count; i++)
        if (all[i].inode == s->inode) {
            ask(x, &s->local, &s->remote);
            return;
        }
}

void xray_partners_of(struct xray *x, size_t from)
{
    const struct snap_array *holders = &x->s->part[SNAP_HOLDER];
    const struct snap_holder *all = holders->at;

    if (!x->fresh.wanted)
        return;
    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, s)
    for (size_t i = from; i < holders->count; i++)
        if (all[i].inode == s->inode && s->remote.port != 0)
            ask(x, &s->local, &s->remote);
}

static bool is_listed(const struct xray *x, uint64_t inode)
{
    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, s)
    if (s->inode == inode)
        return true;
    return false;
}

void xray_partners_end(struct xray *x, uint64_t network)
{
    for (size_t i = 0; i < x->partners.count; i++)
        if (x->partners.at[i].inode != 0 && !is_listed(x, x->partners.at[i].inode))
            xray_socket(x, "tcp", network, &x->partners.at[i]);
    if (x->partners.fd >= 0)
        close(x->partners.fd);
}
