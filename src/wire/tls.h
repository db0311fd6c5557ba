/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tls - the server name in a ClientHello (RFC 8446, 4.1.2; RFC 6066, 3).
 */
#ifndef SERVIOLA_WIRE_TLS_H
#define SERVIOLA_WIRE_TLS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { TLS_HELLO_MAX = 8192 };
enum tls_got { TLS_OK, TLS_MORE, TLS_BAD };

struct tls_hello {
    uint8_t bytes[TLS_HELLO_MAX]; /* the handshake message, records taken off */
    struct slice name;            /* in bytes; empty when the client named no server */
};

/* `s` begins with the first record.  TLS_MORE: the hello goes on behind `s`. */
enum tls_got tls_hello_read(struct slice s, struct tls_hello *h);
bool tls_is_hello_start(struct slice s); /* handshake record, version 3.x; true also for a shorter beginning of one */
#endif
