/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `hunt:` section of the configuration.
 */
#ifndef SERVIOLA_HUNT_SETTINGS_H
#define SERVIOLA_HUNT_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"

enum hunt_mode { HUNT_OFF, HUNT_OBSERVE, HUNT_LEARN, HUNT_BLOCK, HUNT_HOLD };

/* One set of limits; 0 switches that detection off.  Counts are per source within `window_us`. */
struct hunt_limits {
    bool any_mail; /* one mail command from a host that is not allowed is enough (the story's rule) */
    int64_t window_us;
    uint64_t connections, servers, senders, domains, helos, refusals, bytes;
};

struct hunt_network { /* limits of its own for some networks: `networks: { office: { net: 10.1.0.0/16, ... } }` */
    char name[32];
    struct key_prefixes net;
    struct hunt_limits limits;
};

enum { HUNT_NETWORKS = 16 };
struct hunt_settings {
    int mode;                    /* enum hunt_mode */
    struct key_names interfaces; /* empty: every one that carries a route */
    struct key_ports ports;
    struct key_prefixes inside; /* empty: the networks on interfaces without a default route */
    struct key_prefixes allow;  /* the mail servers of the house */
    struct key_prefixes own;    /* no key: this host's addresses, as the hand tells them */
    struct hunt_limits limits;
    uint32_t zero;
    uint32_t networks_count; /* stands right before the array: KEY_EACH */
    struct hunt_network networks[HUNT_NETWORKS];

    uint64_t flows;         /* flow table's cap */
    uint64_t sources;       /* source table's cap */
    uint64_t findings;      /* most that are told in a minute; 0: no limit */
    uint64_t half_open;     /* cap of flows without a proven handshake */
    uint64_t reorder_bytes; /* out-of-order bytes kept: per flow, */
    uint64_t reorder_total; /* and in all */
    uint64_t fragments_bytes;
    uint64_t line_bytes; /* longest command line that is read */
    int64_t idle_us, half_open_us, closed_us;
    uint64_t ring_bytes; /* per interface */
    uint64_t threads;    /* fanout per interface; 1 is the rule */

    bool evidence;
    uint64_t evidence_bytes, evidence_files;
    char story_log[128];  /* file for `gusanos.log` lines; empty: none */
    int64_t hold_wait_us; /* how long the valve waits for a verdict */
    bool hold_fails_open;
};

extern const struct key hunt_keys[];
#endif
