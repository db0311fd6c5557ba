/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/timers.h"
#include "sys/clock.h"

enum { HANDFUL = 64 };

struct watch {
    void (*ready)(void *ctx, int fd, int events); /* NULL: not watched */
    void *ctx;
    uint32_t generation; /* an event that was fetched for an earlier watch of this number is not ours */
};

struct loop {
    int epoll;
    int signals; /* signalfd, or -1 */
    sigset_t mask;
    bool stop;
    struct timers *timers;
    struct watch *watch; /* [LOOP_FDS], by number; only touched pages cost memory */
    struct {
        void (*got)(void *ctx, int signal);
        void *ctx;
    } on_signal[_NSIG];
    struct {
        void (*call)(void *ctx);
        void *ctx;
    } hook[LOOP_HOOKS];
    size_t hooks;
};

struct loop *loop_new(struct err *e)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (!l) {
        (void)err_set(e, ENOMEM, "loop");
        return NULL;
    }
    l->signals = -1;
    (void)sigemptyset(&l->mask);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) {
        (void)err_set(e, errno, "epoll_create1");
        goto fail;
    }
    l->watch = calloc(LOOP_FDS, sizeof(*l->watch));
    if (!l->watch) {
        (void)err_set(e, ENOMEM, "loop");
        goto fail;
    }
    l->timers = timers_new(LOOP_TIMERS, e);
    if (l->timers)
        return l;
fail:
    loop_free(l);
    return NULL;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    if (l->signals >= 0)
        (void)close(l->signals);
    if (l->epoll >= 0)
        (void)close(l->epoll);
    timers_free(l->timers);
    free(l->watch);
    free(l);
}

static struct watch *watch_at(struct loop *l, int fd)
{
    return fd >= 0 && fd < LOOP_FDS ? &l->watch[fd] : NULL;
}

static int tell_epoll(struct loop *l, int what, int fd, int events, struct err *e)
{
    struct epoll_event ev = {
        .events = (events & LOOP_IN ? (uint32_t)EPOLLIN : 0) | (events & LOOP_OUT ? (uint32_t)EPOLLOUT : 0),
        .data.u64 = (uint64_t)l->watch[fd].generation << 32 | (uint32_t)fd,
    };

    if (epoll_ctl(l->epoll, what, fd, &ev) < 0)
        return err_set(e, errno, "watch descriptor %d", fd);
    return 0;
}

int loop_watch(struct loop *l, int fd, int events, void (*ready)(void *ctx, int fd, int events), void *ctx,
               struct err *e)
{
    struct watch *w = watch_at(l, fd);

    if (!w)
        return err_set(e, EMFILE, "watch descriptor %d", fd);
    if (w->ready)
        return err_set(e, EEXIST, "watch descriptor %d", fd);
    w->generation++;
    if (tell_epoll(l, EPOLL_CTL_ADD, fd, events, e) < 0)
        return -1;
    w->ready = ready;
    w->ctx = ctx;
    return 0;
}

int loop_change(struct loop *l, int fd, int events, struct err *e)
{
    struct watch *w = watch_at(l, fd);

    if (!w || !w->ready)
        return err_set(e, ENOENT, "watch descriptor %d", fd);
    return tell_epoll(l, EPOLL_CTL_MOD, fd, events, e);
}

