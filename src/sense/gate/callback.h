/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * callback - does the client's own port 25 speak SMTP?  Connect, greeting, EHLO, QUIT; never RCPT.
 *
 * Three fences against a loop: an address of ours is never called
 * (callback_never on the target and, once connected, on our own end); our EHLO
 * name carries a token (`cb-<hmac>.name`) that every gate with the same
 * secret knows as a callback; and budgets: one in flight per target, so many
 * in all, so many a second per network.  Results are kept in the book, so one
 * target is called once in hours.
 *
 * The bound (tests/model/gate.pml proves it): a connection that brings mail
 * causes at most one callback, and a callback none where both gates share the
 * token.  Where they do not, each gate calls each other one once: one client
 * connection causes at most G x (G - 1) + 1 callbacks among G gates.
 */
#ifndef SERVIOLA_GATE_CALLBACK_H
#define SERVIOLA_GATE_CALLBACK_H
#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/callback_talk.h"
#include "sense/gate/check.h"

struct callback;
struct callback_call;
struct callback *callback_new(struct gate_means *m, struct err *e); /* m is borrowed for life */
void callback_free(struct callback *c);                             /* calls under way end without an answer */
/* `done` once unless callback_drop came first, perhaps before this returns (then NULL is returned); several askers of
 * one target share a call.  `words` say what was heard, e.g. "connection refused"; plain text, borrowed for the call.
 */
struct callback_call *callback_ask(struct callback *c, struct addr who, const struct visit *v,
                                   void (*done)(void *ctx, enum callback_result r, const char *words), void *ctx);
void callback_drop(struct callback_call *call); /* the call itself goes on: others will ask; NULL is fine */
/* Is this HELO name one of a callback of ours, or of a gate that shares our token? */
bool callback_is_ours(const struct callback *c, struct slice helo);
uint64_t callback_in_flight(const struct callback *c);

/* Why this client is never called, in words; NULL: it may be. */
const char *callback_never(const struct gate_means *m, struct addr who, const struct visit *v);
/* Another judge in its place, for tests on one host. */
void callback_judge(struct callback *c,
                    const char *(*never)(const struct gate_means *m, struct addr who, const struct visit *v));
#endif
