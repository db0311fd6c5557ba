/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where mail servers ask for verdicts: the sockets of the policy service and the milter. */
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/inner.h"
#include "sys/say.h"

static void open_one(struct gate *g, uint32_t id, struct addr at, bool there, bool *asked)
{
    struct hand_listen ask = { .at = at, .v6only = at.family == 6 };

    if (there || *asked || at.family == 0 || !g->book_came || !g->own_known || g->stopping)
        return;
    *asked = chan_send(g->role->core, HAND_LISTEN, id, 0, &ask, sizeof(ask), -1) == 0;
}

void service_open_all(struct gate *g)
{
    open_one(g, SERVICE_POLICY, g->set.policy_listen, g->policy, &g->policy_asked);
    open_one(g, SERVICE_MILTER, g->set.milter_listen, g->milter, &g->milter_asked);
}

int service_on_lent(struct gate *g, uint32_t id, const struct hand_outcome *o, int fd)
{
    bool policy = id == SERVICE_POLICY;
    struct event ev = event_new(EV_GATE_LISTENING);
    struct err e;

    *(policy ? &g->policy_asked : &g->milter_asked) = false;
    ev.dst = policy ? g->set.policy_listen : g->set.milter_listen;
    if (fd < 0) {
        say("the hand does not open %s: %s; it is tried again each 10 seconds", addr_socket_text(ev.dst).text,
            hand_code_words((enum hand_code)o->code));
        return 0;
    }
    if (policy) {
        g->policy_at = ev.dst;
        g->policy = policy_new(&g->means, g->warden, fd, &e);
    } else {
        g->milter_at = ev.dst;
        g->milter = milter_new(&g->means, g->warden, fd, &e);
    }
    if (policy ? !g->policy : !g->milter) {
        say("%s", e.text);
        return 0;
    }
    event_add_words(&ev, F_LISTENER, policy ? "policy" : "milter");
    gate_tell(g, &ev, NULL, 0);
    return 0;
}

void service_reload(struct gate *g)
{
    if (!addr_eq(g->policy_at, g->set.policy_listen)) {
        policy_free(g->policy);
        g->policy = NULL;
    }
    if (!addr_eq(g->milter_at, g->set.milter_listen)) {
        milter_free(g->milter);
        g->milter = NULL;
    }
    if (g->policy)
        policy_reload(g->policy);
    if (g->milter)
        milter_reload(g->milter);
}

void service_close_all(struct gate *g)
{
    policy_free(g->policy);
    milter_free(g->milter);
    g->policy = NULL;
    g->milter = NULL;
}
