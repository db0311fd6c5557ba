/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/doors.h"

#include "sense/gate/ports.h"
#include "sense/log/ports.h"

bool doors_block(const struct house_settings *h)
{
    return h->gate.listeners_count > 0 && h->gate.blocks;
}

static void add_port(uint16_t *at, size_t *count, uint16_t port)
{
    for (size_t i = 0; i < *count; i++)
        if (at[i] == port)
            return;
    at[(*count)++] = port;
}

size_t doors_ports(const struct house_settings *h, uint16_t at[HAND_LISTENS])
{
    size_t count = 0;

    for (uint32_t i = 0; i < h->gate.listeners_count; i++)
        for (uint32_t a = 0; a < h->gate.listeners[i].listen.count; a++)
            add_port(at, &count, h->gate.listeners[i].listen.at[a].port);
    return count;
}

static void name_service(struct addr at, enum hand_tenant tenant, struct hand_settings *hand)
{
    if (at.port != 0 && hand->listens_count < HAND_LISTENS)
        hand->listens[hand->listens_count++] =
            (struct hand_listen){ .at = at, .v6only = at.family == 6, .tenant = (uint8_t)tenant };
}

static void name_places(const struct gate_settings *gate, struct hand_settings *hand)
{
    _Static_assert((int)HAND_LISTENS >= (int)GATE_LISTENERS * (int)KEY_ADDR_CAP, "the hand takes every listener");
    for (uint32_t i = 0; i < gate->listeners_count; i++) {
        const struct gate_listener *l = &gate->listeners[i];
        bool transparent = l->identity == GATE_TRANSPARENT;

        hand->borrow |= transparent;
        for (uint32_t a = 0; a < l->listen.count; a++)
            hand->listens[hand->listens_count++] = (struct hand_listen){ .at = l->listen.at[a],
                                                                         .v6only = l->listen.at[a].family == 6,
                                                                         .transparent = transparent };
    }
    name_service(gate->policy_listen, HAND_FOR_GATE, hand);
    name_service(gate->milter_listen, HAND_FOR_GATE, hand);
}

/* What a reload may add to the log's; what it has from its start it opens itself. */
static void name_log(const struct log_settings *log, struct hand_settings *hand)
{
    struct log_port ports[LOG_PORTS];
    size_t count = log->mode == LOG_OFF ? 0 : log_ports(log, ports);

    _Static_assert((int)HAND_LISTENS >= (int)GATE_LISTENERS * (int)KEY_ADDR_CAP + 3 + (int)LOG_PORTS,
                   "the hand takes every place of the gate, the metrics and the log");
    for (size_t i = 0; i < count; i++)
        hand->listens[hand->listens_count++] = (struct hand_listen){ .at = ports[i].at,
                                                                     .v6only = ports[i].at.family == 6,
                                                                     .tenant = HAND_FOR_LOG,
                                                                     .datagrams = ports[i].way == LOG_UDP };
}

/* ---- who is never blocked ---- */

static void add_server(struct hand_nets *to, struct prefix net)
{
    if (to->count < HAND_NETS)
        to->at[to->count++] = net;
}

static void name_servers(const struct gate_settings *gate, struct hand_nets *to)
{
    for (uint32_t i = 0; i < gate->listeners_count; i++) /* before balancers, which may be many */
        add_server(to, prefix_of(gate->listeners[i].to, 128));
    for (uint32_t i = 0; i < gate->listeners_count; i++)
        for (uint32_t b = 0; b < gate->listeners[i].balancers.count; b++)
            add_server(to, gate->listeners[i].balancers.at[b]);
}

/* ---- the outbound guard: the mail server does not deliver to its own front door ---- */

/* A listener for the inside takes local mail at this port, on every address. */
static bool takes_local_mail(const struct gate_settings *gate, uint16_t port)
{
    for (uint32_t i = 0; i < gate->listeners_count; i++) {
        const struct gate_listener *l = &gate->listeners[i];

        for (uint32_t a = 0; !gate_is_outside(l) && a < l->listen.count; a++)
            if (l->listen.at[a].port == port && addr_is_unspecified(l->listen.at[a]))
                return true;
    }
    return false;
}

static void leave_open(struct hand_settings *hand, struct addr a)
{
    if (addr_is_loopback(a) && hand->guard_open_count < HAND_LISTENS)
        hand->guard_open[hand->guard_open_count++] = a;
}

static void set_guard(const struct gate_settings *gate, uint32_t gate_uid, struct hand_settings *hand)
{
    size_t count = 0;

    hand->guard_uid = gate_uid;
    for (uint32_t i = 0; i < gate->listeners_count; i++) {
        const struct gate_listener *l = &gate->listeners[i];
        bool outside = gate_is_outside(l);

        leave_open(hand, l->to);
        for (uint32_t a = 0; a < l->listen.count; a++)
            if (!outside)
                leave_open(hand, l->listen.at[a]);
            else if (!takes_local_mail(gate, l->listen.at[a].port))
                add_port(hand->guard, &count, l->listen.at[a].port);
    }
    hand->guard_count = (uint32_t)count;
}

void doors_tell_hand(const struct house_settings *h, const struct found *found, struct hand_settings *hand)
{
    name_places(&h->gate, hand);
    name_service(h->metrics.listen, HAND_FOR_METRICS, hand);
    name_log(&h->log, hand);
    name_servers(&h->gate, &hand->servers);
    if (doors_block(h))
        hand->doors_count = (uint32_t)doors_ports(h, hand->doors);
    if (h->gate.outbound_guard)
        set_guard(&h->gate, found->gate_uid, hand);
    hand->acts |= hand->doors_count > 0 || hand->guard_count > 0;
}
