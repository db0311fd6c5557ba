/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/cut.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sock_diag.h>

enum { ASK_BYTES = 1024, TCP = 6, RECORD = 512 };
enum { FILTER_IP_SRC = 1, FILTER_PROTO = 8 }; /* of CTA_FILTER_ORIG_FLAGS; the kernel keeps them to itself */
enum {
    STATES = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 8)
}; /* TCP_ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, CLOSE_WAIT */

int cut_open(struct cut *c, struct err *e)
{
    *c = (struct cut){ 0 };
    if (nl_open(&c->tracker, NETLINK_NETFILTER, e) < 0 || nl_open(&c->sockets, NETLINK_SOCK_DIAG, e) < 0) {
        cut_close(c);
        return -1;
    }
    return 0;
}

void cut_close(struct cut *c)
{
    nl_close(&c->tracker);
    nl_close(&c->sockets);
}

static bool is_ours(uint16_t port, const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* Requests that are to be sent once the dump has been read: answers and asks must not mix. */
struct asks {
    char (*at)[RECORD]; /* own */
    size_t count;
    struct addr who;
    const uint16_t *ports;
    size_t ports_count;
};

static struct nlmsghdr *next_ask(struct asks *a)
{
    return a->count < CUT_MOST ? mnl_nlmsg_put_header(a->at[a->count++]) : NULL;
}

static uint32_t send_all(struct nl *n, struct asks *a, int32_t *error)
{
    uint32_t done = 0;

    for (size_t i = 0; i < a->count; i++)
        if (nl_ask(n, (struct nlmsghdr *)(void *)a->at[i], NULL, NULL) == 0)
            done++;
        else if (errno != ENOENT && *error == 0) /* ENOENT: it ended by itself */
            *error = errno;
    return done;
}

/* ---- the connection tracker ---- */

static void put_conntrack_header(struct nlmsghdr *h, uint16_t type, uint16_t flags, struct addr who)
{
    struct nfgenmsg *g;

    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
    *g = (struct nfgenmsg){ .nfgen_family = who.family == 4 ? AF_INET : AF_INET6, .version = NFNETLINK_V0 };
}

static bool source_is(const struct nlattr *ip, struct addr who)
{
    const struct nlattr *a;
    uint16_t want = who.family == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
    size_t bytes = who.family == 4 ? 4 : 16;

    NL_EACH_IN(a, ip)
    if (mnl_attr_get_type(a) == want && mnl_attr_get_payload_len(a) == bytes)
        return memcmp(mnl_attr_get_payload(a), who.ip, bytes) == 0;
    return false;
}

static bool goes_to(const struct nlattr *proto, const uint16_t *ports, size_t count)
{
    const struct nlattr *a;
    bool tcp = false;
    bool port = false;

    NL_EACH_IN(a, proto)
    {
        if (mnl_attr_get_type(a) == CTA_PROTO_NUM && mnl_attr_validate(a, MNL_TYPE_U8) == 0)
            tcp = mnl_attr_get_u8(a) == TCP;
        if (mnl_attr_get_type(a) == CTA_PROTO_DST_PORT && mnl_attr_validate(a, MNL_TYPE_U16) == 0)
            port = is_ours(ntohs(mnl_attr_get_u16(a)), ports, count);
    }
    return tcp && port;
}

bool cut_reads_tracked(const struct nlmsghdr *h, struct addr who, const uint16_t *ports, size_t count,
                       const struct nlattr **tuple, const struct nlattr **id, const struct nlattr **zone)
{
    const struct nlattr *a;
    bool source = false;
    bool target = false;

    *tuple = *id = *zone = NULL;
    if (mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
        return false;
    NL_EACH(a, h, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(a) == CTA_TUPLE_ORIG)
            *tuple = a;
        if (mnl_attr_get_type(a) == CTA_ID && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
            *id = a;
        if (mnl_attr_get_type(a) == CTA_ZONE && mnl_attr_validate(a, MNL_TYPE_U16) == 0)
            *zone = a;
    }
    if (!*tuple || mnl_attr_get_payload_len(*tuple) > RECORD / 2)
        return false;
    NL_EACH_IN(a, *tuple)
    {
        if (mnl_attr_get_type(a) == CTA_TUPLE_IP)
            source = source_is(a, who);
        if (mnl_attr_get_type(a) == CTA_TUPLE_PROTO)
            target = goes_to(a, ports, count);
    }
    return source && target;
}

static void copy_attribute(struct nlmsghdr *h, const struct nlattr *a)
{
    mnl_attr_put(h, a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

static int on_tracked(const struct nlmsghdr *h, void *ctx)
{
    struct asks *asks = ctx;
    const struct nlattr *tuple;
    const struct nlattr *id;
    const struct nlattr *zone;
    struct nlmsghdr *ask;

    if (!cut_reads_tracked(h, asks->who, asks->ports, asks->ports_count, &tuple, &id, &zone))
        return MNL_CB_OK;
    ask = next_ask(asks);
    if (!ask)
        return MNL_CB_OK;
    put_conntrack_header(ask, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, asks->who);
    copy_attribute(ask, tuple);
    if (id)
        copy_attribute(ask, id);
    if (zone)
        copy_attribute(ask, zone);
    return MNL_CB_OK;
}

/* Kernels from 5.8 on give only the host's own entries; older ones ignore the filter, and we look ourselves. */
static int ask_tracker(struct nl *n, struct asks *asks)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct nlattr *tuple;
    struct nlattr *part;

    put_conntrack_header(h, IPCTNL_MSG_CT_GET, NLM_F_DUMP, asks->who);
    tuple = mnl_attr_nest_start(h, CTA_TUPLE_ORIG);
    part = mnl_attr_nest_start(h, CTA_TUPLE_IP);
    mnl_attr_put(h, asks->who.family == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, asks->who.family == 4 ? 4 : 16,
                 asks->who.ip);
    mnl_attr_nest_end(h, part);
    part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(h, CTA_PROTO_NUM, TCP);
    mnl_attr_nest_end(h, part);
    mnl_attr_nest_end(h, tuple);
    part = mnl_attr_nest_start(h, CTA_FILTER);
    mnl_attr_put_u32(h, CTA_FILTER_ORIG_FLAGS, FILTER_IP_SRC | FILTER_PROTO);
    mnl_attr_put_u32(h, CTA_FILTER_REPLY_FLAGS, 0);
    mnl_attr_nest_end(h, part);
    return nl_ask(n, h, on_tracked, asks);
}

/* ---- our own sockets ---- */

static int on_socket(const struct nlmsghdr *h, void *ctx)
{
    struct asks *asks = ctx;
    const struct inet_diag_msg *found = mnl_nlmsg_get_payload(h);
    struct inet_diag_req_v2 *close_it;
    struct nlmsghdr *ask;

    if (mnl_nlmsg_get_payload_len(h) < sizeof(*found) ||
        !is_ours(ntohs(found->id.idiag_dport), asks->ports, asks->ports_count) ||
        !addr_eq_ip(addr_from_ip(found->idiag_family == AF_INET ? 4 : 6, (const uint8_t *)found->id.idiag_src, 0),
                    asks->who))
        return MNL_CB_OK;
    ask = next_ask(asks);
    if (!ask)
        return MNL_CB_OK;
    ask->nlmsg_type = SOCK_DESTROY;
    ask->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    close_it = mnl_nlmsg_put_extra_header(ask, sizeof(*close_it));
    *close_it = (struct inet_diag_req_v2){ .sdiag_family = found->idiag_family,
                                           .sdiag_protocol = IPPROTO_TCP,
                                           .idiag_states = 1u << found->idiag_state,
                                           .id = found->id };
    return MNL_CB_OK;
}

/* A socket of the IPv6 family may hold an IPv4 connection. */
static int ask_sockets(struct nl *n, struct asks *asks, uint8_t family)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct inet_diag_req_v2 *r;

    h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
    *r = (struct inet_diag_req_v2){ .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = STATES };
    return nl_ask(n, h, on_socket, asks);
}

struct hand_killed cut_host(struct cut *c, struct addr who, bool local, const uint16_t *ports, size_t count)
{
    struct hand_killed out = { 0 };
    struct asks asks = { .who = who, .ports = ports, .ports_count = count };

    asks.at = malloc(CUT_MOST * sizeof(*asks.at));
    if (!asks.at) {
        out.error = ENOMEM;
        return out;
    }
    if (ask_tracker(&c->tracker, &asks) < 0)
        out.error = errno;
    out.tracked = send_all(&c->tracker, &asks, &out.error);
    asks.count = 0;
    if (local) {
        if ((ask_sockets(&c->sockets, &asks, AF_INET) < 0 || ask_sockets(&c->sockets, &asks, AF_INET6) < 0) &&
            out.error == 0)
            out.error = errno;
        out.sockets = send_all(&c->sockets, &asks, &out.error);
    }
    free(asks.at);
    return out;
}
