/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * look - what only privilege can read about a process: where in the kernel it stands.
 */
#ifndef SERVIOLA_HAND_LOOK_H
#define SERVIOLA_HAND_LOOK_H
#include "base/err.h"
#include "base/slice.h"
#include "hand/op.h"
#include "sys/loop.h"

struct look;
struct look *look_new(struct loop *l, int link, struct err *e); /* owns `link` */
void look_free(struct look *k);
int look_begin(struct look *k, unsigned gaps, struct err *e);

/* Fills state and text of `out` for out->pid; what could not be read is in out->error. */
void look_at(struct hand_stack *out);
/* The state letter of /proc/PID/stat, 0 when there is none: it stands behind the last ')', as a name may hold any. */
uint8_t look_state(struct slice stat);
#endif
