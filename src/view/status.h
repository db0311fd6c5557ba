/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status - how the running house is, for people and as JSON.
 */
#ifndef SERVIOLA_VIEW_STATUS_H
#define SERVIOLA_VIEW_STATUS_H
#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"
#include "part/control.h"

/* What somebody should look at, one sentence a call of `each`; returns how many. */
unsigned status_troubles(const struct ctl_status *s, void (*each)(void *ctx, const char *sentence), void *ctx);
/* The first seconds, while a part or the first interface is still awaited: that is no trouble yet. */
bool status_is_starting(const struct ctl_status *s);
void status_print(const struct ctl_status *s, FILE *to, bool colour);
void status_json(const struct ctl_status *s, FILE *to); /* one object, one line */

/* "12,009 mail commands, 3 findings, 1 of 65,536 hosts blocked, 0 packets lost"; for the console. */
void status_totals(struct text *t, const struct ctl_status *s);
/* What the kernel can't enforce (enum jail_gap), in words; "" for 0. */
void status_gaps(struct text *t, unsigned gaps);

struct status_sums {
    uint64_t packets, lost; /* over all interfaces */
};
struct status_sums status_sums(const struct ctl_status *s);
#endif
