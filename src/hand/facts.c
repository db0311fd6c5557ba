/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/facts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

enum { ASK_BYTES = 256, TRIES = 4, SKIP_STATS = 1 << 3 /* RTEXT_FILTER_SKIP_STATS */ };

int facts_open(struct facts *f, struct err *e)
{
    static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                  RTNLGRP_IPV6_ROUTE };

    memset(f, 0, sizeof(*f));
    if (nl_open(&f->ask, NETLINK_ROUTE, e) < 0 || nl_open(&f->watch, NETLINK_ROUTE, e) < 0)
        goto fail;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        int group = groups[i];

        if (mnl_socket_setsockopt(f->watch.socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
            (void)err_set(e, errno, "listening for changes of interfaces");
            goto fail;
        }
    }
    return 0;
fail:
    facts_close(f);
    return -1;
}

void facts_close(struct facts *f)
{
    nl_close(&f->ask);
    nl_close(&f->watch);
}

static struct facts_link *link_by_index(struct facts *f, int32_t ifindex)
{
    for (size_t i = 0; i < f->links_count; i++)
        if (f->links[i].ifindex == ifindex)
            return &f->links[i];
    return NULL;
}

static void take_link(struct facts *f, const struct nlmsghdr *h)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
    struct facts_link link = { 0 };
    const struct nlattr *a;

    if (mnl_nlmsg_get_payload_len(h) < sizeof(*info) || f->links_count == FACTS_LINKS)
        return;
    NL_EACH(a, h, sizeof(*info))
    if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 &&
        mnl_attr_get_payload_len(a) <= HAND_NAME)
        memcpy(link.name, mnl_attr_get_str(a), strlen(mnl_attr_get_str(a)));
    link.ifindex = info->ifi_index;
    link.link_type = info->ifi_type;
    link.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING);
    link.loopback = info->ifi_flags & IFF_LOOPBACK;
    if (link.name[0])
        f->links[f->links_count++] = link;
}

static bool read_ip(const struct nlattr *a, uint8_t family, struct addr *out)
{
    size_t bytes = family == AF_INET ? 4 : 16;

    if ((family != AF_INET && family != AF_INET6) || mnl_attr_get_payload_len(a) != bytes)
        return false;
    *out = addr_from_ip(family == AF_INET ? 4 : 6, mnl_attr_get_payload(a), 0);
    return true;
}

static void take_addr(struct facts *f, const struct nlmsghdr *h)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(h);
    struct addr local = { 0 };
    struct addr at = { 0 };
    const struct nlattr *a;

    if (mnl_nlmsg_get_payload_len(h) < sizeof(*info))
        return;
    NL_EACH(a, h, sizeof(*info))
    {
        if (mnl_attr_get_type(a) == IFA_LOCAL)
            (void)read_ip(a, info->ifa_family, &local);
        if (mnl_attr_get_type(a) == IFA_ADDRESS)
            (void)read_ip(a, info->ifa_family, &at);
    }
    if (local.family == 0)
        local = at; /* IFA_ADDRESS is the other end only where IFA_LOCAL is there too */
    if (local.family == 0)
        return;
    if (f->addrs_count == NEVER_OWN) {
        f->cut = true;
        return;
    }
    f->addrs[f->addrs_count++] = (struct facts_addr){
        .ifindex = (int32_t)info->ifa_index,
        .own = local,
        .net = prefix_of(at.family ? at : local, info->ifa_prefixlen),
    };
}

static void add_gateway(struct facts *f, struct addr gateway)
{
    if (gateway.family == 0)
        return;
    for (size_t i = 0; i < f->gateways_count; i++)
        if (addr_eq_ip(f->gateways[i], gateway))
            return;
    if (f->gateways_count == NEVER_GATEWAYS) {
        f->cut = true;
        return;
    }
    f->gateways[f->gateways_count++] = gateway;
}

