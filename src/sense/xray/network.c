/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interfaces, addresses, routes and neighbours of one network namespace, and which connections it translates. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sense/xray/inner.h"

struct place {
    struct xray *x;
    uint64_t network;
};

static struct slice name_of(const struct place *p, uint32_t number)
{
    SNAP_LIST(p->x->s, SNAP_INTERFACE, struct snap_interface, i)
    if (i->network == p->network && i->number == number)
        return i->name;
    return SLICE("");
}

static struct slice keep_hex(struct xray *x, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char words[3 * 32];
    size_t n = 0;

    for (size_t i = 0; i < bytes.len && i < 32; i++) {
        if (i > 0)
            words[n++] = ':';
        words[n++] = digits[bytes.at[i] >> 4];
        words[n++] = digits[bytes.at[i] & 15];
    }
    return snap_keep(x->s, slice_of(words, n));
}

static void on_link(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct diag_link l;
    struct snap_interface *to;

    if (m->type != RTM_NEWLINK || !diag_link_read(m->body, &l) || !(to = snap_add(p->x->s, SNAP_INTERFACE)))
        return;
    to->network = p->network;
    to->number = l.number;
    to->name = snap_keep(p->x->s, l.name);
    to->state = slice_text(diag_link_state_name(l.state));
    to->hardware = keep_hex(p->x, l.hardware);
    to->promiscuous = l.promiscuous;
    to->mtu = l.mtu;
    to->errors = l.errors;
    to->dropped = l.dropped;
}

static void on_address(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct diag_address a;
    struct snap_address *to;

    if (m->type != RTM_NEWADDR || !diag_address_read(m->body, &a) || !(to = snap_add(p->x->s, SNAP_ADDRESS)))
        return;
    to->network = p->network;
    to->address = a.address;
    to->bits = a.bits;
    to->interface = a.label.len > 0 ? snap_keep(p->x->s, a.label) : name_of(p, a.interface);
}

static void on_route(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct diag_route r;
    struct snap_route *to;

    if (m->type != RTM_NEWROUTE || !diag_route_read(m->body, &r) || r.type == RTN_LOCAL || r.type == RTN_BROADCAST ||
        r.type == RTN_ANYCAST || r.type == RTN_MULTICAST || !(to = snap_add(p->x->s, SNAP_ROUTE)))
        return;
    to->network = p->network;
    to->net = r.net;
    to->gateway = r.gateway;
    to->bits = r.bits;
    to->metric = r.metric;
    to->interface = r.type == RTN_UNICAST ? name_of(p, r.interface) : SLICE("(refused)");
}

static void on_neighbour(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct diag_neighbour n;
    struct snap_neighbour *to;

    if (m->type != RTM_NEWNEIGH || !diag_neighbour_read(m->body, &n) || addr_is_multicast(n.address) ||
        !(to = snap_add(p->x->s, SNAP_NEIGHBOUR)))
        return;
    to->network = p->network;
    to->address = n.address;
    to->interface = name_of(p, n.interface);
    to->state = slice_text(diag_neighbour_state_name(n.state));
    to->hardware = keep_hex(p->x, n.hardware);
}

void xray_network(struct xray *x, int fd, uint64_t network)
{
    static const struct {
        uint16_t question;
        const char *part;
        void (*message)(void *own, const struct diag_message *m);
    } all[] = { { RTM_GETLINK, "interface", on_link },
                { RTM_GETADDR, "address", on_address },
                { RTM_GETROUTE, "route", on_route },
                { RTM_GETNEIGH, "neighbour", on_neighbour } };
    struct place p = { .x = x, .network = network };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct {
            struct nlmsghdr h;
            struct rtgenmsg q;
        } ask = { .h = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
                         .nlmsg_type = all[i].question,
                         .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

        if (fd >= 0 && netlink_ask(x, fd, &ask, ask.h.nlmsg_len, all[i].message, &p) < 0)
            snap_note(x->s, all[i].part, "of network namespace %llu: %s", (unsigned long long)network, strerror(errno));
    }
}

/* --- translated connections */

static void on_track(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct diag_track t;
    struct snap_track *to;

    if (!diag_track_read(m->body, &t) || !diag_track_translated(&t) || !(to = snap_add(p->x->s, SNAP_TRACK)))
        return;
    to->network = p->network;
    to->kind = t.protocol == IPPROTO_TCP ? SLICE("tcp") : t.protocol == IPPROTO_UDP ? SLICE("udp") : SLICE("other");
    to->from = t.from;
    to->to = t.to;
    to->reply_from = t.reply_from;
    to->reply_to = t.reply_to;
}

/* CTA_STATS_GLOBAL_ENTRIES stands first, and in network order. */
static void on_count(void *own, const struct diag_message *m)
{
    size_t from = sizeof(struct nfgenmsg) + sizeof(struct nlattr);
    uint32_t n;

    if (m->type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS) || m->body.len < from + sizeof(n))
        return;
    memcpy(&n, m->body.at + from, sizeof(n));
    *(uint64_t *)own = ntohl(n);
}

/* To walk conntrack's table takes long, also when nothing is in it. */
static bool tracks_none(struct xray *x, int fd)
{
    struct {
        struct nlmsghdr h;
        struct nfgenmsg q;
    } ask = { .h = { .nlmsg_len = sizeof(ask),
                     .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS,
                     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
              .q = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 } };
    uint64_t entries = UINT64_MAX;

    return netlink_ask(x, fd, &ask, sizeof(ask), on_count, &entries) == 0 && entries == 0;
}

void xray_tracks(struct xray *x, int fd, uint64_t network)
{
    struct {
        struct nlmsghdr h;
        struct nfgenmsg q;
    } ask = { .h = { .nlmsg_len = sizeof(ask),
                     .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
              .q = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 } };
    struct place p = { .x = x, .network = network };

    if (fd < 0 || tracks_none(x, fd))
        return;
    if (netlink_ask(x, fd, &ask, sizeof(ask), on_track, &p) < 0 && errno != EINVAL && errno != EPERM)
        snap_note(x->s, "track", "translated connections of network namespace %llu: %s", (unsigned long long)network,
                  strerror(errno));
}
