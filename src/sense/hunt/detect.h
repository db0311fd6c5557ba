/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * detect - from what flows say to events about who says it.
 *
 * The story's rule (any mail from a host that is not on the allow list) and
 * limits on rate, servers, senders, domains, names, refusals and bytes.  Each
 * is told once per source and window, with its proof.  Only confirmed flows
 * of hosts inside, to servers that are not ours, lead to findings.
 *
 * A minute has room for so many findings, and for so many of one network card
 * (mouths.h).  The first one of an IPv4 host is not counted against its card:
 * behind a router many have the same, and each must be blocked.  One that
 * finds no room is due again at the host's next mail.
 */
#ifndef SERVIOLA_HUNT_DETECT_H
#define SERVIOLA_HUNT_DETECT_H
#include "sense/hunt/engine.h"
#include "sense/hunt/flow.h"
#include "sense/hunt/mouths.h"
#include "sense/hunt/session.h"
#include "sense/hunt/source.h"

enum { DETECT_LOOSE = 64, DETECT_LOOSE_US = 60000000 }; /* events about unproven or outside sources: so many a minute */
enum {
    DETECT_MOUTH = 32,          /* events a minute about one network card's proven sources */
    DETECT_FAIR = 4,            /* first findings of a card that go out when the minute is full, up to twice its size */
    DETECT_SUMS = 512,          /* sources at a time whose doings after the finding are summed up */
    DETECT_SILENT_US = 1000000, /* so long a source says nothing before it is */
};

struct detect_sum { /* a source of a finding */
    struct addr who;
    uint64_t told;  /* its mails, as the finding said */
    int64_t end_us; /* of its window */
};

struct detect {
    struct sources *sources; /* owned by the engine, as all here */
    const struct engine_calls *calls;
    struct engine_counts *counts;
    int64_t loose_since_us;
    uint32_t loose;
    uint32_t generation; /* changes with the lists */
    uint64_t findings;   /* most in a minute; 0: no limit */
    uint64_t told;       /* in the present one */
    uint64_t seed;
    struct mouths mouths;
    uint32_t sums_count;
    struct detect_sum sums[DETECT_SUMS];
};

/* The flow was proven: count it, and judge what it said before. */
void detect_confirmed(struct detect *d, struct flow *f, int64_t now_us);
void detect_said(struct detect *d, struct flow *f, enum said what, struct slice text, struct slice user,
                 int64_t now_us);
void detect_bytes(struct detect *d, struct flow *f, int64_t now_us); /* f->bytes were sent */
/* Mail without a proof: hunt.unconfirmed. */
void detect_unconfirmed(struct detect *d, struct flow *f, int64_t now_us);
/* hunt.overlap, hunt.gap, hunt.line_too_long: once per source and window. */
void detect_oddity(struct detect *d, struct flow *f, enum event_kind kind, uint64_t bytes, int64_t now_us);
bool detect_exempt(struct detect *d, struct flow *f); /* see struct flow */
/* A minute may be over, and sources silent. */
void detect_tick(struct detect *d, int64_t now_us);
void detect_table_full(struct detect *d, const char *table, uint64_t evicted, uint64_t cap, int64_t now_us);
#endif
