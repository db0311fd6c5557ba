/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/trigger.h"

#include <errno.h>
#include <stdlib.h>

struct trigger {
    struct condition *when, *needs, *clear; /* the last two: NULL for none */
    int64_t calm_us, again_us;
    int64_t calm_since_us, acted_us; /* boot clock; -1: not, never */
    struct trigger_state state;
};

static int read_one(const char *text, struct condition **into, const char *what, struct err *e)
{
    if (text[0] == '\0')
        return 0;
    *into = condition_read(slice_text(text), e);
    return *into ? 0 : err_wrap(e, "%s", what);
}

struct trigger *trigger_new(const struct watch_trigger *row, struct err *e)
{
    struct trigger *t = calloc(1, sizeof(*t));

    if (!t) {
        err_set(e, ENOMEM, "a trigger");
        return NULL;
    }
    t->calm_us = row->calm_us;
    t->again_us = row->again_us;
    t->calm_since_us = t->acted_us = -1;
    t->when = condition_read(slice_text(row->when), e);
    if (t->when && read_one(row->needs, &t->needs, "needs", e) == 0 && read_one(row->clear, &t->clear, "clear", e) == 0)
        return t;
    trigger_free(t);
    return NULL;
}

void trigger_free(struct trigger *t)
{
    if (!t)
        return;
    condition_free(t->when);
    condition_free(t->needs);
    condition_free(t->clear);
    free(t);
}

static void fire(struct trigger *t, const struct reason *why, int64_t mono_us)
{
    struct trigger_state *s = &t->state;

    s->news = TRIGGER_FIRED;
    s->active = true;
    s->why = *why;
    s->since_us = why->since_us;
    s->times++;
    s->acts = t->acted_us < 0 || mono_us - t->acted_us >= t->again_us;
    if (s->acts)
        t->acted_us = mono_us;
    t->calm_since_us = -1;
}

static void end(struct trigger *t)
{
    t->state.news = TRIGGER_OVER;
    t->state.active = false;
    t->state.span_us = t->calm_since_us - t->state.since_us;
}

/* Whether it is over now: by a line of its own, or because it is not so any more, be it ever so short. */
static enum truth is_clear(struct trigger *t, const struct values *v, int64_t mono_us)
{
    enum truth now = condition_still(t->clear ? t->clear : t->when, v, mono_us, t->clear == NULL);

    if (t->clear || now == TRUTH_UNKNOWN)
        return now;
    return now == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
}

const struct trigger_state *trigger_judge(struct trigger *t, const struct values *v, int64_t mono_us)
{
    struct reason why;
    enum truth when = condition_judge(t->when, v, mono_us, &why);
    enum truth clear = is_clear(t, v, mono_us);

    t->state.news = TRIGGER_SAME;
    if (t->needs && condition_judge(t->needs, v, mono_us, NULL) == TRUTH_NO) {
        condition_reset(t->when); /* a time does not run while it means nothing */
        return &t->state;
    }
    if (!t->state.active) {
        if (when == TRUTH_YES)
            fire(t, &why, mono_us);
        return &t->state;
    }
    if (clear == TRUTH_NO || (clear == TRUTH_YES && when == TRUTH_YES))
        t->calm_since_us = -1;
    else if (clear == TRUTH_YES && t->calm_since_us < 0)
        t->calm_since_us = mono_us;
    if (clear == TRUTH_YES && t->calm_since_us >= 0 && mono_us - t->calm_since_us >= t->calm_us)
        end(t);
    return &t->state;
}

void trigger_paused(struct trigger *t)
{
    condition_reset(t->when);
    if (t->clear)
        condition_reset(t->clear);
    if (t->needs)
        condition_reset(t->needs);
    t->calm_since_us = -1;
}

const struct trigger_state *trigger_state(const struct trigger *t)
{
    return &t->state;
}
