/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/outtray.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { AGAIN_US = 200000 };

struct message {
    uint16_t op, len;
    _Alignas(16) uint8_t body[OUTTRAY_BODY];
};

struct outtray {
    struct loop *loop;
    struct outtray_way way;
    int wake;       /* eventfd */
    uint32_t timer; /* main thread's */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t has_room;
    struct message at[OUTTRAY_ROOM];
    uint64_t said, sent, left;
    bool stop;
};

struct outtray *outtray_new(struct loop *loop, const struct outtray_way *way, struct err *e)
{
    struct outtray *o = calloc(1, sizeof(*o));

    if (!o) {
        (void)err_set(e, ENOMEM, "log");
        return NULL;
    }
    o->loop = loop;
    o->way = *way;
    (void)pthread_mutex_init(&o->lock, NULL);
    (void)pthread_cond_init(&o->has_room, NULL);
    o->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (o->wake < 0) {
        (void)err_set(e, errno, "eventfd");
        outtray_free(o);
        return NULL;
    }
    return o;
}

/* ---- the main thread ---- */

static struct message *first(struct outtray *o)
{
    struct message *m;

    (void)pthread_mutex_lock(&o->lock);
    m = o->sent < o->said ? &o->at[o->sent % OUTTRAY_ROOM] : NULL;
    (void)pthread_mutex_unlock(&o->lock);
    return m;
}

static void drop_first(struct outtray *o)
{
    (void)pthread_mutex_lock(&o->lock);
    o->sent++;
    (void)pthread_cond_signal(&o->has_room);
    (void)pthread_mutex_unlock(&o->lock);
}

static void turn(void *ctx)
{
    struct outtray *o = ctx;
    bool all;

    o->timer = 0;
    for (struct message *m = first(o); m && o->way.send(o->way.ctx, m->op, m->body, m->len); m = first(o))
        drop_first(o);
    (void)pthread_mutex_lock(&o->lock);
    if (o->way.empty(o->way.ctx))
        o->left = o->sent;
    all = o->left == o->said;
    (void)pthread_mutex_unlock(&o->lock);
    if (!all)
        o->timer = loop_timer(o->loop, AGAIN_US, 0, turn, o);
}

static void on_wake(void *ctx, int fd, int events)
{
    struct outtray *o = ctx;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));

    (void)n; /* nothing there is fine */
    (void)events;
    loop_untimer(o->loop, o->timer);
    turn(o);
}

int outtray_start(struct outtray *o, struct err *e)
{
    return loop_watch(o->loop, o->wake, LOOP_IN, on_wake, o, e);
}

void outtray_stop(struct outtray *o)
{
    (void)pthread_mutex_lock(&o->lock);
    o->stop = true;
    (void)pthread_cond_broadcast(&o->has_room);
    (void)pthread_mutex_unlock(&o->lock);
}

void outtray_free(struct outtray *o)
{
    if (!o)
        return;
    if (o->wake >= 0) {
        loop_untimer(o->loop, o->timer);
        turn(o);
        loop_untimer(o->loop, o->timer);
        loop_unwatch(o->loop, o->wake);
        (void)close(o->wake);
    }
    (void)pthread_mutex_destroy(&o->lock);
    (void)pthread_cond_destroy(&o->has_room);
    free(o);
}

/* ---- the other thread ---- */

void outtray_put(struct outtray *o, uint16_t op, const void *body, size_t len)
{
    const uint64_t one = 1;
    ssize_t n;

    assert(len <= OUTTRAY_BODY);
    (void)pthread_mutex_lock(&o->lock);
    while (o->said - o->sent == OUTTRAY_ROOM && !o->stop)
        (void)pthread_cond_wait(&o->has_room, &o->lock);
    if (!o->stop) {
        struct message *m = &o->at[o->said++ % OUTTRAY_ROOM];

        m->op = op;
        m->len = (uint16_t)len;
        memcpy(m->body, body, len);
    }
    (void)pthread_mutex_unlock(&o->lock);
    n = write(o->wake, &one, sizeof(one));
    (void)n; /* full: it is awake */
}

static uint64_t locked(struct outtray *o, const uint64_t *of)
{
    uint64_t n;

    (void)pthread_mutex_lock(&o->lock);
    n = *of;
    (void)pthread_mutex_unlock(&o->lock);
    return n;
}

uint64_t outtray_said(struct outtray *o)
{
    return locked(o, &o->said);
}

uint64_t outtray_left(struct outtray *o)
{
    return locked(o, &o->left);
}
