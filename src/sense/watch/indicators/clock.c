/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jumps of the wall clock against the one that nobody can set. */
#include <stdlib.h>

#include "sense/watch/indicator.h"

struct own {
    int64_t apart_us; /* wall clock less boot clock */
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    int64_t apart_us = f->at_us - f->mono_us;

    (void)w;
    if (f->step_us > 0)
        (void)values_set(out, "clock.jump", (double)(apart_us - own->apart_us) / 1e6);
    own->apart_us = apart_us;
}

static const struct indicator_help values[] = {
    { "clock.jump", "s", "how far the clock was set in the last second; less than 0: back" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_clock = { "clock", values, open_it, sample, free };
