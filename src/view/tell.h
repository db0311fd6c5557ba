/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tell - an event as a plain sentence.
 *
 * One template a kind: {src}, {dst} and the names of fields stand for
 * values, a part in [brackets] is left out when a value in it is missing.
 */
#ifndef SERVIOLA_VIEW_TELL_H
#define SERVIOLA_VIEW_TELL_H
#include "base/text.h"
#include "journal/event.h"

/* No full stop at the end.  `who` stands for {src} ("it"); NULL: its address.  Times are told as seen from `now_us`. */
void tell(struct text *t, const struct event *ev, const char *who, int64_t now_us);
#endif
