/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * confirmed - does one of the client's names lead back to its address?
 */
#include <stdlib.h>
#include <string.h>

#include "sense/gate/check.h"
#include "sense/gate/checks/names.h"
#include "sense/gate/organisation.h"

struct confirming {
    struct visit *visit;
    unsigned open; /* questions */
    bool asking;   /* not all of them are asked yet */
    bool unsure;
    const char *confirmed; /* one of names->at */
    struct question {
        struct confirming *all;
        struct dns_query *query;
        const char *name;
    } at[NAMES_MOST];
};

static void confirmed_stop(struct visit *v)
{
    void **own = visit_own(v, CHECK_CONFIRMED);
    struct confirming *c = *own;

    if (!c)
        return;
    for (size_t i = 0; i < NAMES_MOST; i++)
        dns_drop(c->at[i].query);
    free(c);
    *own = NULL;
}

static void take_name(struct visit *v, const char *name)
{
    char organisation[DNS_NAME];

    v->rdns = RDNS_CONFIRMED;
    free(v->rdns_name);
    v->rdns_name = strdup(name);
    free(v->organisation);
    v->organisation =
        organisation_of(slice_text(name), organisation, sizeof(organisation)) ? strdup(organisation) : NULL;
}

static void conclude(struct confirming *c)
{
    struct visit *v = c->visit;
    const char *name = c->confirmed; /* lives in the names */
    bool unsure = c->unsure;

    confirmed_stop(v);
    if (name)
        take_name(v, name);
    rdns_names_free(v);
    if (name)
        visit_found(v, CHECK_CONFIRMED, FOUND_NOTHING, "%s", "");
    else if (unsure) {
        v->rdns = RDNS_UNSURE;
        visit_found(v, CHECK_CONFIRMED, FOUND_UNSURE, "whether %s leads back could not be asked", v->rdns_name);
    } else
        visit_found(v, CHECK_CONFIRMED, FOUND_HIT, "%s does not lead to %s", v->rdns_name, addr_ip_text(v->peer).text);
}

static void on_addresses(void *ctx, const struct dns_answer *a)
{
    struct question *q = ctx;
    struct confirming *c = q->all;

    q->query = NULL;
    c->open--;
    c->unsure |= a->code == DNS_FAILED;
    for (uint32_t i = 0; i < a->count && !c->confirmed; i++)
        if (addr_eq_ip(a->at[i].addr, c->visit->peer))
            c->confirmed = q->name;
    if (!c->asking && (c->open == 0 || c->confirmed))
        conclude(c);
}

static void ask_all(struct visit *v, const struct names *n)
{
    struct confirming *c = calloc(1, sizeof(*c));

    confirmed_stop(v);
    *visit_own(v, CHECK_CONFIRMED) = c;
    if (!c) {
        rdns_names_free(v);
        v->rdns = RDNS_UNSURE;
        visit_found(v, CHECK_CONFIRMED, FOUND_UNSURE, "no memory");
        return;
    }
    c->visit = v;
    c->asking = true;
    for (uint32_t i = 0; i < n->count && !c->confirmed; i++) {
        struct question *q = &c->at[i];

        *q = (struct question){ .all = c, .name = n->at[i] };
        c->open++;
        q->query = dns_ask(v->means->dns, v->peer.family == 4 ? DNS_A : DNS_AAAA, slice_text(q->name), on_addresses, q);
    }
    c->asking = false;
    if (c->open == 0 || c->confirmed)
        conclude(c);
}

static void confirmed_start(struct visit *v)
{
    const struct names *n = *visit_own(v, CHECK_RDNS);

    if (v->rdns == RDNS_UNCONFIRMED && n && n->count > 0 && v->rdns_name) {
        ask_all(v, n);
        return;
    }
    rdns_names_free(v);
    if (v->rdns == RDNS_UNSURE)
        visit_found(v, CHECK_CONFIRMED, FOUND_UNSURE, "its name is not known now");
    else
        visit_found(v, CHECK_CONFIRMED, FOUND_NOTHING, "%s", ""); /* without a name: rdns says so */
}

const struct check check_confirmed = {
    .name = "confirmed",
    .starts = STAGE_CONNECT,
    .due = STAGE_RCPT,
    .after = 1 << CHECK_RDNS,
    .facts = true,
    .start = confirmed_start,
    .stop = confirmed_stop,
};
