/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/askers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/loop.h"

#define SECOND_US    1000000LL
#define FIRST_NUMBER (1ull << 40)
enum { TICK_US = 1000000 };

struct askers {
    struct gate_means *means;
    const struct askers_kind *kind;
    void *ctx;
    struct gate_listener home, outside; /* what visits are made with */
    struct asker *first;
    uint32_t count, timer;
    uint64_t next_number;
    int fd;
};

struct gate_means *askers_means(const struct askers *s)
{
    return s->means;
}

void *askers_ctx(const struct askers *s)
{
    return s->ctx;
}

void askers_reload(struct askers *s)
{
    s->home = (struct gate_listener){ .kind = GATE_MX, .outside = GATE_OUTSIDE_NO };
    (void)snprintf(s->home.name, sizeof(s->home.name), "%s", s->kind->name);
    s->home.checks = s->means->set->policy_checks;
    s->outside = s->home;
    s->outside.outside = GATE_OUTSIDE_YES;
}

static int64_t seconds_from_now(const struct askers *s, int64_t seconds)
{
    return s->means->now_us(s->means->ctx) + seconds * SECOND_US;
}

static void release(struct asker *a)
{
    struct askers *s = a->all;

    s->kind->leave(a);
    loop_unwatch(s->means->loop, a->fd);
    (void)close(a->fd);
    if (a->next)
        a->next->prev = a->prev;
    if (a->prev)
        a->prev->next = a->next;
    else
        s->first = a->next;
    s->count--;
    free(a);
}

/* What is there, one request after the other.  May free `a`. */
static void take_all(struct asker *a)
{
    a->taking = true;
    while (!a->waits && !a->gone && a->in_len > 0) {
        ssize_t used = a->all->kind->take(a, slice_of(a->in, a->in_len));

        if (used == 0)
            break;
        if (used < 0) {
            a->gone = true;
            break;
        }
        a->in_len -= (size_t)used;
        memmove(a->in, a->in + used, a->in_len);
    }
    a->taking = false;
    if (a->gone)
        release(a);
}

void asker_wait(struct asker *a)
{
    a->waits = true;
    a->due_us = seconds_from_now(a->all, ASKER_ANSWER_S);
}

void asker_say(struct asker *a, struct slice bytes)
{
    a->waits = false;
    a->due_us = seconds_from_now(a->all, ASKER_IDLE_S);
    if (send(a->fd, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)bytes.len)
        a->gone = true; /* it asks and does not listen */
    if (!a->taking)
        take_all(a);
}

static void on_bytes(void *ctx, int fd, int events)
{
    struct asker *a = ctx;
    ssize_t n = 0;

    (void)events;
    if (a->in_len < sizeof(a->in)) /* else it asks on and on, and an answer is still due */
        n = recv(fd, a->in + a->in_len, sizeof(a->in) - a->in_len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        release(a);
        return;
    }
    a->in_len += (size_t)n;
    take_all(a);
}

static void on_tick(void *ctx)
{
    struct askers *s = ctx;
    int64_t now = seconds_from_now(s, 0);
    struct asker *next;

    for (struct asker *a = s->first; a; a = next) {
        next = a->next;
        if (now < a->due_us)
            continue;
        if (a->waits)
            s->kind->late(a);
        else
            release(a);
    }
    if (!s->first) {
        loop_untimer(s->means->loop, s->timer);
        s->timer = 0;
    }
}

static void on_asker(void *ctx, int fd, int events)
{
    struct askers *s = ctx;
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct asker *a = got >= 0 && s->count < ASKERS_MOST ? malloc(sizeof(*a)) : NULL;

    (void)events;
    if (a) {
        memset(a, 0, offsetof(struct asker, in));
        a->all = s;
        a->fd = got;
        a->due_us = seconds_from_now(s, ASKER_IDLE_S);
    }
    if (!a || loop_watch(s->means->loop, got, LOOP_IN, on_bytes, a, NULL) < 0) {
        free(a);
        if (got >= 0)
            (void)close(got);
        return;
    }
    a->next = s->first;
    if (a->next)
        a->next->prev = a;
    s->first = a;
    s->count++;
    if (s->timer == 0)
        s->timer = loop_timer(s->means->loop, TICK_US, TICK_US, on_tick, s);
}

struct askers *askers_new(struct gate_means *m, const struct askers_kind *kind, void *ctx, int fd, struct err *e)
{
    struct askers *s = calloc(1, sizeof(*s));

    if (!s || loop_watch(m->loop, fd, LOOP_IN, on_asker, s, e) < 0) {
        if (!s)
            (void)err_set(e, ENOMEM, "who asks the gate");
        free(s);
        (void)close(fd);
        return NULL;
    }
    s->means = m;
    s->kind = kind;
    s->ctx = ctx;
    s->fd = fd;
    s->next_number = FIRST_NUMBER;
    askers_reload(s);
    return s;
}

void askers_free(struct askers *s)
{
    if (!s)
        return;
    while (s->first)
        release(s->first);
    loop_untimer(s->means->loop, s->timer);
    loop_unwatch(s->means->loop, s->fd);
    (void)close(s->fd);
    free(s);
}

/* ---- visits ---- */

struct visit *askers_visit(struct asker *a, struct addr client, struct addr local)
{
    struct askers *s = a->all;
    bool home = addr_is_self(s->means->self, client);
    struct visit *v;

    if (!home && addr_is_loopback(local)) /* something stands before the server: where it came to is not known */
        local = (struct addr){ 0 };
    v = visit_new(s->means, home ? &s->home : &s->outside, client, local);
    if (!v)
        return NULL;
    v->number = s->next_number++;
    v->owner = a;
    return v;
}

void askers_tell(const struct visit *v, const struct verdict *r)
{
    static const enum event_kind kinds[] = { [VERDICT_PASS] = EV_GATE_SESSION_PASSED,
                                             [VERDICT_DEFER] = EV_GATE_SESSION_DEFERRED,
                                             [VERDICT_REFUSE] = EV_GATE_SESSION_REFUSED };
    struct event ev = event_new(kinds[r->act]);

    if (r->act == VERDICT_PASS && !v->recipient)
        return;
    event_add_number(&ev, F_CODE, r->code);
    if (r->act != VERDICT_PASS)
        event_add_text(&ev, F_WHY, slice_first(slice_text(r->text), 80));
    if (v->sender)
        event_add_text(&ev, F_PATH, slice_first(slice_text(v->sender), 32));
    if (v->recipient)
        event_add_text(&ev, F_RECIPIENT, slice_first(slice_text(v->recipient), 32));
    if (v->user)
        event_add_text(&ev, F_USER, slice_first(slice_text(v->user), 24));
    event_add_words(&ev, F_LISTENER, v->at->name);
    v->means->tell(v->means->ctx, &ev, v);
}

char *askers_text(struct slice s)
{
    char *copy = strndup(s.len > 0 ? (const char *)s.at : "", s.len);

    for (char *c = copy; c && *c; c++)
        if (*c == '\r' || *c == '\n')
            *c = '?';
    return copy;
}
