/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/stock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/say.h"
#include "sys/systemd.h"

#define PREFIX "serviola-"
enum {
    ABOVE = 64, /* sockets from systemd are moved there, out of the way */
    LATER_US = 200000,
    TOLD = 8, /* of what is not used: the rest is nonsense of the same kind */
};

void stock_name(const struct hand_listen *at, char name[STOCK_NAME])
{
    size_t bytes = at->at.family == 4 ? 4 : 16;
    char ip[2 * 16 + 1];

    for (size_t i = 0; i < bytes; i++)
        (void)snprintf(ip + 2 * i, 3, "%02x", at->at.ip[i]);
    (void)snprintf(name, STOCK_NAME, PREFIX "%u-%s-%u", at->at.family, ip, at->at.port);
}

/* ---- systemd's store ---- */

static void give_up(struct stock *s, const struct err *e)
{
    say("systemd keeps no sockets for the next start: %s", e->text);
    (void)close(s->manager);
    s->manager = -1;
}

static void store_all(void *ctx)
{
    struct stock *s = ctx;
    char name[STOCK_NAME];
    struct err e;

    s->timer = 0;
    for (uint32_t i = 0; i < s->count && s->manager >= 0; i++) {
        struct stock_place *p = &s->place[i];

        stock_name(&p->at, name);
        if (p->stored || systemd_store(s->manager, name, p->fd, &e) == 0) {
            p->stored = true;
        } else if (e.code == EAGAIN) { /* its queue is full */
            s->timer = loop_timer(s->loop, LATER_US, 0, store_all, s);
            return;
        } else
            give_up(s, &e);
    }
}

static void unstore(struct stock *s, const char *name)
{
    struct err e;

    if (s->manager >= 0 && systemd_remove(s->manager, name, &e) < 0)
        give_up(s, &e);
}

/* ---- places ---- */

static struct stock_place *find(struct stock *s, const struct hand_listen *at)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (addr_eq(s->place[i].at.at, at->at))
            return &s->place[i];
    return NULL;
}

static void drop(struct stock *s, struct stock_place *p)
{
    char name[STOCK_NAME];

    stock_name(&p->at, name);
    unstore(s, name);
    (void)close(p->fd);
    *p = s->place[--s->count];
}

/* `fd` is ours from here on. */
static void add(struct stock *s, const struct hand_listen *at, int fd, bool stored)
{
    struct stock_place *old = find(s, at);

    if (old)
        drop(s, old);
    if (s->count < HAND_LISTENS)
        s->place[s->count++] = (struct stock_place){ *at, fd, stored };
    else
        (void)close(fd);
}

/* ---- the start ---- */

/* Out of the numbers at which children find theirs.  -1: it is none that was given to us. */
static int take_over(int given)
{
    int flags = fcntl(given, F_GETFD);
    int fd;

    if (flags < 0 || flags & FD_CLOEXEC) /* our own all are */
        return -1;
    fd = fcntl(given, F_DUPFD_CLOEXEC, ABOVE);
    (void)close(given);
    return fd;
}

/* We put it into the store: what is not used there is to be taken out of it, or clients would wait for nobody. */
static bool is_ours(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.at[i] >= '0' && name.at[i] <= '9') || (name.at[i] >= 'a' && name.at[i] <= 'z') ||
              name.at[i] == '-'))
            return false;
    return slice_starts_nocase(name, SLICE(PREFIX)) && name.len < STOCK_NAME;
}

static int take(struct stock *s, const struct hand_settings *named, int given, struct slice name, struct err *e)
{
    int fd = take_over(given);
    const struct hand_listen *at = NULL;
    char ours[STOCK_NAME];

    if (fd < 0)
        (void)err_set(e, 0, "there is none");
    else
        at = stock_named(named, fd, e);
    if (at && find(s, at)) {
        at = NULL;
        (void)err_set(e, 0, "another one listens there too");
    }
    if (at) {
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        add(s, at, fd, true); /* in the store, or systemd's own */
        return 0;
    }
    if (fd >= 0)
        (void)close(fd);
    if (is_ours(name)) {
        memcpy(ours, name.at, name.len);
        ours[name.len] = '\0';
        unstore(s, ours);
    }
    return -1;
}

