/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xtables - rules of iptables in words, as iptables-save writes them.
 *
 * A whole table of iptables-legacy, as getsockopt(IPT_SO_GET_ENTRIES) gives
 * it (linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h);
 * and one match or target alone, as rules of nftables carry those that
 * iptables-nft made (nft_compat).
 *
 * Pure: bytes in, words out; the bytes need not be aligned.
 */
#ifndef SERVIOLA_WIRE_XTABLES_H
#define SERVIOLA_WIRE_XTABLES_H
#include "base/slice.h"
#include "base/text.h"

enum { XTABLES_HOOKS = 5 }; /* prerouting, input, forward, output, postrouting */

/* Where the chains of the kernel's own begin and where their policies stand: offsets into the entries. */
struct xtables_heads {
    uint32_t hooks; /* a bit for each that the table has */
    uint32_t entry[XTABLES_HOOKS], policy[XTABLES_HOOKS];
};

struct xtables_rule {
    struct slice chain; /* borrowed */
    const char *hook;   /* "input" ...: this is the policy of that chain; NULL: a rule */
    bool drops;         /* of a policy */
    uint64_t packets, bytes;
    struct slice text; /* "-s 192.0.2.0/24 -p tcp -m tcp --dport 25 -j DROP"; until `found` returns */
};

/* Each chain's policy before its rules; `family` 4 or 6.  False: what follows the last one is no entry. */
bool xtables_read(uint8_t family, const struct xtables_heads *heads, struct slice entries,
                  void (*found)(void *own, const struct xtables_rule *rule), void *own);

struct xtables_extension {
    uint8_t family; /* 4 or 6 */
    uint8_t revision;
    struct slice name, data; /* borrowed */
};
/* "-m tcp --dport 25 ", "-j LOG --log-prefix \"worm \" "; of those that are not known, the name. */
void xtables_match(struct text *to, const struct xtables_extension *e);
void xtables_target(struct text *to, const struct xtables_extension *e);
#endif
