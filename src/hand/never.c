/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/never.h"

#include <stdlib.h>
#include <string.h>

void never_init(struct never *n, const struct hand_settings *set)
{
    memset(n, 0, sizeof(*n));
    n->set = set;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct addr));
}

void never_sort(struct never *n)
{
    qsort(n->facts.own, n->facts.own_count, sizeof(n->facts.own[0]), by_bytes);
}

bool never_is_own(const struct never *n, struct addr who)
{
    struct addr key = addr_ip(who);

    return bsearch(&key, n->facts.own, n->facts.own_count, sizeof(key), by_bytes) != NULL;
}

static bool in_list(const struct prefix *at, size_t count, struct addr who)
{
    for (size_t i = 0; i < count; i++)
        if (prefix_has(at[i], who))
            return true;
    return false;
}

static bool in_addrs(const struct addr *at, size_t count, struct addr who)
{
    for (size_t i = 0; i < count; i++)
        if (addr_eq_ip(at[i], who))
            return true;
    return false;
}

/* The first and the last address of a connected IPv4 network (RFC 919); /31 and /32 have neither (RFC 3021). */
static bool is_broadcast(const struct never *n, struct addr who)
{
    for (size_t i = 0; i < n->facts.nets_count; i++) {
        struct prefix p = n->facts.nets[i].net;
        struct addr last = p.net;

        if (who.family != 4 || p.net.family != 4 || p.bits > 30 || !prefix_has(p, who))
            continue;
        for (unsigned bit = p.bits; bit < 32; bit++)
            last.ip[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
        if (addr_eq_ip(who, p.net) || addr_eq_ip(who, last))
            return true;
    }
    return false;
}

bool never_is_special(const struct never *n, struct addr who)
{
    return addr_is_loopback(who) || addr_is_unspecified(who) || addr_is_multicast(who) || addr_is_link_local(who) ||
           (who.family == 4 && who.ip[0] >= 240) || is_broadcast(n, who);
}

static bool is_inside(const struct never *n, struct addr who)
{
    if (in_list(n->set->inside.at, n->set->inside.count, who))
        return true;
    for (size_t i = 0; n->set->inside_auto && i < n->facts.nets_count; i++)
        if (n->facts.nets[i].inside && prefix_has(n->facts.nets[i].net, who))
            return true;
    return false;
}

enum hand_code never_who(const struct never *n, struct addr who, bool outside)
{
    const struct hand_settings *set = n->set;
    bool named = in_list(set->own_blockable.at, set->own_blockable.count, who);
    bool own = never_is_own(n, who);

    if ((who.family != 4 && who.family != 6) || !addr_eq(who, addr_from_ip(who.family, who.ip, 0)))
        return HAND_WRONG; /* two spellings of one host would be two hosts */
    if (never_is_special(n, who))
        return HAND_NEVER_SPECIAL;
    if (!n->facts.known || n->facts.cut)
        return HAND_NEVER_OUTSIDE;
    if (own && !named)
        return HAND_NEVER_OWN;
    if (in_addrs(n->facts.gateways, n->facts.gateways_count, who))
        return HAND_NEVER_GATEWAY;
    if (in_addrs(set->resolvers, set->resolvers_count, who))
        return HAND_NEVER_RESOLVER;
    if (in_list(set->admin.at, set->admin.count, who))
        return HAND_NEVER_ADMIN;
    if (in_list(set->allow.at, set->allow.count, who) || in_list(n->allowed, n->allowed_count, who))
        return HAND_NEVER_ALLOWED;
    if (in_list(set->servers.at, set->servers.count, who))
        return HAND_NEVER_SERVER;
    if (!own && !is_inside(n, who) && !(outside && set->doors_count > 0))
        return HAND_NEVER_OUTSIDE;
    return HAND_OK;
}

/* Moves the window on; a clock that went back leaves it where it is. */
static void move_window(struct never *n, int64_t now_us)
{
    enum { SECONDS = sizeof(n->per_second) / sizeof(n->per_second[0]) };
    int64_t second = now_us / 1000000;

    if (second - n->second >= SECONDS)
        memset(n->per_second, 0, sizeof(n->per_second));
    for (int64_t s = n->second + 1; s <= second && s < n->second + SECONDS; s++)
        n->per_second[s % SECONDS] = 0;
    if (second > n->second)
        n->second = second;
}

enum hand_code never_cap(struct never *n, size_t blocked, const struct hand_block *ask, int64_t now_us)
{
    uint32_t share = ask->outside ? 2 : 1;
    uint64_t made = 0;

    if (blocked >= (n->set->total + share - 1) / share)
        return HAND_CAP_TOTAL;
    if (ask->unasked)
        return HAND_OK;
    move_window(n, now_us);
    for (size_t i = 0; i < sizeof(n->per_second) / sizeof(n->per_second[0]); i++)
        made += n->per_second[i];
    return made >= (n->set->per_minute + share - 1) / share ? HAND_CAP_MINUTE : HAND_OK;
}

void never_count(struct never *n, int64_t now_us)
{
    move_window(n, now_us);
    n->per_second[n->second % (int64_t)(sizeof(n->per_second) / sizeof(n->per_second[0]))]++;
}

enum hand_code never_allow(struct never *n, struct prefix net, bool add)
{
    struct prefix clean = prefix_of(net.net, net.bits);
    size_t i = 0;

    if ((net.net.family != 4 && net.net.family != 6) || clean.bits != net.bits || !addr_eq(clean.net, net.net))
        return HAND_WRONG;
    while (i < n->allowed_count && (n->allowed[i].bits != net.bits || !addr_eq_ip(n->allowed[i].net, net.net)))
        i++;
    if (!add) {
        if (i == n->allowed_count)
            return HAND_NOT_THERE;
        n->allowed[i] = n->allowed[--n->allowed_count];
        return HAND_OK;
    }
    if (i < n->allowed_count)
        return HAND_ALREADY;
    if (n->allowed_count == NEVER_ALLOWED)
        return HAND_CAP_TOTAL;
    n->allowed[n->allowed_count++] = clean;
    return HAND_OK;
}

size_t never_inside(const struct never *n, struct prefix *nets, size_t cap)
{
    size_t count = 0;

    for (size_t i = 0; i < n->set->inside.count && count < cap; i++)
        nets[count++] = n->set->inside.at[i];
    for (size_t i = 0; n->set->inside_auto && i < n->facts.nets_count && count < cap; i++)
        if (n->facts.nets[i].inside)
            nets[count++] = n->facts.nets[i].net;
    return count;
}

size_t never_allowed(const struct never *n, struct prefix *nets, size_t cap)
{
    size_t count = 0;

    for (size_t i = 0; i < n->set->allow.count && count < cap; i++)
        nets[count++] = n->set->allow.at[i];
    for (size_t i = 0; i < n->allowed_count && count < cap; i++)
        nets[count++] = n->allowed[i];
    return count;
}
