/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jumps of the wall clock against the one that nobody can set; and what the kernel thinks of it (adjtimex(2), asked
 * only). */
#include <stdlib.h>
#include <sys/timex.h>

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

/* Whoever sets the clock (chrony, timesyncd, ntpd) tells the kernel how well it is set. */
static void ask_kernel(struct values *out)
{
    struct timex t = { .modes = 0 };
    double unit = 1e-6;
    int state = adjtimex(&t);

    if (state < 0)
        return;
    if (t.status & STA_NANO)
        unit = 1e-9;
    (void)values_set(out, "clock.synchronised", state != TIME_ERROR && !(t.status & STA_UNSYNC));
    (void)values_set(out, "clock.offset", (double)t.offset * unit);
    (void)values_set(out, "clock.error", (double)t.maxerror * 1e-6);
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    int64_t apart_us = f->at_us - f->mono_us;

    (void)w;
    if (f->step_us > 0)
        (void)values_set(out, "clock.jump", (double)(apart_us - own->apart_us) / 1e6);
    own->apart_us = apart_us;
    ask_kernel(out);
}

static const struct indicator_help values[] = {
    { "clock.jump", "s", "how far the clock was set in the last second; less than 0: back" },
    { "clock.synchronised", "", "1: somebody keeps the clock right, and the kernel knows it" },
    { "clock.offset", "s", "what the kernel still has to correct" },
    { "clock.error", "s", "how wrong the clock may be at most; it grows while nobody keeps it right" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_clock = { "clock", values, open_it, sample, free };
