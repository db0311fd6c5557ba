/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is connected how often, and how many connections this host has with itself. */
#include <math.h>
#include <stdlib.h>

#include "sense/watch/indicator.h"

enum { SLOTS = 8192, PORTS = 65536, RISE_S = 5, SYN_SENT = 2, SYN_RECEIVED = 3 };

struct own {
    struct {
        uint64_t key;
        uint32_t round, count;
    } at[SLOTS];
    uint32_t round;
    uint16_t own_ports[PORTS]; /* connections from here to a port of ours */
    double own_before[RISE_S]; /* a ring of net.own_most */
    uint32_t turn;
    double most, own, all, sent, received;
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

static uint32_t count_peer(struct own *own, struct addr who)
{
    uint64_t key = addr_hash(addr_ip(who), 0x7ee8) | 1;

    for (uint32_t n = 0, s = (uint32_t)(key >> 16) % SLOTS; n < 64; n++, s = (s + 1) % SLOTS) {
        if (own->at[s].round != own->round) {
            own->at[s].key = key;
            own->at[s].round = own->round;
            own->at[s].count = 0;
        }
        if (own->at[s].key == key)
            return ++own->at[s].count;
    }
    return 0;
}

/* Both ends are here: loopback, or an address that is ours. */
static bool is_own(const struct fact_socket *s)
{
    return addr_is_loopback(s->remote) || addr_eq_ip(s->local, s->remote);
}

static void count_all(struct own *own, const struct facts *f)
{
    own->round++;
    own->most = own->own = own->all = own->sent = own->received = 0;
    for (uint32_t i = 0; i < f->listeners_count; i++)
        own->own_ports[f->listeners[i].local.port] = 0; /* no other port is looked at below */
    for (uint32_t i = 0; i < f->sockets_room; i++) {
        const struct fact_socket *s = &f->sockets[i];
        uint32_t n;

        if (s->state == 0)
            continue;
        own->all++;
        own->sent += s->state == SYN_SENT;
        own->received += s->state == SYN_RECEIVED;
        if (is_own(s)) {
            if (own->own_ports[s->remote.port] < UINT16_MAX)
                own->own_ports[s->remote.port]++;
            continue;
        }
        n = count_peer(own, s->remote);
        own->most = n > own->most ? n : own->most;
    }
    for (uint32_t i = 0; i < f->listeners_count; i++)
        own->own = fmax(own->own, own->own_ports[f->listeners[i].local.port]);
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    double *before = &own->own_before[own->turn % RISE_S];

    if (!w->settings->sockets)
        return;
    if (f->sockets_fresh)
        count_all(own, f);
    if (own->round == 0)
        return;
    (void)values_set(out, "net.connections", own->all);
    (void)values_set(out, "net.peer_most", own->most);
    (void)values_set(out, "net.syn_sent", own->sent);
    (void)values_set(out, "net.syn_received", own->received);
    (void)values_set(out, "net.own_most", own->own);
    if (own->turn >= RISE_S)
        (void)values_set(out, "net.own_rise", own->own - *before);
    *before = own->own;
    own->turn++;
}

static const struct indicator_help values[] = {
    { "net.connections", "", "TCP connections, those that open and close too" },
    { "net.peer_most", "", "connections of the other host that has most of them" },
    { "net.syn_sent", "", "connections that we try to open" },
    { "net.syn_received", "", "connections that others try to open" },
    { "net.own_most", "", "connections from this host to one port of its own" },
    { "net.own_rise", "", "how many more these are than five seconds ago" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_peers = { "peers", values, open_it, sample, free };
