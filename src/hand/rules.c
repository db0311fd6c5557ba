/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/rules.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "hand/hold.h"
#include "hand/ranges.h"

enum { TYPE_IP4 = 7, TYPE_IP6 = 8, TYPE_SERVICE = 13 }; /* how nft shows a set's key */
enum { SLACK = 1024 }; /* elements whose time is over stay in the kernel's count for a second */
enum { LOG_SOURCES = 65536, PRIORITY = -10, TCP = 6 };
enum { GUARD_PLACE_BYTES = 1024 }; /* of a rule for one place */

static const struct family {
    uint8_t nfproto, key_type, bytes, saddr; /* offset of the source address in the IP header, */
    uint8_t daddr;                           /* and of the destination's */
    uint8_t loopback[16], loopback_bytes;    /* with which loopback addresses begin */
    const char *block, *counted, *logged, *inside, *allowed, *local;
} families[2] = {
    { NFPROTO_IPV4, TYPE_IP4, 4, 12, 16, { 127 }, 1, "block4", "counted4", "logged4", "inside4", "allowed4", "local4" },
    { NFPROTO_IPV6,
      TYPE_IP6,
      16,
      8,
      24,
      { [15] = 1 },
      16,
      "block6",
      "counted6",
      "logged6",
      "inside6",
      "allowed6",
      "local6" },
};

/* Out of memory for a few hundred bytes at start: there is nothing better to do. */
static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

void rules_add_table(struct nl_batch *b, const struct rules *r)
{
    struct nftnl_table *t = must(nftnl_table_alloc());
    struct nlmsghdr *h = nl_batch_add(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);

    nftnl_table_set_str(t, NFTNL_TABLE_NAME, r->set->table);
    nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, r->table_flags);
    nftnl_table_nlmsg_build_payload(h, t);
    nftnl_table_free(t);
    nl_batch_added(b, h);
}

void rules_delete_table(struct nl_batch *b, const char *table)
{
    struct nlmsghdr *h = nl_batch_add(b, NFT_MSG_DELTABLE, 0);

    mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
    nl_batch_added(b, h);
}

static void add_chain(struct nl_batch *b, const struct rules *r, const char *name, int hook)
{
    struct nftnl_chain *c = must(nftnl_chain_alloc());
    struct nlmsghdr *h = nl_batch_add(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

    nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, r->set->table);
    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
    if (hook >= 0) {
        nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
        nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, PRIORITY);
        nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
        nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
    }
    nftnl_chain_nlmsg_build_payload(h, c);
    nftnl_chain_free(c);
    nl_batch_added(b, h);
}

/* The set's own number within the batch is its position. */
static struct nftnl_set *new_set(const struct nl_batch *b, const struct rules *r, const char *name, uint32_t flags,
                                 uint32_t key_type, uint32_t key_bytes)
{
    struct nftnl_set *s = must(nftnl_set_alloc());

    nftnl_set_set_str(s, NFTNL_SET_TABLE, r->set->table);
    nftnl_set_set_str(s, NFTNL_SET_NAME, name);
    nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)b->changes + 1);
    nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
    nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
    nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, key_type);
    nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, key_bytes);
    return s;
}

static void add_set(struct nl_batch *b, struct nftnl_set *s)
{
    struct nlmsghdr *h = nl_batch_add(b, NFT_MSG_NEWSET, NLM_F_CREATE);

    nftnl_set_nlmsg_build_payload(h, s);
    nftnl_set_free(s);
    nl_batch_added(b, h);
}

static void add_address_sets(struct nl_batch *b, const struct rules *r, const struct family *f)
{
    struct nftnl_set *blocked = new_set(b, r, f->block, NFT_SET_TIMEOUT, f->key_type, f->bytes);
    uint32_t size = r->set->total + r->set->total / 4 + SLACK;
    struct nftnl_set *counted;
    struct nftnl_set *logged;

    nftnl_set_set_u32(blocked, NFTNL_SET_DESC_SIZE, size);
    add_set(b, blocked);
    counted = new_set(b, r, f->counted, NFT_SET_EVAL, f->key_type, f->bytes);
    nftnl_set_set_u32(counted, NFTNL_SET_DESC_SIZE, size);
    nftnl_set_add_expr(counted, must(nftnl_expr_alloc("counter")));
    add_set(b, counted);
    logged = new_set(b, r, f->logged, NFT_SET_TIMEOUT | NFT_SET_EVAL, f->key_type, f->bytes);
    nftnl_set_set_u32(logged, NFTNL_SET_DESC_SIZE, LOG_SOURCES);
    nftnl_set_set_u64(logged, NFTNL_SET_TIMEOUT, 120000);
    add_set(b, logged);
}

