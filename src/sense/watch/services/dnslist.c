/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is an address of ours on a DNS list (RFC 5782)?  Well: it is not, and with `ask: own` none is; they are asked for one
 * after the other.  Before it is said that one is, the list is asked for 127.0.0.1, which none may name: one that names
 * everybody, as those that were given up do, says nothing.
 */
#include <stdio.h>

#include "sense/watch/services/attempt.h"

enum step { OURS, NOBODY };

static void answered(struct attempt *a, struct slice message);

static void ask(struct attempt *a, struct addr who)
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

/* The address that is asked for as number a->number; false: there is no more. */
static bool who_is_next(const struct attempt *a, struct addr *who)
{
    const struct own *own = &a->prober->own;

    if (!services_ask_own(a->service))
        return a->number == 0 && addr_read(slice_text(a->service->ask), who);
    if (a->number >= own->count)
        return false;
    *who = own->at[a->number].addr;
    return true;
}

static void go_on(struct attempt *a)
{
    struct addr who;

    if (who_is_next(a, &who))
        ask(a, who);
    else if (a->listed == 0)
        attempt_well(a);
    else {
        a->step = NOBODY;
        ask(a, addr_v4(0x7f000001, 0));
    }
}

static void found(struct attempt *a, struct addr code)
{
    struct addr who;

    if (a->listed++ == 0 && who_is_next(a, &who))
        (void)snprintf(a->out, sizeof(a->out), "%.46s is on the list (%.16s)", addr_ip_text(who).text,
                       addr_ip_text(code).text);
}

static void answered(struct attempt *a, struct slice message)
{
    struct prober *p = a->prober;
    struct dns_answer answer;
    uint32_t ttl_s;
    bool listed;

    if (!dns_read(message, DNS_A, slice_text(a->dns.name), &p->room, &answer, &ttl_s) || answer.code == DNS_FAILED) {
        attempt_missed(a, "the list does not answer");
        return;
    }
    listed = answer.code == DNS_FOUND && answer.at[0].addr.ip[0] == 127;
    if (a->step == NOBODY && listed)
        attempt_missed(a, "the list names everybody: it says nothing");
    else if (a->step == NOBODY && a->listed > 1)
        attempt_missed(a, "%.75s, and %u more of ours", a->out, a->listed - 1);
    else if (a->step == NOBODY)
        attempt_missed(a, "%.90s", a->out);
    else if (listed && answer.at[0].addr.ip[1] == 255)
        attempt_missed(a, "the list refuses to answer (%s)", addr_ip_text(answer.at[0].addr).text);
    else {
        if (listed)
            found(a, answer.at[0].addr);
        a->number++;
        go_on(a);
    }
}

static void start(struct attempt *a)
{
    a->number = 0;
    a->listed = 0;
    if (services_ask_own(a->service) && a->prober->own.count == 0)
        attempt_missed(a, "this host has no public address; gate.own may name those that lead to it");
    else
        go_on(a);
}

const struct kind kind_dnslist = { .placeless = true, .start = start };
