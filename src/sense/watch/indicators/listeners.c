/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listeners whose house is full: connections wait, and nobody accepts them; and ports that must not listen. */
#include "sense/watch/indicator.h"

static void forbidden(const struct watch_world *w, const struct facts *f, struct values *out)
{
    const struct key_ports *ports = &w->settings->must_not;
    unsigned open = 0;

    for (uint32_t i = 0; i < f->listeners_count; i++)
        for (uint32_t k = 0; k < ports->count && k < KEY_PORT_CAP; k++)
            open += f->listeners[i].local.port == ports->at[k];
    if (ports->count > 0)
        (void)values_set(out, "listen.forbidden", open);
}

static void sample(void *own, const struct watch_world *w, const struct facts *f, struct values *out)
{
    unsigned full = 0;
    uint32_t most = 0;

    (void)own;
    for (uint32_t i = 0; i < f->listeners_count; i++) {
        const struct fact_listener *l = &f->listeners[i];

        full += l->most > 0 && l->waiting >= l->most;
        most = l->waiting > most ? l->waiting : most;
        if (l->waiting > 0)
            (void)values_setf(out, l->waiting, "listen.waiting.%u", (unsigned)l->local.port);
    }
    (void)values_set(out, "listen.full", full);
    (void)values_set(out, "listen.waiting", most);
    (void)values_set(out, "listen.ports", f->listeners_count);
    forbidden(w, f, out);
}

static const struct indicator_help values[] = {
    { "listen.full", "", "listeners whose queue of connections is full" },
    { "listen.waiting", "", "connections that nobody has accepted yet, at the listener with most of them" },
    { "listen.waiting.PORT", "", "the same of one" },
    { "listen.ports", "", "listening TCP sockets" },
    { "listen.forbidden", "", "listeners on a port of must_not_listen" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_listeners = { "listeners", values, NULL, sample, NULL };
