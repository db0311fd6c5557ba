/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

_Static_assert(sizeof(struct addr) == 20, "an addr is 20 bytes on every link and in every record");

struct addr addr_v4(uint32_t host_order, uint16_t port)
{
    struct addr a = { .family = 4, .port = port };
    uint32_t net = htonl(host_order);

    memcpy(a.ip, &net, 4);
    return a;
}

struct addr addr_from_ip(uint8_t family, const uint8_t *network_order, uint16_t port)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    struct addr a = { .family = family, .port = port };

    if (family == 6 && memcmp(network_order, mapped, sizeof(mapped)) == 0) {
        a.family = 4;
        memcpy(a.ip, network_order + 12, 4);
    } else
        memcpy(a.ip, network_order, family == 4 ? 4 : 16);
    return a;
}

bool addr_read(struct slice s, struct addr *a)
{
    char words[INET6_ADDRSTRLEN + 1];
    uint8_t ip[16];

    if (!text_cstr(words, sizeof(words), s))
        return false;
    if (inet_pton(AF_INET, words, ip) == 1)
        *a = addr_from_ip(4, ip, 0);
    else if (inet_pton(AF_INET6, words, ip) == 1)
        *a = addr_from_ip(6, ip, 0);
    else
        return false;
    return true;
}

bool addr_read_port(struct slice s, struct addr *a)
{
    struct slice port = { 0 };
    struct slice host = s;
    struct addr found;
    uint64_t n = 0;

    if (s.len > 0 && s.at[0] == '[') {
        struct slice after;

        host = slice_until(slice_skip(s, 1), ']', &after);
        if (host.len + 2 > s.len || (after.len > 0 && after.at[0] != ':'))
            return false;
        port = slice_skip(after, 1);
        if (after.len == 1)
            return false;
    } else {
        struct slice after;
        struct slice before = slice_until(s, ':', &after);

        if (before.len < s.len && !memchr(after.at, ':', after.len)) {
            host = before;
            port = after;
            if (after.len == 0)
                return false;
        }
    }
    if (!addr_read(host, &found))
        return false;
    if (port.len > 0 && (!slice_to_u64(port, &n) || n == 0 || n > 65535))
        return false;
    found.port = (uint16_t)n;
    *a = found;
    return true;
}

static unsigned family_bits(struct addr a)
{
    return a.family == 4 ? 32 : a.family == 6 ? 128 : 0;
}

struct prefix prefix_of(struct addr a, unsigned bits)
{
    struct prefix p = { .net = addr_ip(a) };

    if (bits > family_bits(a))
        bits = family_bits(a);
    p.bits = (uint8_t)bits;
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

        if (keep < 8)
            p.net.ip[i] &= (uint8_t)(0xff00u >> keep);
    }
    return p;
}

bool prefix_read(struct slice s, struct prefix *p)
{
    struct slice after;
    struct slice host = slice_until(s, '/', &after);
    struct prefix found;
    struct addr a;
    uint64_t bits;

    if (!addr_read(host, &a))
        return false;
    bits = family_bits(a);
    if (host.len < s.len) {
        bool mapped = a.family == 4 && memchr(host.at, ':', host.len); /* ::ffff:10.0.0.0/104 counts as IPv6 does */

        if (!slice_to_u64(after, &bits) || (mapped && bits < 96))
            return false;
        bits -= mapped ? 96 : 0;
        if (bits > family_bits(a))
            return false;
    }
    found = prefix_of(a, (unsigned)bits);
    if (!addr_eq_ip(found.net, a))
        return false;
    *p = found;
    return true;
}

