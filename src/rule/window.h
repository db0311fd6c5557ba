/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * window - how often something happened lately, per rule and source; a table of a fixed size.
 *
 * Each entry keeps the times of its newest events, so the window slides
 * exactly.  When the table is full the entry that was silent for longest
 * leaves; if its window was still running, that is counted as a loss.
 */
#ifndef SERVIOLA_RULE_WINDOW_H
#define SERVIOLA_RULE_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

struct windows;
/* `entries` at once, each for counts up to `times`; `seed` keys the hash. */
struct windows *windows_new(size_t entries, uint32_t times, uint64_t seed, struct err *e);
void windows_free(struct windows *w); /* NULL is fine */

/* One more for this rule and source; true when it makes `times` within `within_us`, and the count begins anew. */
bool windows_count(struct windows *w, uint32_t rule, struct addr src, uint32_t times, int64_t within_us,
                   int64_t now_us);
void windows_forget(struct windows *w, struct addr src);
uint64_t windows_lost(const struct windows *w);
#endif
