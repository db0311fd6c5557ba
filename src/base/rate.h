/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rate - how often within a while, and how often may it be.
 *
 * Small structs that live inside somebody's table entry; all zero is a fresh
 * one.  The clock is an argument; when it goes back, what happens counts as
 * of the newest time seen.
 */
#ifndef SERVIOLA_BASE_RATE_H
#define SERVIOLA_BASE_RATE_H
#include <stdbool.h>
#include <stdint.h>

/*
 * What happened within the last `window_us`, in eight parts: nothing older
 * is ever counted, so "31 within a minute" is true when it is said; what
 * leaves does so up to an eighth of the window early.  Always ask with the
 * same window.
 */
enum { RATE_PARTS = 8 };
struct rate_window {
    int64_t part;               /* number of the newest part since the clock's zero */
    uint32_t count[RATE_PARTS]; /* by part % RATE_PARTS; stops at UINT32_MAX */
};

uint64_t rate_add(struct rate_window *w, int64_t window_us, int64_t now_us, uint32_t n); /* the count with this one */
uint64_t rate_count(const struct rate_window *w, int64_t window_us, int64_t now_us);

/* A bucket of `burst` tokens that gets one back each `each_us`. */
struct rate_bucket {
    int64_t full_at_us; /* when all tokens are back */
};
bool rate_take(struct rate_bucket *b, uint64_t burst, int64_t each_us, int64_t now_us); /* false: none left */
#endif
