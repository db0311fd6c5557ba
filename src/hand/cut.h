/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cut - ends the running mail connections of one host: what the connection tracker knows of them, and our own sockets.
 */
#ifndef SERVIOLA_HAND_CUT_H
#define SERVIOLA_HAND_CUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "hand/nl.h"
#include "hand/op.h"

enum { CUT_MOST = 4096 }; /* connections of one host in one go */

struct cut {
    struct nl tracker, sockets; /* own */
};
int cut_open(struct cut *c, struct err *e);
void cut_close(struct cut *c);

/* Connections that `who` opened to one of the ports.  `local`: it is an address of this machine, so its sockets are
 * closed as well.  `error` is the first errno that stood in the way (ENOENT: no tracker in this kernel). */
struct hand_killed cut_host(struct cut *c, struct addr who, bool local, const uint16_t *ports, size_t count);

/* For tests: what one message of the tracker's answer says; false when it is none of the host's. */
bool cut_reads_tracked(const struct nlmsghdr *h, struct addr who, const uint16_t *ports, size_t count,
                       const struct nlattr **tuple, const struct nlattr **id, const struct nlattr **zone);
#endif
