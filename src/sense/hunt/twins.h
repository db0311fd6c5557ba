/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * twins - one flow, seen on two interfaces of a gateway, is read once.
 *
 * A forwarded frame passes an inner interface and an outer one.  Its flow is
 * read on the inner one; between two inner ones, on that which saw it first.
 * What comes back is read there too, or where it leaves for the client: a
 * forged source's answers, and those that take another way.  Behind address
 * translation the outer copy has another source: it is known by its server
 * and its initial sequence number, which stay the same (the inner copy must
 * be shown first).  What remains on an outer interface is what this host
 * itself sends.
 */
#ifndef SERVIOLA_HUNT_TWINS_H
#define SERVIOLA_HUNT_TWINS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "wire/link.h"

enum { TWINS_FLOWS = 1 << 14, TWINS_OPENINGS = 1 << 12 }; /* a newer one takes the place of an older */

struct twins;
struct twins *twins_new(uint64_t seed, struct err *e);
void twins_free(struct twins *t); /* NULL is fine */

struct twins_frame {   /* what of a frame matters here */
    uint64_t flow;     /* the same for both directions */
    uint8_t direction; /* 0 or 1 */
    uint64_t opening;  /* of a SYN: server and sequence number; else 0 */
};
/* False: no TCP header inside (a later fragment, say); such a frame has no twin that could be told. */
bool twins_read(const struct twins *t, enum link_type link, struct slice frame, struct twins_frame *f);

struct twins_place { /* where the frame was seen */
    uint8_t interface;
    bool inner;
    bool leaves; /* it goes out there; else it comes in, or passes by */
};
/* Whether it is to be read there.  `at_us` is any steady clock. */
bool twins_mine(struct twins *t, struct twins_place place, const struct twins_frame *f, int64_t at_us);
#endif
