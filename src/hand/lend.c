/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/lend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hand/stock.h"
#include "sys/sockaddr.h"

enum hand_code lend_may_listen(const struct hand_settings *set, const struct hand_listen *ask)
{
    if (ask->v6only > 1 || ask->transparent > 1 || ask->early > 1 || ask->tenant > HAND_FOR_LOG || ask->datagrams > 1 ||
        ask->shared > 1 || ask->buffer > INT32_MAX / 2)
        return HAND_WRONG;
    for (uint32_t i = 0; i < set->listens_count; i++)
        if (addr_eq(set->listens[i].at, ask->at) && ask->transparent <= set->listens[i].transparent &&
            ask->tenant == set->listens[i].tenant && ask->datagrams == set->listens[i].datagrams)
            return HAND_OK;
    return HAND_NOT_NAMED;
}

enum hand_code lend_may_borrow(const struct never *n, struct addr who)
{
    if (!n->set->borrow)
        return HAND_NOT_NAMED;
    if ((who.family != 4 && who.family != 6) || !addr_eq(who, addr_from_ip(who.family, who.ip, who.port)))
        return HAND_WRONG;
    if (never_is_special(n, who))
        return HAND_NEVER_SPECIAL;
    return !n->facts.known || n->facts.cut || never_is_own(n, who) ? HAND_NEVER_OWN : HAND_OK;
}

static int set(int fd, int level, int option, int value, const char *name, struct err *e)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? err_set(e, errno, "%s", name) : 0;
}

static int set_transparent(int fd, struct addr a, bool on, struct err *e)
{
    return a.family == 4 ? set(fd, IPPROTO_IP, IP_TRANSPARENT, on, "IP_TRANSPARENT", e)
                         : set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, on, "IPV6_TRANSPARENT", e);
}

static int set_early(int fd, struct addr a, struct err *e)
{
    return a.family == 4 ? set(fd, IPPROTO_IP, IP_FREEBIND, 1, "IP_FREEBIND", e)
                         : set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1, "IPV6_FREEBIND", e);
}

static int open_bound(struct addr a, int type, int (*prepare)(int fd, const void *how, struct err *e), const void *how,
                      struct err *e)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(a, &sa);
    int fd = socket(sa.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err_set(e, errno, "socket");
    if ((type == SOCK_STREAM && set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", e) < 0) || prepare(fd, how, e) < 0)
        goto fail;
    if (bind(fd, (const struct sockaddr *)&sa, len) < 0) {
        (void)err_set(e, errno, "bind");
        goto fail;
    }
    return fd;
fail:
    (void)close(fd);
    return -1;
}

static int as_listener(int fd, const void *how, struct err *e)
{
    const struct hand_listen *ask = how;

    if (ask->at.family == 6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, ask->v6only, "IPV6_V6ONLY", e) < 0)
        return -1;
    if (ask->transparent && set_transparent(fd, ask->at, true, e) < 0)
        return -1;
    return ask->early ? set_early(fd, ask->at, e) : 0;
}

/* UDP: many at one place when asked for, much room, and the kernel counts what it drops. */
static int as_receiver(int fd, const void *how, struct err *e)
{
    const struct hand_listen *ask = how;

    if (ask->shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", e) < 0)
        return -1;
    if (ask->buffer > 0 && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)ask->buffer, "SO_RCVBUFFORCE", NULL) < 0 &&
        set(fd, SOL_SOCKET, SO_RCVBUF, (int)ask->buffer, "SO_RCVBUF", e) < 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL", e) < 0)
        return -1;
    return as_listener(fd, how, e);
}

int lend_listen(const struct hand_listen *ask, struct err *e)
{
    int fd = ask->datagrams ? open_bound(ask->at, SOCK_DGRAM, as_receiver, ask, e)
                            : open_bound(ask->at, SOCK_STREAM, as_listener, ask, e);

    if (fd < 0 || ask->datagrams || listen(fd, LEND_BACKLOG) == 0)
        return fd;
    (void)err_set(e, errno, "listen");
    (void)close(fd);
    return -1;
}

static void drop(struct lent *l, uint32_t i)
{
    if (l->tell)
        l->tell(l->ctx, &l->at[i], -1);
    (void)close(l->fd[i]);
    l->count--;
    l->at[i] = l->at[l->count];
    l->fd[i] = l->fd[l->count];
}

static uint32_t find(const struct lent *l, struct addr at) /* l->count: none */
{
    uint32_t i = 0;

    while (i < l->count && !addr_eq(l->at[i].at, at))
        i++;
    return i;
}

/* The kept one becomes as it is asked for, and nobody who waits in it is lost. */
static int retune(struct lent *l, uint32_t i, const struct hand_listen *ask, struct err *e)
{
    if (ask->v6only != l->at[i].v6only)
        return err_set(e, EADDRINUSE, "IPV6_V6ONLY");
    if (ask->transparent != l->at[i].transparent && set_transparent(l->fd[i], ask->at, ask->transparent, e) < 0)
        return -1;
    l->at[i] = *ask;
    return l->fd[i];
}

int lent_adopt(struct lent *l, const struct hand_settings *set, int fd, struct err *e)
{
    const struct hand_listen *place = stock_named(set, fd, e);

    if (place && (l->count == HAND_LISTENS || find(l, place->at) < l->count)) {
        (void)err_set(e, 0, "another one listens there too");
        place = NULL;
    }
    if (place && (set_transparent(fd, place->at, place->transparent, e) < 0 || listen(fd, LEND_BACKLOG) < 0))
        place = NULL;
    if (!place) {
        (void)close(fd);
        return -1;
    }
    l->at[l->count] = *place;
    l->fd[l->count++] = fd;
    return 0;
}

int lent_listen(struct lent *l, const struct hand_listen *ask, struct err *e)
{
    uint32_t i = find(l, ask->at);

    if (i < l->count)
        return retune(l, i, ask, e);
    if (l->count == HAND_LISTENS)
        return err_set(e, ENOBUFS, "every place is taken");
    l->fd[i] = lend_listen(ask, e);
    if (l->fd[i] < 0)
        return -1;
    l->at[i] = *ask;
    l->count++;
    if (l->tell)
        l->tell(l->ctx, ask, l->fd[i]);
    return l->fd[i];
}

void lent_close(struct lent *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        (void)close(l->fd[i]);
    l->count = 0;
}

void lent_let_go(struct lent *l, const struct hand_listen *which)
{
    for (uint32_t i = l->count; i-- > 0;)
        if (which->at.family == 0 || (addr_eq(l->at[i].at, which->at) && l->at[i].tenant == which->tenant))
            drop(l, i);
}

void lent_sift(struct lent *l, const struct hand_settings *set)
{
    for (uint32_t i = l->count; i-- > 0;)
        if (lend_may_listen(set, &l->at[i]) != HAND_OK)
            drop(l, i);
}

/* Without a port of its own, one is chosen when it connects: so as many clients as there are pairs of ends. */
static int as_client(int fd, const void *how, struct err *e)
{
    const struct addr *who = how;

    if (set_transparent(fd, *who, true, e) < 0)
        return -1;
    return who->port == 0 ? set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT", e) : 0;
}

int lend_borrow(struct addr who, struct err *e)
{
    return open_bound(who, SOCK_STREAM, as_client, &who, e);
}
