/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ours - is this address our own: loopback, one of this host's, or one that the configuration says is ours too?
 *
 * Asked before each connection that goes out, and of both ends of each that
 * came in.
 */
#ifndef SERVIOLA_GATE_OURS_H
#define SERVIOLA_GATE_OURS_H
#include "base/addr.h"
#include "sense/gate/check.h"

bool ours_addr(const struct gate_means *m, struct addr a);
/* Our own name, with or without a final dot. */
bool ours_name(const struct gate_means *m, struct slice name);
#endif
