/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * timers - what is to be called, and when; a heap of a fixed size.
 *
 * Adding, removing and firing cost O(log n).  The clock is an argument, in
 * microseconds that never go back; nobody sleeps here (sys/loop does).
 */
#ifndef SERVIOLA_BASE_TIMERS_H
#define SERVIOLA_BASE_TIMERS_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { TIMERS_MOST = 65535 }; /* largest cap */

struct timers;
struct timers *timers_new(size_t cap, struct err *e);
void timers_free(struct timers *t); /* NULL is fine */

/* Due at `at_us`, then every `every_us` (0: once).  The id is never 0; 0 says the heap is full. */
uint32_t timers_add(struct timers *t, int64_t at_us, int64_t every_us, void (*fire)(void *ctx), void *ctx);
void timers_remove(struct timers *t, uint32_t id); /* an id that has fired, was removed or is 0 is fine */

int64_t timers_next_us(const struct timers *t); /* when the first one is due; INT64_MAX when there is none */
size_t timers_count(const struct timers *t);

/*
 * Calls what is due, each at most once; a callback may add and remove any,
 * itself included.  A repeated one that is late by more than its period
 * skips what it missed.
 */
void timers_fire(struct timers *t, int64_t now_us);
#endif
