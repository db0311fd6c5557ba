/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `notify:` section of the configuration: who is told of what, and on which way.
 */
#ifndef SERVIOLA_NOTIFY_SETTINGS_H
#define SERVIOLA_NOTIFY_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"

enum notify_by { BY_MAIL, BY_HOOK, BY_SLACK, BY_ALERTMANAGER, BY_ALERTMANAGER_HOOK, BY_SYSLOG, BY_RUN };
enum notify_tls { NOTIFY_TLS_WISHED, NOTIFY_TLS_REQUIRED, NOTIFY_TLS_OFF };

enum { NOTIFY_WAYS = 8, NOTIFY_RULES = 16, NOTIFY_TEXT = 256 };

struct notify_way { /* `ways: { admin: { by: mail, to: admin@example.org, server: smtp://mx.example.org } }` */
    char name[KEY_NAME_LEN];
    int by;                          /* enum notify_by */
    char to[NOTIFY_TEXT];            /* mail: addresses, a comma between two; syslog: host:port, empty for /dev/log */
    char from[128];                  /* mail: empty for serviola@ and this host's name */
    char server[NOTIFY_TEXT];        /* mail: smtp://HOST[:PORT] or smtps:// */
    char url[NOTIFY_TEXT];           /* what takes a POST */
    char user[128];                  /* mail, and HTTP's basic authentication */
    char password_file[NOTIFY_TEXT]; /* one line; only its owner may read it */
    char token_file[NOTIFY_TEXT];    /* HTTP: Authorization: Bearer; likewise */
    char ca_file[NOTIFY_TEXT];       /* PEM; empty: those of the system */
    char proxy[NOTIFY_TEXT];         /* http://HOST:PORT, socks5h://HOST:PORT */
    char command[NOTIFY_TEXT];       /* run: the path of a program */
    int tls;                         /* mail: enum notify_tls */
};

struct notify_rule { /* `rules: { disks: { events: [watch.*], of: [disk hangs], to: [admin] } }` */
    char name[KEY_NAME_LEN];
    struct key_names events; /* names of events, * at the end for all that begin so; empty: all */
    struct key_names of;     /* triggers, parts, interfaces ...: F_NAME of the event; empty: any */
    int grade;               /* least: 0 warn, 1 alarm */
    struct key_names to;     /* ways; empty: all */
    int64_t escalate_us;     /* not over and not acknowledged after so long: */
    struct key_names then;   /* these are told too; empty: nobody */
};

struct notify_settings {
    int64_t wait_us;                 /* what happens within it goes into one notice */
    int64_t window_us;               /* what repeats itself is told once in it; each one is twice as long, up to */
    int64_t window_most_us;          /* this */
    uint64_t burst;                  /* notices in a row, on one way, before */
    int64_t each_us;                 /* only one goes in so long */
    int64_t keep_us;                 /* a notice that finds no way out in this time is given up */
    int64_t retry_us, retry_most_us; /* the first pause after a failure, and the longest */
    int64_t timeout_us;              /* of one try */
    int64_t settle_us; /* what was told before a start, and is not found again so long after it, is over */
    uint32_t ways_zero, ways_count;
    struct notify_way ways[NOTIFY_WAYS];
    uint32_t rules_zero, rules_count;
    struct notify_rule rules[NOTIFY_RULES];
};

struct notify_house { /* what the part gets */
    struct notify_settings set;
    char journal[200]; /* folder */
};

extern const struct key notify_keys[];

/* What the table of keys can't know; false with a sentence about `*name`, a way or a rule. */
bool notify_check(const struct notify_settings *s, const char **name, struct err *e);
/* Whether each program of `now` stands in `old` too: who runs them learned them at the start. */
bool notify_knows_programs(const struct notify_settings *old, const struct notify_settings *now);
/* The ways that these names stand for, as bits; no name: all. */
uint32_t notify_ways_of(const struct notify_settings *s, const struct key_names *names);
#endif
