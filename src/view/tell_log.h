/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tell_log - the sentences of the part log, and of what it finds in the lines.
 */
#ifndef SERVIOLA_VIEW_TELL_LOG_H
#define SERVIOLA_VIEW_TELL_LOG_H
#include "base/text.h"
#include "journal/event.h"
#include "view/why.h"

const char *tell_log_template(enum event_kind kind); /* NULL: none of ours */
/* What was found in the lines of the host, or the matter that was asked for: since when, whether it goes on, the proof,
 * and what to do.  False, and nothing written: no such matter is among what is known. */
bool why_log_answer(struct text *t, const struct why_case *c);
#endif
