/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is an address of ours on a DNS list (RFC 5782)?  Well: it is not.  Before it is said that it is, the list is asked
 * for 127.0.0.1, which none may name: one that names everybody, as those that were given up do, says nothing.
 */
#include <stdio.h>

#include "sense/watch/services/attempt.h"

enum step { OURS, NOBODY };

static void ask(struct attempt *a, struct addr who, void (*answered)(struct attempt *a, struct slice message))
{
    const struct key_addrs *resolvers = a->prober->resolvers;
    char name[DNS_NAME];

    if (resolvers->count == 0)
        attempt_missed(a, "no name server is known to ask");
    else if (!dns_reverse_name(who, slice_text(a->service->to), name, sizeof(name)))
        attempt_missed(a, "the name of the list is too long");
    else
        dns_exchange_begin(a, resolvers->at, resolvers->count, DNS_A, name, answered);
}

static void answered(struct attempt *a, struct slice message)
{
    struct prober *p = a->prober;
    struct dns_answer answer;
    uint32_t ttl_s;
    bool found;

    if (!dns_read(message, DNS_A, slice_text(a->dns.name), &p->room, &answer, &ttl_s) || answer.code == DNS_FAILED) {
        attempt_missed(a, "the list does not answer");
        return;
    }
    found = answer.code == DNS_FOUND && answer.at[0].addr.ip[0] == 127;
    if (a->step == OURS && !found)
        attempt_well(a);
    else if (a->step == OURS && answer.at[0].addr.ip[1] == 255)
        attempt_missed(a, "the list refuses to answer (%s)", addr_ip_text(answer.at[0].addr).text);
    else if (a->step == OURS) {
        a->step = NOBODY;
        (void)snprintf(a->out, sizeof(a->out), "%s", addr_ip_text(answer.at[0].addr).text);
        ask(a, addr_v4(0x7f000001, 0), answered);
    } else if (found)
        attempt_missed(a, "the list names everybody: it says nothing");
    else
        attempt_missed(a, "%.46s is on the list (%.16s)", a->service->ask, a->out);
}

static void start(struct attempt *a)
{
    struct addr own;

    if (addr_read(slice_text(a->service->ask), &own))
        ask(a, own, answered);
}

const struct kind kind_dnslist = { .placeless = true, .start = start };
