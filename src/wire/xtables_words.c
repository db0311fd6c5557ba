/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the matches and targets of iptables say, each out of its own struct (linux/netfilter/xt_*.h). */
#include <netinet/in.h>
#include <string.h>
/* after the C library's, which has the same types */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_connlimit.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include "base/addr.h"
#include "wire/xtables.h"

/* False when it is shorter than that; then the name alone is told. */
static bool take(void *to, size_t size, const struct xtables_extension *e)
{
    if (e->data.len < size)
        return false;
    memcpy(to, e->data.at, size);
    return true;
}

static void quoted(struct text *to, const char *option, const char *words, size_t most)
{
    size_t len = strnlen(words, most);

    if (len == 0)
        return;
    text_addf(to, "%s \"", option);
    for (size_t i = 0; i < len; i++) {
        if (words[i] == '"' || words[i] == '\\')
            text_word(to, "\\");
        text_add(to, slice_of(words + i, 1));
    }
    text_word(to, "\" ");
}

static const char *no(bool inverted)
{
    return inverted ? "! " : "";
}

static void range(struct text *to, const char *option, bool inverted, const uint16_t from_to[2])
{
    if (from_to[0] == 0 && from_to[1] == UINT16_MAX)
        return;
    text_addf(to, "%s%s %u", no(inverted), option, (unsigned)from_to[0]);
    if (from_to[1] != from_to[0])
        text_addf(to, ":%u", (unsigned)from_to[1]);
    text_word(to, " ");
}

static struct addr address(const struct xtables_extension *e, const union nf_inet_addr *a)
{
    return addr_from_ip(e->family, (const void *)a, 0);
}

/* --- matches */

static void flags(struct text *to, unsigned set)
{
    static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };
    bool any = false;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (set & 1U << i) {
            text_addf(to, "%s%s", any ? "," : "", names[i]);
            any = true;
        }
    text_word(to, any ? " " : "NONE ");
}

static void on_tcp(struct text *to, const struct xtables_extension *e)
{
    struct xt_tcp m;

    if (!take(&m, sizeof(m), e))
        return;
    range(to, "--sport", m.invflags & XT_TCP_INV_SRCPT, m.spts);
    range(to, "--dport", m.invflags & XT_TCP_INV_DSTPT, m.dpts);
    if (m.flg_mask != 0 || (m.invflags & XT_TCP_INV_FLAGS)) {
        text_addf(to, "%s--tcp-flags ", no(m.invflags & XT_TCP_INV_FLAGS));
        flags(to, m.flg_mask);
        flags(to, m.flg_cmp);
    }
    if (m.option != 0)
        text_addf(to, "%s--tcp-option %u ", no(m.invflags & XT_TCP_INV_OPTION), (unsigned)m.option);
}

static void on_udp(struct text *to, const struct xtables_extension *e)
{
    struct xt_udp m;

    if (!take(&m, sizeof(m), e))
        return;
    range(to, "--sport", m.invflags & XT_UDP_INV_SRCPT, m.spts);
    range(to, "--dport", m.invflags & XT_UDP_INV_DSTPT, m.dpts);
}

static void on_icmp(struct text *to, const struct xtables_extension *e)
{
    struct ipt_icmp m;

    if (!take(&m, sizeof(m), e) || m.type == UINT8_MAX)
        return;
    text_addf(to, "%s%s %u", no(m.invflags & IPT_ICMP_INV), e->family == 4 ? "--icmp-type" : "--icmpv6-type",
              (unsigned)m.type);
    if (m.code[0] != 0 || m.code[1] != UINT8_MAX)
        text_addf(to, "/%u", (unsigned)m.code[0]);
    text_word(to, " ");
}

/* The first revision, which nobody has used since 2005, ends before what tells ranges. */
static void on_multiport(struct text *to, const struct xtables_extension *e)
{
    struct xt_multiport_v1 m;

    if (e->revision < 1 || !take(&m, sizeof(m), e))
        return;
    text_addf(to, "%s%s ", no(m.invert),
              m.flags == XT_MULTIPORT_SOURCE        ? "--sports"
              : m.flags == XT_MULTIPORT_DESTINATION ? "--dports"
                                                    : "--ports");
    for (size_t i = 0; i < m.count && i < XT_MULTI_PORTS; i++)
        text_addf(to, "%s%u", i == 0 ? "" : m.pflags[i - 1] ? ":" : ",", (unsigned)m.ports[i]);
    text_word(to, " ");
}

