/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question to one name server: it must know an answer, and where one is wanted, this one. */
#include <string.h>

#include "base/text.h"
#include "sense/watch/services/attempt.h"
#include "wire/dnsask.h"

static bool is_wanted(const struct dns_record *r, enum dns_kind kind, struct slice wanted)
{
    if (kind == DNS_A || kind == DNS_AAAA)
        return slice_eq(slice_text(addr_ip_text(r->addr).text), wanted);
    return slice_eq_nocase(kind == DNS_TXT ? r->text : r->name, wanted);
}

static void answered(struct attempt *a, struct slice message)
{
    struct prober *p = a->prober;
    struct slice wanted = slice_text(a->service->content);
    struct dns_answer answer;
    uint32_t ttl_s;

    if (!dns_read(message, a->dns.kind, slice_text(a->dns.name), &p->room, &answer, &ttl_s))
        attempt_missed(a, "its answer makes no sense");
    else if (answer.code == DNS_FAILED)
        attempt_missed(a, "it can't answer (code %u)", dnsask_code(message));
    else if (answer.code != DNS_FOUND)
        attempt_missed(a, "it says that %.50s %s", a->dns.name,
                       answer.code == DNS_NO_NAME ? "does not exist" : "has no such record");
    for (uint32_t i = 0; a->open && i < answer.count; i++)
        if (wanted.len == 0 || is_wanted(&answer.at[i], a->dns.kind, wanted))
            attempt_well(a);
    if (a->open)
        attempt_missed(a, "it answers, but not with %.60s", a->service->content);
}

static void start(struct attempt *a)
{
    dns_exchange_begin(a, &a->to, 1, (enum dns_kind)a->service->type, a->service->ask, answered);
}

const struct kind kind_dns = { .start = start };
