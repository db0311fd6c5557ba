/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory and swap. */
#include <stdlib.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

struct own {
    uint64_t in, out, killed;
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

static double kib(struct slice meminfo, const char *key)
{
    struct slice value;
    uint64_t number;

    return proc_field(meminfo, key, &value) && proc_number(value, &number) ? (double)number * 1024 : -1;
}

/* "pswpin 12" */
static uint64_t counter(struct slice vmstat, struct slice name)
{
    uint64_t number = 0;

    while (vmstat.len > 0) {
        struct slice line = slice_until(vmstat, '\n', &vmstat);
        struct slice value;

        if (slice_eq(slice_until(line, ' ', &value), name) && slice_to_u64(value, &number))
            return number;
    }
    return 0;
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    double total = kib(f->meminfo, "MemTotal");
    double available = kib(f->meminfo, "MemAvailable");
    double swap = kib(f->meminfo, "SwapTotal");
    double swap_free = kib(f->meminfo, "SwapFree");
    struct own now = { counter(f->vmstat, SLICE("pswpin")), counter(f->vmstat, SLICE("pswpout")),
                       counter(f->vmstat, SLICE("oom_kill")) };

    (void)w;
    if (total > 0 && available >= 0) {
        (void)values_set(out, "mem.available", 100 * available / total);
        (void)values_set(out, "mem.available_bytes", available);
    }
    if (swap >= 0)
        (void)values_set(out, "swap.used", swap > 0 ? 100 * (swap - swap_free) / swap : 0);
    if (f->step_us > 0) {
        double seconds = (double)f->step_us / 1e6;

        (void)values_set(out, "swap.in", (double)(now.in - own->in) / seconds);
        (void)values_set(out, "swap.out", (double)(now.out - own->out) / seconds);
        (void)values_set(out, "mem.killed", (double)(now.killed - own->killed));
    }
    *own = now;
}

static const struct indicator_help values[] = {
    { "mem.available", "%", "of memory that programs could still have" },
    { "mem.available_bytes", "B", "the same in bytes" },
    { "mem.killed", "", "processes that the kernel killed for want of memory, in the last second" },
    { "swap.used", "%", "of the swap there is" },
    { "swap.in", "", "pages a second that came back from swap" },
    { "swap.out", "", "pages a second that went there" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_memory = { "memory", values, open_it, sample, free };
