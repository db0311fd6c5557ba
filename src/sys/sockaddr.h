/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sockaddr - an address as the kernel's calls want it, and back.
 */
#ifndef SERVIOLA_SYS_SOCKADDR_H
#define SERVIOLA_SYS_SOCKADDR_H
#include <sys/socket.h>

#include "base/addr.h"

/* Fills all of `room`; what bind(2) and connect(2) want as the length.  IPv6 without a scope. */
socklen_t sockaddr_from(struct addr a, struct sockaddr_storage *room);
/* v4-mapped becomes IPv4 (addr_from_ip); family 0 when it is neither. */
struct addr sockaddr_read(const struct sockaddr_storage *room);
#endif
