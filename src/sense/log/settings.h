/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `log:` section of the configuration.
 */
#ifndef SERVIOLA_SENSE_LOG_SETTINGS_H
#define SERVIOLA_SENSE_LOG_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"

enum log_mode { LOG_OFF, LOG_KEEP };
enum log_forward_way { LOG_TO_SERVIOLA, LOG_TO_RELP, LOG_TO_TLS, LOG_TO_TCP };
enum log_client { LOG_CLIENT_ANY, LOG_CLIENT_ASKED, LOG_CLIENT_MUST };

enum { LOG_FILES = 32, LOG_FORWARDS = 4, LOG_RULES = 64 };

struct log_file { /* `files: { mail: { path: /var/log/mail.log } }` */
    char name[KEY_NAME_LEN];
    char path[200];
};

struct log_forward { /* `forward: { vault: { to: 192.0.2.9:2514 } }` */
    char name[KEY_NAME_LEN];
    struct addr to;
    int way; /* enum log_forward_way */
};

enum log_rule_means { LOG_RULE_ATTACK, LOG_RULE_VIOLATION, LOG_RULE_HARMLESS };

struct log_rule { /* `rules: { su: { match: "su(do)?: .*FAILED", means: attack } }` */
    char name[KEY_NAME_LEN];
    char match[400];
    int means; /* enum log_rule_means */
};

enum { LOG_CLASSES = 8, LOG_ANY_SEVERITY = 8 };
struct log_class { /* `keep: { classes: { security: { facilities: [auth, authpriv], age: 1830d } } }` */
    char name[KEY_NAME_LEN];
    struct key_names facilities, programs, hosts; /* none: any */
    int severity;                                 /* so grave or graver; LOG_ANY_SEVERITY */
    uint64_t bytes;
    int64_t age_us;
};

struct log_analyse {
    bool on;
    uint64_t memory_bytes;   /* at most, about */
    struct key_prefixes own; /* mail from there is not stolen */
    char logcheck[200];      /* a folder of rules; empty: none */
    int level;               /* enum logrules_level */
    uint64_t unknown;        /* new kinds of lines that no rule knows, told in an hour */
    uint32_t zero;
    uint32_t rules_count;
    struct log_rule rules[LOG_RULES];
};

struct log_settings {
    int mode;
    char folder[200];
    struct key_addrs udp, tcp, tls, relp, peers;
    struct key_prefixes senders; /* none: anybody */
    char socket[108];            /* /dev/log; empty: none */
    bool kernel;                 /* /dev/kmsg */
    bool journald;
    char journald_folder[200];
    uint32_t zero;
    uint32_t files_count; /* stands right before the array: KEY_EACH */
    struct log_file files[LOG_FILES];
    uint32_t zero2;
    uint32_t forwards_count;
    struct log_forward forwards[LOG_FORWARDS];

    uint64_t line_bytes; /* what is longer is cut, its length and digest are kept */
    uint64_t connections;
    int64_t frame_us; /* how long a message may take from its first to its last byte */
    uint64_t udp_buffer;
    uint64_t udp_sockets; /* for each address */

    int64_t sync_us;
    uint64_t memory_bytes;
    uint64_t segment_bytes;
    int64_t segment_us;
    int64_t head_us;
    uint64_t keep_bytes;
    int64_t keep_us;
    uint64_t reserve_bytes;
    uint32_t zero3;
    uint32_t classes_count;
    struct log_class classes[LOG_CLASSES];
    uint64_t level;
    int64_t again_us;
    bool columns;
    uint8_t zero4[7];

    /* of TLS: PEM files; `clients`: who may have signed theirs; `revoked`: those authorities' lists, or empty */
    char certificate[200], key[200], clients[200], revoked[200];
    int client; /* enum log_client */

    struct log_analyse analyse;
    bool mail; /* no key: gate.accounts.logs */
};

extern const struct key log_keys[];
#endif
