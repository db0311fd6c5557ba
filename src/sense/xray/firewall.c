/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The firewall of one network namespace: every chain with its policy, every rule in words, with its counters. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sense/xray/inner.h"
#include "wire/xtables.h"

enum { REGISTERS = 24, RULE_WORDS = 2048 };

struct place {
    struct xray *x;
    uint64_t network;
};

static const char *family_name(uint32_t family)
{
    return family == NFPROTO_IPV4   ? "ip"
         : family == NFPROTO_IPV6   ? "ip6"
         : family == NFPROTO_INET   ? "inet"
         : family == NFPROTO_ARP    ? "arp"
         : family == NFPROTO_BRIDGE ? "bridge"
         : family == NFPROTO_NETDEV ? "netdev"
                                    : "?";
}

static const char *hook_name(uint32_t family, uint32_t hook)
{
    static const char *const names[] = { "prerouting", "input", "forward", "output", "postrouting", "ingress" };

    if (family == NFPROTO_NETDEV)
        return hook == 0 ? "ingress" : "egress";
    return hook < sizeof(names) / sizeof(names[0]) ? names[hook] : "?";
}

static struct slice keep(struct xray *x, const char *words)
{
    return snap_keep_text(x->s, words ? words : "");
}

/* libnftnl wants the message with its header, which stands in front of the body. */
static const struct nlmsghdr *whole(const struct diag_message *m)
{
    return (const struct nlmsghdr *)(const void *)(m->body.at - NLMSG_HDRLEN);
}

static void on_chain(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct nftnl_chain *c = nftnl_chain_alloc();
    struct snap_rule *to;
    uint32_t family;

    if (!c || nftnl_chain_nlmsg_parse(whole(m), c) < 0 || !nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) ||
        !(to = snap_add(p->x->s, SNAP_RULE))) {
        nftnl_chain_free(c);
        return;
    }
    family = nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);
    to->network = p->network;
    to->family = slice_text(family_name(family));
    to->table = keep(p->x, nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE));
    to->chain = keep(p->x, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME));
    to->hook = slice_text(hook_name(family, nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM)));
    to->policy = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP ? SLICE("drop") : SLICE("accept");
    to->handle = nftnl_chain_get_u64(c, NFTNL_CHAIN_HANDLE);
    nftnl_chain_free(c);
}

/* --- a rule in words: what stands in each register is remembered until it is compared */

struct rule {
    struct snap_rule *to;
    struct text *words;
    const char *name[REGISTERS];
    bool ports[REGISTERS], text[REGISTERS]; /* how the value is to be shown */
};

static uint32_t number(const struct nftnl_expr *e, uint16_t attribute)
{
    return nftnl_expr_get_u32(e, attribute);
}

static void load(struct rule *r, uint32_t reg, const char *name, bool port, bool text)
{
    if (reg >= REGISTERS)
        return;
    r->name[reg] = name;
    r->ports[reg] = port;
    r->text[reg] = text;
}

static void on_payload(struct rule *r, const struct nftnl_expr *e)
{
    static const struct {
        uint32_t base, offset, len;
        const char *name;
        bool port;
    } fields[] = {
        { NFT_PAYLOAD_NETWORK_HEADER, 12, 4, "ip saddr", false },
        { NFT_PAYLOAD_NETWORK_HEADER, 16, 4, "ip daddr", false },
        { NFT_PAYLOAD_NETWORK_HEADER, 9, 1, "ip protocol", false },
        { NFT_PAYLOAD_NETWORK_HEADER, 8, 16, "ip6 saddr", false },
        { NFT_PAYLOAD_NETWORK_HEADER, 24, 16, "ip6 daddr", false },
        { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, "sport", true },
        { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, "dport", true },
    };
    uint32_t base = number(e, NFTNL_EXPR_PAYLOAD_BASE);
    uint32_t offset = number(e, NFTNL_EXPR_PAYLOAD_OFFSET);
    uint32_t len = number(e, NFTNL_EXPR_PAYLOAD_LEN);

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].base == base && fields[i].offset == offset && fields[i].len == len) {
            load(r, number(e, NFTNL_EXPR_PAYLOAD_DREG), fields[i].name, fields[i].port, false);
            return;
        }
    load(r, number(e, NFTNL_EXPR_PAYLOAD_DREG), "payload", false, false);
}

