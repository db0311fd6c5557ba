/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * act - the hand itself: blocks, captures, cuts, and tells the core about interfaces and its table.
 */
#ifndef SERVIOLA_HAND_ACT_H
#define SERVIOLA_HAND_ACT_H
#include "base/err.h"
#include "sys/chan.h"
#include "sys/loop.h"

struct hand_settings;
struct act;

/* Owns `settings` (a mapping of sizeof(struct hand_settings)), `link`, and `cutter`, the link to hand/cutter.h.  Opens
 * all sockets. */
struct act *act_new(struct loop *l, int link, int cutter, const struct hand_settings *settings, struct err *e);
/* `stock` is the link of hand/stock.h, the act's from here on. */
int act_inherit(struct act *a, int stock, struct err *e);
void act_free(struct act *a);
/* In the jail: says that it is ready, tells the facts, puts the table up.  -1: it can't work at all. */
int act_begin(struct act *a, unsigned gaps, struct err *e);
void act_stop(struct act *a); /* leaves the kernel as it should be without us; the loop ends */
#endif
