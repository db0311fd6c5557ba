/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop - one epoll, its descriptors, timers and signals.  One per process.
 *
 * A callback may remove any watch or timer, itself included.  Everything is
 * bounded: LOOP_FDS descriptors, LOOP_TIMERS timers, made at loop_new.
 */
#ifndef SERVIOLA_SYS_LOOP_H
#define SERVIOLA_SYS_LOOP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;

enum {
    LOOP_IN = 1,
    LOOP_OUT = 2,
    LOOP_GONE = 4, /* error or hang-up; always reported */
};
enum {
    LOOP_FDS = 131072, /* a descriptor's number must be below; only those that were used cost memory, 24 bytes each */
    LOOP_TIMERS = 1024,
    LOOP_HOOKS = 8, /* calls before sleep */
};

struct loop *loop_new(struct err *e);
void loop_free(struct loop *l); /* closes nothing but its own; NULL is fine */

/* `fd` stays its owner's; remove it before closing it.  One watch a descriptor; reported as long as it is ready. */
int loop_watch(struct loop *l, int fd, int events, void (*ready)(void *ctx, int fd, int events), void *ctx,
               struct err *e);
int loop_change(struct loop *l, int fd, int events, struct err *e);
void loop_unwatch(struct loop *l, int fd); /* one that is not watched is fine */
/* Both, for a descriptor that was never duplicated: the kernel forgets it by itself, which spares a call. */
void loop_close(struct loop *l, int fd);

/* After `delay_us`, then every `every_us` (0: once).  The id is never 0; 0 says the table is full. */
uint32_t loop_timer(struct loop *l, int64_t delay_us, int64_t every_us, void (*fire)(void *ctx), void *ctx);
void loop_untimer(struct loop *l, uint32_t id); /* an id that has fired or is 0 is fine */

/* Blocks the signal and reports it from the loop (signalfd).  It stays blocked when the loop ends. */
int loop_signal(struct loop *l, int signal, void (*got)(void *ctx, int signal), void *ctx, struct err *e);

/* Called once before each look at the descriptors, so after each handful of events: for work that collects (a batch to
 * flush).  LOOP_HOOKS at most, for good. */
void loop_before_sleep(struct loop *l, void (*call)(void *ctx), void *ctx);

int loop_run(struct loop *l, struct err *e); /* until loop_stop; 0, or -1 */
void loop_stop(struct loop *l);              /* from a callback; the rest of the handful is not called */
#endif
