/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks in state D: they wait for a disk, or for something that never comes, and can't be ended. */
#include <stdlib.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

static void sample(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct slice rest = f->stat;
    unsigned waiting = 0;
    uint64_t blocked;

    (void)own;
    (void)w;
    for (uint32_t i = 0; i < f->processes_room; i++)
        waiting += f->processes[i].state == 'D';
    (void)values_set(out, "dstate.tasks", waiting);
    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        struct slice value;

        if (slice_eq(slice_until(line, ' ', &value), SLICE("procs_blocked")) && proc_number(value, &blocked))
            (void)values_set(out, "dstate.io", (double)blocked);
    }
}

static const struct indicator_help values[] = {
    { "dstate.tasks", "", "processes in state D" },
    { "dstate.io", "", "tasks, threads too, that wait for a disk" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_dstate = { "dstate", values, NULL, sample, NULL };
