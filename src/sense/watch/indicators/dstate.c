/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks in state D: they wait for a disk, or for something that never comes, and can't be ended. */
#include <stdlib.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

enum { STUCK_US = 450000 };

static void sample(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct slice rest = f->stat;
    unsigned waiting = 0;
    unsigned stuck = 0;
    int64_t longest_us = 0;
    uint64_t blocked;

    (void)own;
    (void)w;
    for (uint32_t i = 0; i < f->processes_room; i++) {
        const struct fact_process *p = &f->processes[i];
        int64_t waits_us = p->waits_us > 0 ? f->mono_us - p->waits_us : 0;

        waiting += p->state == 'D';
        stuck += !p->kernel && waits_us >= STUCK_US;
        longest_us = waits_us > longest_us ? waits_us : longest_us;
    }
    (void)values_set(out, "dstate.tasks", waiting);
    (void)values_set(out, "dstate.stuck", stuck);
    (void)values_set(out, "dstate.longest", (double)longest_us / 1e6);
    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        struct slice value;

        if (slice_eq(slice_until(line, ' ', &value), SLICE("procs_blocked")) && proc_number(value, &blocked))
            (void)values_set(out, "dstate.io", (double)blocked);
    }
}

static const struct indicator_help values[] = {
    { "dstate.tasks", "", "processes in state D" },
    { "dstate.stuck", "", "of these, how many have not run for half a second, kernel threads left out" },
    { "dstate.longest", "s", "how long the first of these has not run" },
    { "dstate.io", "", "tasks, threads too, that wait for a disk" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_dstate = { "dstate", values, NULL, sample, NULL };
