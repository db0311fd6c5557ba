/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/settings.h"

enum { SECOND = 1000000 };
#define DAY (86400 * (int64_t)SECOND)
#define MIB (1024 * (int64_t)1024)

static const char *const modes[] = { "off", "on", NULL };
static const char *const grades[] = { "warn", "alarm", NULL };

static const struct key trigger_keys[] = {
    { .name = "when",
      .type = KEY_TEXT,
      KEY_AT(struct watch_trigger, when),
      .def = NULL,
      .help = "What has to be so, such as \"disk.latency > 2s for 3s or dstate.tasks > 10\"; serviola watch lists the "
              "names, serviola watch try tells when it would have fired." },
    { .name = "do",
      .type = KEY_NAMES,
      KEY_AT(struct watch_trigger, acts),
      .max = 15,
      .def = "notify",
      .help = "xray takes a picture of the whole host, notify tells people." },
    { .name = "grade",
      .type = KEY_WORD,
      KEY_AT(struct watch_trigger, grade),
      .words = grades,
      .def = "alarm",
      .help = "alarm: somebody must look; warn: somebody should." },
    { .name = "needs",
      .type = KEY_TEXT,
      KEY_AT(struct watch_trigger, needs),
      .def = "",
      .help =
          "Only while this is not false, such as \"service.router.up\": what lies behind a dead host is not told." },
    { .name = "clear",
      .type = KEY_TEXT,
      KEY_AT(struct watch_trigger, clear),
      .def = "",
      .help = "It is over when this is so; empty: when `when` no longer is." },
    { .name = "calm",
      .type = KEY_SPAN,
      KEY_AT(struct watch_trigger, calm_us),
      .min = 0,
      .max = DAY,
      .def = "5s",
      .help = "And has been for so long." },
    { .name = "again",
      .type = KEY_SPAN,
      KEY_AT(struct watch_trigger, again_us),
      .min = 0,
      .max = 366 * DAY,
      .def = "5min",
      .help = "What it does is done at most once in this time; each firing is an event all the same." },
    { .name = NULL },
};

static const struct key log_keys[] = {
    { .name = "file",
      .type = KEY_TEXT,
      KEY_AT(struct watch_log, file),
      .def = NULL,
      .help = "The file that grows as long as all is well." },
    { .name = NULL },
};

static const struct key recorder_keys[] = {
    { .name = "sockets",
      .type = KEY_BOOL,
      KEY_AT(struct watch_settings, sockets),
      .def = "yes",
      .help = "Record connections too." },
    { .name = "sockets_cpu",
      .type = KEY_SPAN,
      KEY_AT(struct watch_settings, budget_us),
      .min = 1000,
      .max = SECOND,
      .def = "12ms",
      .help = "CPU time a second that looking at connections may take; where it takes more, it is done less often." },
    { .name = "memory",
      .type = KEY_SPAN,
      KEY_AT(struct watch_settings, memory_us),
      .min = 60 * (int64_t)SECOND,
      .max = DAY,
      .def = "15min",
      .help = "How much of the past is in memory, a picture each second," },
    { .name = "memory_size",
      .type = KEY_BYTES,
      KEY_AT(struct watch_settings, memory_bytes),
      .min = MIB,
      .max = 1024 * MIB,
      .def = "64MiB",
      .help = "in so many bytes at most; only what is used is taken." },
    { .name = "disk_each",
      .type = KEY_SPAN,
      KEY_AT(struct watch_settings, disk_every_us),
      .min = SECOND,
      .max = 3600 * (int64_t)SECOND,
      .def = "10s",
      .help = "On disk there is a picture for each so long," },
    { .name = "disk",
      .type = KEY_SPAN,
      KEY_AT(struct watch_settings, disk_keep_us),
      .min = 0,
      .max = 366 * DAY,
      .def = "7d",
      .help = "for so long; 0: none," },
    { .name = "disk_size",
      .type = KEY_BYTES,
      KEY_AT(struct watch_settings, disk_bytes),
      .min = MIB,
      .max = 1024 * 1024 * MIB,
      .def = "1GiB",
      .help = "in so many bytes at most." },
    { .name = NULL },
};

