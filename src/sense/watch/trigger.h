/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trigger - when a value, or several, mean that somebody should know.
 *
 *     disk.latency > 2s for 3s or dstate.tasks > 10
 *     (psi.io > 50% and not fs.read_only) for 10s
 *     probe.*.up == 0
 *
 * A name with * stands for any value that fits.  Units: us ms s min h d, KiB
 * MiB GiB TiB, k M G, %.  A comparison with a value that is not known is not
 * known; a trigger neither fires nor ends by what is not known.
 */
#ifndef SERVIOLA_WATCH_TRIGGER_H
#define SERVIOLA_WATCH_TRIGGER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"
#include "sense/watch/settings.h"
#include "sense/watch/values.h"

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

enum { EXPRESSION_NODES = 64, EXPRESSION_DEPTH = 16 };

struct expression; /* with the state of its `for` */
/* NULL with an error that names the place. */
struct expression *expression_read(struct slice text, struct err *e);
void expression_free(struct expression *x); /* NULL is fine */

struct reason {            /* the comparison that decided */
    char name[VALUE_NAME]; /* empty: none did */
    double value, limit;
    int64_t since_us; /* boot clock: since when it has been true */
    char words[160];  /* "disk.latency 3.2 > 2, for 3 s" */
};
/* `mono_us` never goes back.  `why` may be NULL. */
enum truth expression_judge(struct expression *x, const struct values *v, int64_t mono_us, struct reason *why);
/* The same without state, for a test of one second: `for` counts as fulfilled. */

struct trigger; /* one row of settings */
struct trigger *trigger_new(const struct watch_trigger *t, struct err *e);
void trigger_free(struct trigger *t);

enum trigger_news { TRIGGER_SAME, TRIGGER_FIRED, TRIGGER_OVER };
struct trigger_state {
    enum trigger_news news;
    bool active, acts; /* acts: they are due (not within again_us of the last time) */
    struct reason why; /* of the firing */
    int64_t since_us;  /* boot clock: when it began */
    int64_t span_us;   /* OVER: how long it lasted */
    uint64_t times;    /* firings so far */
};
void trigger_judge(struct trigger *t, const struct values *v, int64_t mono_us, struct trigger_state *s);
#endif
