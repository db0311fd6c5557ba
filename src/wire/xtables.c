/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
/* after the C library's, which has the same types */
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "base/addr.h"
#include "wire/xtables.h"

enum { WORDS = 2048 };

static const char *const hook_names[XTABLES_HOOKS] = { "prerouting", "input", "forward", "output", "postrouting" };
static const char *const chain_names[XTABLES_HOOKS] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

/* What both families have, out of either. */
struct entry {
    uint8_t family;
    struct ipt_ip four;
    struct ip6t_ip6 six;
    size_t head, target, next; /* offsets of matches, target and end */
    struct xt_counters counters;
    struct slice target_name, target_data;
    uint8_t target_revision;
    struct slice bytes; /* all of it */
};

static struct slice name_in(const char *at, size_t most)
{
    return slice_of(at, strnlen(at, most));
}

#define FIELD(to, s, family, field)                                                                                    \
    memcpy(&(to), (s).at + ((family) == 4 ? offsetof(struct ipt_entry, field) : offsetof(struct ip6t_entry, field)),   \
           sizeof(to))

static bool entry_read(uint8_t family, struct slice entries, size_t offset, struct entry *e)
{
    struct slice s = slice_skip(entries, offset);
    const struct xt_entry_target *action;
    uint16_t target;
    uint16_t next;

    *e = (struct entry){ .family = family };
    e->head = family == 4 ? offsetof(struct ipt_entry, elems) : offsetof(struct ip6t_entry, elems);
    if (s.len < e->head)
        return false;
    if (family == 4)
        memcpy(&e->four, s.at, sizeof(e->four));
    else
        memcpy(&e->six, s.at, sizeof(e->six));
    FIELD(target, s, family, target_offset);
    FIELD(next, s, family, next_offset);
    FIELD(e->counters, s, family, counters);
    if (target < e->head || next < target + sizeof(*action) || next > s.len)
        return false;
    e->target = target;
    e->next = next;
    e->bytes = slice_first(s, next);
    e->target_name = name_in((const char *)s.at + target + offsetof(struct xt_entry_target, u.user.name),
                             sizeof(action->u.user.name));
    e->target_revision = s.at[target + offsetof(struct xt_entry_target, u.user.revision)];
    e->target_data = slice_skip(e->bytes, target + sizeof(*action));
    return true;
}

/* The entry before a chain that a user made carries its name. */
static bool is_header(const struct entry *e, struct slice *chain)
{
    struct slice data = e->target_data;

    if (!slice_eq(e->target_name, SLICE(XT_ERROR_TARGET)))
        return false;
    *chain = name_in((const char *)data.at, data.len < XT_FUNCTION_MAXNAMELEN ? data.len : XT_FUNCTION_MAXNAMELEN);
    return true;
}

/* What an own target of x_tables says: a verdict below 0, or where to jump; false: it is another's. */
static bool verdict_of(const struct entry *e, int *verdict)
{
    if (e->target_name.len != 0 || e->target_data.len < sizeof(*verdict))
        return false;
    memcpy(verdict, e->target_data.at, sizeof(*verdict));
    return true;
}

/* --- what stands in every rule */

static struct addr address(const struct entry *e, const void *v4, const void *v6)
{
    return addr_from_ip(e->family, e->family == 4 ? v4 : v6, 0);
}

/* UINT8_MAX: the mask has holes. */
static unsigned mask_bits(const uint8_t *mask, size_t bytes)
{
    unsigned bits = 0;

    while (bits < 8 * bytes && (mask[bits / 8] & (0x80U >> bits % 8)))
        bits++;
    for (unsigned i = bits; i < 8 * bytes; i++)
        if (mask[i / 8] & (0x80U >> i % 8))
            return UINT8_MAX;
    return bits;
}

