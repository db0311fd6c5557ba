/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * facts - what the sampler read this second, once, for every indicator.
 */
#ifndef SERVIOLA_WATCH_FACTS_H
#define SERVIOLA_WATCH_FACTS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum { FACT_COMM = 16 };

struct fact_process { /* state 0: the place is free */
    int32_t pid, parent;
    uint64_t start_ticks; /* since boot; with pid it names a process */
    uint64_t cpu_ticks;   /* user and system, so far */
    uint64_t rss_pages;
    uint32_t threads;
    char state;
    bool kernel;          /* a kernel thread */
    int64_t waits_us;     /* boot clock: in state D since then, without having run; 0: it is not */
    char comm[FACT_COMM]; /* bytes from outside, NUL-filled */
};

struct fact_socket { /* state 0: the place is free */
    struct addr local, remote;
    uint8_t state; /* TCP's; never LISTEN */
    uint32_t uid;
    uint64_t inode, cookie;
};

struct fact_listener {
    struct addr local;
    uint32_t waiting, most; /* connections that wait to be accepted, and how many may */
    uint32_t uid;
    uint64_t inode;
};

struct facts {
    int64_t at_us;   /* wall clock */
    int64_t mono_us; /* boot clock */
    int64_t step_us; /* since the last sample; 0: this is the first */

    /* Places keep their occupant from one second to the next. */
    const struct fact_process *processes;
    uint32_t processes_room;
    uint32_t processes_count;
    const struct fact_socket *sockets;
    uint32_t sockets_room;
    uint32_t sockets_count;
    bool sockets_fresh; /* looked at in this second */
    const struct fact_listener *listeners;
    uint32_t listeners_count;

    uint32_t going_down; /* processes that have just gone into state D */

    struct slice stat, meminfo, loadavg, mountinfo, vmstat, diskstats; /* texts of /proc; empty: could not be read */
    struct slice pressure_io, pressure_cpu, pressure_memory;
};
#endif
