/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a disk takes for 4 KiB past every cache, and how busy it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

enum { DISKS = 64, NAME = 32 };

struct before {
    char name[NAME];
    uint64_t busy_ms;
};
struct own {
    struct before at[DISKS];
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

static void latencies(const struct watch_world *w, struct values *out)
{
    double worst = NAN;
    const struct mount_state *m;

    for (uint32_t i = 0; w->mounts && (m = mounts_at(w->mounts, i)) != NULL; i++) {
        if (m->disk[0] == '\0' || isnan(m->latency))
            continue;
        (void)values_setf(out, m->latency, "disk.latency.%s", m->disk);
        if (isnan(worst) || m->latency > worst)
            worst = m->latency;
    }
    (void)values_set(out, "disk.latency", worst);
}

static bool is_made_up(struct slice name)
{
    return slice_starts_nocase(name, SLICE("ram")) || slice_starts_nocase(name, SLICE("zram"));
}

static void busy(struct own *own, const struct facts *f, struct values *out)
{
    struct slice rest = f->diskstats;
    double in_flight = 0;

    for (unsigned n = 0; rest.len > 0 && n < DISKS;) {
        struct proc_disk d;
        struct before *b = &own->at[n];

        if (!proc_disk_read(slice_until(rest, '\n', &rest), &d) || d.name.len >= NAME ||
            (d.reads == 0 && d.writes == 0 && d.in_flight == 0) || is_made_up(d.name))
            continue;
        in_flight = (double)d.in_flight > in_flight ? (double)d.in_flight : in_flight;
        if (f->step_us > 0 && slice_eq(slice_text(b->name), d.name) && d.busy_ms >= b->busy_ms)
            (void)values_setf(out, fmin(100, 1e5 * (double)(d.busy_ms - b->busy_ms) / (double)f->step_us),
                              "disk.busy.%s", b->name);
        memset(b->name, 0, NAME);
        memcpy(b->name, d.name.at, d.name.len);
        b->busy_ms = d.busy_ms;
        n++;
    }
    (void)values_set(out, "disk.waiting", in_flight);
}

static void sample(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    latencies(w, out);
    busy(own, f, out);
}

static const struct indicator_help values[] = {
    { "disk.latency", "s", "the slowest disk's answer to a read of 4 KiB; of a read that lasts, how long it has" },
    { "disk.latency.NAME", "s", "the same of one disk" },
    { "disk.busy.NAME", "%", "how much of the time it had something to do" },
    { "disk.waiting", "", "requests that wait at the disk with most of them" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_disk = { "disk", values, open_it, sample, free };
