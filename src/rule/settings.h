/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `rules:` and `block:` sections of the configuration.
 */
#ifndef SERVIOLA_RULE_SETTINGS_H
#define SERVIOLA_RULE_SETTINGS_H
#include <stdint.h>

#include "conf/schema.h"

enum { RULE_CAP = 64, RULE_TIMES_MAX = 100 };

enum rule_act { RULE_NOTE, RULE_BLOCK };

struct rule_settings {
    char name[KEY_NAME_LEN];
    int on;            /* index into rule_kind_words: enum event_kind less one */
    int act;           /* enum rule_act */
    uint64_t times;    /* 1 to RULE_TIMES_MAX events of one source, */
    int64_t within_us; /* within this time */
    int64_t span_us;   /* how long it is blocked; 0: block_settings' span_us */
};

struct rules_settings { /* `rules:`, each entry a rule */
    uint32_t zero, count;
    struct rule_settings at[RULE_CAP];
};

enum block_how { BLOCK_DROP, BLOCK_REJECT };

struct block_settings {                /* `block:` */
    char table[32];                    /* table inet NAME */
    int how;                           /* enum block_how */
    int64_t span_us;                   /* `for` */
    uint64_t per_minute;               /* new blocks */
    uint64_t total;                    /* blocks at once */
    uint64_t log_per_minute;           /* kernel log lines per blocked source; 0: none */
    uint64_t windows;                  /* sources that rules count at once */
    struct key_prefixes admin;         /* never blocked */
    struct key_prefixes local_senders; /* own addresses that may be blocked all the same */
};

extern const struct key rules_keys[];
extern const struct key block_keys[];
extern const char *const rule_kind_words[]; /* every event's name but EV_NONE; NULL-ended */
#endif
