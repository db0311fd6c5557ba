/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/own.h"

bool own_is_public(struct addr a)
{
    return a.family != 0 && !addr_is_loopback(a) && !addr_is_unspecified(a) && !addr_is_private(a) &&
           !addr_is_link_local(a) && !addr_is_multicast(a);
}

static bool is_there(const struct own *o, struct addr a)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (addr_eq_ip(o->at[i].addr, a))
            return true;
    return false;
}

/* What `ifindex` had is replaced. */
static bool replace(struct own *o, int32_t ifindex, const struct addr *at, uint32_t count)
{
    struct own was = *o;
    bool changed = false;

    o->count = 0;
    for (uint32_t i = 0; i < was.count; i++)
        if (was.at[i].ifindex != ifindex)
            o->at[o->count++] = was.at[i];
    for (uint32_t i = 0; i < count && o->count < OWN_MOST; i++)
        if (own_is_public(at[i]) && !is_there(o, at[i])) {
            o->at[o->count].addr = addr_ip(at[i]);
            o->at[o->count++].ifindex = ifindex;
        }
    for (uint32_t i = 0; i < o->count; i++)
        changed = changed || !is_there(&was, o->at[i].addr);
    return changed || was.count != o->count;
}

bool own_take(struct own *o, const struct hand_link *now)
{
    if (now->ifindex <= 0)
        return false;
    return replace(o, now->ifindex, now->own,
                   now->gone                       ? 0
                   : now->count <= HAND_LINK_ADDRS ? now->count
                                                   : HAND_LINK_ADDRS);
}

bool own_configure(struct own *o, const struct addr *at, uint32_t count)
{
    return replace(o, 0, at, count);
}
