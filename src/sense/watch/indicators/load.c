/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Load, and what the CPUs do. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

enum { FIELDS = 8 }; /* user nice system idle iowait irq softirq steal */

struct own {
    uint64_t ticks[FIELDS];
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

/* The first line of /proc/stat. */
static bool ticks_of(struct slice stat, uint64_t ticks[FIELDS])
{
    struct slice line = slice_trim(slice_skip(slice_until(stat, '\n', &stat), 3));

    for (unsigned i = 0; i < FIELDS; i++)
        if (!slice_to_u64(slice_until(line, ' ', &line), &ticks[i]))
            return false;
    return true;
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    struct proc_load load;
    uint64_t now[FIELDS];
    double step[FIELDS];
    double all = 0;

    (void)w;
    if (proc_load_read(f->loadavg, &load)) {
        (void)values_set(out, "load.one", (double)load.one_centi / 100);
        (void)values_set(out, "load.five", (double)load.five_centi / 100);
        (void)values_set(out, "tasks.running", (double)load.running);
    }
    (void)values_set(out, "tasks.processes", f->processes_count);
    if (!ticks_of(f->stat, now))
        return;
    for (unsigned i = 0; i < FIELDS; i++) {
        step[i] = now[i] > own->ticks[i] ? (double)(now[i] - own->ticks[i]) : 0;
        all += step[i];
    }
    memcpy(own->ticks, now, sizeof(now));
    if (f->step_us == 0 || all <= 0)
        return;
    (void)values_set(out, "cpu.busy", 100 * (all - step[3] - step[4]) / all);
    (void)values_set(out, "cpu.iowait", 100 * step[4] / all);
    (void)values_set(out, "cpu.steal", 100 * step[7] / all);
}

static const struct indicator_help values[] = {
    { "load.one", "", "tasks that run or wait, on average of a minute" },
    { "load.five", "", "the same of five minutes" },
    { "tasks.running", "", "tasks that could run at this instant" },
    { "tasks.processes", "", "processes" },
    { "cpu.busy", "%", "of all CPUs together" },
    { "cpu.iowait", "%", "idle, while a task waited for a disk" },
    { "cpu.steal", "%", "taken by other guests of the same machine" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_load = { "load", values, open_it, sample, free };
