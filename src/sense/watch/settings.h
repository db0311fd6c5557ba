/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `watch:` section of the configuration.
 */
#ifndef SERVIOLA_WATCH_SETTINGS_H
#define SERVIOLA_WATCH_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"
#include "sense/watch/services/settings.h"

enum watch_mode { WATCH_OFF, WATCH_ON };
enum watch_grade { WATCH_WARN, WATCH_ALARM };

enum { WATCH_TRIGGERS = 48, WATCH_EXPRESSION = 240, WATCH_LOGS = 16, WATCH_PATH = 128 };

struct watch_trigger { /* `triggers: { disk hangs: { when: "disk.latency > 2s for 3s", do: [xray, notify] } }` */
    char name[KEY_NAME_LEN];
    char when[WATCH_EXPRESSION];  /* trigger.h */
    char needs[WATCH_EXPRESSION]; /* counts only while this is not false; empty: always */
    char clear[WATCH_EXPRESSION]; /* over when this is true; empty: when `when` is no longer */
    struct key_names acts;        /* `do`: xray, notify */
    int grade;                    /* enum watch_grade */
    int64_t calm_us;              /* quiet for so long before it is over */
    int64_t again_us;             /* its acts are done at most once in this time */
};

struct watch_log { /* `logs: { mail: { file: /var/log/mail.log } }` */
    char name[KEY_NAME_LEN];
    char file[WATCH_PATH];
};

struct watch_settings {
    int mode;                            /* enum watch_mode */
    bool sockets;                        /* connections are recorded too */
    int64_t budget_us;                   /* CPU a second for sockets; above it they are looked at less often */
    int64_t memory_us;                   /* the recorder's past in memory, */
    uint64_t memory_bytes;               /* in at most so many bytes */
    int64_t disk_every_us, disk_keep_us; /* thinned to disk; keep 0: none */
    uint64_t disk_bytes;
    bool read_disks;           /* a small read of each disk, each second */
    int64_t updates_us;        /* pending updates are counted; 0: never */
    struct key_names must_run; /* names of programs */
    struct key_ports must_not; /* ports that must not listen */
    uint32_t logs_zero, logs_count;
    struct watch_log logs[WATCH_LOGS];
    uint32_t triggers_zero, triggers_count;
    struct watch_trigger triggers[WATCH_TRIGGERS];
    struct services services; /* for the part that probes */
};

extern const struct key watch_keys[];
#endif