/* What nobody wants to learn from a user. */
#define BUILT_IN                                                                                                       \
    "disk hangs: { when: disk.latency > 900ms or dstate.stuck > 4, do: [xray, notify] }\n"                             \
    "file system does not answer: { when: fs.hang > 0 for 3s, do: [xray, notify] }\n"                                  \
    "file system read-only: { when: fs.read_only_by_error > 0, do: [xray, notify] }\n"                                 \
    "disk fails: { when: kernel.disk > 0 or kernel.fs > 0, do: [xray, notify], calm: 10min }\n"                        \
    "hardware fails: { when: kernel.hardware > 0 or kernel.fault > 0, do: [xray, notify], calm: 10min }\n"             \
    "disk fills: { when: fs.used > 95 or fs.inodes > 95 or fs.full_in < 1h for 1min, clear: fs.used < 93 and "         \
    "fs.inodes < 93, calm: 1min, grade: warn }\n"                                                                      \
    "memory runs out: { when: mem.available < 4% and psi.memory > 10% for 5s or mem.killed > 0, do: [xray, notify] "   \
    "}\n"                                                                                                              \
    "house is full: { when: listen.full > 0 for 2s, do: [xray, notify] }\n"                                            \
    "calls itself: { when: net.own_rise > 15, do: [xray], grade: warn }\n"                                             \
    "spray of connections: { when: net.syn_sent > 100 for 5s, do: [xray, notify], grade: warn }\n"                     \
    "clock jumped: { when: clock.jump > 2s or clock.jump < -2s, grade: warn, calm: 0 }\n"                              \
    "log is silent: { when: log.*.overdue > 4, do: [xray, notify], grade: warn }\n"                                    \
    "program is gone: { when: process.missing > 0 for 3s }\n"                                                          \
    "forbidden port: { when: listen.forbidden > 0, do: [xray, notify], grade: warn }\n"                                \
    "certificate ends: { when: service.*.days < 14, grade: warn, calm: 0, again: 1d }\n"                               \
    "domain ends: { when: domain.*.days < 30, grade: warn, calm: 0, again: 1d }\n"                                     \
    "domain gives no answer: { when: domain.*.unasked > 3d, grade: warn, calm: 0, again: 7d }\n"                       \
    "CPUs unused: { when: cpu.unused > 0 for 10s, grade: warn }\n"                                                     \
    "security updates wait: { when: updates.security > 0 for 1d, grade: warn, again: 1d }\n"                           \
    "lists of packages are old: { when: updates.age > 14d, grade: warn, again: 7d }\n"

const struct key watch_keys[] = {
    { .name = "mode",
      .type = KEY_WORD,
      KEY_AT(struct watch_settings, mode),
      .words = modes,
      .def = "on",
      .help = "Measure and record each second." },
    { .name = "recorder",
      .type = KEY_TABLE,
      .offset = 0,
      .size = sizeof(struct watch_settings),
      .sub = recorder_keys,
      .help = "The flight recorder." },
    { .name = "read_disks",
      .type = KEY_BOOL,
      KEY_AT(struct watch_settings, read_disks),
      .def = "yes",
      .help = "Read 4 KiB of each disk each second, to know how long it takes; a sleeping disk does not sleep then." },
    { .name = "updates",
      .type = KEY_SPAN,
      KEY_AT(struct watch_settings, updates_us),
      .min = 0,
      .max = 7 * DAY,
      .def = "1h",
      .help =
          "How often it is looked which updates wait (updates.security, updates.all), how old the lists of packages "
          "are (updates.age) and whether the host has to be started anew for them (updates.reboot); 0: never, until "
          "the "
          "next start.  Asked is apt's own simulation, of the lists that are there: without the network, without a "
          "lock, "
          "as a user without rights, at the lowest priority, and only when something has changed since." },
    { .name = "must_run",
      .type = KEY_NAMES,
      KEY_AT(struct watch_settings, must_run),
      .max = 15,
      .def = "",
      .help = "Names of processes of which there must be one at least, such as [master, nginx]." },
    { .name = "must_not_listen",
      .type = KEY_PORTS,
      KEY_AT(struct watch_settings, must_not),
      .def = "",
      .help = "TCP ports on which nobody may listen." },
    { .name = "logs",
      .type = KEY_EACH,
      KEY_EACH_AT(struct watch_settings, logs, logs_count),
      .sub = log_keys,
      .def = "",
      .help = "Logs whose silence is noticed; how long a pause is usual is learned." },
    { .name = "services",
      .type = KEY_EACH,
      KEY_EACH_AT(struct watch_settings, services.at, services.count),
      .sub = service_keys,
      .def = "",
      .help = "What is probed over the network, such as `web: { probe: https, to: www.example.org, every: 1s }`.  When "
              "each was down is told by serviola status --since; its values are service.web.up, .latency, .days." },
    { .name = "domains",
      .type = KEY_EACH,
      KEY_EACH_AT(struct watch_settings, services.domains, services.domains_count),
      .sub = domain_keys,
      .def = "",
      .help =
          "Domains whose end is watched, such as `example.org: {}`: their registry is asked once a day (RDAP).  Values "
          "are domain.NAME.days, of what was known last, and domain.NAME.unasked, since when there was no answer." },
    { .name = "triggers",
      .type = KEY_EACH,
      KEY_EACH_AT(struct watch_settings, triggers, triggers_count),
      .sub = trigger_keys,
      .def = BUILT_IN,
      .help = "When somebody should know, and what is done.  As soon as one stands here, those built in are gone; "
              "write down again what is to stay." },
    { .name = NULL },
};
