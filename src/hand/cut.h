/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cut - ends the running mail connections of hosts: what the connection tracker knows of them, and our own sockets.
 *
 * One walk for all hosts of a family; what it finds of them is taken out on
 * a second socket while it goes on.
 */
#ifndef SERVIOLA_HAND_CUT_H
#define SERVIOLA_HAND_CUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "hand/cutter.h"
#include "hand/nl.h"
#include "hand/op.h"

struct cutting {
    struct nl tracker, sockets; /* own; asks */
    struct nl remove, destroy;  /* own; changes */
    unsigned walks;             /* through tracker or sockets, since the start */
    uint64_t seed;
    uint16_t slots[2 * CUTTER_HOSTS]; /* of the walk: index + 1 of a host, by its hash; 0: none */
};
int cutting_open(struct cutting *c, struct err *e);
void cutting_close(struct cutting *c);

/*
 * Connections that the hosts opened to one of the ports or doors; what was cut of each goes to `out`, in the same order
 * (a host that is named twice: to the first).  At most CUTTER_HOSTS.  `error` is the first errno that stood in the way
 * (ENOENT: no tracker in this kernel).
 */
void cut_hosts(struct cutting *c, const struct cut_order *order, const struct cut_host *hosts, size_t count,
               struct hand_killed *out);
void cut_nobody(struct cutting *c); /* only walks */

/* What one message of the tracker's answer says; parts that are not there are NULL.  False: it is no connection to one
 * of the ports. */
struct tracked {
    struct addr source;
    const struct nlattr *tuple, *id, *zone;
};
bool cut_reads_tracked(const struct nlmsghdr *h, const uint16_t *ports, size_t count, struct tracked *t);
#endif
