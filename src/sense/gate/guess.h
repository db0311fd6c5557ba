/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guess - who tries passwords?  Wrong ones are counted by address, and by network (/24, /64) when they are tried on
 * several accounts.
 *
 * Whoever is over the limit is told (gate.password_guessing, or gate.password_guesser when it is to be blocked), and
 * for a time refused when it comes to log in.  A user who mistypes is not: the same wrong password again is no new
 * guess, the right one makes up for those before, and where an account is at home it may be wrong three times as often.
 * Networks of our own are told and never refused: all of a webmail's users come from its one address.
 *
 * Of a password nothing is kept but 32 bits of a keyed hash, in memory, for as long as it is counted.
 */
#ifndef SERVIOLA_GATE_GUESS_H
#define SERVIOLA_GATE_GUESS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "journal/event.h"
#include "sense/gate/settings.h"

enum {
    GUESS_SOURCES = 16384, /* addresses, and as many networks; the oldest leaves */
    GUESS_AT_HOME = 3,     /* so many times the limit, for an account where it is at home */
    GUESS_NETWORK = 3,     /* so many times the limit for a network, */
    GUESS_ACCOUNTS = 3,    /* on so many accounts */
};

struct guesses;
/* `set` is borrowed and may change between calls.  All clocks here are wall clocks. */
struct guesses *guesses_new(const struct gate_accounts *set, uint64_t seed, void (*tell)(void *ctx, struct event *ev),
                            void *ctx, struct err *e);
void guesses_free(struct guesses *g); /* NULL is fine */

/* What a password is known by here; never 0. */
uint64_t guesses_mark(const struct guesses *g, struct slice secret);
/* A login failed.  `mark` 0: nothing is known of its password.  `home`: the account is at home at this address. */
void guesses_failed(struct guesses *g, struct addr client, struct slice user, uint64_t mark, bool home, int64_t now_us);
void guesses_passed(struct guesses *g, struct addr client, struct slice user, int64_t now_us);
/* Until when nobody logs in from there; 0: anybody may try. */
int64_t guesses_refuse(const struct guesses *g, struct addr client, int64_t now_us);
#endif
