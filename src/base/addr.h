/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * addr - an IP address with an optional port, and sets of them.
 *
 * An IPv4 address is always family 4: the v4-mapped form ::ffff:a.b.c.d is
 * folded when it is read, so that two spellings of one host compare equal.
 */
#ifndef SERVIOLA_BASE_ADDR_H
#define SERVIOLA_BASE_ADDR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct addr {
    uint8_t family; /* 4, 6, or 0 for none */
    uint8_t zero;   /* always 0: an addr is compared and hashed as its bytes */
    uint16_t port;  /* host order; 0 for none */
    uint8_t ip[16]; /* network order; IPv4 in the first four, the rest 0 */
};

struct prefix {
    struct addr net; /* port 0, bits behind `bits` 0 */
    uint8_t bits;
    uint8_t zero; /* always 0: a prefix is compared as its bytes, too */
};

struct addr addr_v4(uint32_t host_order, uint16_t port);
struct addr addr_from_ip(uint8_t family, const uint8_t *network_order, uint16_t port); /* folds ::ffff:0:0/96 */

/* `192.0.2.1`, `2001:db8::1`, no port, no brackets, no names. */
bool addr_read(struct slice s, struct addr *a);
/* `192.0.2.1:25`, `[2001:db8::1]:25`; without a port, `port` is left 0. */
bool addr_read_port(struct slice s, struct addr *a);
/* `192.0.2.0/24`, `2001:db8::/32`, or an address alone; bits behind the length must be 0. */
bool prefix_read(struct slice s, struct prefix *p);

bool addr_eq(struct addr a, struct addr b);    /* address and port */
bool addr_eq_ip(struct addr a, struct addr b); /* address alone */
struct addr addr_ip(struct addr a);            /* without its port */
bool prefix_has(struct prefix p, struct addr a);
struct prefix prefix_of(struct addr a, unsigned bits); /* the network of `bits` that holds a */
uint64_t addr_hash(struct addr a, uint64_t seed);      /* keyed by seed; address and port */

struct addr_words {
    char text[64];
};
struct addr_words addr_text(struct addr a);        /* "192.0.2.1 port 25"; without a port "192.0.2.1"; none: "-" */
struct addr_words addr_ip_text(struct addr a);     /* "192.0.2.1" (RFC 5952 for IPv6) */
struct addr_words addr_socket_text(struct addr a); /* "192.0.2.1:25", "[2001:db8::1]:25"; as addr_ip_text without */
struct addr_words prefix_text(struct prefix p);    /* "192.0.2.0/24" */

bool addr_is_loopback(struct addr a);    /* 127/8, ::1 */
bool addr_is_unspecified(struct addr a); /* 0/8, :: */
bool addr_is_private(struct addr a);     /* RFC 1918, RFC 6598, fc00::/7 */
bool addr_is_link_local(struct addr a);  /* 169.254/16, fe80::/10 */
bool addr_is_multicast(struct addr a);   /* 224/4, ff00::/8, 255.255.255.255 */
bool addr_is_documentation(struct addr a);

/*
 * Who we are.  Filled by who may ask the kernel (sys/net), asked by all who
 * are about to connect: an address that is our own must never be called.
 */
struct self {
    struct addr *own; /* owned by who filled it; sorted is not required */
    size_t count;
};
/* 127/8, ::1, unspecified, or one of self's; `self` may be NULL.  v4-mapped forms are folded already. */
bool addr_is_self(const struct self *self, struct addr a);
#endif
