/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tell_gate - the sentences of the gate's events, and its answer to `serviola why ADDRESS`.
 */
#ifndef SERVIOLA_VIEW_TELL_GATE_H
#define SERVIOLA_VIEW_TELL_GATE_H
#include "view/why.h"

/* A template of view/tell.h; NULL: none, the event's own words do. */
const char *tell_gate_template(enum event_kind kind);
/* What the gate decided about c->who and what it waits for; false: the gate has not met it. */
bool why_gate_answer(struct text *t, const struct why_case *c);
#endif
