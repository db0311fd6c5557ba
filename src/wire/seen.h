/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seen - which ports of a host another one saw open: what nmap -oG, nmap -oX and serviola audit look write.
 *
 * A port that is not named is shut only when the file says that it was
 * tried (`# Ports scanned:`, which nmap -oG -v writes, or <scaninfo>).
 */
#ifndef SERVIOLA_WIRE_SEEN_H
#define SERVIOLA_WIRE_SEEN_H
#include <stdbool.h>

#include "base/addr.h"

enum seen_state { SEEN_NOT_TRIED, SEEN_SHUT, SEEN_OPEN };
enum { SEEN_TCP, SEEN_UDP, SEEN_PROTOCOLS };
enum { SEEN_HOSTS = 8, SEEN_PORTS = 65536 };

struct seen_host {
    struct addr address;
    uint8_t port[SEEN_PROTOCOLS][SEEN_PORTS]; /* enum seen_state */
};

struct seen {
    struct addr from; /* where one looked from; family 0: not told */
    uint8_t tried[SEEN_PROTOCOLS][SEEN_PORTS];
    size_t hosts, hosts_more; /* hosts_more: that did not fit */
    struct seen_host host[SEEN_HOSTS];
};

/* Into zeroed memory (a megabyte); false when it tells of no host. */
bool seen_read(struct seen *s, struct slice text);

/* `22,80,8000-8100`: calls for each range; false when it is anything else. */
bool seen_ports(struct slice list, void (*range)(void *own, uint16_t first, uint16_t last), void *own);
#endif