static void net(struct text *to, const char *option, bool inverted, struct addr a, const uint8_t *mask, size_t bytes)
{
    unsigned bits = mask_bits(mask, bytes);

    if (bits == 0)
        return;
    text_addf(to, "%s%s %s", inverted ? "! " : "", option, addr_ip_text(a).text);
    if (bits == UINT8_MAX)
        text_addf(to, "/%s", addr_ip_text(addr_from_ip(bytes == 4 ? 4 : 6, mask, 0)).text);
    else if (bits < 8 * bytes)
        text_addf(to, "/%u", bits);
    text_word(to, " ");
}

static void interface(struct text *to, const char *option, bool inverted, const char *name)
{
    size_t len = strnlen(name, IFNAMSIZ);

    if (len == 0)
        return;
    text_addf(to, "%s%s ", inverted ? "! " : "", option);
    text_add(to, slice_of(name, len));
    text_word(to, " ");
}

static void protocol(struct text *to, bool inverted, unsigned number)
{
    static const struct {
        unsigned number;
        const char *name;
    } known[] = { { IPPROTO_TCP, "tcp" },   { IPPROTO_UDP, "udp" },
                  { IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "ipv6-icmp" },
                  { IPPROTO_SCTP, "sctp" }, { IPPROTO_ESP, "esp" },
                  { IPPROTO_AH, "ah" },     { IPPROTO_GRE, "gre" } };

    if (number == 0)
        return;
    text_addf(to, "%s-p ", inverted ? "! " : "");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].number == number) {
            text_addf(to, "%s ", known[i].name);
            return;
        }
    text_addf(to, "%u ", number);
}

static void header(struct text *to, const struct entry *e)
{
    const struct ipt_ip *four = &e->four;
    const struct ip6t_ip6 *six = &e->six;
    bool is_v4 = e->family == 4;
    unsigned inverse = is_v4 ? four->invflags : six->invflags; /* of one meaning in both */
    size_t bytes = is_v4 ? 4 : 16;

    net(to, "-s", inverse & IPT_INV_SRCIP, address(e, &four->src, &six->src),
        is_v4 ? (const void *)&four->smsk : &six->smsk, bytes);
    net(to, "-d", inverse & IPT_INV_DSTIP, address(e, &four->dst, &six->dst),
        is_v4 ? (const void *)&four->dmsk : &six->dmsk, bytes);
    interface(to, "-i", inverse & IPT_INV_VIA_IN, is_v4 ? four->iniface : six->iniface);
    interface(to, "-o", inverse & IPT_INV_VIA_OUT, is_v4 ? four->outiface : six->outiface);
    protocol(to, inverse & IPT_INV_PROTO, is_v4 ? four->proto : six->proto);
    if (is_v4 && (four->flags & IPT_F_FRAG))
        text_addf(to, "%s-f ", inverse & IPT_INV_FRAG ? "! " : "");
}

/* The kernel's own rule at the end of a chain that a user made. */
static bool is_end(uint8_t family, struct slice entries, size_t at, const struct entry *e)
{
    struct entry behind;
    struct slice name;
    int verdict;

    return e->target == e->head && verdict_of(e, &verdict) && verdict == XT_RETURN &&
           entry_read(family, entries, at + e->next, &behind) && is_header(&behind, &name);
}

/* --- matches and the target */

/* False: what stands there is no match. */
static bool matches(struct text *to, const struct entry *e)
{
    size_t at = e->head;

    while (at < e->target) {
        struct slice s = slice_of(e->bytes.at + at, e->target - at);
        uint16_t size;

        if (s.len < sizeof(struct xt_entry_match))
            return false;
        memcpy(&size, s.at, sizeof(size)); /* u.match_size */
        if (size < sizeof(struct xt_entry_match) || size > s.len)
            return false;
        xtables_match(to, &(struct xtables_extension){
                              .family = e->family,
                              .revision = s.at[offsetof(struct xt_entry_match, u.user.revision)],
                              .name = name_in((const char *)s.at + offsetof(struct xt_entry_match, u.user.name),
                                              XT_EXTENSION_MAXNAMELEN),
                              .data = slice_skip(slice_first(s, size), sizeof(struct xt_entry_match)),
                          });
        at += size;
    }
    return true;
}