/* The match `state` has UNTRACKED at the bit that is SNAT's in `conntrack`. */
static void states(struct text *to, unsigned set, unsigned untracked)
{
    const struct {
        unsigned bit;
        const char *name;
    } all[] = { { XT_CONNTRACK_STATE_INVALID, "INVALID" },
                { XT_CONNTRACK_STATE_BIT(IP_CT_NEW), "NEW" },
                { XT_CONNTRACK_STATE_BIT(IP_CT_RELATED), "RELATED" },
                { XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED), "ESTABLISHED" },
                { untracked, "UNTRACKED" },
                { XT_CONNTRACK_STATE_SNAT & ~untracked, "SNAT" },
                { XT_CONNTRACK_STATE_DNAT, "DNAT" } };
    bool any = false;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (set & all[i].bit) {
            text_addf(to, "%s%s", any ? "," : "", all[i].name);
            any = true;
        }
    text_word(to, " ");
}

static void on_conntrack(struct text *to, const struct xtables_extension *e)
{
    struct xt_conntrack_mtinfo1 first = { .match_flags = 0 };
    struct xt_conntrack_mtinfo2 m; /* the third revision's begins alike */

    if (e->revision == 1 && take(&first, sizeof(first), e)) {
        m.match_flags = first.match_flags;
        m.invert_flags = first.invert_flags;
        m.state_mask = first.state_mask;
    } else if (e->revision < 2 || !take(&m, sizeof(m), e)) {
        return;
    }
    if (m.match_flags & XT_CONNTRACK_STATE) {
        text_addf(to, "%s--ctstate ", no(m.invert_flags & XT_CONNTRACK_STATE));
        states(to, m.state_mask, XT_CONNTRACK_STATE_UNTRACKED);
    }
    if (m.match_flags & ~(XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS))
        text_word(to, "(and more) ");
}

static void on_state(struct text *to, const struct xtables_extension *e)
{
    struct xt_state_info m;

    if (!take(&m, sizeof(m), e))
        return;
    text_word(to, "--state ");
    states(to, m.statemask, XT_STATE_UNTRACKED);
}

static void on_comment(struct text *to, const struct xtables_extension *e)
{
    quoted(to, "--comment", (const char *)e->data.at,
           e->data.len < XT_MAX_COMMENT_LEN ? e->data.len : XT_MAX_COMMENT_LEN);
}

static void on_limit(struct text *to, const struct xtables_extension *e)
{
    static const struct {
        uint32_t scale;
        const char *name;
    } per[] = { { XT_LIMIT_SCALE, "sec" },
                { XT_LIMIT_SCALE * 60, "min" },
                { XT_LIMIT_SCALE * 60 * 60, "hour" },
                { XT_LIMIT_SCALE * 60 * 60 * 24, "day" } };
    struct xt_rateinfo m;
    size_t i = 0;

    if (!take(&m, sizeof(m), e) || m.avg == 0)
        return;
    while (i + 1 < sizeof(per) / sizeof(per[0]) && m.avg > per[i].scale)
        i++;
    text_addf(to, "--limit %u/%s --limit-burst %u ", per[i].scale / m.avg, per[i].name, m.burst);
}

static void ids(struct text *to, const char *option, bool inverted, uint32_t from, uint32_t last)
{
    text_addf(to, "%s%s %u", no(inverted), option, from);
    if (last != from)
        text_addf(to, "-%u", last);
    text_word(to, " ");
}

static void on_owner(struct text *to, const struct xtables_extension *e)
{
    struct xt_owner_match_info m;

    if (!take(&m, sizeof(m), e))
        return;
    if (m.match & XT_OWNER_UID)
        ids(to, "--uid-owner", m.invert & XT_OWNER_UID, m.uid_min, m.uid_max);
    if (m.match & XT_OWNER_GID)
        ids(to, "--gid-owner", m.invert & XT_OWNER_GID, m.gid_min, m.gid_max);
}

