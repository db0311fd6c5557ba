/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/ports.h"

enum { DOMAIN = 53 };

static bool among(const uint16_t *at, size_t count, uint16_t port)
{
    for (size_t i = 0; i < count; i++)
        if (at[i] == port)
            return true;
    return false;
}

static void add(uint16_t *at, size_t *count, uint64_t port)
{
    if (!among(at, *count, (uint16_t)port))
        at[(*count)++] = (uint16_t)port;
}

size_t gate_ports(const struct gate_settings *set, uint16_t at[GATE_PORTS])
{
    size_t count = 0;

    add(at, &count, set->callback.port);
    add(at, &count, DOMAIN);
    for (uint32_t i = 0; i < set->listeners_count; i++)
        add(at, &count, set->listeners[i].to.port);
    for (uint32_t i = 0; i < set->dns.servers.count; i++)
        add(at, &count, set->dns.servers.at[i].port ? set->dns.servers.at[i].port : DOMAIN);
    return count;
}

bool gate_is_wanted(const struct gate_settings *set)
{
    return set->listeners_count > 0 || set->policy_listen.port != 0 || set->milter_listen.port != 0 ||
           set->accounts.logs;
}

bool gate_is_outside(const struct gate_listener *l)
{
    if (l->outside != GATE_OUTSIDE_AUTO)
        return l->outside == GATE_OUTSIDE_YES;
    for (uint32_t i = 0; i < l->listen.count; i++)
        if (!addr_is_loopback(l->listen.at[i]))
            return true;
    return false;
}

bool gate_ports_suffice(const struct gate_settings *old, const struct gate_settings *now)
{
    uint16_t had[GATE_PORTS];
    uint16_t wants[GATE_PORTS];
    size_t had_count = gate_ports(old, had);
    size_t wants_count = gate_ports(now, wants);

    for (size_t i = 0; i < wants_count; i++)
        if (!among(had, had_count, wants[i]))
            return false;
    return true;
}
