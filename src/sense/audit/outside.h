/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outside - which TCP ports of a host let this one in: connect(), and nothing is said.
 *
 * At most OUTSIDE_AT_ONCE connections stand at a time, at most one is begun in a
 * millisecond, and it ends when its time is up.  Needs no rights.
 */
#ifndef SERVIOLA_SENSE_AUDIT_OUTSIDE_H
#define SERVIOLA_SENSE_AUDIT_OUTSIDE_H
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

enum { OUTSIDE_PORTS = 65536, OUTSIDE_AT_ONCE = 128, OUTSIDE_PATIENCE_MS = 1500, OUTSIDE_LONGEST_MS = 600000 };

enum outside_state { OUTSIDE_NOT_ASKED, OUTSIDE_ASKED, OUTSIDE_OPEN, OUTSIDE_CLOSED, OUTSIDE_SILENT };

struct outside {
    struct addr host, from; /* from: our own address on the way there; family 0: there is no way */
    int64_t longest_ms;     /* for all of it */
    uint8_t
        port[OUTSIDE_PORTS]; /* enum outside_state; the caller sets OUTSIDE_ASKED, which stays where the time was up */
};
int outside_look(struct outside *l, struct err *e);
#endif
