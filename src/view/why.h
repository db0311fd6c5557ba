/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * why - the chain of causes, read backwards, in plain words.
 *
 * Pure: who asks brings what the journal and the running core say (struct
 * why_case); here it is only judged and told.  First one paragraph that
 * answers, then the chain with numbers and fields, then what followed from
 * it, then the evidence that was kept.
 */
#ifndef SERVIOLA_VIEW_WHY_H
#define SERVIOLA_VIEW_WHY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/text.h"
#include "journal/event.h"
#include "part/control.h"

enum { WHY_DEPTH = 32 /* a longer chain of causes is cut, and said to be */ };

struct why_case {
    struct addr who;           /* whom it is about; family 0: nobody in particular */
    const struct event *asked; /* the event that was asked for; NULL: the address was */
    const struct event *about; /* what is known about `who`, oldest first, its own number each */
    size_t count;
    bool more; /* older ones were left out */

    bool (*get)(void *ctx, uint64_t seq, struct event *ev); /* any event by its number */
    void *ctx;

    int64_t now_us;
    const char *silent;            /* why the core could not be asked; NULL: it answered */
    const struct ctl_entry *block; /* the block that stands now, as the core says; NULL: none */
    int mode;                      /* enum hunt_mode of the running core, else of the configuration */

    const char *standing; /* what the configuration says about `who`, a sentence; NULL: nothing */
    const char
        *looked_at; /* what was searched, for an answer that finds nothing: "12 events since 13:03:22 in /var/..." */
    const char *evidence; /* folder of the capture files; NULL: unknown */
};

/* What it comes down to. */
enum why_state {
    WHY_UNKNOWN, /* the journal knows nothing about it */
    WHY_SEEN,    /* known, and nothing speaks against it */
    WHY_NOTICED, /* a finding, and nothing was done */
    WHY_WOULD,   /* would be blocked, were it not for the mode */
    WHY_REFUSED, /* a block was asked for and refused */
    WHY_FAILED,  /* the kernel did not take the block */
    WHY_BLOCKED,
    WHY_GONE, /* the journal knows of a block, the running core does not */
    WHY_EXPIRED,
    WHY_LIFTED,
    WHY_ALLOWED,
    WHY_STATES
};
const char *why_state_name(enum why_state s); /* "blocked", "would be blocked" */

struct why_verdict {
    enum why_state state;
    const struct event *decision; /* the event that made it so; inside `about` or `asked`; NULL: none */
    const struct event *block;    /* the act.blocked it speaks of, also when it is over; NULL: none */
    int64_t until_us;             /* of that block; 0: unknown */
};
struct why_verdict why_judge(const struct why_case *c);

/* The answer alone: one paragraph. */
void why_answer(struct text *t, const struct why_case *c, const struct why_verdict *v);
/* `from` and what led to it, newest first.  At most WHY_DEPTH; returns how many. */
size_t why_chain(const struct why_case *c, const struct event *from, struct event chain[WHY_DEPTH]);

/* All of it, for people; lines are folded at `width` columns (0: never). */
void why_print(const struct why_case *c, FILE *to, unsigned width, bool colour);
/* {"about":"10.1.0.2","state":"blocked","until":"...","event":813,"answer":"..."}, then the chain, an event a line. */
void why_json(const struct why_case *c, FILE *to);
#endif
