/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * servers - the addresses of the few hosts that notices go to.
 *
 * /etc/hosts is read before the jail; what is not there is asked of the name
 * servers (c-ares) each time.  When they do not answer, the last addresses
 * hold: a notice about dead name servers has to go out too.
 */
#ifndef SERVIOLA_NOTIFY_SERVERS_H
#define SERVIOLA_NOTIFY_SERVERS_H
#include <stdbool.h>

#include "base/err.h"
#include "sys/loop.h"

enum { SERVERS_MOST = 8, SERVERS_ADDRESSES = 256 };

struct servers;
struct servers *servers_new(struct loop *l, struct err *e);
/* Before the jail: a host that will be asked for.  Its number, or -1: no place. */
int servers_add(struct servers *n, const char *host);
/* `done` may be called at once: "192.0.2.1,2001:db8::1", or "" and why.  Once at a time for each host and asker. */
void servers_ask(struct servers *n, int host, void (*done)(void *ctx, const char *addresses, const char *why),
                 void *ctx);
#endif
