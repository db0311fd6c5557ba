/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proc - what Linux says about itself under /proc and /sys, as texts: see proc(5).
 *
 * Names in there are chosen by whoever runs a program: a comm may hold
 * brackets, spaces and line ends.  Slices point into the text that was read.
 */
#ifndef SERVIOLA_WIRE_PROC_H
#define SERVIOLA_WIRE_PROC_H
#include "base/addr.h"
#include "base/slice.h"
#include "base/text.h"

enum { PROC_KERNEL_THREAD = 0x00200000 }; /* PF_KTHREAD in proc_stat.flags */

/* /proc/PID/stat. */
struct proc_stat {
    int64_t pid, ppid;
    struct slice comm; /* between the first '(' and the last ')' */
    char state;        /* R S D T t Z X I */
    uint64_t flags, threads;
    uint64_t cpu_ticks;   /* user and system, all threads, so far */
    uint64_t start_ticks; /* since boot */
    uint64_t rss_pages;
    uint64_t args_bytes; /* what the command line is long; 0: not told */
};
bool proc_stat_read(struct slice text, struct proc_stat *stat);

/* The value of `Key:   value` in texts like status and meminfo, trimmed. */
bool proc_field(struct slice text, const char *key, struct slice *value);
/* The number that a value begins with: "1234 kB", "0\t0\t0". */
bool proc_number(struct slice value, uint64_t *number);
/* /proc/PID/limits: the soft limit in the line that begins with `name`; UINT64_MAX: unlimited. */
bool proc_limit(struct slice text, const char *name, uint64_t *soft);
/* /proc/PID/cgroup: the unit or container, the last part of the longest path; empty when there is none. */
struct slice proc_unit(struct slice text);
/* How many CPUs a list like "0-3,8" names; false when it is no such list. */
bool proc_cpus(struct slice list, uint64_t *count);

/* One line of /proc/PID/mountinfo; in its texts \040 still stands for a space: proc_unescape. */
struct proc_mount {
    uint64_t id, parent;
    uint64_t major, minor;
    struct slice root, point, options, type, source, super_options;
};
bool proc_mount_read(struct slice line, struct proc_mount *mount);
void proc_unescape(struct text *t, struct slice s); /* \ooo becomes its byte */
/* Is `word` one of "rw,relatime,errors=remount-ro"? */
bool proc_option(struct slice options, const char *word);

/* One line of /proc/pressure/NAME. */
struct proc_pressure {
    bool full;                                       /* every task waited; else some did */
    uint64_t avg10_centi, avg60_centi, avg300_centi; /* hundredths of a percent */
    uint64_t total_us;
};
bool proc_pressure_read(struct slice line, struct proc_pressure *p);

/* /proc/loadavg. */
struct proc_load {
    uint64_t one_centi, five_centi, fifteen_centi;
    uint64_t running, tasks, last_pid;
};
bool proc_load_read(struct slice text, struct proc_load *load);

/* One line of /proc/diskstats. */
struct proc_disk {
    uint64_t major, minor;
    struct slice name;
    uint64_t reads, writes; /* completed */
    uint64_t in_flight;
    uint64_t busy_ms;
    uint64_t waited_ms; /* all requests together */
};
bool proc_disk_read(struct slice line, struct proc_disk *disk);

/* One record of /dev/kmsg. */
struct proc_kmsg {
    unsigned level, facility; /* syslog(3); facility 0 is the kernel itself, others were written by programs */
    uint64_t number;
    int64_t at_us; /* since boot */
    struct slice text;
};
bool proc_kmsg_read(struct slice record, struct proc_kmsg *line);

/* One line of /proc/net/route or /proc/net/ipv6_route. */
struct proc_route {
    struct slice interface;
    struct addr net, gateway;
    uint8_t bits;
    uint64_t metric;
};
bool proc_route4_read(struct slice line, struct proc_route *route);
bool proc_route6_read(struct slice line, struct proc_route *route);

/* One line of /proc/net/tcp, tcp6, udp or udp6. */
struct proc_port {
    struct addr local;
    uint8_t state; /* as TCP's: 10 listening */
    uint64_t inode;
};
bool proc_port_read(struct slice line, struct proc_port *port);

/* One line of /proc/modules. */
struct proc_module {
    struct slice name, state, taints; /* taints without the brackets; empty: none */
    uint64_t bytes;
};
bool proc_module_read(struct slice line, struct proc_module *module);
#endif