/* Opens a message of set elements; the caller puts each by begin_element and end_nested. */
struct elements {
    struct nlmsghdr *h;
    struct nlattr *list;
};

static struct elements begin_elements(struct nl_batch *b, const char *table, const char *set, bool deletes)
{
    struct elements el = { .h = nl_batch_add(b, deletes ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM,
                                             deletes ? 0 : NLM_F_CREATE) };

    mnl_attr_put_strz(el.h, NFTA_SET_ELEM_LIST_TABLE, table);
    mnl_attr_put_strz(el.h, NFTA_SET_ELEM_LIST_SET, set);
    el.list = mnl_attr_nest_start(el.h, NFTA_SET_ELEM_LIST_ELEMENTS);
    return el;
}

static void end_elements(struct nl_batch *b, struct elements *el)
{
    mnl_attr_nest_end(el->h, el->list);
    nl_batch_added(b, el->h);
}

static struct nlattr *begin_element(struct elements *el, const void *key, size_t bytes)
{
    struct nlattr *element = mnl_attr_nest_start(el->h, NFTA_LIST_ELEM);
    struct nlattr *in_key = mnl_attr_nest_start(el->h, NFTA_SET_ELEM_KEY);

    mnl_attr_put(el->h, NFTA_DATA_VALUE, bytes, key);
    mnl_attr_nest_end(el->h, in_key);
    return element;
}

static void add_ports(struct nl_batch *b, const struct rules *r, const char *name, const uint16_t *ports,
                      uint32_t count)
{
    struct nftnl_set *s = new_set(b, r, name, NFT_SET_CONSTANT, TYPE_SERVICE, sizeof(uint16_t));
    struct elements el;

    nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, count);
    add_set(b, s);
    if (count == 0)
        return;
    el = begin_elements(b, r->set->table, name, false);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = htons(ports[i]);

        mnl_attr_nest_end(el.h, begin_element(&el, &port, sizeof(port)));
    }
    end_elements(b, &el);
}

/* A set of networks: each range is its first address and, marked as an end, the first behind it. */
static void add_networks(struct nl_batch *b, const struct rules *r, const struct family *f, const char *name,
                         const struct prefix *at, size_t count)
{
    enum { ONCE = 256 };
    struct range *ranges = must(calloc(count + 1, sizeof(*ranges)));
    size_t n = ranges_of(at, count, f->nfproto == NFPROTO_IPV4 ? 4 : 6, ranges);

    add_set(b, new_set(b, r, name, NFT_SET_INTERVAL, f->key_type, f->bytes));
    for (size_t i = 0; i < n;) {
        struct elements el = begin_elements(b, r->set->table, name, false);

        for (size_t stop = i + ONCE; i < n && i < stop; i++) {
            struct nlattr *element = begin_element(&el, ranges[i].first, f->bytes);

            mnl_attr_nest_end(el.h, element);
            if (ranges[i].to_the_end)
                continue;
            element = begin_element(&el, ranges[i].behind, f->bytes);
            mnl_attr_put_u32(el.h, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
            mnl_attr_nest_end(el.h, element);
        }
        end_elements(b, &el);
    }
    free(ranges);
}

/* Expressions: what a rule does, in the kernel's own steps. */

static struct nftnl_expr *add(struct nftnl_rule *rule, const char *name)
{
    struct nftnl_expr *x = must(nftnl_expr_alloc(name));

    nftnl_rule_add_expr(rule, x);
    return x;
}

/* What was loaded must be this. */
static void compare(struct nftnl_rule *rule, const void *value, uint32_t bytes)
{
    struct nftnl_expr *x = add(rule, "cmp");

    nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
    nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, value, bytes);
}

static void must_be_bytes(struct nftnl_rule *rule, uint32_t meta, const void *value, uint32_t bytes)
{
    struct nftnl_expr *x = add(rule, "meta");

    nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, meta);
    nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, NFT_REG_1);
    compare(rule, value, bytes);
}

static void must_be(struct nftnl_rule *rule, uint32_t meta, uint8_t value)
{
    must_be_bytes(rule, meta, &value, sizeof(value));
}

