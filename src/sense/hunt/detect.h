/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * detect - from what flows say to events about who says it.
 *
 * The story's rule (any mail from a host that is not on the allow list) and
 * limits on rate, servers, senders, domains, names, refusals and bytes.  Each
 * is told once per source and window, with its proof.  Only confirmed flows
 * of hosts inside, to servers that are not ours, lead to findings.
 */
#ifndef SERVIOLA_HUNT_DETECT_H
#define SERVIOLA_HUNT_DETECT_H
#include "sense/hunt/engine.h"
#include "sense/hunt/flow.h"
#include "sense/hunt/session.h"
#include "sense/hunt/source.h"

enum { DETECT_LOOSE = 64, DETECT_LOOSE_US = 60000000 }; /* events about unproven or outside sources: so many a minute */

struct detect {
    struct sources *sources;          /* owned by the engine, as all here */
    const struct engine_calls *calls;
    struct engine_counts *counts;
    int64_t loose_since_us;
    uint32_t loose;
    uint32_t generation;              /* changes with the lists */
};

/* The flow was proven: count it, and judge what it said before. */
void detect_confirmed(struct detect *d, struct flow *f, int64_t now_us);
void detect_said(struct detect *d, struct flow *f, enum said what, struct slice text, struct slice user, int64_t now_us);
void detect_bytes(struct detect *d, struct flow *f, int64_t now_us); /* f->bytes were sent */
/* Mail without a proof: hunt.unconfirmed. */
void detect_unconfirmed(struct detect *d, struct flow *f, int64_t now_us);
/* hunt.overlap, hunt.gap, hunt.line_too_long: once per source and window. */
void detect_oddity(struct detect *d, struct flow *f, enum event_kind kind, uint64_t bytes, int64_t now_us);
bool detect_exempt(struct detect *d, struct flow *f); /* see struct flow */
void detect_table_full(struct detect *d, const char *table, uint64_t evicted, uint64_t cap, int64_t now_us);
#endif
