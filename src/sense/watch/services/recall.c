/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How often each service was lost lately, and which of them come and go, from the events of an earlier life. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "journal/past.h"
#include "sense/watch/services/inner.h"
#include "sys/clock.h"

enum { PATIENCE_US = 2000000 }; /* a disk that hangs tells nothing: then nothing is known */

static const struct {
    enum event_kind kind;
    enum judge_news news;
} pasts[] = {
    { EV_WATCH_SERVICE_SEEN, JUDGE_SEEN },       { EV_WATCH_SERVICE_LOST, JUDGE_LOST },
    { EV_WATCH_SERVICE_BACK, JUDGE_BACK },       { EV_WATCH_SERVICE_SHOWN, JUDGE_SHOWN },
    { EV_WATCH_SERVICE_BLINKED, JUDGE_BLINKED }, { EV_WATCH_SERVICE_FLAPPING, JUDGE_FLAPPING },
    { EV_WATCH_SERVICE_STEADY, JUDGE_STEADY },
};
enum { PASTS = sizeof(pasts) / sizeof(pasts[0]) };

int recall_open(struct part_state *w, const struct services_settings *set, struct err *e)
{
    enum event_kind kinds[PASTS];
    int64_t window_us = JUDGE_WINDOW_US;
    struct past_of of = { .kinds = kinds, .kinds_count = PASTS };

    for (unsigned i = 0; i < PASTS; i++)
        kinds[i] = pasts[i].kind;
    for (uint32_t i = 0; i < set->services.count; i++)
        if (set->services.at[i].steady_us > window_us)
            window_us = set->services.at[i].steady_us;
    of.since_us = clock_wall_us() - window_us;
    (void)signal(SIGCHLD, SIG_IGN);
    w->recall.fd = past_start(set->journal, &of, w->role->part->user, e);
    return w->recall.fd < 0 ? -1 : 0;
}

static uint64_t number_in(const struct event *ev, enum field f)
{
    uint64_t n;

    return event_get_number(ev, f, &n) && n <= INT64_MAX ? n : 0;
}

static void take(struct part_state *w, const struct event *ev)
{
    struct judge_told told = {
        .since_us = (int64_t)number_in(ev, F_SINCE),
        .span_us = (int64_t)number_in(ev, F_SPAN),
        .count = (uint32_t)number_in(ev, F_COUNT),
    };
    struct slice name;

    for (uint32_t i = 0; event_get(ev, F_NAME, &name) && i < w->count; i++)
        for (unsigned k = 0; k < PASTS && slice_eq(name, slice_text(w->ones[i]->service.name)); k++)
            if (pasts[k].kind == (enum event_kind)ev->kind)
                judge_recall(&w->ones[i]->judge, pasts[k].news, &told, ev->at_us);
}

/* One that still comes and goes is said anew: whoever was told of it hears that it is not over. */
static void go_on(struct part_state *w)
{
    w->recall.over = true;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct judge *j = &w->ones[i]->judge;
        struct judge_told told = { .since_us = j->flap_us, .count = j->flaps };

        if (j->flapping)
            tell_news(w, i, JUDGE_FLAPPING, &told, FRONT_NOBODY);
    }
}

static void stop_reading(struct part_state *w)
{
    if (w->recall.fd >= 0)
        loop_close(w->role->loop, w->recall.fd);
    w->recall.fd = -1;
}

static void on_past(void *ctx, int fd, int events)
{
    struct part_state *w = ctx;
    struct recall *r = &w->recall;
    ssize_t got = read(fd, (uint8_t *)&r->ev + r->len, sizeof(r->ev) - r->len);

    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        stop_reading(w);
        go_on(w);
        return;
    }
    r->len += (size_t)got;
    if (r->len < sizeof(r->ev))
        return;
    r->len = 0;
    if (event_is_whole(&r->ev) && r->ev.kind < EV_KINDS)
        take(w, &r->ev);
}

static void on_patience_over(void *ctx)
{
    struct part_state *w = ctx;

    if (w->recall.over)
        return;
    stop_reading(w);
    for (uint32_t i = 0; i < w->count; i++) /* half of a story is none */
        w->ones[i]->judge = (struct judge){ 0 };
    go_on(w);
}

int recall_run(struct part_state *w, struct err *e)
{
    (void)fcntl(w->recall.fd, F_SETFL, O_NONBLOCK);
    if (loop_watch(w->role->loop, w->recall.fd, LOOP_IN, on_past, w, e) < 0)
        return -1;
    return loop_timer(w->role->loop, PATIENCE_US, 0, on_patience_over, w) ? 0 : err_set(e, 0, "no room for a timer");
}
