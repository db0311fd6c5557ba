/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * condition - what a trigger waits for.
 *
 *     disk.latency > 2s for 3s or dstate.tasks > 10
 *     (psi.io > 50% and not fs.read_only) for 10s
 *     service.*.up == 0
 *
 * `not` binds closest, then `for`, `and`, `or`.  A name alone means "is not
 * 0"; one with * stands for any value that fits.  Units: us ms s min h d, KiB
 * MiB GiB TiB, k M G, %.  A comparison with a value that is not known is
 * neither true nor false.
 */
#ifndef SERVIOLA_WATCH_CONDITION_H
#define SERVIOLA_WATCH_CONDITION_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/watch/values.h"

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

enum { CONDITION_NODES = 64, CONDITION_DEPTH = 16 };

struct condition; /* with the state of each `for` */
/* NULL with an error that names the place. */
struct condition *condition_read(struct slice text, struct err *e);
void condition_free(struct condition *x); /* NULL is fine */

struct reason {            /* the comparison that decided */
    char name[VALUE_NAME]; /* empty: none did */
    double value, limit;
    int64_t since_us; /* boot clock: since when it has been so */
    char words[160];  /* "disk.latency is 3.2 (> 2)" */
};
/* `mono_us` never goes back.  `why` may be NULL; it tells of the first comparison that holds. */
enum truth condition_judge(struct condition *x, const struct values *v, int64_t mono_us, struct reason *why);
/*
 * The same, to find out whether it is over: what was never known at all is
 * not so.  at_once: a `for` need not have run.
 */
enum truth condition_still(struct condition *x, const struct values *v, int64_t mono_us, bool at_once);
/* The name in the n-th comparison, as it was written; NULL behind the last. */
const char *condition_name(const struct condition *x, uint32_t n);
void condition_reset(struct condition *x); /* no `for` has begun */
#endif
