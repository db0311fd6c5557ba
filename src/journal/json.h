/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json - an event as one line for programs; view/line.h has the one for people.
 *
 *   {"seq":812,"at":"2026-11-22T18:28:03.123456Z","kind":"hunt.mail_seen","grade":"warn",
 *    "src":"10.1.0.2","sport":40112,"dst":"10.2.0.2","dport":25,"cause":811,"path":"john.doe@mail.com"}
 *
 * TEXT is a string (a byte that is no UTF-8 becomes \u00NN), NUMBER a number,
 * TIME as `at`, SPAN seconds with a fraction, HEX and ADDR strings.  src, dst,
 * their ports, cause, host and cut are left out when there is nothing to say.
 */
#ifndef SERVIOLA_JOURNAL_JSON_H
#define SERVIOLA_JOURNAL_JSON_H
#include <stdio.h>

#include "base/text.h"
#include "journal/event.h"

enum { EVENT_JSON_BYTES = 4096 }; /* no event needs more, terminator included */

void event_json(const struct event *ev, struct text *t); /* one object, no newline */

void event_print_schema(FILE *to); /* JSON Schema (2020-12) of event_json's object */
void event_print_mdoc(FILE *to);   /* the body of serviola-events(7) */
#endif
