/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net - what this host's own files say about the network.
 *
 * Interfaces, addresses and routes come from the hand (hand/facts), which
 * hears of each change.
 */
#ifndef SERVIOLA_SYS_NET_H
#define SERVIOLA_SYS_NET_H
#include <stddef.h>

#include "base/addr.h"
#include "base/slice.h"

/* The name servers of resolv.conf(5), each once, in order; how many were written.  Scopes (fe80::1%eth0) are left out,
 * what is no address is passed over. */
size_t net_resolvers_read(struct slice text, struct addr *at, size_t most);
#endif
