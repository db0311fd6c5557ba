/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line - an event as one line: for lists with every field, for the console as a sentence.
 *
 *   2026-11-22 18:28:03.123  #812  warn   hunt.mail_seen  10.1.0.2:40312 > 203.0.113.31:25  path=a@b.example  <- #811
 *   18:28:03.123  WARN   10.1.0.2 spoke SMTP to 203.0.113.31 port 25 with MAIL FROM:<a@b.example>  (#812)
 *
 * An event that has no number yet is told without one.  Whatever the event carries, it stays one line and no escape
 * sequence of its own reaches the terminal.
 */
#ifndef SERVIOLA_VIEW_LINE_H
#define SERVIOLA_VIEW_LINE_H
#include <stdbool.h>

#include "base/text.h"
#include "journal/event.h"

enum { LINE_TEXT = 2048 }; /* holds every event */

void line_full(struct text *t, const struct event *ev, bool colour);
void line_short(struct text *t, const struct event *ev, bool colour);
/* name=value name="two words", each field in its order; a quote inside is \". */
void line_fields(struct text *t, const struct event *ev);
/* One value in words, by the type of its field. */
void line_value(struct text *t, enum field f, struct slice value);
#endif
