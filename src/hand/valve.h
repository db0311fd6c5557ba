/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * valve - between the kernel's queue and the hunt (hand/hold.h): passes packets on, unread, and verdicts back.
 */
#ifndef SERVIOLA_HAND_VALVE_H
#define SERVIOLA_HAND_VALVE_H
#include "base/err.h"
#include "hand/op.h"
#include "sys/loop.h"

struct valve;
/* Owns `link`; reads what it needs of `set`, which it does not keep. */
struct valve *valve_new(struct loop *l, int link, const struct hand_settings *set, struct err *e);
void valve_free(struct valve *v);
int valve_begin(struct valve *v, unsigned gaps, struct err *e);
#endif