static void load(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t bytes)
{
    struct nftnl_expr *x = add(rule, "payload");

    nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, bytes);
}

static void look_up(struct nftnl_rule *rule, const char *set, bool absent)
{
    struct nftnl_expr *x = add(rule, "lookup");

    nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, set);
    if (absent)
        nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void verdict(struct nftnl_rule *rule, int what, const char *chain)
{
    struct nftnl_expr *x = add(rule, "immediate");

    nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)what);
    if (chain)
        nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

static struct nftnl_rule *new_rule(const struct rules *r, const char *chain)
{
    struct nftnl_rule *rule = must(nftnl_rule_alloc());

    nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, r->set->table);
    nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
    return rule;
}

static void add_rule(struct nl_batch *b, struct nftnl_rule *rule)
{
    struct nlmsghdr *h = nl_batch_add(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

    nftnl_rule_nlmsg_build_payload(h, rule);
    nftnl_rule_free(rule);
    nl_batch_added(b, h);
}

static void to_ports(struct nftnl_rule *rule, const char *set)
{
    must_be(rule, NFT_META_L4PROTO, TCP);
    load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
    look_up(rule, set, false);
}

/* Of SYN and ACK, SYN alone: what is connected already stays so. */
static void begins_a_connection(struct nftnl_rule *rule)
{
    enum { FLAGS = 13, SYN = 0x02, ACK = 0x10 }; /* RFC 9293, 3.1 */
    const uint8_t mask = SYN | ACK;
    const uint8_t change = 0;
    const uint8_t syn = SYN;
    struct nftnl_expr *x;

    load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, FLAGS, 1);
    x = add(rule, "bitwise");
    nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
    nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
    nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, &change, sizeof(change));
    compare(rule, &syn, sizeof(syn));
}

static void from_set(struct nftnl_rule *rule, const struct family *f, const char *set, bool absent)
{
    load(rule, NFT_PAYLOAD_NETWORK_HEADER, f->saddr, f->bytes);
    look_up(rule, set, absent);
}

/* The statement `queue num N`, in either of the kernel's two ways. */
static void queue(struct nftnl_rule *rule, const struct rules *r)
{
    uint16_t number = r->set->hold_queue ? r->set->hold_queue : HOLD_QUEUE;
    uint16_t bypass = r->set->hold_fails_open;
    struct nftnl_expr *x;
    uint16_t *info;

    if (!r->old_queue) {
        x = add(rule, "queue");
        nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_NUM, number);
        nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_TOTAL, 1);
        nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_FLAGS, bypass ? NFT_QUEUE_FLAG_BYPASS : 0);
        return;
    }
    x = add(rule, "target");
    info = must(calloc(4, sizeof(*info))); /* struct xt_NFQ_info_v3, padded to 8; the expression frees it */
    info[0] = number;
    info[1] = 1;
    info[2] = bypass;
    nftnl_expr_set_str(x, NFTNL_EXPR_TG_NAME, "NFQUEUE");
    nftnl_expr_set_u32(x, NFTNL_EXPR_TG_REV, 3);
    nftnl_expr_set(x, NFTNL_EXPR_TG_INFO, info, 4 * sizeof(*info));
} /* NOLINT(clang-analyzer-unix.Malloc): info is the expression's */

/* Goes on if the source has an element in `set`, or gets one, and what it holds (owned from here on) says so. */
static void for_source(struct nftnl_rule *rule, const struct family *f, const char *set, uint32_t op,
                       struct nftnl_expr *holds)
{
    struct nftnl_expr *x;

    must_be(rule, NFT_META_NFPROTO, f->nfproto);
    load(rule, NFT_PAYLOAD_NETWORK_HEADER, f->saddr, f->bytes);
    x = add(rule, "dynset");
    nftnl_expr_set_u32(x, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
    nftnl_expr_set_u32(x, NFTNL_EXPR_DYNSET_OP, op);
    nftnl_expr_set_str(x, NFTNL_EXPR_DYNSET_SET_NAME, set);
    nftnl_expr_add_expr(x, NFTNL_EXPR_DYNSET_EXPRESSIONS, holds);
}

static void add_count(struct nl_batch *b, const struct rules *r, const struct family *f)
{
    struct nftnl_rule *rule = new_rule(r, "stop");

    for_source(rule, f, f->counted, NFT_DYNSET_OP_ADD, must(nftnl_expr_alloc("counter")));
    add_rule(b, rule);
}

/* One log line, if this source has not had its share of the minute. */
static void add_log(struct nl_batch *b, const struct rules *r, const struct family *f)
{
    struct nftnl_rule *rule = new_rule(r, "stop");
    struct nftnl_expr *limit = must(nftnl_expr_alloc("limit"));
    struct nftnl_expr *x;

    nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, r->set->log_per_minute);
    nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, 60);
    nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, 1);
    nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    for_source(rule, f, f->logged, NFT_DYNSET_OP_UPDATE, limit);
    x = add(rule, "log");
    nftnl_expr_set_str(x, NFTNL_EXPR_LOG_PREFIX, "serviola: ");
    add_rule(b, rule);
}

