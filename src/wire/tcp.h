/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tcp - one segment's header (RFC 9293), its window scale, its checksum.
 */
#ifndef SERVIOLA_WIRE_TCP_H
#define SERVIOLA_WIRE_TCP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/ip.h"

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

struct tcp_segment {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;        /* enum tcp_flag */
    uint16_t window;      /* as it stands there: not scaled */
    int8_t scale;         /* window scale option (RFC 7323), -1 without; only a SYN has one */
    struct slice payload; /* what was captured of it */
    size_t wire_len;      /* what was sent */
};

bool tcp_read(struct slice s, size_t wire_len, struct tcp_segment *t);

enum tcp_sum { TCP_SUM_GOOD, TCP_SUM_BAD, TCP_SUM_UNKNOWN /* not all bytes were captured */ };
enum tcp_sum tcp_sum(const struct ip_packet *p);

/* Sequence numbers wrap (RFC 9293, 3.4): a - b as a signed distance. */
static inline int32_t tcp_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}
#endif