static void on_meta(struct rule *r, const struct nftnl_expr *e)
{
    uint32_t key = number(e, NFTNL_EXPR_META_KEY);
    bool text = key == NFT_META_IIFNAME || key == NFT_META_OIFNAME;
    const char *name = key == NFT_META_IIFNAME ? "iifname"
                     : key == NFT_META_OIFNAME ? "oifname"
                     : key == NFT_META_L4PROTO ? "l4proto"
                     : key == NFT_META_MARK    ? "mark"
                     : key == NFT_META_SKUID   ? "skuid"
                     : key == NFT_META_NFPROTO ? "nfproto"
                                               : "meta";

    if (nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
        load(r, number(e, NFTNL_EXPR_META_DREG), name, false, text);
}

static void value(struct rule *r, uint32_t reg, const uint8_t *at, uint32_t len)
{
    if (reg < REGISTERS && r->text[reg]) {
        text_addf(r->words, "\"%.*s\"", (int)strnlen((const char *)at, len), (const char *)at);
    } else if (len == 2) {
        text_addf(r->words, "%u", (unsigned)(at[0] << 8 | at[1]));
    } else if (len == 1) {
        text_word(r->words, at[0] == IPPROTO_TCP ? "tcp" : at[0] == IPPROTO_UDP ? "udp" : "");
        if (at[0] != IPPROTO_TCP && at[0] != IPPROTO_UDP)
            text_addf(r->words, "%u", at[0]);
    } else if ((len == 4 && reg < REGISTERS && r->name[reg] && strstr(r->name[reg], "addr")) || len == 16) {
        text_word(r->words, addr_ip_text(addr_from_ip(len == 4 ? 4 : 6, at, 0)).text);
    } else {
        text_word(r->words, "0x");
        for (uint32_t i = 0; i < len && i < 16; i++)
            text_addf(r->words, "%02x", at[i]);
    }
}

static const char *name_in(const struct rule *r, uint32_t reg)
{
    return reg < REGISTERS && r->name[reg] ? r->name[reg] : "register";
}

static void on_compare(struct rule *r, const struct nftnl_expr *e)
{
    static const char *const operators[] = { "", "!= ", "< ", "<= ", "> ", ">= " };
    uint32_t reg = number(e, NFTNL_EXPR_CMP_SREG);
    uint32_t op = number(e, NFTNL_EXPR_CMP_OP);
    uint32_t len = 0;
    const uint8_t *at = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);

    text_addf(r->words, "%s %s", name_in(r, reg), op < sizeof(operators) / sizeof(operators[0]) ? operators[op] : "");
    if (at)
        value(r, reg, at, len);
    text_word(r->words, " ");
}

static void on_counter(struct rule *r, const struct nftnl_expr *e)
{
    r->to->counts = true;
    r->to->packets += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
    r->to->bytes += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
    text_word(r->words, "counter ");
}

static void on_immediate(struct rule *r, const struct nftnl_expr *e)
{
    int32_t verdict;
    const char *chain;

    if (!nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT))
        return;
    verdict = (int32_t)number(e, NFTNL_EXPR_IMM_VERDICT);
    chain = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);
    text_addf(r->words, "%s%s%s ",
              verdict == NF_ACCEPT    ? "accept"
              : verdict == NF_DROP    ? "drop"
              : verdict == NFT_JUMP   ? "jump "
              : verdict == NFT_GOTO   ? "goto "
              : verdict == NFT_RETURN ? "return"
                                      : "continue",
              chain ? chain : "", "");
}

