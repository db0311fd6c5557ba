/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo - a ping: the request and its answer (ICMP, RFC 792; ICMPv6, RFC 4443).
 *
 * The 16 bytes that are sent along come from the kernel's random numbers: an
 * answer with them is an answer to this request, whatever its numbers say (a
 * ping socket has its own).
 */
#ifndef SERVIOLA_WIRE_ECHO_H
#define SERVIOLA_WIRE_ECHO_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { ECHO_TOKEN = 16, ECHO_BYTES = 8 + ECHO_TOKEN };

/* `family` 4 or 6.  The sum of ICMPv6 is the kernel's to fill in. */
void echo_write(uint8_t bytes[ECHO_BYTES], uint8_t family, uint16_t id, uint16_t number,
                const uint8_t token[ECHO_TOKEN]);
/* False: it is no echo reply.  An IPv4 header in front (a raw socket) is passed over.  *token is inside. */
bool echo_read(struct slice packet, uint8_t family, struct slice *token);
#endif