static void on_mark(struct text *to, const struct xtables_extension *e)
{
    struct xt_mark_mtinfo1 m;

    if (!take(&m, sizeof(m), e))
        return;
    text_addf(to, "%s--mark 0x%x", no(m.invert), m.mark);
    if (m.mask != UINT32_MAX)
        text_addf(to, "/0x%x", m.mask);
    text_word(to, " ");
}

static void on_connlimit(struct text *to, const struct xtables_extension *e)
{
    struct xt_connlimit_info m;

    if (take(&m, sizeof(m), e))
        text_addf(to, "%s %u ", m.flags & XT_CONNLIMIT_INVERT ? "--connlimit-upto" : "--connlimit-above", m.limit);
}

static void on_recent(struct text *to, const struct xtables_extension *e)
{
    struct xt_recent_mtinfo m;

    if (!take(&m, sizeof(m), e))
        return;
    text_addf(to, "%s%s ", no(m.invert),
              m.check_set & XT_RECENT_SET      ? "--set"
              : m.check_set & XT_RECENT_UPDATE ? "--update"
              : m.check_set & XT_RECENT_REMOVE ? "--remove"
                                               : "--rcheck");
    if (m.seconds > 0)
        text_addf(to, "--seconds %u ", m.seconds);
    if (m.hit_count > 0)
        text_addf(to, "--hitcount %u ", m.hit_count);
    quoted(to, "--name", m.name, sizeof(m.name));
}

static void on_iprange(struct text *to, const struct xtables_extension *e)
{
    struct xt_iprange_mtinfo m;

    if (!take(&m, sizeof(m), e))
        return;
    if (m.flags & IPRANGE_SRC)
        text_addf(to, "%s--src-range %s-%s ", no(m.flags & IPRANGE_SRC_INV), addr_ip_text(address(e, &m.src_min)).text,
                  addr_ip_text(address(e, &m.src_max)).text);
    if (m.flags & IPRANGE_DST)
        text_addf(to, "%s--dst-range %s-%s ", no(m.flags & IPRANGE_DST_INV), addr_ip_text(address(e, &m.dst_min)).text,
                  addr_ip_text(address(e, &m.dst_max)).text);
}

/* --- targets */

static void on_log(struct text *to, const struct xtables_extension *e)
{
    struct xt_log_info m;

    if (take(&m, sizeof(m), e))
        quoted(to, "--log-prefix", m.prefix, sizeof(m.prefix));
}

static void on_nflog(struct text *to, const struct xtables_extension *e)
{
    struct xt_nflog_info m;

    if (!take(&m, sizeof(m), e))
        return;
    text_addf(to, "--nflog-group %u ", (unsigned)m.group);
    quoted(to, "--nflog-prefix", m.prefix, sizeof(m.prefix));
}

static void on_nfqueue(struct text *to, const struct xtables_extension *e)
{
    struct xt_NFQ_info m;

    if (take(&m, sizeof(m), e))
        text_addf(to, "--queue-num %u ", (unsigned)m.queuenum);
}

static void on_reject(struct text *to, const struct xtables_extension *e)
{
    static const char *const four[] = {
        "icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable",
        "echo-reply",           "icmp-net-prohibited",   "icmp-host-prohibited",   "tcp-reset",
        "icmp-admin-prohibited"
    };
    static const char *const six[] = {
        "icmp6-no-route",         "icmp6-adm-prohibited", "icmp6-not-neighbour", "icmp6-addr-unreachable",
        "icmp6-port-unreachable", "echo-reply",           "tcp-reset",           "icmp6-policy-fail",
        "icmp6-reject-route"
    };
    uint32_t with;

    if (take(&with, sizeof(with), e) && with < sizeof(four) / sizeof(four[0]))
        text_addf(to, "--reject-with %s ", e->family == 4 ? four[with] : six[with]);
}

