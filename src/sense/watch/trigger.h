/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trigger - when values mean that somebody should know, and when it is over.
 *
 * It fires when its expression holds, is over when the expression (or the one
 * of `clear`) has said so for `calm`.  What is not known neither fires nor
 * ends it.  While `needs` does not hold it stays as it is: a dead host
 * silences its services.  Its acts are done at most once in `again`.
 */
#ifndef SERVIOLA_WATCH_TRIGGER_H
#define SERVIOLA_WATCH_TRIGGER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/watch/condition.h"
#include "sense/watch/settings.h"

struct trigger;
struct trigger *trigger_new(const struct watch_trigger *t, struct err *e); /* keeps nothing of t */
void trigger_free(struct trigger *t);                                      /* NULL is fine */

enum trigger_news { TRIGGER_SAME, TRIGGER_FIRED, TRIGGER_OVER };
struct trigger_state {
    enum trigger_news news;
    bool active;
    bool acts;         /* FIRED: they are due */
    struct reason why; /* of the firing; of the last one, when it is over */
    int64_t since_us;  /* boot clock: when it began to be so */
    int64_t span_us;   /* OVER: how long it lasted, calm not counted */
    uint64_t times;    /* firings so far */
};
/* `mono_us` never goes back. */
const struct trigger_state *trigger_judge(struct trigger *t, const struct values *v, int64_t mono_us);
void trigger_paused(struct trigger *t); /* nothing is known of the time since the last look: each `for` begins anew */
const struct trigger_state *trigger_state(const struct trigger *t);
#endif
