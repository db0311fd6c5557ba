/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/ownlist.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "sense/gate/dns.h"
#include "wire/dns.h"

#define HOUR_US 3600000000LL
enum { OWN_MOST = 16, ROUNDS = 4 };
static const int64_t rounds_us[ROUNDS] = { 0, HOUR_US, 6 * HOUR_US, 24 * HOUR_US };

static const struct {
    const char *zone, *page;
} pages[] = {
    { "spamhaus.org", "https://check.spamhaus.org/" },
    { "spamhaus.net", "https://check.spamhaus.org/" },
    { "spamcop.net", "https://www.spamcop.net/bl.shtml" },
    { "barracudacentral.org", "https://www.barracudacentral.org/rbl/removal-request" },
    { "surriel.com", "https://psbl.org/remove" },
    { "manitu.net", "https://www.dnsbl.manitu.net/" },
    { "uceprotect.net", "https://www.uceprotect.net/en/rblcheck.php" },
    { "mailspike.net", "https://mailspike.org/iplookup.html" },
    { "s5h.net", "https://www.usenix.org.uk/content/rbl.html" },
    { "dronebl.org", "https://dronebl.org/lookup" },
    { "gbudb.net", "https://www.gbudb.com/truncate/" },
    { "abuseat.org", "https://check.spamhaus.org/" },
};

struct question { /* one address on one list; its place stays the same over the rounds */
    struct ownlist *all;
    struct dns_query *query;
    struct addr who;
    char zone[128];
    bool listed; /* said already */
};

struct ownlist {
    struct gate_means *means;
    int64_t began_us;
    unsigned round; /* the next one; ROUNDS: none is due */
    uint32_t count;
    struct question at[OWN_MOST * GATE_DNSBLS];
};

const char *ownlist_page(struct slice zone)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct slice end = slice_text(pages[i].zone);

        if (zone.len >= end.len && slice_eq_nocase(slice_skip(zone, zone.len - end.len), end) &&
            (zone.len == end.len || zone.at[zone.len - end.len - 1] == '.'))
            return pages[i].page;
    }
    return NULL;
}

static void tell(const struct question *q, struct addr answer)
{
    const struct gate_means *m = q->all->means;
    const char *page = ownlist_page(slice_text(q->zone));
    struct event ev = event_new(EV_GATE_OWN_LISTED);
    char words[160];
    struct text t = TEXT_IN(words);

    text_addf(&t, "%s says %s", q->zone, addr_ip_text(answer).text);
    if (page)
        text_addf(&t, "; to be taken off: %s", page);
    ev.src = q->who;
    event_add_text(&ev, F_DOMAIN, slice_first(slice_text(q->zone), 64));
    event_add_words(&ev, F_WHY, words);
    m->tell(m->ctx, &ev, NULL);
}

static const struct gate_dnsbl *list_of(const struct question *q)
{
    const struct gate_settings *set = q->all->means->set;

    for (uint32_t i = 0; i < set->dnsbls_count; i++)
        if (slice_eq(slice_text(set->dnsbls[i].zone), slice_text(q->zone)))
            return &set->dnsbls[i];
    return NULL; /* a reload took it away */
}

static void on_answer(void *ctx, const struct dns_answer *a)
{
    struct question *q = ctx;
    const struct gate_dnsbl *list = list_of(q);
    bool was = q->listed;

    q->query = NULL;
    if (a->code == DNS_FAILED || !list)
        return;
    q->listed = false;
    for (uint32_t i = 0; i < a->count && !q->listed; i++) {
        q->listed = dnsbl_counts(list, a->at[i].addr);
        if (q->listed && !was)
            tell(q, a->at[i].addr);
    }
}

static struct question *place(struct ownlist *o, struct addr who, const char *zone)
{
    struct question *q;

    for (uint32_t i = 0; i < o->count; i++)
        if (addr_eq_ip(o->at[i].who, who) && slice_eq(slice_text(o->at[i].zone), slice_text(zone)))
            return &o->at[i];
    if (o->count == sizeof(o->at) / sizeof(o->at[0]))
        return NULL;
    q = &o->at[o->count++];
    q->all = o;
    q->who = who;
    (void)text_cstr(q->zone, sizeof(q->zone), slice_text(zone));
    return q;
}

static void ask_about(struct ownlist *o, struct addr who)
{
    const struct gate_settings *set = o->means->set;

    who = addr_ip(who);
    if (addr_is_loopback(who) || addr_is_private(who) || addr_is_link_local(who) || addr_is_unspecified(who))
        return;
    for (uint32_t i = 0; i < set->dnsbls_count; i++) {
        struct question *q = set->dnsbls[i].good ? NULL : place(o, who, set->dnsbls[i].zone);
        char name[DNS_NAME];

        if (q && !q->query && dns_reverse_name(who, slice_text(q->zone), name, sizeof(name)))
            q->query = dns_ask(o->means->dns, DNS_A, slice_text(name), on_answer, q);
    }
}

void ownlist_tick(struct ownlist *o)
{
    const struct gate_means *m = o->means;

    if (o->round == ROUNDS || m->now_us(m->ctx) - o->began_us < rounds_us[o->round])
        return;
    o->round++;
    for (size_t i = 0; m->self && i < m->self->count; i++)
        ask_about(o, m->self->own[i]);
    for (uint32_t i = 0; i < m->set->own.count; i++)
        if (m->set->own.at[i].bits == (m->set->own.at[i].net.family == 4 ? 32 : 128))
            ask_about(o, m->set->own.at[i].net);
}

void ownlist_begin(struct ownlist *o)
{
    o->began_us = o->means->now_us(o->means->ctx);
    o->round = 0;
}

struct ownlist *ownlist_new(struct gate_means *m, struct err *e)
{
    struct ownlist *o = calloc(1, sizeof(*o));

    if (!o) {
        (void)err_set(e, ENOMEM, "own addresses on lists");
        return NULL;
    }
    o->means = m;
    o->round = ROUNDS;
    return o;
}

void ownlist_free(struct ownlist *o)
{
    if (!o)
        return;
    for (uint32_t i = 0; i < o->count; i++)
        dns_drop(o->at[i].query);
    free(o);
}