bool addr_eq(struct addr a, struct addr b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

bool addr_eq_ip(struct addr a, struct addr b)
{
    return a.family == b.family && memcmp(a.ip, b.ip, sizeof(a.ip)) == 0;
}

struct addr addr_ip(struct addr a)
{
    a.port = 0;
    return a;
}

bool prefix_has(struct prefix p, struct addr a)
{
    unsigned whole = p.bits / 8;
    unsigned rest = p.bits % 8;

    if (p.net.family != a.family || family_bits(a) == 0 || p.bits > family_bits(a) ||
        memcmp(p.net.ip, a.ip, whole) != 0)
        return false;
    return rest == 0 || ((p.net.ip[whole] ^ a.ip[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

uint64_t addr_hash(struct addr a, uint64_t seed)
{
    return hash_bytes(&a, sizeof(a), seed);
}

struct addr_words addr_ip_text(struct addr a)
{
    struct addr_words w = { "-" };

    if (a.family == 4 || a.family == 6)
        (void)inet_ntop(a.family == 4 ? AF_INET : AF_INET6, a.ip, w.text, sizeof(w.text));
    return w;
}

struct addr_words addr_text(struct addr a)
{
    struct addr_words ip = addr_ip_text(a);
    struct addr_words w;
    struct text t = TEXT_IN(w.text);

    text_word(&t, ip.text);
    if (a.family != 0 && a.port != 0)
        text_addf(&t, " port %u", (unsigned)a.port);
    return w;
}

struct addr_words addr_socket_text(struct addr a)
{
    struct addr_words ip = addr_ip_text(a);
    struct addr_words w;
    struct text t = TEXT_IN(w.text);

    if (a.port == 0)
        text_word(&t, ip.text);
    else
        text_addf(&t, a.family == 6 ? "[%s]:%u" : "%s:%u", ip.text, (unsigned)a.port);
    return w;
}

struct addr_words prefix_text(struct prefix p)
{
    struct addr_words ip = addr_ip_text(p.net);
    struct addr_words w;
    struct text t = TEXT_IN(w.text);

    text_addf(&t, "%s/%u", ip.text, (unsigned)p.bits);
    return w;
}

static bool v4_in(struct addr a, uint32_t net, unsigned bits)
{
    return prefix_has((struct prefix){ .net = addr_v4(net, 0), .bits = (uint8_t)bits }, a);
}

static bool v6_starts(struct addr a, uint8_t first, uint8_t first_mask, uint8_t second, uint8_t second_mask)
{
    return a.family == 6 && (a.ip[0] & first_mask) == first && (a.ip[1] & second_mask) == second;
}

static bool v6_small(struct addr a, uint8_t last)
{
    static const uint8_t zeros[15];

    return a.family == 6 && memcmp(a.ip, zeros, 15) == 0 && a.ip[15] == last;
}

bool addr_is_loopback(struct addr a)
{
    return v4_in(a, 0x7f000000, 8) || v6_small(a, 1);
}

bool addr_is_unspecified(struct addr a)
{
    return v4_in(a, 0, 8) || v6_small(a, 0);
}

bool addr_is_private(struct addr a)
{
    return v4_in(a, 0x0a000000, 8) || v4_in(a, 0xac100000, 12) || v4_in(a, 0xc0a80000, 16) ||
           v4_in(a, 0x64400000, 10) || v6_starts(a, 0xfc, 0xfe, 0, 0);
}

bool addr_is_link_local(struct addr a)
{
    return v4_in(a, 0xa9fe0000, 16) || v6_starts(a, 0xfe, 0xff, 0x80, 0xc0);
}

bool addr_is_multicast(struct addr a)
{
    return v4_in(a, 0xe0000000, 4) || v4_in(a, 0xffffffff, 32) || v6_starts(a, 0xff, 0xff, 0, 0);
}

bool addr_is_documentation(struct addr a)
{
    return v4_in(a, 0xc0000200, 24) || v4_in(a, 0xc6336400, 24) || v4_in(a, 0xcb007100, 24) ||
           (v6_starts(a, 0x20, 0xff, 0x01, 0xff) && a.ip[2] == 0x0d && a.ip[3] == 0xb8);
}

bool addr_is_self(const struct self *self, struct addr a)
{
    if (addr_is_loopback(a) || addr_is_unspecified(a))
        return true;
    for (size_t i = 0; self && i < self->count; i++)
        if (addr_eq_ip(self->own[i], a))
            return true;
    return false;
}
