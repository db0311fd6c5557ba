/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rdns - has the client's address a name?
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/check.h"
#include "sense/gate/checks/names.h"

static void keep(struct names *n, const struct dns_answer *a)
{
    for (uint32_t i = 0; i < a->count && n->count < NAMES_MOST; i++)
        if (a->at[i].name.len > 0 && text_cstr(n->at[n->count], sizeof(n->at[0]), a->at[i].name))
            n->count++;
}

static void on_names(void *ctx, const struct dns_answer *a)
{
    struct names *n = ctx;
    struct visit *v = n->visit;

    n->query = NULL;
    if (a->code == DNS_FAILED) {
        v->rdns = RDNS_UNSURE;
        visit_found(v, CHECK_RDNS, FOUND_UNSURE, "its name could not be asked for");
        return;
    }
    keep(n, a);
    if (n->count == 0) {
        v->rdns = RDNS_NONE;
        visit_found(v, CHECK_RDNS, FOUND_HIT, "%s has no name", addr_ip_text(v->peer).text);
        return;
    }
    v->rdns = RDNS_UNCONFIRMED;
    free(v->rdns_name);
    v->rdns_name = strdup(n->at[0]);
    visit_found(v, CHECK_RDNS, FOUND_NOTHING, "%s", "");
}

void rdns_names_free(struct visit *v)
{
    void **own = visit_own(v, CHECK_RDNS);
    struct names *n = *own;

    if (!n)
        return;
    dns_drop(n->query);
    free(n);
    *own = NULL;
}

static void rdns_start(struct visit *v)
{
    struct names *n = calloc(1, sizeof(*n));

    rdns_names_free(v);
    *visit_own(v, CHECK_RDNS) = n;
    if (!n) {
        v->rdns = RDNS_UNSURE;
        visit_found(v, CHECK_RDNS, FOUND_UNSURE, "no memory");
        return;
    }
    n->visit = v;
    n->query = dns_ask_ptr(v->means->dns, v->peer, on_names, n);
}

const struct check check_rdns = {
    .name = "rdns",
    .starts = STAGE_CONNECT,
    .due = STAGE_RCPT,
    .facts = true,
    .start = rdns_start,
    .stop = rdns_names_free,
};
