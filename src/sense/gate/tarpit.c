/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/tarpit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/loop.h"

struct seat {
    struct seat *next;
    int fd;
    uint8_t said, len;
    uint8_t reply[TARPIT_REPLY];
};

struct tarpit {
    struct loop *loop;
    uint64_t places;
    int64_t byte_us;
    struct seat *seats; /* those who came last are first */
    uint32_t count, timer;
};

/* The next byte; false: the reply is over, or nobody is there any more. */
static bool stutter(struct seat *s)
{
    ssize_t n = send(s->fd, s->reply + s->said, 1, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n == 1)
        s->said++;
    return s->said < s->len && (n == 1 || errno == EAGAIN || errno == EINTR);
}

static void on_tick(void *ctx)
{
    struct tarpit *t = ctx;

    for (struct seat **at = &t->seats; *at;) {
        struct seat *s = *at;

        if (stutter(s)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        (void)close(s->fd);
        free(s);
        t->count--;
    }
    if (t->count == 0) {
        loop_untimer(t->loop, t->timer);
        t->timer = 0;
    }
}

bool tarpit_take(struct tarpit *t, int fd, struct slice reply)
{
    struct seat *s = t->count < t->places && reply.len > 0 ? malloc(sizeof(*s)) : NULL;
    int small = 2048; /* what it says now is not read: no more of it shall wait in the kernel */

    if (s && t->timer == 0)
        t->timer = loop_timer(t->loop, t->byte_us, t->byte_us, on_tick, t);
    if (!s || t->timer == 0) {
        free(s);
        return false;
    }
    reply = slice_first(reply, TARPIT_REPLY);
    *s = (struct seat){ .next = t->seats, .fd = fd, .len = (uint8_t)reply.len };
    memcpy(s->reply, reply.at, reply.len);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    t->seats = s;
    t->count++;
    return true;
}

void tarpit_set(struct tarpit *t, const struct gate_limits *set)
{
    t->places = set->tarpit;
    t->byte_us = set->tarpit_us;
}

struct tarpit *tarpit_new(struct loop *l, const struct gate_limits *set, struct err *e)
{
    struct tarpit *t = calloc(1, sizeof(*t));

    if (!t) {
        (void)err_set(e, ENOMEM, "tarpit");
        return NULL;
    }
    t->loop = l;
    tarpit_set(t, set);
    return t;
}

void tarpit_free(struct tarpit *t)
{
    struct seat *next;

    if (!t)
        return;
    loop_untimer(t->loop, t->timer);
    for (struct seat *s = t->seats; s; s = next) {
        next = s->next;
        (void)close(s->fd);
        free(s);
    }
    free(t);
}

uint32_t tarpit_count(const struct tarpit *t)
{
    return t->count;
}