static void reset(struct nftnl_rule *rule)
{
    struct nftnl_expr *x;

    must_be(rule, NFT_META_L4PROTO, TCP);
    x = add(rule, "reject");
    nftnl_expr_set_u32(x, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
    nftnl_expr_set_u8(x, NFTNL_EXPR_REJECT_CODE, 0);
}

static void add_stop(struct nl_batch *b, const struct rules *r)
{
    struct nftnl_rule *rule = new_rule(r, "stop");

    for (size_t i = 0; i < 2; i++)
        add_count(b, r, &families[i]);
    for (size_t i = 0; r->set->log_per_minute > 0 && i < 2; i++)
        add_log(b, r, &families[i]);
    if (r->set->how == HAND_REJECT)
        reset(rule);
    else
        verdict(rule, NF_DROP, NULL);
    add_rule(b, rule);
}

static void add_mail(struct nl_batch *b, const struct rules *r)
{
    for (size_t i = 0; i < 2; i++) {
        struct nftnl_rule *rule = new_rule(r, "mail");

        must_be(rule, NFT_META_NFPROTO, families[i].nfproto);
        from_set(rule, &families[i], families[i].block, false);
        verdict(rule, NFT_JUMP, "stop");
        add_rule(b, rule);
    }
}

static void add_hold(struct nl_batch *b, const struct rules *r, const struct family *f, const char *chain,
                     const char *who)
{
    struct nftnl_rule *rule = new_rule(r, chain);

    must_be(rule, NFT_META_NFPROTO, f->nfproto);
    to_ports(rule, "ports");
    from_set(rule, f, who, false);
    from_set(rule, f, f->allowed, true);
    queue(rule, r);
    add_rule(b, rule);
}

static void add_hook(struct nl_batch *b, const struct rules *r, const char *chain, int hook)
{
    struct nftnl_rule *rule;

    add_chain(b, r, chain, hook);
    rule = new_rule(r, chain);
    to_ports(rule, "ports");
    verdict(rule, NFT_JUMP, "mail");
    add_rule(b, rule);
}

/* Who is in already hears from the gate itself why it has to go. */
static void add_doors(struct nl_batch *b, const struct rules *r)
{
    struct nftnl_rule *rule;

    add_chain(b, r, "input", NF_INET_LOCAL_IN);
    rule = new_rule(r, "input");
    to_ports(rule, "doors");
    begins_a_connection(rule);
    verdict(rule, NFT_JUMP, "mail");
    add_rule(b, rule);
}

/* ---- the guard ---- */

static void add_gate_user(struct nl_batch *b, const struct rules *r)
{
    struct nftnl_rule *rule = new_rule(r, "guard");

    must_be_bytes(rule, NFT_META_SKUID, &r->set->guard_uid, sizeof(r->set->guard_uid));
    verdict(rule, NFT_RETURN, NULL);
    add_rule(b, rule);
}

static void add_open_place(struct nl_batch *b, const struct rules *r, struct addr place)
{
    const struct family *f = &families[place.family == 6];
    struct nftnl_rule *rule = new_rule(r, "guard");
    uint16_t port = htons(place.port);

    must_be(rule, NFT_META_NFPROTO, f->nfproto);
    must_be(rule, NFT_META_L4PROTO, TCP);
    load(rule, NFT_PAYLOAD_NETWORK_HEADER, f->daddr, f->bytes);
    compare(rule, place.ip, f->bytes);
    load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port));
    compare(rule, &port, sizeof(port));
    verdict(rule, NFT_RETURN, NULL);
    add_rule(b, rule);
}

