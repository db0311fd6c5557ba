/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/cut.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sock_diag.h>

enum { ASK_BYTES = 1024, TCP = 6 };
enum { FILTER_IP_SRC = 1, FILTER_PROTO = 8 }; /* of CTA_FILTER_ORIG_FLAGS; the kernel keeps them to itself */
enum {
    STATES = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 8)
}; /* TCP_ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, CLOSE_WAIT */

int cutting_open(struct cutting *c, struct err *e)
{
    *c = (struct cutting){ 0 };
    if (getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
        return err_set(e, errno, "getrandom");
    if (nl_open(&c->tracker, NETLINK_NETFILTER, e) < 0 || nl_open(&c->remove, NETLINK_NETFILTER, e) < 0 ||
        nl_open(&c->sockets, NETLINK_SOCK_DIAG, e) < 0 || nl_open(&c->destroy, NETLINK_SOCK_DIAG, e) < 0) {
        cutting_close(c);
        return -1;
    }
    return 0;
}

void cutting_close(struct cutting *c)
{
    nl_close(&c->tracker);
    nl_close(&c->sockets);
    nl_close(&c->remove);
    nl_close(&c->destroy);
}

/* ---- who is to be cut ---- */

struct walk {
    struct cutting *c;
    const struct cut_order *order;
    const struct cut_host *hosts;
    size_t count;
    struct hand_killed *out;
};

/* The slot of `who`, or the empty one where it would stand; half of them are always empty. */
static uint16_t *slot_of(const struct walk *w, struct addr who)
{
    enum { MASK = 2 * CUTTER_HOSTS - 1 };
    size_t i = (size_t)addr_hash(who, w->c->seed) & MASK;

    while (w->c->slots[i] != 0 && !addr_eq(w->hosts[w->c->slots[i] - 1].who, who))
        i = (i + 1) & MASK;
    return &w->c->slots[i];
}

static void put_hosts(const struct walk *w)
{
    memset(w->c->slots, 0, sizeof(w->c->slots));
    for (size_t i = 0; i < w->count; i++) {
        uint16_t *slot = slot_of(w, w->hosts[i].who);

        if (*slot == 0)
            *slot = (uint16_t)(i + 1);
    }
}

static struct hand_killed *result_of(const struct walk *w, struct addr who)
{
    uint16_t at = *slot_of(w, who);

    return at == 0 ? NULL : &w->out[at - 1];
}

static size_t count_family(const struct walk *w, uint8_t family, struct addr *one)
{
    size_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        if (w->hosts[i].who.family == family) {
            *one = w->hosts[i].who;
            n++;
        }
    return n;
}

static void failed(const struct walk *w, uint8_t family, int error) /* family 0: the local ones of both */
{
    for (size_t i = 0; i < w->count; i++)
        if ((family == 0 ? w->hosts[i].local : w->hosts[i].who.family == family) && w->out[i].error == 0)
            w->out[i].error = error;
}

/* Takes one connection out and counts it. */
static void end_one(struct nl *n, struct nlmsghdr *ask, struct hand_killed *of, uint32_t *counter)
{
    if (nl_ask(n, ask, NULL, NULL) == 0)
        (*counter)++;
    else if (errno != ENOENT && of->error == 0) /* ENOENT: it ended by itself */
        of->error = errno;
}

static bool is_ours(uint16_t port, const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* ---- the connection tracker ---- */

static void put_conntrack_header(struct nlmsghdr *h, uint16_t type, uint16_t flags, uint8_t family)
{
    struct nfgenmsg *g;

    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
    *g = (struct nfgenmsg){ .nfgen_family = family == 4 ? AF_INET : AF_INET6, .version = NFNETLINK_V0 };
}

static struct addr read_source(const struct nlattr *ip)
{
    const struct nlattr *a;

    NL_EACH_IN(a, ip)
    {
        if (mnl_attr_get_type(a) == CTA_IP_V4_SRC && mnl_attr_get_payload_len(a) == 4)
            return addr_from_ip(4, mnl_attr_get_payload(a), 0);
        if (mnl_attr_get_type(a) == CTA_IP_V6_SRC && mnl_attr_get_payload_len(a) == 16)
            return addr_from_ip(6, mnl_attr_get_payload(a), 0);
    }
    return (struct addr){ 0 };
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

bool cut_reads_tracked(const struct nlmsghdr *h, const uint16_t *ports, size_t count, struct tracked *t)
{
    const struct nlattr *a;
    bool target = false;

    *t = (struct tracked){ 0 };
    if (mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
        return false;
    NL_EACH(a, h, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(a) == CTA_TUPLE_ORIG)
            t->tuple = a;
        if (mnl_attr_get_type(a) == CTA_ID && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
            t->id = a;
        if (mnl_attr_get_type(a) == CTA_ZONE && mnl_attr_validate(a, MNL_TYPE_U16) == 0)
            t->zone = a;
    }
    if (!t->tuple || mnl_attr_get_payload_len(t->tuple) > ASK_BYTES / 2)
        return false;
    NL_EACH_IN(a, t->tuple)
    {
        if (mnl_attr_get_type(a) == CTA_TUPLE_IP)
            t->source = read_source(a);
        if (mnl_attr_get_type(a) == CTA_TUPLE_PROTO)
            target = goes_to(a, ports, count);
    }
    return t->source.family != 0 && target;
}

static void copy_attribute(struct nlmsghdr *h, const struct nlattr *a)
{
    if (a)
        mnl_attr_put(h, a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

static int on_tracked(const struct nlmsghdr *h, void *ctx)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    const struct walk *w = ctx;
    struct hand_killed *of;
    struct nlmsghdr *ask;
    struct tracked t;

    if (!cut_reads_tracked(h, w->order->ports, w->order->ports_count, &t))
        return MNL_CB_OK;
    of = result_of(w, t.source);
    if (!of)
        return MNL_CB_OK;
    ask = mnl_nlmsg_put_header(buffer);
    put_conntrack_header(ask, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, t.source.family);
    copy_attribute(ask, t.tuple);
    copy_attribute(ask, t.id);
    copy_attribute(ask, t.zone);
    end_one(&w->c->remove, ask, of, &of->tracked);
    return MNL_CB_OK;
}

/* Kernels from 5.8 on give only TCP, and only the one host's when there is `one`; older ones ignore the filter. */
static int walk_tracker(struct walk *w, uint8_t family, const struct addr *one)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct nlattr *tuple;
    struct nlattr *part;

    put_conntrack_header(h, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
    tuple = mnl_attr_nest_start(h, CTA_TUPLE_ORIG);
    if (one) {
        part = mnl_attr_nest_start(h, CTA_TUPLE_IP);
        mnl_attr_put(h, family == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, family == 4 ? 4 : 16, one->ip);
        mnl_attr_nest_end(h, part);
    }
    part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(h, CTA_PROTO_NUM, TCP);
    mnl_attr_nest_end(h, part);
    mnl_attr_nest_end(h, tuple);
    part = mnl_attr_nest_start(h, CTA_FILTER);
    mnl_attr_put_u32(h, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO | (one ? FILTER_IP_SRC : 0));
    mnl_attr_put_u32(h, CTA_FILTER_REPLY_FLAGS, 0);
    mnl_attr_nest_end(h, part);
    w->c->walks++;
    return nl_ask(&w->c->tracker, h, on_tracked, w);
}

static void cut_tracked(struct walk *w)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct addr one;
        size_t n = count_family(w, family, &one);

        if (n > 0 && walk_tracker(w, family, n == 1 ? &one : NULL) < 0)
            failed(w, family, errno);
    }
}

/* ---- our own sockets ---- */

/* Of a socket that one of the hosts sends through: its own, as it is an address of this machine, or the gate's at the
 * other end. */
static struct hand_killed *sender_behind(const struct walk *w, const struct inet_diag_msg *found)
{
    uint8_t family = found->idiag_family == AF_INET ? 4 : 6;
    struct hand_killed *of = NULL;

    if (is_ours(ntohs(found->id.idiag_dport), w->order->ports, w->order->ports_count))
        of = result_of(w, addr_from_ip(family, (const uint8_t *)found->id.idiag_src, 0));
    if (of && w->hosts[of - w->out].local)
        return of;
    if (!is_ours(ntohs(found->id.idiag_sport), w->order->doors, w->order->doors_count))
        return NULL;
    return result_of(w, addr_from_ip(family, (const uint8_t *)found->id.idiag_dst, 0));
}

static int on_socket(const struct nlmsghdr *h, void *ctx)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    const struct walk *w = ctx;
    const struct inet_diag_msg *found = mnl_nlmsg_get_payload(h);
    struct inet_diag_req_v2 *close_it;
    struct hand_killed *of;
    struct nlmsghdr *ask;

    if (mnl_nlmsg_get_payload_len(h) < sizeof(*found))
        return MNL_CB_OK;
    of = sender_behind(w, found);
    if (!of)
        return MNL_CB_OK;
    ask = mnl_nlmsg_put_header(buffer);
    ask->nlmsg_type = SOCK_DESTROY;
    ask->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    close_it = mnl_nlmsg_put_extra_header(ask, sizeof(*close_it));
    *close_it = (struct inet_diag_req_v2){ .sdiag_family = found->idiag_family,
                                           .sdiag_protocol = IPPROTO_TCP,
                                           .idiag_states = 1u << found->idiag_state,
                                           .id = found->id };
    end_one(&w->c->destroy, ask, of, &of->sockets);
    return MNL_CB_OK;
}

/* A socket of the IPv6 family may hold an IPv4 connection. */
static int walk_sockets(struct walk *w, uint8_t family)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct inet_diag_req_v2 *r;

    h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
    *r = (struct inet_diag_req_v2){ .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = STATES };
    w->c->walks++;
    return nl_ask(&w->c->sockets, h, on_socket, w);
}

static void cut_sockets(struct walk *w)
{
    bool any = w->order->doors_count > 0;

    for (size_t i = 0; i < w->count; i++)
        any |= w->hosts[i].local != 0;
    if (any && (walk_sockets(w, AF_INET) < 0 || walk_sockets(w, AF_INET6) < 0))
        failed(w, 0, errno);
}

void cut_hosts(struct cutting *c, const struct cut_order *order, const struct cut_host *hosts, size_t count,
               struct hand_killed *out)
{
    struct walk w = { c, order, hosts, count, out };

    assert(count <= CUTTER_HOSTS);
    memset(out, 0, count * sizeof(out[0]));
    put_hosts(&w);
    cut_tracked(&w);
    cut_sockets(&w);
}

void cut_nobody(struct cutting *c)
{
    const struct cut_order none = { 0 };
    struct walk w = { .c = c, .order = &none };
    struct addr nobody = addr_v4(0, 0);

    (void)walk_tracker(&w, 4, &nobody);
}