static void on_lookup(struct rule *r, const struct nftnl_expr *e)
{
    const char *set = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
    bool inverted =
        nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_FLAGS) && (number(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0;

    text_addf(r->words, "%s %s@%s ", name_in(r, number(e, NFTNL_EXPR_LOOKUP_SREG)), inverted ? "!= " : "",
              set ? set : "?");
}

static void on_ct(struct rule *r, const struct nftnl_expr *e)
{
    if (nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
        load(r, number(e, NFTNL_EXPR_CT_DREG), number(e, NFTNL_EXPR_CT_KEY) == NFT_CT_STATE ? "ct state" : "ct", false,
             false);
}

static void on_log(struct rule *r, const struct nftnl_expr *e)
{
    const char *prefix = nftnl_expr_get_str(e, NFTNL_EXPR_LOG_PREFIX);

    text_word(r->words, "log ");
    if (prefix)
        text_addf(r->words, "prefix \"%s\" ", prefix);
}

/* What iptables-nft could not say in words of nftables. */
static void on_extension(struct rule *r, const struct nftnl_expr *e, uint16_t name, uint16_t revision, uint16_t info,
                         void (*show)(struct text *to, const struct xtables_extension *e))
{
    uint32_t len = 0;
    const void *data = nftnl_expr_get(e, info, &len);

    show(r->words, &(struct xtables_extension){ .family = slice_eq(r->to->family, SLICE("ip6")) ? 6 : 4,
                                                .revision = (uint8_t)number(e, revision),
                                                .name = slice_text(nftnl_expr_get_str(e, name)),
                                                .data = slice_of(data, data ? len : 0) });
}

static void on_match(struct rule *r, const struct nftnl_expr *e)
{
    on_extension(r, e, NFTNL_EXPR_MT_NAME, NFTNL_EXPR_MT_REV, NFTNL_EXPR_MT_INFO, xtables_match);
}

static void on_target(struct rule *r, const struct nftnl_expr *e)
{
    on_extension(r, e, NFTNL_EXPR_TG_NAME, NFTNL_EXPR_TG_REV, NFTNL_EXPR_TG_INFO, xtables_target);
}

static int on_expression(struct nftnl_expr *e, void *own)
{
    static const struct {
        const char *name;
        void (*show)(struct rule *r, const struct nftnl_expr *e);
    } kinds[] = { { "payload", on_payload },     { "meta", on_meta },     { "cmp", on_compare },
                  { "counter", on_counter },     { "lookup", on_lookup }, { "ct", on_ct },
                  { "immediate", on_immediate }, { "log", on_log },       { "match", on_match },
                  { "target", on_target } };
    struct rule *r = own;
    const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

    for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(name, kinds[i].name) == 0) {
            kinds[i].show(r, e);
            return 0;
        }
    if (name && strcmp(name, "bitwise") != 0)
        text_addf(r->words, "%s ", name);
    return 0;
}

static void on_rule(void *own, const struct diag_message *m)
{
    const struct place *p = own;
    struct nftnl_rule *from = nftnl_rule_alloc();
    char words[RULE_WORDS];
    struct text t = TEXT_IN(words);
    struct rule r = { .words = &t };

    if (from && nftnl_rule_nlmsg_parse(whole(m), from) == 0 && (r.to = snap_add(p->x->s, SNAP_RULE))) {
        r.to->network = p->network;
        r.to->family = slice_text(family_name(nftnl_rule_get_u32(from, NFTNL_RULE_FAMILY)));
        r.to->table = keep(p->x, nftnl_rule_get_str(from, NFTNL_RULE_TABLE));
        r.to->chain = keep(p->x, nftnl_rule_get_str(from, NFTNL_RULE_CHAIN));
        r.to->handle = nftnl_rule_get_u64(from, NFTNL_RULE_HANDLE);
        (void)nftnl_expr_foreach(from, on_expression, &r);
        r.to->text = snap_keep(p->x->s, slice_trim(slice_of(words, t.len)));
    }
    nftnl_rule_free(from);
}

void xray_firewall(struct xray *x, int fd, uint64_t network)
{
    static const struct {
        int type;
        void (*message)(void *own, const struct diag_message *m);
    } all[] = { { NFT_MSG_GETCHAIN, on_chain }, { NFT_MSG_GETRULE, on_rule } };
    struct place p = { .x = x, .network = network };

    for (size_t i = 0; fd >= 0 && i < sizeof(all) / sizeof(all[0]); i++) {
        struct {
            struct nlmsghdr h;
            struct nfgenmsg q;
        } ask = { .h = { .nlmsg_len = sizeof(ask),
                         .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | all[i].type),
                         .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                  .q = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 } };

        if (netlink_ask(x, fd, &ask, sizeof(ask), all[i].message, &p) < 0) {
            snap_note(x->s, "rule", "the firewall of network namespace %llu can't be read: %s",
                      (unsigned long long)network, strerror(errno));
            break;
        }
    }
}
