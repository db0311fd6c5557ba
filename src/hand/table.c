/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/table.h"

#include <arpa/inet.h>
#include <errno.h>

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

enum { ASK_BYTES = 1024, TRIES = 4 };
static const char *const block_sets[2] = { "block4", "block6" };

static int on_table(const struct nlmsghdr *h, void *ctx)
{
    struct table_facts *t = ctx;
    const struct nlattr *a;

    if (h->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE))
        return MNL_CB_OK;
    t->there = true;
    NL_EACH(a, h, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_validate(a, MNL_TYPE_U32) < 0)
            continue;
        if (mnl_attr_get_type(a) == NFTA_TABLE_FLAGS)
            t->flags = ntohl(mnl_attr_get_u32(a));
        if (mnl_attr_get_type(a) == NFTA_TABLE_OWNER)
            t->owner = ntohl(mnl_attr_get_u32(a));
    }
    return MNL_CB_OK;
}

int table_look(struct nl *n, const char *name, struct table_facts *t, struct err *e)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETTABLE, NFPROTO_INET, NLM_F_ACK, 0);

    *t = (struct table_facts){ 0 };
    mnl_attr_put_strz(h, NFTA_TABLE_NAME, name);
    if (nl_ask(n, h, on_table, t) < 0 && errno != ENOENT)
        return err_set(e, errno, "asking for table inet %s", name);
    return 0;
}

struct rules_sum {
    uint64_t hash;
};

static int on_rule(const struct nlmsghdr *h, void *ctx)
{
    struct rules_sum *sum = ctx;
    const uint8_t *at = mnl_nlmsg_get_payload(h);
    size_t len = mnl_nlmsg_get_payload_len(h);

    for (size_t i = sizeof(struct nfgenmsg); i < len; i++) /* FNV-1a; the header holds a generation that moves */
        sum->hash = (sum->hash ^ at[i]) * 0x100000001b3u;
    return MNL_CB_OK;
}

int table_sum_rules(struct nl *n, const char *name, uint64_t *hash)
{
    _Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = { 0 };
    struct rules_sum sum;

    for (int i = 0; i < TRIES; i++) {
        struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP, 0);

        mnl_attr_put_strz(h, NFTA_RULE_TABLE, name);
        sum.hash = 0xcbf29ce484222325u;
        if (nl_ask(n, h, on_rule, &sum) == 0) {
            *hash = sum.hash;
            return 0;
        }
        if (errno != EINTR) /* the firewall changed while we read */
            return -1;
    }
    return -1;
}

int table_blocks(struct nl *n, const char *name, elements_each each, void *ctx)
{
    for (size_t s = 0; s < 2; s++) {
        int tries = TRIES;

        while (elements_read(n, name, block_sets[s], each, ctx) < 0)
            if (errno != EINTR || --tries == 0)
                return -1;
    }
    return 0;
}
