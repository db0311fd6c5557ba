/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * callback - does the client's own port 25 speak SMTP?  Connect, greeting, EHLO, QUIT; never RCPT.
 *
 * Three fences against a loop: an address of ours is never called
 * (addr_is_self on the target and, once connected, on our own end); our EHLO
 * name carries a token (`cb-<hmac>.name`) that every gate with the same
 * secret knows as a callback; and budgets: one in flight per target, so many
 * in all, so many a second per network.  At most one connection goes out for
 * one that came in.  Results are kept in the book.
 */
#ifndef SERVIOLA_GATE_CALLBACK_H
#define SERVIOLA_GATE_CALLBACK_H
#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/check.h"

enum callback_result {
    CALLBACK_SPEAKS,  /* a mail server */
    CALLBACK_REFUSED, /* nobody there, or not for us */
    CALLBACK_SILENT,  /* too slow */
    CALLBACK_BUSY,    /* the budget is empty: nothing is known */
    CALLBACK_NEVER,   /* an address that is never called: our own, private, special */
};
struct callback;
struct callback_call;
struct callback *callback_new(struct gate_means *m, struct err *e);
void callback_free(struct callback *c);
/* `done` once, perhaps before this returns (then NULL); several askers of one target share a call.  `words` say what
 * was heard, e.g. "connection refused", and are borrowed for the call. */
struct callback_call *callback_ask(struct callback *c, struct addr who, const struct visit *v,
                                   void (*done)(void *ctx, enum callback_result r, const char *words), void *ctx);
void callback_drop(struct callback_call *call);
/* Is this HELO name one of a callback of ours, or of a gate that shares our token? */
bool callback_is_ours(const struct callback *c, struct slice helo);
uint64_t callback_in_flight(const struct callback *c);
#endif
