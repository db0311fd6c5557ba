/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture - interfaces: which ones, asked for, listened to, lost, found again; and their frames.
 *
 * The hand says what interfaces there are, and opens a packet socket for each
 * one wanted: those that the configuration names, else all that carry a
 * route.  An interface that goes away is an event and is waited for.  A flow
 * that crosses this host is read once (twins.h).
 */
#ifndef SERVIOLA_HUNT_CAPTURE_H
#define SERVIOLA_HUNT_CAPTURE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "hand/op.h"
#include "part/link.h"
#include "sense/hunt/engine.h"
#include "sys/loop.h"

enum {
    CAPTURE_LINKS = 32,     /* interfaces at most */
    CAPTURE_TURN = 4096,    /* frames handed out before the loop looks at its other descriptors */
    CAPTURE_RETRY_MS = 500, /* first wait after a refusal; doubles up to */
    CAPTURE_RETRY_MAX_MS = 30000,
    CAPTURE_ANSWER_MS = 5000,  /* an ask without an answer in this time is repeated */
    CAPTURE_LOST_EVERY_S = 10, /* hunt.packets_lost at most this often for each interface */
};

struct capture_calls {
    void *ctx;
    void (*frame)(void *ctx, const struct engine_frame *f);
    void (*ask)(void *ctx, const struct hand_capture *what); /* HAND_CAPTURE; the answer goes to capture_got */
    void (*event)(void *ctx, struct event *ev);
};

struct capture;
struct capture *capture_new(struct loop *l, const struct capture_calls *calls, uint64_t seed, struct err *e);
void capture_free(struct capture *c); /* NULL is fine */

/* `s` is borrowed until the next call. */
void capture_set(struct capture *c, const struct hunt_settings *s);
/* From the hand: an interface as it is now; all were told; an answer (`fd` or -1 becomes ours). */
void capture_link(struct capture *c, const struct hand_link *link);
void capture_links_known(struct capture *c);
void capture_got(struct capture *c, const struct hand_captured *got, int fd);

/* Reads what the rings hold now; for the valve, whose packets came after. */
void capture_drain(struct capture *c);
/* Once a second: what was lost, what to ask for again. */
void capture_second(struct capture *c);

/* This host's own addresses. */
void capture_own(const struct capture *c, struct key_prefixes *own);
/* What is inside when the configuration does not say it: the networks of interfaces without a default route, as the
 * hand has it too (hand/never.h), and this host's own addresses. */
void capture_inside(const struct capture *c, struct key_prefixes *inside);

/* Of the n-th interface that was ever listened to; false behind the last. */
bool capture_counters(const struct capture *c, unsigned n, struct link_counters *counters);
uint64_t capture_frames(const struct capture *c); /* all that were handed out */
#endif
