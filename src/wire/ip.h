/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ip - one IPv4 or IPv6 header with its extensions (RFC 791, RFC 8200).
 */
#ifndef SERVIOLA_WIRE_IP_H
#define SERVIOLA_WIRE_IP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum ip_proto { IP_PROTO_IPV4 = 4, IP_PROTO_TCP = 6, IP_PROTO_UDP = 17, IP_PROTO_IPV6 = 41, IP_PROTO_GRE = 47 };

struct ip_packet {
    uint8_t family;     /* 4 or 6 */
    uint8_t proto;      /* behind all extension headers; of a fragment: what its first header says */
    uint8_t ttl;        /* or hop limit */
    const uint8_t *src; /* 4 or 16 bytes inside the frame */
    const uint8_t *dst;
    struct slice payload; /* what was captured of it, padding taken off */
    size_t wire_len;      /* what the header says it has; more than payload.len when the capture cut it */
    bool sum_bad;         /* the IPv4 header's checksum is wrong (0 counts as left to the network card) */
    bool routed;          /* an IPv6 routing header with segments left: the TCP checksum is over another address */
    bool fragment;
    bool more;           /* fragments follow */
    uint32_t id, offset; /* of a fragment; offset in bytes */
};

enum { IP_EXTENSIONS = 16 };
bool ip_read(struct slice s, struct ip_packet *p); /* false: malformed */
/* The chain of IPv6 extension headers from `next` on; for what was put together from fragments. */
bool ip_extensions(uint8_t next, struct slice s, size_t wire_len, struct ip_packet *p);
/* GRE (RFC 2784, 2890; version 0): what is inside.  `type` is an EtherType. */
bool ip_gre(struct slice s, uint16_t *type, struct slice *inside);

/* One's complement sum, not folded, of bytes that begin at an even place. */
uint64_t ip_sum(struct slice s, uint64_t sum);
uint16_t ip_fold(uint64_t sum);
#endif
