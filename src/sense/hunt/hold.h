/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hold - judges what the valve holds back, so that not one message of a worm leaves.
 *
 * The valve (hand/hold.h) gives each client segment of hosts that are neither
 * allowed nor blocked.  The same engine reads it as the ring's; then:
 *
 *   it is allowed, or the server is              pass
 *   the host has a finding                       drop
 *   the flow sent a segment twice, differently   drop: what we read may not be what the server reads
 *   it speaks mail, and any mail is a finding    drop, also without proof: nobody is blocked for it
 *   data of a flow the engine can't follow       as the configuration says: open or closed
 *   anything else (handshake, EHLO, QUIT)        pass
 */
#ifndef SERVIOLA_HUNT_HOLD_H
#define SERVIOLA_HUNT_HOLD_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/hunt/engine.h"
#include "sys/loop.h"

struct hold_case { /* what is known of one packet */
    struct engine_verdict engine;
    bool any_mail; /* one mail of this source is a finding */
    bool differs;  /* the flow has a differing overlap */
    bool has_data; /* more than headers */
    bool fails_open;
};
bool hold_passes(const struct hold_case *c);

struct hold_calls {
    void *ctx;
    void (*before)(void *ctx); /* read what the rings have first */
    struct engine_verdict (*judge)(void *ctx, const struct engine_frame *f);
    bool (*any_mail)(void *ctx, struct addr who);
    void (*held)(void *ctx, uint64_t flow, struct addr client, struct addr server); /* one was dropped */
    void (*gone)(void *ctx, const char *why); /* the valve ended; hold_free is next */
};

struct hold;
/* Owns fd from here on. */
struct hold *hold_new(int fd, struct loop *l, const struct hold_calls *calls, bool fails_open, struct err *e);
void hold_free(struct hold *h); /* NULL is fine */
void hold_set(struct hold *h, bool fails_open);
void hold_distrust(struct hold *h, uint64_t flow); /* it has a differing overlap */
void hold_flush(struct hold *h);                   /* collected verdicts leave; before each sleep */
#endif
