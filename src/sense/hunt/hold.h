/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hold - judges what the valve holds back, so that not one message of a worm leaves.
 *
 * The valve (hand/hold.h) gives each client segment of hosts that are neither
 * allowed nor blocked.  The same engine reads it as the ring's; then:
 *
 *   the host has a finding                       drop
 *   it is allowed, or the server is              pass
 *   it speaks mail, and any mail is a finding    drop, confirmed or not: what came in one burst with
 *                                                the first bytes can only be confirmed once it has left
 *   anything else (handshake, EHLO, QUIT)        pass
 */
#ifndef SERVIOLA_HUNT_HOLD_H
#define SERVIOLA_HUNT_HOLD_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/hunt/engine.h"
#include "sys/loop.h"

/* Whether a packet with this verdict may leave. */
bool hold_passes(const struct engine_verdict *v, bool any_mail_is_a_finding);

struct hold_calls {
    void *ctx;
    struct engine *(*engine)(void *ctx);  /* to be asked with; what the rings have is read before */
    bool (*any_mail)(void *ctx, struct addr who); /* whether one mail of this source is a finding */
    void (*held)(void *ctx, const struct engine_verdict *v, struct addr who, struct addr server); /* it was dropped */
    void (*gone)(void *ctx, const char *why);     /* the valve ended; hold_free is next */
    int64_t (*now_us)(void *ctx);                 /* wall clock */
};

struct hold;
/* Owns fd from here on. */
struct hold *hold_new(int fd, struct loop *l, const struct hold_calls *calls, struct err *e);
void hold_free(struct hold *h); /* NULL is fine */
void hold_flush(struct hold *h); /* verdicts that were collected leave; before each sleep */
#endif