/* Where a jump leads: behind a chain's header, which is of one size, or to the beginning of one of the kernel's. */
static struct slice chain_at(uint8_t family, const struct xtables_heads *heads, struct slice entries, size_t offset)
{
    size_t size = family == 4 ? offsetof(struct ipt_entry, elems) : offsetof(struct ip6t_entry, elems);
    struct entry before;
    struct slice name;

    size += XT_ALIGN(sizeof(struct xt_error_target));
    if (offset >= size && entry_read(family, entries, offset - size, &before) && before.next == size &&
        is_header(&before, &name))
        return name;
    for (size_t h = 0; h < XTABLES_HOOKS; h++)
        if ((heads->hooks & 1U << h) && heads->entry[h] == offset)
            return slice_text(chain_names[h]);
    return SLICE("?");
}

static void action(struct text *to, const struct entry *e, const struct xtables_heads *heads, struct slice entries,
                   size_t offset)
{
    unsigned flags = e->family == 4 ? e->four.flags : e->six.flags;
    bool jumps_for_good = flags & (e->family == 4 ? IPT_F_GOTO : IP6T_F_GOTO);
    int verdict;

    if (!verdict_of(e, &verdict)) {
        xtables_target(to, &(struct xtables_extension){ .family = e->family,
                                                        .revision = e->target_revision,
                                                        .name = e->target_name,
                                                        .data = e->target_data });
    } else if (verdict < 0) {
        text_addf(to, "-j %s",
                  verdict == -NF_DROP - 1     ? "DROP"
                  : verdict == -NF_ACCEPT - 1 ? "ACCEPT"
                  : verdict == -NF_QUEUE - 1  ? "QUEUE"
                  : verdict == XT_RETURN      ? "RETURN"
                                              : "?");
    } else if ((size_t)verdict != offset + e->next) { /* else it only counts */
        text_word(to, jumps_for_good ? "-g " : "-j ");
        text_add(to, chain_at(e->family, heads, entries, (size_t)verdict));
    }
}

/* --- the table */

/* The hook of that offset: where its chain begins, or where its policy stands, as `offsets` say; -1: none. */
static int hook_at(const struct xtables_heads *heads, const uint32_t offsets[XTABLES_HOOKS], size_t offset)
{
    for (int h = 0; h < XTABLES_HOOKS; h++)
        if ((heads->hooks & 1U << h) && offsets[h] == offset)
            return h;
    return -1;
}

static bool policy(uint8_t family, const struct xtables_heads *heads, struct slice entries, int hook,
                   struct xtables_rule *r)
{
    struct entry e;
    int verdict = 0;

    *r = (struct xtables_rule){ .chain = slice_text(chain_names[hook]), .hook = hook_names[hook] };
    if (!entry_read(family, entries, heads->policy[hook], &e) || !verdict_of(&e, &verdict))
        return false;
    r->drops = verdict == -NF_DROP - 1;
    r->packets = e.counters.pcnt;
    r->bytes = e.counters.bcnt;
    return true;
}

bool xtables_read(uint8_t family, const struct xtables_heads *heads, struct slice entries,
                  void (*found)(void *own, const struct xtables_rule *rule), void *own)
{
    struct slice chain = SLICE("?");
    struct entry e;

    for (size_t at = 0; at < entries.len; at += e.next) {
        int hook = hook_at(heads, heads->entry, at);
        char words[WORDS];
        struct text t = TEXT_IN(words);
        struct xtables_rule r;

        if (!entry_read(family, entries, at, &e))
            return false;
        if (hook >= 0) {
            if (!policy(family, heads, entries, hook, &r))
                return false;
            chain = r.chain;
            found(own, &r);
        }
        if (hook_at(heads, heads->policy, at) >= 0 || is_header(&e, &chain) || is_end(family, entries, at, &e))
            continue;
        header(&t, &e);
        if (!matches(&t, &e))
            return false;
        action(&t, &e, heads, entries, at);
        r = (struct xtables_rule){ .chain = chain, .packets = e.counters.pcnt, .bytes = e.counters.bcnt };
        r.text = slice_trim(slice_of(words, t.len));
        found(own, &r);
    }
    return true;
}
