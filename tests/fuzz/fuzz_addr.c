/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, with ports, networks, resolv.conf: what is read has one spelling, and that spelling reads as the same. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "sys/net.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

static void check_address(struct slice s)
{
    static const uint8_t zeros[12];
    struct addr a;
    struct addr again;

    if (!addr_read(s, &a))
        return;
    MUST((a.family == 4 || a.family == 6) && a.zero == 0 && a.port == 0);
    MUST(a.family == 6 || memcmp(a.ip + 4, zeros, 12) == 0);
    MUST(addr_eq(addr_from_ip(a.family, a.ip, 0), a)); /* a mapped one was folded */
    MUST(addr_read(slice_text(addr_ip_text(a).text), &again) && addr_eq(a, again));
}

static void check_port(struct slice s)
{
    struct addr a;
    struct addr again;

    if (!addr_read_port(s, &a))
        return;
    MUST(addr_read_port(slice_text(addr_socket_text(a).text), &again) && addr_eq(a, again));
    MUST(addr_hash(a, 1) == addr_hash(again, 1));
}

static void check_network(struct slice s)
{
    struct prefix p;
    struct prefix again;

    if (!prefix_read(s, &p))
        return;
    MUST(p.bits <= (p.net.family == 4 ? 32 : 128));
    MUST(prefix_has(p, p.net));
    MUST(addr_eq(prefix_of(p.net, p.bits).net, p.net));
    MUST(prefix_read(slice_text(prefix_text(p).text), &again) && addr_eq(p.net, again.net) && p.bits == again.bits);
}

static void check_damaged(const uint8_t *data, size_t size) /* structs as a broken peer could send them */
{
    struct addr a;
    struct prefix p;

    if (size < sizeof(a) + sizeof(p))
        return;
    memcpy(&a, data, sizeof(a));
    memcpy(&p, data + sizeof(a), sizeof(p));
    MUST(strlen(addr_text(a).text) < sizeof(struct addr_words));
    MUST(strlen(prefix_text(p).text) < sizeof(struct addr_words));
    (void)prefix_has(p, a);
    (void)addr_is_self(NULL, a);
    (void)addr_is_private(a);
    MUST(addr_is_multicast(a) + addr_is_link_local(a) + addr_is_loopback(a) <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = slice_of(data, size);
    struct addr at[4];
    size_t count = net_resolvers_read(s, at, 4);

    MUST(count <= 4);
    for (size_t i = 0; i < count; i++)
        MUST(at[i].family == 4 || at[i].family == 6);
    check_address(s);
    check_port(s);
    check_network(s);
    check_damaged(data, size);
    return 0;
}
