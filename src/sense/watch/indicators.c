/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/indicator.h"

extern const struct indicator indicator_dstate, indicator_disk, indicator_fill, indicator_readonly, indicator_pressure,
    indicator_load, indicator_memory, indicator_cpus, indicator_kmsg, indicator_silence, indicator_peers,
    indicator_listeners, indicator_mailq, indicator_running, indicator_clock;

/* What the watch says of itself: measured in watch.c. */
static const struct indicator_help own_values[] = {
    { "watch.cpu", "%", "CPU time that the watch itself took" },
    { "watch.recorder", "B", "pictures in memory" },
    { "watch.refused", "", "processes, connections and values that found no place" },
    { NULL, NULL, NULL },
};

static void sample_nothing(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    (void)own;
    (void)w;
    (void)f;
    (void)out;
}

static const struct indicator indicator_own = { "watch", own_values, NULL, sample_nothing, NULL };

/* Each is one file in indicators/, and one line here. */
const struct indicator *const indicators[] = {
    &indicator_dstate,    /* tasks that can't be ended */
    &indicator_disk,      /* how long a disk takes */
    &indicator_fill,      /* how full, and when it will be */
    &indicator_readonly,  /* read-only by an error or by hand */
    &indicator_pressure,  /* how much of the time somebody waits */
    &indicator_load,      /* load and CPUs */
    &indicator_memory,    /* memory and swap */
    &indicator_cpus,      /* CPUs that do nothing for us */
    &indicator_kmsg,      /* what the kernel says */
    &indicator_silence,   /* logs that have gone silent */
    &indicator_peers,     /* who is connected how often */
    &indicator_listeners, /* full houses, forbidden ports */
    &indicator_mailq,     /* messages that wait */
    &indicator_running,   /* programs that must run */
    &indicator_clock,     /* jumps of the clock */
    &indicator_own,       /* what this costs */
    NULL,
};
