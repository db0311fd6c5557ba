/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs that must run, by the name of the process. */
#include <string.h>

#include "sense/watch/indicator.h"

static unsigned count(const struct facts *f, const char *name)
{
    unsigned found = 0;

    for (uint32_t i = 0; i < f->processes_room; i++) {
        const struct fact_process *p = &f->processes[i];

        /* The kernel keeps 15 letters of a name. */
        found += p->state && p->state != 'Z' && !p->kernel && strncmp(p->comm, name, FACT_COMM - 1) == 0;
    }
    return found;
}

static void sample(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    const struct key_names *names = &w->settings->must_run;
    unsigned missing = 0;

    (void)own;
    for (uint32_t i = 0; i < names->count && i < KEY_NAME_CAP; i++) {
        unsigned found = count(f, names->at[i]);

        missing += found == 0;
        (void)values_setf(out, found, "process.%s.running", names->at[i]);
    }
    if (names->count > 0)
        (void)values_set(out, "process.missing", missing);
}

static const struct indicator_help values[] = {
    { "process.NAME.running", "", "processes of this name, for each in must_run" },
    { "process.missing", "", "names in must_run of which there is none" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_running = { "running", values, NULL, sample, NULL };
