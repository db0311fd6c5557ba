/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain - what a picture of a host shows, in plain words.
 *
 * Each explainer answers one question; pure: a picture, and what the journal
 * says of the minutes around it, in; findings out.  A
 * finding says how grave it is, what it rests on, and what to do next.  Its
 * texts are fit for a terminal: bytes from outside are escaped in them.
 */
#ifndef SERVIOLA_VIEW_EXPLAIN_EXPLAIN_H
#define SERVIOLA_VIEW_EXPLAIN_EXPLAIN_H
#include <stdio.h>

#include "journal/event.h"
#include "snap/snap.h"

enum { FINDINGS_MOST = 96, FINDING_PROOFS = 10 };

struct finding {
    const char *id; /* "self_loop": for programs, never changes */
    enum grade grade;
    bool likely; /* not certain: the picture allows another reading */
    char text[900];
    char proof[FINDING_PROOFS][320];
    unsigned proofs;
    unsigned proofs_more; /* that did not fit */
    char next[400];
};

struct findings {
    struct finding at[FINDINGS_MOST]; /* the gravest first */
    size_t count;
    size_t more; /* that did not fit */
};

/* What can be found: { id, what it means }, ends with a NULL id. */
struct finding_kind {
    const char *id, *what;
};
extern const struct finding_kind finding_kinds[];

/* What the journal holds around the picture, the oldest first: events that explain_past_wants. */
struct explain_past {
    const struct event *at;
    size_t count;
};
enum { EXPLAIN_PAST_MOST = 1024 };
static const int64_t EXPLAIN_BEFORE_US = 900 * INT64_C(1000000);
static const int64_t EXPLAIN_AFTER_US = 60 * INT64_C(1000000);
bool explain_past_wants(const struct snap *s, const struct event *ev);

/* `past` may be NULL; the caller frees what is found with free(). */
struct findings *explain_with(const struct snap *s, const struct explain_past *past, struct err *e);
struct findings *explain(const struct snap *s, struct err *e); /* of the picture alone */

void findings_print(const struct findings *f, FILE *to, bool colour);
void findings_json(const struct findings *f, FILE *to); /* one line each */
#endif