/* RTA_GATEWAY, or RTA_VIA: a gateway of the other family behind its own address family. */
static void take_gateway(struct facts *f, const struct nlattr *a, uint8_t family)
{
    struct addr gateway = { 0 };
    const uint8_t *at = mnl_attr_get_payload(a);
    uint16_t via;

    if (mnl_attr_get_type(a) == RTA_GATEWAY)
        (void)read_ip(a, family, &gateway);
    else if (mnl_attr_get_type(a) == RTA_VIA && mnl_attr_get_payload_len(a) >= sizeof(via)) {
        memcpy(&via, at, sizeof(via));
        if (mnl_attr_get_payload_len(a) == sizeof(via) + (via == AF_INET ? 4 : 16))
            gateway = addr_from_ip(via == AF_INET ? 4 : 6, at + sizeof(via), 0);
    }
    add_gateway(f, gateway);
}

static void mark(struct facts *f, int32_t ifindex, bool is_default, bool counts)
{
    struct facts_link *link = link_by_index(f, ifindex);

    if (!link)
        return;
    link->default_route |= is_default;
    link->routed |= counts;
}

static void take_paths(struct facts *f, const struct nlattr *paths, uint8_t family, bool is_default, bool counts)
{
    const uint8_t *at = mnl_attr_get_payload(paths);
    size_t left = mnl_attr_get_payload_len(paths);

    while (left >= sizeof(struct rtnexthop)) {
        struct rtnexthop hop;
        size_t step;
        const struct nlattr *a = (const struct nlattr *)(const void *)(at + sizeof(hop));

        memcpy(&hop, at, sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
            return;
        mark(f, hop.rtnh_ifindex, is_default, counts);
        for (; mnl_attr_ok(a, (int)(at + hop.rtnh_len - (const uint8_t *)a)); a = mnl_attr_next(a))
            take_gateway(f, a, family);
        step = ((size_t)hop.rtnh_len + RTNH_ALIGNTO - 1) & ~(size_t)(RTNH_ALIGNTO - 1);
        if (step >= left)
            return;
        left -= step;
        at += step;
    }
}

static void take_route(struct facts *f, const struct nlmsghdr *h)
{
    const struct rtmsg *info = mnl_nlmsg_get_payload(h);
    const struct nlattr *a;
    struct addr to = { 0 };
    bool is_default;
    bool counts;

    if (mnl_nlmsg_get_payload_len(h) < sizeof(*info) || info->rtm_type != RTN_UNICAST)
        return;
    NL_EACH(a, h, sizeof(*info))
    if (mnl_attr_get_type(a) == RTA_DST)
        (void)read_ip(a, info->rtm_family, &to);
    is_default = info->rtm_dst_len == 0;
    counts = is_default || (to.family != 0 && !addr_is_link_local(to) && !addr_is_multicast(to));
    NL_EACH(a, h, sizeof(*info))
    {
        if (mnl_attr_get_type(a) == RTA_OIF && mnl_attr_validate(a, MNL_TYPE_U32) == 0)
            mark(f, (int32_t)mnl_attr_get_u32(a), is_default, counts);
        else if (mnl_attr_get_type(a) == RTA_MULTIPATH)
            take_paths(f, a, info->rtm_family, is_default, counts);
        else
            take_gateway(f, a, info->rtm_family);
    }
}

void facts_take(struct facts *f, const struct nlmsghdr *h)
{
    if (h->nlmsg_type == RTM_NEWLINK)
        take_link(f, h);
    if (h->nlmsg_type == RTM_NEWADDR)
        take_addr(f, h);
    if (h->nlmsg_type == RTM_NEWROUTE)
        take_route(f, h);
}

static int on_message(const struct nlmsghdr *h, void *ctx)
{
    facts_take(ctx, h);
    return MNL_CB_OK;
}

static int ask_links(struct facts *f)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);

    h->nlmsg_type = RTM_GETLINK;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    mnl_attr_put_u32(h, IFLA_EXT_MASK, SKIP_STATS);
    return nl_ask(&f->ask, h, on_message, f);
}

