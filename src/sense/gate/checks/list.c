/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * list - is the client on one of our own lists: its address at once, its names as soon as they are known?
 */
#include "sense/gate/lists.h"

#include "sense/gate/check.h"

static void found(struct visit *v, enum check_id id, const char *what, const struct list_hit *h)
{
    static const enum gate_act acts[] = {
        [GATE_LIST_ALLOW] = GATE_OFF, [GATE_LIST_GREYLIST] = GATE_GREYLIST, [GATE_LIST_REFUSE] = GATE_REFUSE
    };

    if (h->means != GATE_LIST_ALLOW && (!v->listed || acts[h->means] > v->listed))
        v->listed = (uint8_t)acts[h->means];
    visit_found(v, id, h->means == GATE_LIST_ALLOW ? FOUND_GOOD : FOUND_HIT, "%s is in %s, line %u", what, h->list,
                h->line);
}

static void list_start(struct visit *v)
{
    struct list_hit h;

    if (lists_addr(v->means->lists, v->peer, &h))
        found(v, CHECK_LIST, addr_ip_text(v->peer).text, &h);
    else
        visit_found(v, CHECK_LIST, FOUND_NOTHING, "%s", "");
}

/* An unconfirmed name is the client's own word: it may be held against it, and never speaks for it. */
static void list_name_start(struct visit *v)
{
    const struct lists *l = v->means->lists;
    struct list_hit h;

    if (v->rdns_name && lists_name(l, GATE_LIST_RDNS, slice_text(v->rdns_name), &h) &&
        (h.means != GATE_LIST_ALLOW || v->rdns == RDNS_CONFIRMED))
        found(v, CHECK_LIST_NAME, v->rdns_name, &h);
    else if (v->helo && lists_name(l, GATE_LIST_HELO, slice_text(v->helo), &h) && h.means != GATE_LIST_ALLOW)
        found(v, CHECK_LIST_NAME, v->helo, &h);
    else
        visit_found(v, CHECK_LIST_NAME, FOUND_NOTHING, "%s", "");
}

const struct check check_list = {
    .name = "list",
    .starts = STAGE_CONNECT,
    .due = STAGE_CONNECT,
    .start = list_start,
};

const struct check check_list_name = {
    .name = "list",
    .starts = STAGE_HELO,
    .due = STAGE_MAIL,
    .after = 1 << CHECK_RDNS | 1 << CHECK_CONFIRMED,
    .start = list_name_start,
};
