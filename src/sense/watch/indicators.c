/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "sense/watch/indicator.h"

extern const struct indicator indicator_dstate, indicator_disk, indicator_fill, indicator_readonly, indicator_pressure,
    indicator_load, indicator_memory, indicator_cpus, indicator_kmsg, indicator_silence, indicator_peers,
    indicator_listeners, indicator_mailq, indicator_running, indicator_clock, indicator_updates;

/* What the watch says of itself: measured in watch.c. */
static const struct indicator_help own_values[] = {
    { "watch.cpu", "%", "CPU time that the watch itself took" },
    { "watch.iterator", "", "1: the kernel's iterator tells of processes; 0: /proc does, for three times as much CPU" },
    { "watch.recorder", "B", "pictures in memory" },
    { "watch.refused", "", "processes, connections and values that found no place" },
    { NULL, NULL, NULL },
};

/* What the part that probes sends: probe.h. */
static const struct indicator_help service_values[] = {
    { "service.NAME.up", "", "1: the service answers as it should; 0: it is down, or behind something that is" },
    { "service.NAME.latency", "s", "how long its last answer took" },
    { "service.NAME.missed", "", "probes that it has missed in a row" },
    { "service.NAME.days", "", "days until a certificate of its ends" },
    { NULL, NULL, NULL },
};

static const struct indicator_help domain_values[] = {
    { "domain.NAME.days", "", "days until a domain ends, as its registry said last" },
    { "domain.NAME.unasked", "s", "since when its registry has given no answer; 0: the last one was good" },
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
static const struct indicator indicator_domains = { "domains", domain_values, NULL, sample_nothing, NULL };
static const struct indicator indicator_services = { "services", service_values, NULL, sample_nothing, NULL };

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
    &indicator_updates,   /* updates that wait */
    &indicator_services,  /* what is probed over the network */
    &indicator_domains,   /* when they end */
    &indicator_own,       /* what this costs */
    NULL,
};

/* "disk.latency.vda" is told by the row "disk.latency.NAME", "log.mail.silent" by "log.NAME.silent". */
static bool stands_for(const char *row, const char *name)
{
    size_t n = 0;
    size_t rest;
    size_t behind;

    while (row[n] && row[n] == name[n])
        n++;
    if (row[n] < 'A' || row[n] > 'Z')
        return row[n] == '\0' && name[n] == '\0';
    rest = strlen(name + n);
    for (row += n; *row >= 'A' && *row <= 'Z';)
        row++;
    behind = strlen(row);
    return rest > behind && strcmp(name + n + rest - behind, row) == 0;
}

const struct indicator_help *indicator_help_of(const char *name)
{
    const struct indicator_help *best = NULL;

    for (size_t i = 0; indicators[i]; i++)
        for (const struct indicator_help *h = indicators[i]->values; h->name; h++)
            if (stands_for(h->name, name) && (!best || strcmp(h->name, name) == 0))
                best = h;
    return best;
}

bool indicator_may_be(const char *name)
{
    size_t family = strcspn(name, ".");

    if (strchr(name, '*') || indicator_help_of(name))
        return true;
    for (size_t i = 0; indicators[i]; i++)
        for (const struct indicator_help *h = indicators[i]->values; h->name; h++)
            if (strcspn(h->name, ".") == family && strncmp(h->name, name, family) == 0)
                return false;
    return true;
}
