/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How full file systems are, and when they will be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sense/watch/indicator.h"

/* The rate of filling is that of the last half hour: half of what is known leaves in that time. */
#define HALF_LIFE_S 900.0

struct own {
    struct {
        bool known;
        double free, rate; /* bytes; bytes a second that it loses */
        int64_t mono_us;
    } at[MOUNTS_MOST];
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

/* Seconds until nothing is free; infinite is not told. */
static double time_to_full(struct own *own, uint32_t i, double now_free, int64_t mono_us)
{
    double step = (double)(mono_us - own->at[i].mono_us) / 1e6;

    if (!own->at[i].known) {
        own->at[i].known = true;
    } else if (now_free != own->at[i].free || step >= 10) { /* a new answer */
        double keep = exp2(-step / HALF_LIFE_S);

        own->at[i].rate = own->at[i].rate * keep + (own->at[i].free - now_free) / (step > 0 ? step : 1) * (1 - keep);
    } else
        return own->at[i].rate > 1 ? now_free / own->at[i].rate : (double)NAN;
    own->at[i].free = now_free;
    own->at[i].mono_us = mono_us;
    return own->at[i].rate > 1 ? now_free / own->at[i].rate : (double)NAN;
}

static double larger(double a, double b)
{
    return isnan(a) || b > a ? b : a;
}

static void sample(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    double used = NAN;
    double inodes = NAN;
    double soonest = NAN;
    double hangs = 0;
    const struct mount_state *m;

    for (uint32_t i = 0; w->mounts && (m = mounts_at(w->mounts, i)) != NULL; i++) {
        const struct mount_answer *a = &m->last;
        double full_in;

        hangs += m->hangs;
        if (!a->answered || a->bytes == 0)
            continue;
        full_in = time_to_full(own, i, (double)a->bytes_free, f->mono_us);
        used = larger(used, 100 - 100 * (double)a->bytes_free / (double)a->bytes);
        (void)values_setf(out, 100 - 100 * (double)a->bytes_free / (double)a->bytes, "fs.used.%s", m->point);
        (void)values_setf(out, (double)a->bytes_free, "fs.free.%s", m->point);
        if (a->inodes > 0)
            inodes = larger(inodes, 100 - 100 * (double)a->inodes_free / (double)a->inodes);
        if (!isnan(full_in)) {
            (void)values_setf(out, full_in, "fs.full_in.%s", m->point);
            soonest = isnan(soonest) || full_in < soonest ? full_in : soonest;
        }
    }
    (void)values_set(out, "fs.used", used);
    (void)values_set(out, "fs.inodes", inodes);
    (void)values_set(out, "fs.full_in", soonest);
    (void)values_set(out, "fs.hang", hangs);
}

static const struct indicator_help values[] = {
    { "fs.used", "%", "the fullest file system, as users see it who are not root" },
    { "fs.used.POINT", "%", "the same of one" },
    { "fs.free.POINT", "B", "what is free in it" },
    { "fs.full_in", "s", "until the first one is full, if it goes on as in the last half hour" },
    { "fs.full_in.POINT", "s", "the same of one" },
    { "fs.inodes", "%", "the largest part of inodes in use" },
    { "fs.hang", "", "file systems that have not answered for more than a second" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_fill = { "fill", values, open_it, sample, free };
