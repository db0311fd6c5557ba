/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening sockets, lent by the hand, and who comes in by them. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/inner.h"
#include "sys/loop.h"
#include "sys/say.h"
#include "sys/sockaddr.h"

enum { GUESTS_A_TURN = 64, PAUSE_US = 100000 };
static const char too_many[] = "421 4.3.2 too many connections, please come again\r\n";

static void pause_all(struct gate *g, bool pause);

static void unpause(void *ctx)
{
    pause_all(ctx, false);
}

static void pause_all(struct gate *g, bool pause)
{
    struct err e;

    if (g->paused == pause)
        return;
    g->paused = pause;
    for (uint32_t i = 0; i < g->doors_count; i++)
        if (g->doors[i].fd >= 0)
            (void)loop_change(g->role->loop, g->doors[i].fd, pause ? 0 : LOOP_IN, &e);
    if (pause)
        (void)loop_timer(g->role->loop, PAUSE_US, 0, unpause, g);
}

/* No descriptor is left: the spare one says so to the next guest, and then we rest a moment. */
static void turn_away(struct door *d)
{
    struct gate *g = d->gate;
    int fd;

    if (g->spare >= 0)
        (void)close(g->spare);
    fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)send(fd, too_many, sizeof(too_many) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)close(fd);
    }
    g->spare = fcntl(d->fd, F_DUPFD_CLOEXEC, 0);
    pause_all(g, true);
}

static void on_guests(void *ctx, int listening, int events)
{
    struct door *d = ctx;

    (void)events;
    for (int i = 0; i < GUESTS_A_TURN && !d->gate->paused; i++) {
        struct sockaddr_storage far;
        struct sockaddr_storage near;
        socklen_t len = sizeof(far);
        int fd = accept4(listening, (struct sockaddr *)(void *)&far, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                turn_away(d);
            if (errno == ECONNABORTED || errno == EINTR)
                continue;
            return;
        }
        len = sizeof(near);
        if (addr_is_unspecified(d->addr) && getsockname(fd, (struct sockaddr *)(void *)&near, &len) < 0) {
            (void)close(fd);
            continue;
        }
        session_new(d, fd, sockaddr_read(&far), addr_is_unspecified(d->addr) ? sockaddr_read(&near) : d->addr);
    }
}

static struct hand_listen place_of(const struct door *d)
{
    return (struct hand_listen){ .at = d->addr,
                                 .v6only = d->addr.family == 6,
                                 .transparent = d->at->identity == GATE_TRANSPARENT };
}

void door_open_all(struct gate *g)
{
    service_open_all(g);
    for (uint32_t i = 0; i < g->doors_count; i++) {
        struct door *d = &g->doors[i];
        const struct backend *b = &g->backends[d->listener];
        struct hand_listen ask = place_of(d);

        if (d->asked || d->fd >= 0 || !g->book_came || !g->own_known || g->stopping ||
            (b->state != BACKEND_UP && b->state != BACKEND_DOWN))
            continue;
        d->asked = chan_send(g->role->core, HAND_LISTEN, i + 1, 0, &ask, sizeof(ask), -1) == 0;
    }
}

int door_on_lent(struct gate *g, uint32_t id, const struct hand_outcome *o, int fd)
{
    struct door *d = id >= 1 && id <= g->doors_count ? &g->doors[id - 1] : NULL;
    struct event ev = event_new(EV_GATE_LISTENING);
    struct err e;
    int one = 1;

    if (!d || !d->asked) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    d->asked = false;
    if (fd < 0) {
        say("the hand does not open %s: %s%s%s; it is tried again each 10 seconds", addr_socket_text(d->addr).text,
            hand_code_words((enum hand_code)o->code), o->error ? ": " : "", o->error ? strerror(o->error) : "");
        return 0;
    }
    d->fd = fd;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* whoever comes in by it has it, too */
    if (loop_watch(g->role->loop, fd, LOOP_IN, on_guests, d, &e) < 0) {
        say("%s", e.text);
        return -1;
    }
    ev.dst = d->addr;
    event_add_words(&ev, F_LISTENER, d->at->name);
    event_add_bytes(&ev, F_SERVER, &d->at->to, sizeof(d->at->to));
    event_add_words(&ev, F_NAME, gate_name(&g->backends[d->listener]));
    gate_tell(g, &ev, NULL, 0);
    return 0;
}

static void close_one(struct door *d)
{
    if (d->fd < 0)
        return;
    loop_unwatch(d->gate->role->loop, d->fd);
    (void)close(d->fd);
    d->fd = -1;
}

void door_close_listener(struct gate *g, uint32_t listener)
{
    for (uint32_t i = 0; i < g->doors_count; i++) {
        struct hand_listen place = place_of(&g->doors[i]);

        if (g->doors[i].listener != listener)
            continue;
        close_one(&g->doors[i]);
        (void)chan_send(g->role->core, HAND_LET_GO, 0, 0, &place, sizeof(place), -1);
    }
}

void door_close_all(struct gate *g)
{
    for (uint32_t i = 0; i < g->doors_count; i++)
        close_one(&g->doors[i]);
}

/* What is named now opens, what is no longer named closes, what stays is not touched. */
void door_name_all(struct gate *g)
{
    const struct gate_settings *set = &g->set;
    struct door had[GATE_DOORS];
    uint32_t count = g->doors_count;

    memcpy(had, g->doors, sizeof(had));
    for (uint32_t i = 0; i < count; i++)
        if (had[i].fd >= 0)
            loop_unwatch(g->role->loop, had[i].fd);
    g->doors_count = 0;
    for (uint32_t l = 0; l < set->listeners_count; l++)
        for (uint32_t a = 0; a < set->listeners[l].listen.count; a++) {
            struct door *d = &g->doors[g->doors_count++];
            struct err e;

            *d = (struct door){
                .gate = g, .at = &set->listeners[l], .listener = l, .addr = set->listeners[l].listen.at[a], .fd = -1
            };
            for (uint32_t i = 0; i < count; i++)
                if (had[i].fd >= 0 && addr_eq(had[i].addr, d->addr)) {
                    d->fd = had[i].fd;
                    had[i].fd = -1;
                    if (loop_watch(g->role->loop, d->fd, LOOP_IN, on_guests, d, &e) < 0)
                        say("%s", e.text);
                }
        }
    for (uint32_t i = 0; i < count; i++)
        if (had[i].fd >= 0)
            (void)close(had[i].fd);
}
