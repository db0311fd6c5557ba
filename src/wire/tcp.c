/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/tcp.h"

#include <arpa/inet.h>

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static int8_t window_scale(struct slice options)
{
    while (options.len > 0 && options.at[0] != 0) {
        size_t n = 1;

        if (options.at[0] != 1) {
            if (options.len < 2 || options.at[1] < 2 || options.at[1] > options.len)
                return -1;
            n = options.at[1];
            if (options.at[0] == 3 && n == 3)
                return options.at[2] > 14 ? 14 : (int8_t)options.at[2];
        }
        options = slice_skip(options, n);
    }
    return -1;
}

bool tcp_read(struct slice s, size_t wire_len, struct tcp_segment *t)
{
    size_t header;

    if (s.len < 20)
        return false;
    header = (size_t)(s.at[12] >> 4) * 4;
    if (header < 20 || header > wire_len)
        return false;
    t->sport = get16(s.at);
    t->dport = get16(s.at + 2);
    t->seq = get32(s.at + 4);
    t->ack = get32(s.at + 8);
    t->flags = s.at[13] & 0x3f;
    t->window = get16(s.at + 14);
    t->scale = t->flags & TCP_SYN ? window_scale(slice_first(slice_skip(s, 20), header - 20)) : -1;
    t->payload = slice_skip(s, header);
    t->wire_len = wire_len - header;
    return true;
}

enum tcp_sum tcp_sum(const struct ip_packet *p)
{
    uint64_t sum;

    if (p->payload.len < p->wire_len || p->routed)
        return TCP_SUM_UNKNOWN;
    if (p->sum_bad)
        return TCP_SUM_BAD;
    sum = ip_sum(slice_of(p->src, p->family == 4 ? 4 : 16), 0);
    sum = ip_sum(slice_of(p->dst, p->family == 4 ? 4 : 16), sum);
    sum += (uint64_t)htonl((uint32_t)p->wire_len) + htons(IP_PROTO_TCP);
    return ip_fold(ip_sum(p->payload, sum)) == 0xffff ? TCP_SUM_GOOD : TCP_SUM_BAD;
}
