/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * generic - is the client's name one that a provider makes up for each address of a home line?
 */
#include "sense/gate/check.h"
#include "wire/genericname.h"

static bool is_exempt(const struct visit *v)
{
    const struct key_prefixes *nets = &v->means->set->generic_exempt;

    for (uint32_t i = 0; i < nets->count; i++)
        if (prefix_has(nets->at[i], v->peer))
            return true;
    return false;
}

/* A name that says "static" or "mail" is believed once it is confirmed. */
static void generic_start(struct visit *v)
{
    struct generic_hit hit;
    enum generic kind =
        v->rdns_name && !is_exempt(v) ? generic_name(slice_text(v->rdns_name), v->peer, &hit) : GENERIC_NOT;

    if (kind == GENERIC_YES || (kind == GENERIC_OWNED && v->rdns == RDNS_UNCONFIRMED))
        visit_found(v, CHECK_GENERIC, FOUND_HIT, "%s holds %s%s%.*s", v->rdns_name, hit.how,
                    hit.word.len > 0 ? " and says " : "", (int)hit.word.len, (const char *)hit.word.at);
    else
        visit_found(v, CHECK_GENERIC, FOUND_NOTHING, "%s", "");
}

const struct check check_generic = {
    .name = "generic",
    .starts = STAGE_CONNECT,
    .due = STAGE_RCPT,
    .after = 1 << CHECK_CONFIRMED,
    .start = generic_start,
};
