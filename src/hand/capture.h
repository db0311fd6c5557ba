/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture - a packet socket of one interface: filtered before it is bound, its filter locked.
 *
 * Who gets the descriptor can make a ring of it and read, and nothing else:
 * not see another port, not take the filter off.
 */
#ifndef SERVIOLA_HAND_CAPTURE_H
#define SERVIOLA_HAND_CAPTURE_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The descriptor, or -1.  *link_type is what the frames begin with: ARPHRD_ETHER, ARPHRD_LOOPBACK (14 bytes both), or
 * ARPHRD_NONE for an IP header, which is also what any unknown kind of link gives (cooked). */
int capture_open(int ifindex, uint32_t *link_type, const uint16_t *ports, size_t count, struct err *e);
#endif