static void add_guard(struct nl_batch *b, const struct rules *r)
{
    add_ports(b, r, "guarded", r->set->guard, r->set->guard_count);
    add_chain(b, r, "guard", NF_INET_LOCAL_OUT);
    add_gate_user(b, r);
    for (uint32_t i = 0; i < r->set->guard_open_count; i++)
        add_open_place(b, r, r->set->guard_open[i]);
    for (size_t i = 0; i < 2; i++) {
        const struct family *f = &families[i];
        struct nftnl_rule *rule = new_rule(r, "guard");

        must_be(rule, NFT_META_NFPROTO, f->nfproto);
        to_ports(rule, "guarded");
        load(rule, NFT_PAYLOAD_NETWORK_HEADER, f->daddr, f->loopback_bytes);
        compare(rule, f->loopback, f->loopback_bytes);
        begins_a_connection(rule);
        reset(rule);
        add_rule(b, rule);
    }
}

void rules_add_content(struct nl_batch *b, const struct rules *r)
{
    add_ports(b, r, "ports", r->set->ports, r->set->ports_count);
    add_ports(b, r, "doors", r->set->doors, r->set->doors_count);
    for (size_t i = 0; i < 2; i++)
        add_address_sets(b, r, &families[i]);
    add_chain(b, r, "stop", -1);
    add_chain(b, r, "mail", -1);
    add_stop(b, r);
    add_mail(b, r);
    if (!r->set->gate_only) {
        add_hook(b, r, "forward", NF_INET_FORWARD);
        add_hook(b, r, "output", NF_INET_LOCAL_OUT);
    }
    if (r->set->doors_count > 0)
        add_doors(b, r);
    if (r->set->guard_count > 0)
        add_guard(b, r);
    for (size_t i = 0; r->hold && i < 2; i++) {
        const struct family *f = &families[i];

        add_networks(b, r, f, f->inside, r->inside, r->inside_count);
        add_networks(b, r, f, f->allowed, r->allowed, r->allowed_count);
        add_networks(b, r, f, f->local, r->local, r->local_count);
        add_hold(b, r, f, "forward", f->inside);
        add_hold(b, r, f, "output", f->local);
    }
}

/* What the kernel counted before the set was put back goes on counting. */
static void put_counter(struct nlmsghdr *h, const struct ban *x)
{
    struct nlattr *expr = mnl_attr_nest_start(h, NFTA_SET_ELEM_EXPR);
    struct nlattr *data;

    mnl_attr_put_strz(h, NFTA_EXPR_NAME, "counter");
    data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
    mnl_attr_put_u64(h, NFTA_COUNTER_BYTES, htobe64(x->bytes));
    mnl_attr_put_u64(h, NFTA_COUNTER_PACKETS, htobe64(x->packets));
    mnl_attr_nest_end(h, data);
    mnl_attr_nest_end(h, expr);
}

static void put_timeout(struct nlmsghdr *h, const struct ban *x, int64_t now_us)
{
    int64_t left_ms = (x->until_us - now_us + 999) / 1000;

    mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)(left_ms > 0 ? left_ms : 1)));
}

void rules_elements(struct nl_batch *b, const char *table, enum rules_what what, const struct ban *const *at,
                    size_t count, int64_t now_us)
{
    const struct family *f;
    struct elements el;

    assert(count > 0 && count <= RULES_ELEMENTS);
    f = &families[at[0]->who.family == 6];
    el = begin_elements(b, table, what == RULES_BLOCK || what == RULES_UNBLOCK ? f->block : f->counted,
                        what == RULES_UNBLOCK || what == RULES_UNCOUNT);
    for (size_t i = 0; i < count; i++) {
        struct nlattr *element = begin_element(&el, at[i]->who.ip, f->bytes);

        if (what == RULES_BLOCK)
            put_timeout(el.h, at[i], now_us);
        if (what == RULES_COUNT)
            put_counter(el.h, at[i]);
        mnl_attr_nest_end(el.h, element);
    }
    end_elements(b, &el);
}

size_t rules_size(const struct rules *r, size_t blocks)
{
    size_t networks = r->hold ? r->inside_count + r->allowed_count + r->local_count : 0;

    return 2 * (size_t)NL_MESSAGE + (2 * blocks + 2 * networks + HAND_PORTS + 2 * HAND_LISTENS) * RULES_ELEMENT_BYTES +
           r->set->guard_open_count * (size_t)GUARD_PLACE_BYTES;
}
