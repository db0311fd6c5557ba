/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the part log finds in the lines: one matter is several events, told apart by their flow.  Proofs and the end of
 * it come from its beginning.
 *
 * A log part that died after it had said something and before it noted that, says it again when it is back: the same
 * words, which are known here and dropped.
 */
#include "base/hash.h"
#include "core/core.h"

static bool was_said(struct core *c, const struct event *ev)
{
    uint64_t hash = hash_bytes(ev->body, ev->len, ev->kind);

    for (unsigned i = 0; i < CORE_SAID; i++)
        if (c->said[i] == hash)
            return true;
    c->said[c->said_next++ % CORE_SAID] = hash;
    return false;
}

bool matters_before(struct core *c, struct event *ev)
{
    const struct flow_seen *began;
    uint64_t flow;

    if ((ev->kind != EV_LOG_FOUND && ev->kind != EV_LOG_FOUND_OVER && ev->kind != EV_LOG_PROOF) ||
        !event_get_number(ev, F_FLOW, &flow))
        return true;
    if (was_said(c, ev))
        return false;
    began = &c->flows[flow % CORE_FLOWS];
    if (ev->kind != EV_LOG_FOUND && ev->cause == 0 && began->flow == flow)
        ev->cause = began->seq;
    return true;
}
