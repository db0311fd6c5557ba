/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tarpit - places where refused clients get their reply a byte at a time.
 *
 * A place is a descriptor and 256 bytes; nothing is read, no checks run, no
 * server is kept waiting.  When the places are taken, clients are refused
 * at once as without a tarpit.
 */
#ifndef SERVIOLA_GATE_TARPIT_H
#define SERVIOLA_GATE_TARPIT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"

struct loop;
struct tarpit;
enum { TARPIT_REPLY = 240 };

/* set->tarpit places; 0 is fine, then each tarpit_take is false. */
struct tarpit *tarpit_new(struct loop *l, const struct gate_limits *set, struct err *e);
void tarpit_free(struct tarpit *t);                               /* hangs up on everybody */
void tarpit_set(struct tarpit *t, const struct gate_limits *set); /* after a reload: who sits there stays */
/* Takes fd over, which nobody watches, and says `reply` (cut to TARPIT_REPLY, CRLF at its end is the caller's) on it,
 * then closes it.  False: no place; fd stays yours. */
bool tarpit_take(struct tarpit *t, int fd, struct slice reply);
uint32_t tarpit_count(const struct tarpit *t);
#endif