void loop_unwatch(struct loop *l, int fd)
{
    struct watch *w = watch_at(l, fd);

    if (!w || !w->ready)
        return;
    w->ready = NULL;
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void loop_close(struct loop *l, int fd)
{
    struct watch *w = watch_at(l, fd);

    if (w)
        w->ready = NULL;
    (void)close(fd);
}

uint32_t loop_timer(struct loop *l, int64_t delay_us, int64_t every_us, void (*fire)(void *ctx), void *ctx)
{
    return timers_add(l->timers, clock_mono_us() + delay_us, every_us, fire, ctx);
}

void loop_untimer(struct loop *l, uint32_t id)
{
    timers_remove(l->timers, id);
}

static void on_signals(void *ctx, int fd, int events)
{
    struct loop *l = ctx;
    struct signalfd_siginfo info;

    (void)events;
    while (!l->stop && read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        if (info.ssi_signo < _NSIG && l->on_signal[info.ssi_signo].got)
            l->on_signal[info.ssi_signo].got(l->on_signal[info.ssi_signo].ctx, (int)info.ssi_signo);
}

int loop_signal(struct loop *l, int signal, void (*got)(void *ctx, int signal), void *ctx, struct err *e)
{
    int fd;

    if (signal <= 0 || signal >= _NSIG || sigaddset(&l->mask, signal) < 0)
        return err_set(e, EINVAL, "signal %d", signal);
    if (sigprocmask(SIG_BLOCK, &l->mask, NULL) < 0)
        return err_set(e, errno, "block signal %d", signal);
    fd = signalfd(l->signals, &l->mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set(e, errno, "signalfd");
    l->on_signal[signal].got = got;
    l->on_signal[signal].ctx = ctx;
    if (l->signals >= 0)
        return 0;
    l->signals = fd;
    return loop_watch(l, fd, LOOP_IN, on_signals, l, e);
}

void loop_before_sleep(struct loop *l, void (*call)(void *ctx), void *ctx)
{
    assert(l->hooks < LOOP_HOOKS);
    l->hook[l->hooks].call = call;
    l->hook[l->hooks].ctx = ctx;
    l->hooks++;
}

static int wait_us(const struct loop *l, struct epoll_event *ev, int64_t left_us) /* < 0: for ever */
{
    const struct timespec wait = { .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };
    int n = epoll_pwait2(l->epoll, ev, HANDFUL, left_us < 0 ? NULL : &wait, NULL);

    if (n < 0 && errno == ENOSYS) /* before Linux 5.11, and under valgrind: whole milliseconds, never too early */
        n = epoll_wait(l->epoll, ev, HANDFUL,
                       left_us < 0            ? -1
                       : left_us > 3600000000 ? 3600000
                                              : (int)((left_us + 999) / 1000));
    return n;
}

/* Sleeps until something is ready or the first timer is due; the number of events, 0 on time-out, -1. */
static int look(const struct loop *l, struct epoll_event *ev)
{
    int64_t next_us = timers_next_us(l->timers);
    int64_t left_us;

    if (next_us == INT64_MAX)
        return wait_us(l, ev, -1);
    left_us = next_us - clock_mono_us();
    return wait_us(l, ev, left_us > 0 ? left_us : 0);
}

static void dispatch(struct loop *l, const struct epoll_event *ev)
{
    int fd = (int)(uint32_t)ev->data.u64;
    const struct watch *w = &l->watch[fd];
    int events = (ev->events & EPOLLIN ? LOOP_IN : 0) | (ev->events & EPOLLOUT ? LOOP_OUT : 0) |
                 (ev->events & (EPOLLERR | EPOLLHUP) ? LOOP_GONE : 0);

    if (w->ready && w->generation == (uint32_t)(ev->data.u64 >> 32))
        w->ready(w->ctx, fd, events);
}

int loop_run(struct loop *l, struct err *e)
{
    struct epoll_event ev[HANDFUL];

    l->stop = false;
    while (!l->stop) {
        int n;

        timers_fire(l->timers, clock_mono_us());
        for (size_t i = 0; i < l->hooks; i++)
            l->hook[i].call(l->hook[i].ctx);
        if (l->stop)
            break;
        n = look(l, ev);
        if (n < 0 && errno != EINTR)
            return err_set(e, errno, "epoll_wait");
        for (int i = 0; i < n && !l->stop; i++)
            dispatch(l, &ev[i]);
    }
    return 0;
}

void loop_stop(struct loop *l)
{
    l->stop = true;
}
