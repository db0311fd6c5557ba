/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cutter - the process beside act that walks through the connection tracker, so that no block waits for it.
 *
 * act forks it before anything is open, and it ends with its link.  It does
 * what the one order says that it understands, and keeps nothing between two.
 */
#ifndef SERVIOLA_HAND_CUTTER_H
#define SERVIOLA_HAND_CUTTER_H
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "hand/op.h"
#include "sys/loop.h"

enum cutter_op {
    CUTTER_ORDER = 500, /* struct cut_order, then struct cut_host[1..CUTTER_HOSTS] */
    CUTTER_REPORT =
        501, /* struct cut_report, then struct hand_killed[] in the same order; once at start, without any */
};
enum { CUTTER_HOSTS = 2048 };

struct cut_order {
    uint32_t ports_count;
    uint16_t ports[HAND_PORTS];
    uint32_t doors_count; /* and our own sockets at these, where such a host is at the other end */
    uint16_t doors[HAND_LISTENS];
    uint32_t zero;
};
struct cut_host {
    struct addr who; /* port 0 */
    uint8_t local;   /* it is an address of this machine: its sockets are closed as well */
    uint8_t zero[3];
};
struct cut_report {
    int64_t took_us; /* of one processor */
};

struct cutter;
struct cutter *cutter_new(struct loop *l, int link, struct err *e); /* owns `link`, also when it fails */
int cutter_begin(struct cutter *c, struct err *e);                  /* in the jail */
void cutter_free(struct cutter *c);                                 /* NULL is fine */
#endif
