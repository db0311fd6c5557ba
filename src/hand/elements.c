/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/elements.h"

#include <endian.h>
#include <string.h>

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

static void read_counter(const struct nlattr *expr, struct element *el)
{
    const struct nlattr *data = NULL;
    const struct nlattr *a;
    bool counter = false;

    NL_EACH_IN(a, expr)
    {
        if (mnl_attr_get_type(a) == NFTA_EXPR_NAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
            counter = strcmp(mnl_attr_get_str(a), "counter") == 0;
        if (mnl_attr_get_type(a) == NFTA_EXPR_DATA)
            data = a;
    }
    if (!counter || !data)
        return;
    NL_EACH_IN(a, data)
    {
        if (mnl_attr_validate(a, MNL_TYPE_U64) < 0)
            continue;
        if (mnl_attr_get_type(a) == NFTA_COUNTER_PACKETS)
            el->packets = be64toh(mnl_attr_get_u64(a));
        if (mnl_attr_get_type(a) == NFTA_COUNTER_BYTES)
            el->bytes = be64toh(mnl_attr_get_u64(a));
    }
}

static void read_key(const struct nlattr *key, struct addr *who)
{
    const struct nlattr *a;

    NL_EACH_IN(a, key)
    {
        uint16_t len = mnl_attr_get_payload_len(a);

        if (mnl_attr_get_type(a) == NFTA_DATA_VALUE && (len == 4 || len == 16)) {
            who->family = len == 4 ? 4 : 6;
            memset(who->ip, 0, sizeof(who->ip));
            memcpy(who->ip, mnl_attr_get_payload(a), len);
        }
    }
}

static void read_element(const struct nlattr *from, elements_each each, void *ctx)
{
    struct element el = { 0 };
    bool end = false;
    const struct nlattr *a;

    NL_EACH_IN(a, from)
    {
        switch (mnl_attr_get_type(a)) {
        case NFTA_SET_ELEM_KEY:
            read_key(a, &el.who);
            break;
        case NFTA_SET_ELEM_EXPIRATION:
            if (mnl_attr_validate(a, MNL_TYPE_U64) == 0)
                el.left_ms = be64toh(mnl_attr_get_u64(a));
            break;
        case NFTA_SET_ELEM_FLAGS:
            end = mnl_attr_validate(a, MNL_TYPE_U32) < 0 || (be32toh(mnl_attr_get_u32(a)) & NFT_SET_ELEM_INTERVAL_END);
            break;
        case NFTA_SET_ELEM_EXPR:
            read_counter(a, &el);
            break;
        default:
            break;
        }
    }
    if (el.who.family != 0 && !end)
        each(ctx, &el);
}

void elements_parse(const struct nlmsghdr *h, elements_each each, void *ctx)
{
    const struct nlattr *a;
    const struct nlattr *one;

    if (h->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSETELEM) ||
        mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
        return;
    NL_EACH(a, h, sizeof(struct nfgenmsg))
    if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
        NL_EACH_IN(one, a)
    read_element(one, each, ctx);
}

struct reading {
    elements_each each;
    void *ctx;
};

static int on_message(const struct nlmsghdr *h, void *ctx)
{
    const struct reading *r = ctx;

    elements_parse(h, r->each, r->ctx);
    return MNL_CB_OK;
}

int elements_read(struct nl *n, const char *table, const char *set, elements_each each, void *ctx)
{
    _Alignas(struct nlmsghdr) char buffer[1024] = { 0 };
    struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, 0);
    struct reading r = { each, ctx };

    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
    return nl_ask(n, h, on_message, &r);
}

int elements_begin(struct elements_walk *w, struct nl *n, const char *table, const char *set, elements_each each,
                   void *ctx)
{
    _Alignas(struct nlmsghdr) char buffer[1024] = { 0 };
    struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, ++n->seq);

    *w = (struct elements_walk){ .nl = n, .each = each, .ctx = ctx };
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
    return mnl_socket_sendto(n->socket, h, h->nlmsg_len) < 0 ? -1 : 0;
}

int elements_step(struct elements_walk *w)
{
    _Alignas(struct nlmsghdr) char answer[NL_MESSAGE];
    ssize_t got = mnl_socket_recvfrom(w->nl->socket, answer, sizeof(answer));
    struct nlmsghdr *h = (struct nlmsghdr *)(void *)answer;
    struct reading r = { w->each, w->ctx };
    int left = (int)got;

    if (got < 0)
        return -1;
    for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
        w->changed |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        h->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR; /* libmnl would stop here */
    }
    return mnl_cb_run(answer, (size_t)got, w->nl->seq, w->nl->port, on_message, &r);
}
