/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsbl - what lists in the DNS say about the client, by their weights (RFC 5782).
 *
 * Lists of good clients take off what others add.  127.255.255.x is what lists answer
 * to those whom they refuse to serve: no hit.  A list that does not answer
 * counts as one that does not name the client: it must not stop all mail.
 */
#include <stdlib.h>

#include "base/text.h"
#include "sense/gate/check.h"
#include "sense/gate/dns.h"

struct listing {
    struct visit *visit;
    unsigned open; /* questions, and one while they are being asked */
    int64_t weight;
    char words[VISIT_REASON];
    struct text text; /* into words */
    struct one_list {
        struct listing *all;
        const struct gate_dnsbl *list;
        struct dns_query *query;
    } at[GATE_DNSBLS];
};

static void dnsbl_stop(struct visit *v)
{
    void **own = visit_own(v, CHECK_DNSBL);
    struct listing *l = *own;

    if (!l)
        return;
    for (size_t i = 0; i < GATE_DNSBLS; i++)
        dns_drop(l->at[i].query);
    free(l);
    *own = NULL;
}

static void conclude(struct listing *l)
{
    struct visit *v = l->visit;
    int64_t from = (int64_t)v->means->set->dnsbl_from;
    enum found found = l->weight < 0 ? FOUND_GOOD : l->weight >= from && l->weight > 0 ? FOUND_HIT : FOUND_NOTHING;
    char words[VISIT_REASON];

    (void)text_cstr(words, sizeof(words), slice_of(l->words, l->text.len));
    dnsbl_stop(v);
    visit_found(v, CHECK_DNSBL, found, "%s", words);
}

bool dnsbl_counts(const struct gate_dnsbl *list, struct addr answer)
{
    static const struct prefix refused = { .net = { .family = 4, .ip = { 127, 255, 255, 0 } }, .bits = 24 };

    if (prefix_has(refused, answer))
        return false;
    for (uint32_t i = 0; i < list->is.count; i++)
        if (prefix_has(list->is.at[i], answer))
            return true;
    return list->is.count == 0 && addr_is_loopback(answer);
}

static void on_listed(void *ctx, const struct dns_answer *a)
{
    struct one_list *one = ctx;
    struct listing *l = one->all;
    const struct addr *hit = NULL;

    one->query = NULL;
    for (uint32_t i = 0; i < a->count && !hit; i++)
        if (dnsbl_counts(one->list, a->at[i].addr))
            hit = &a->at[i].addr;
    if (hit) {
        l->weight += one->list->good ? -(int64_t)one->list->weight : (int64_t)one->list->weight;
        text_addf(&l->text, "%s%s says %s", l->text.len > 0 ? ", " : "", one->list->zone, addr_ip_text(*hit).text);
    } else if (a->code == DNS_FAILED)
        text_addf(&l->text, "%s%s does not answer", l->text.len > 0 ? ", " : "", one->list->zone);
    if (--l->open == 0)
        conclude(l);
}

static void dnsbl_start(struct visit *v)
{
    const struct gate_settings *set = v->means->set;
    struct listing *l = set->dnsbls_count > 0 ? calloc(1, sizeof(*l)) : NULL;

    dnsbl_stop(v);
    *visit_own(v, CHECK_DNSBL) = l;
    if (!l) {
        visit_found(v, CHECK_DNSBL, FOUND_NOTHING, "%s", "");
        return;
    }
    l->visit = v;
    l->open = 1;
    l->text = TEXT_IN(l->words);
    for (uint32_t i = 0; i < set->dnsbls_count && i < GATE_DNSBLS; i++) {
        struct one_list *one = &l->at[i];
        char name[DNS_NAME];

        *one = (struct one_list){ .all = l, .list = &set->dnsbls[i] };
        if (!dns_reverse_name(v->peer, slice_text(one->list->zone), name, sizeof(name)))
            continue;
        l->open++;
        one->query = dns_ask(v->means->dns, DNS_A, slice_text(name), on_listed, one);
    }
    if (--l->open == 0)
        conclude(l);
}

const struct check check_dnsbl = {
    .name = "dnsbl",
    .starts = STAGE_CONNECT,
    .due = STAGE_RCPT,
    .start = dnsbl_start,
    .stop = dnsbl_stop,
};
