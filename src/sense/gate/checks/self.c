/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * self - does this connection come from ourselves?
 *
 * Either end tells: newer kernels show a connect to 127.0.1.50 as coming from
 * 127.0.0.1, older ones from 127.0.1.50 itself.  The local end of a client
 * from outside is one of our addresses, but never a loopback one.
 */
#include "sense/gate/check.h"
#include "sense/gate/ours.h"

static void found_loop(struct visit *v, struct addr end, const char *which)
{
    struct event ev = event_new(EV_GATE_LOOP_FOUND);
    struct addr_words words = addr_ip_text(end);

    event_add_words(&ev, F_WHY, which);
    if (v->means->tell)
        v->means->tell(v->means->ctx, &ev, v);
    visit_found(v, CHECK_SELF, FOUND_HIT, "%s, %s", which, words.text);
}

static void self_start(struct visit *v)
{
    if (!visit_is_outside(v))
        visit_found(v, CHECK_SELF, FOUND_NOTHING, "%s", "");
    else if (ours_addr(v->means, v->peer))
        found_loop(v, v->peer, "the client's address is our own");
    else if (addr_is_loopback(v->local) || addr_is_unspecified(v->local))
        found_loop(v, v->local, "it was sent to an address of this host alone");
    else
        visit_found(v, CHECK_SELF, FOUND_NOTHING, "%s", "");
}

const struct check check_self = {
    .name = "self",
    .starts = STAGE_CONNECT,
    .due = STAGE_CONNECT,
    .start = self_start,
};
