/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/ip.h"

#include <string.h>

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Sums words in the machine's own order; the fold at the end makes that the same (RFC 1071, 2 B). */
uint64_t ip_sum(struct slice s, uint64_t sum)
{
    const uint8_t *p = s.at;
    size_t n = s.len;

    while (n >= 8) {
        uint32_t words[2];

        memcpy(words, p, 8);
        sum += (uint64_t)words[0] + words[1];
        p += 8;
        n -= 8;
    }
    while (n >= 2) {
        uint16_t word;

        memcpy(&word, p, 2);
        sum += word;
        p += 2;
        n -= 2;
    }
    if (n) {
        uint16_t word = 0;

        memcpy(&word, p, 1);
        sum += word;
    }
    return sum;
}

uint16_t ip_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static bool read_v4(struct slice s, struct ip_packet *p)
{
    size_t header;
    size_t total;
    uint16_t frag;

    if (s.len < 20)
        return false;
    header = (size_t)(s.at[0] & 15) * 4;
    total = get16(s.at + 2);
    if (total == 0) /* left to the network card, which would have cut it */
        total = s.len;
    if (header < 20 || header > s.len || total < header)
        return false;
    frag = get16(s.at + 6);
    p->family = 4;
    p->ttl = s.at[8];
    p->proto = s.at[9];
    p->src = s.at + 12;
    p->dst = s.at + 16;
    p->payload = slice_first(slice_skip(s, header), total - header);
    p->wire_len = total - header;
    p->sum_bad = get16(s.at + 10) != 0 && ip_fold(ip_sum(slice_first(s, header), 0)) != 0xffff;
    p->more = frag & 0x2000;
    p->offset = (uint32_t)(frag & 0x1fff) * 8;
    p->fragment = p->more || p->offset != 0;
    p->id = get16(s.at + 4);
    return true;
}

/* One extension header's length; 0 when it is none, or malformed. */
static size_t extension_length(uint8_t kind, struct slice s)
{
    if (s.len < 8)
        return 0;
    switch (kind) {
    case 0:   /* hop by hop */
    case 43:  /* routing */
    case 60:  /* destination */
    case 135: /* mobility */
    case 139: /* host identity */
    case 140: /* shim6 */
        return (size_t)s.at[1] * 8 + 8;
    case 51: /* authentication */
        return (size_t)s.at[1] * 4 + 8;
    default:
        return 0;
    }
}

bool ip_extensions(uint8_t next, struct slice s, size_t wire_len, struct ip_packet *p)
{
    for (int i = 0; i < IP_EXTENSIONS; i++) {
        size_t n;

        p->proto = next;
        p->payload = s;
        p->wire_len = wire_len;
        if (next == 44 && s.len >= 8) {
            uint16_t where = get16(s.at + 2);

            p->more = where & 1;
            p->offset = where & 0xfff8u;
            p->id = get32(s.at + 4);
            p->fragment = p->more || p->offset != 0;
            n = 8;
        } else
            n = extension_length(next, s);
        if (n == 0)
            return true; /* a payload, or something we don't read */
        if (n > s.len)
            return false;
        p->routed = p->routed || (next == 43 && s.at[3] != 0);
        next = s.at[0];
        s = slice_skip(s, n);
        wire_len -= n < wire_len ? n : wire_len;
        if (p->fragment) {
            p->proto = next;
            p->payload = s;
            p->wire_len = wire_len;
            return true;
        }
    }
    return false;
}

static bool read_v6(struct slice s, struct ip_packet *p)
{
    size_t len;

    if (s.len < 40)
        return false;
    len = get16(s.at + 4);
    if (len == 0) /* a jumbogram (RFC 2675), or one the network card would have cut */
        len = s.len - 40;
    p->family = 6;
    p->ttl = s.at[7];
    p->src = s.at + 8;
    p->dst = s.at + 24;
    return ip_extensions(s.at[6], slice_first(slice_skip(s, 40), len), len, p);
}

bool ip_read(struct slice s, struct ip_packet *p)
{
    *p = (struct ip_packet){ 0 };
    if (s.len == 0)
        return false;
    return s.at[0] >> 4 == 4 ? read_v4(s, p) : s.at[0] >> 4 == 6 && read_v6(s, p);
}

bool ip_gre(struct slice s, uint16_t *type, struct slice *inside)
{
    size_t header = 4;

    if (s.len < 4 || (s.at[1] & 7) != 0 || (s.at[0] & 0x40))
        return false;
    header += (s.at[0] & 0x80 ? 4u : 0u) + (s.at[0] & 0x20 ? 4u : 0u) + (s.at[0] & 0x10 ? 4u : 0u);
    if (s.len < header)
        return false;
    *type = get16(s.at + 2);
    *inside = slice_skip(s, header);
    return true;
}