static int ask_addrs(struct facts *f)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);

    h->nlmsg_type = RTM_GETADDR;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    (void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifaddrmsg));
    return nl_ask(&f->ask, h, on_message, f);
}

static int ask_routes(struct facts *f, uint8_t family)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct rtmsg *info;

    h->nlmsg_type = RTM_GETROUTE;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
    info->rtm_family = family;
    return nl_ask(&f->ask, h, on_message, f);
}

int facts_read(struct facts *f, struct err *e)
{
    for (int i = 0; i < TRIES; i++) {
        f->links_count = f->addrs_count = f->gateways_count = 0;
        f->cut = false;
        if (ask_links(f) == 0 && ask_addrs(f) == 0 && ask_routes(f, AF_INET) == 0 && ask_routes(f, AF_INET6) == 0)
            return 0;
        if (errno != EINTR) /* something changed while we read */
            break;
    }
    f->links_count = f->addrs_count = f->gateways_count = 0;
    return err_set(e, errno, "reading interfaces, addresses and routes");
}

static const struct facts_link *link_of(const struct facts *f, int32_t ifindex)
{
    for (size_t i = 0; i < f->links_count; i++)
        if (f->links[i].ifindex == ifindex)
            return &f->links[i];
    return NULL;
}

void facts_tell(const struct facts *f, struct never_facts *out)
{
    *out = (struct never_facts){ .known = true, .cut = f->cut };
    memcpy(out->gateways, f->gateways, f->gateways_count * sizeof(f->gateways[0]));
    out->gateways_count = f->gateways_count;
    for (size_t i = 0; i < f->addrs_count; i++) {
        const struct facts_addr *a = &f->addrs[i];
        const struct facts_link *link = link_of(f, a->ifindex);

        out->own[out->own_count++] = a->own;
        if (out->nets_count == NEVER_NETS || addr_is_link_local(a->net.net))
            continue;
        out->nets[out->nets_count].net = a->net;
        out->nets[out->nets_count].inside = link && !link->loopback && !link->default_route;
        out->nets_count++;
    }
}

void facts_link_of(const struct facts *f, size_t i, struct hand_link *out)
{
    const struct facts_link *link = &f->links[i];

    memset(out, 0, sizeof(*out));
    memcpy(out->name, link->name, sizeof(out->name));
    out->ifindex = link->ifindex;
    out->link_type = link->link_type;
    out->up = link->up;
    out->default_route = link->default_route;
    out->routed = link->routed;
    for (size_t a = 0; a < f->addrs_count && out->count < HAND_LINK_ADDRS; a++)
        if (f->addrs[a].ifindex == link->ifindex) {
            out->net[out->count] = f->addrs[a].net;
            out->own[out->count++] = f->addrs[a].own;
        }
}

const struct facts_link *facts_find(const struct facts *f, const char name[HAND_NAME])
{
    for (size_t i = 0; i < f->links_count; i++)
        if (memcmp(f->links[i].name, name, HAND_NAME) == 0)
            return &f->links[i];
    return NULL;
}

static int on_news(const struct nlmsghdr *h, void *ctx)
{
    unsigned *what = ctx;

    *what |= h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE ? FACTS_ROUTES : FACTS_ADDRESSES;
    return MNL_CB_OK;
}

unsigned facts_news(struct facts *f)
{
    _Alignas(struct nlmsghdr) char buffer[NL_MESSAGE];
    unsigned what = 0;

    for (int i = 0; i < 256; i++) { /* the rest when the loop comes by again */
        ssize_t got = mnl_socket_recvfrom(f->watch.socket, buffer, sizeof(buffer));

        if (got < 0)
            return errno == EAGAIN ? what : FACTS_ADDRESSES | FACTS_ROUTES; /* some were lost: look at all */
        (void)mnl_cb_run(buffer, (size_t)got, 0, 0, on_news, &what);
    }
    return what;
}

int facts_fd(const struct facts *f)
{
    return mnl_socket_get_fd(f->watch.socket);
}
