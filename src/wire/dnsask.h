/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dnsask - one question for a name server (RFC 1035), as it is sent over UDP.
 */
#ifndef SERVIOLA_WIRE_DNSASK_H
#define SERVIOLA_WIRE_DNSASK_H
#include "wire/dns.h"

enum { DNSASK_BYTES = 300 };

/* The bytes written into `at`; 0: that is no name to ask for.  With EDNS for 1232 bytes. */
size_t dnsask_write(uint8_t at[DNSASK_BYTES], uint16_t id, enum dns_kind kind, struct slice name);
/* Is it an answer, and to this number?  The rest dns_read looks at. */
bool dnsask_is_for(struct slice message, uint16_t id);
unsigned dnsask_code(struct slice message); /* RCODE of an answer */
#endif
