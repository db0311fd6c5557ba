/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tell - an event as a plain sentence.
 *
 * One template a kind: {src}, {dst} and the names of fields stand for
 * values, {at} for its time; a part in [brackets] is left out when a value in
 * it is missing.  A template is a whole sentence or clause, so that each
 * language has its own order.
 */
#ifndef SERVIOLA_VIEW_TELL_H
#define SERVIOLA_VIEW_TELL_H
#include <stdbool.h>

#include "base/text.h"
#include "journal/event.h"

/* No full stop at the end.  `who` stands for {src} ("it"); NULL: its address.  Times are told as seen from `now_us`. */
void tell(struct text *t, const struct event *ev, const char *who, int64_t now_us);
/* The same by a template of the caller's; false when a value outside of brackets was missing. */
bool tell_as(struct text *t, const char *template, const struct event *ev, const char *who, int64_t now_us);
#endif