static void on_mark_set(struct text *to, const struct xtables_extension *e)
{
    struct xt_mark_tginfo2 m;

    if (e->revision >= 2 && take(&m, sizeof(m), e))
        text_addf(to, "--set-xmark 0x%x/0x%x ", m.mark, m.mask);
}

/* What the address and the port become, for all four that translate. */
static bool nat_range(const struct xtables_extension *e, struct nf_nat_range *r)
{
    struct nf_nat_ipv4_multi_range_compat old;

    if (e->family != 4 || e->revision > 0)
        return take(r, sizeof(*r), e);
    if (!take(&old, sizeof(old), e))
        return false;
    memset(r, 0, sizeof(*r));
    r->flags = old.range[0].flags;
    r->min_addr.ip = old.range[0].min_ip;
    r->max_addr.ip = old.range[0].max_ip;
    r->min_proto = old.range[0].min;
    r->max_proto = old.range[0].max;
    return true;
}

static void nat(struct text *to, const struct xtables_extension *e, const char *option)
{
    struct nf_nat_range r;
    bool six = e->family == 6;

    if (!nat_range(e, &r) || !(r.flags & (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED)))
        return;
    text_addf(to, "%s ", option);
    if (r.flags & NF_NAT_RANGE_MAP_IPS) {
        bool port = six && (r.flags & NF_NAT_RANGE_PROTO_SPECIFIED);

        text_addf(to, "%s%s", port ? "[" : "", addr_ip_text(address(e, &r.min_addr)).text);
        if (memcmp(&r.min_addr, &r.max_addr, six ? 16 : 4) != 0)
            text_addf(to, "-%s", addr_ip_text(address(e, &r.max_addr)).text);
        text_word(to, port ? "]:" : r.flags & NF_NAT_RANGE_PROTO_SPECIFIED ? ":" : "");
    }
    if (r.flags & NF_NAT_RANGE_PROTO_SPECIFIED) {
        text_addf(to, "%u", (unsigned)ntohs(r.min_proto.all));
        if (r.min_proto.all != r.max_proto.all)
            text_addf(to, "-%u", (unsigned)ntohs(r.max_proto.all));
    }
    text_word(to, " ");
}

static void on_snat(struct text *to, const struct xtables_extension *e)
{
    nat(to, e, "--to-source");
}

static void on_dnat(struct text *to, const struct xtables_extension *e)
{
    nat(to, e, "--to-destination");
}

static void on_redirect(struct text *to, const struct xtables_extension *e)
{
    nat(to, e, "--to-ports");
}

/* --- */

struct known {
    const char *name;
    void (*show)(struct text *to, const struct xtables_extension *e);
};

static void show(struct text *to, const struct xtables_extension *e, const struct known *known, size_t count)
{
    text_add(to, e->name);
    text_word(to, " ");
    for (size_t i = 0; i < count; i++)
        if (slice_eq(e->name, slice_text(known[i].name)))
            known[i].show(to, e);
}

void xtables_match(struct text *to, const struct xtables_extension *e)
{
    static const struct known known[] = {
        { "tcp", on_tcp },         { "udp", on_udp },
        { "icmp", on_icmp },       { "icmp6", on_icmp },
        { "state", on_state },     { "conntrack", on_conntrack },
        { "comment", on_comment }, { "multiport", on_multiport },
        { "limit", on_limit },     { "owner", on_owner },
        { "mark", on_mark },       { "connlimit", on_connlimit },
        { "recent", on_recent },   { "iprange", on_iprange },
    };

    text_word(to, "-m ");
    show(to, e, known, sizeof(known) / sizeof(known[0]));
}

void xtables_target(struct text *to, const struct xtables_extension *e)
{
    static const struct known known[] = {
        { "LOG", on_log },       { "NFLOG", on_nflog },       { "NFQUEUE", on_nfqueue },
        { "REJECT", on_reject }, { "MARK", on_mark_set },     { "SNAT", on_snat },
        { "DNAT", on_dnat },     { "REDIRECT", on_redirect }, { "MASQUERADE", on_redirect },
    };

    text_word(to, "-j ");
    show(to, e, known, sizeof(known) / sizeof(known[0]));
}