static void take_all(struct stock *s, const struct hand_settings *named)
{
    const char *names = getenv("LISTEN_FDNAMES");
    struct err e = { 0 };
    int unused = 0;
    int count = systemd_count(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getpid(), &e);

    if (count < 0)
        say("nothing is taken from systemd: %s", e.text);
    for (int i = 0; i < count; i++)
        if (take(s, named, SYSTEMD_FIRST + i, systemd_name(names, i), &e) < 0 && unused++ < TOLD)
            say("descriptor %d that systemd gave is not used: %s", SYSTEMD_FIRST + i, e.text);
    if (count > 0)
        say("%u of %d sockets from systemd are in use", s->count, count);
}

void stock_open(struct stock *s, const struct hand_settings *named)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct err e;

    *s = (struct stock){ .manager = path ? systemd_open(path, &e) : -1 };
    if (path && s->manager < 0)
        say("systemd keeps no sockets for the next start: %s", e.text);
    take_all(s, named);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

void stock_close(struct stock *s)
{
    chan_free(s->hand);
    s->hand = NULL;
    for (uint32_t i = 0; i < s->count; i++)
        (void)close(s->place[i].fd);
    s->count = 0;
    if (s->manager >= 0)
        (void)close(s->manager);
    s->manager = -1;
}

void stock_freeze(struct stock *s)
{
    s->frozen = s->manager >= 0;
}

/* ---- the hand ---- */

static int on_socket(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct stock *s = ctx;
    struct hand_listen at;
    struct hand_listen is;
    struct err e;

    (void)from;
    (void)m;
    memcpy(&at, body, sizeof(at));
    if (fd < 0)
        return -1;
    if (stock_read(fd, &is, &e) < 0 || !addr_eq(is.at, at.at) || is.v6only != at.v6only) {
        (void)close(fd);
        return -1;
    }
    add(s, &at, fd, false);
    store_all(s);
    return 0;
}

static int on_gone(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct stock *s = ctx;
    struct hand_listen at;
    struct stock_place *p;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&at, body, sizeof(at));
    p = find(s, &at);
    if (p && !s->frozen)
        drop(s, p);
    return 0;
}

static const struct chan_op ops[] = {
    { STOCK_SOCKET, "socket", sizeof(struct hand_listen), sizeof(struct hand_listen), true, on_socket },
    { STOCK_GONE, "gone", sizeof(struct hand_listen), sizeof(struct hand_listen), false, on_gone },
};

static void on_link_ended(void *ctx, struct chan *chan, const char *why)
{
    struct stock *s = ctx;

    say_debug("the hand's stock: %s", why);
    if (s->hand == chan)
        s->hand = NULL;
    chan_free(chan);
}

/* What waits in the link counts against its bounds: none that there is room for is left out. */
static int fill(struct stock *s, struct err *e)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (chan_send(s->hand, STOCK_SOCKET, 0, 0, &s->place[i].at, sizeof(s->place[i].at), s->place[i].fd) < 0)
            return err_set(e, 0, "%u sockets are too many to be handed over", s->count);
    return chan_send(s->hand, STOCK_ALL, 0, 0, NULL, 0, -1) < 0 ? err_set(e, 0, "the hand's stock") : 0;
}

int stock_link(struct stock *s, struct loop *l, struct err *e)
{
    int pair[2];

    s->loop = l;
    chan_free(s->hand);
    s->hand = NULL;
    if (chan_pair(pair, e) < 0)
        return -1;
    s->hand = chan_new(pair[0], "the hand's stock", ops, sizeof(ops) / sizeof(ops[0]), s, e);
    if (s->hand && chan_attach(s->hand, l, on_link_ended, e) == 0 && fill(s, e) == 0)
        return pair[1];
    chan_free(s->hand);
    s->hand = NULL;
    (void)close(pair[1]);
    return -1;
}
