/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the part "probe" says: events for people and the journal, values for the watch. */
#include <math.h>
#include <stdio.h>

#include "part/link.h"
#include "sense/watch/services/inner.h"
#include "sys/clock.h"

enum {
    SECOND_US = 1000000,
    ALARMS = 128, /* as the core counts them: the upper half is ours, the last one the network's */
    ALARMS_OURS = 64,
    NETWORK_ALARM = ALARMS - 1,
};

/* ---- events ---- */

static uint64_t new_alarm(uint32_t place)
{
    return (uint64_t)clock_wall_us() * ALARMS + place;
}

static void add_time(struct event *ev, enum field f, int64_t us)
{
    if (us > 0)
        event_add_number(ev, f, (uint64_t)us);
}

static enum event_kind kind_of(enum judge_news news)
{
    switch (news) {
    case JUDGE_SEEN:
        return EV_WATCH_SERVICE_SEEN;
    case JUDGE_LOST:
        return EV_WATCH_SERVICE_LOST;
    case JUDGE_BACK:
        return EV_WATCH_SERVICE_BACK;
    case JUDGE_IS_HIDDEN:
        return EV_WATCH_SERVICE_HIDDEN;
    case JUDGE_SHOWN:
        return EV_WATCH_SERVICE_SHOWN;
    case JUDGE_FLAPPING:
        return EV_WATCH_SERVICE_FLAPPING;
    case JUDGE_BLINKED:
        return EV_WATCH_SERVICE_BLINKED;
    case JUDGE_STEADY:
        return EV_WATCH_SERVICE_STEADY;
    case JUDGE_SAME:
        break;
    }
    return EV_NONE;
}

static void add_why(struct event *ev, struct part_state *w, const struct one *o, enum judge_news news, int front)
{
    char words[80];

    if (news == JUDGE_IS_HIDDEN && front == FRONT_NETWORK)
        event_add_words(ev, F_WHY, "this host's own network is down");
    else if (news == JUDGE_IS_HIDDEN && front >= 0) {
        (void)snprintf(words, sizeof(words), "%s is down", w->ones[front]->service.name);
        event_add_words(ev, F_WHY, words);
    } else if (o->why[0] && (news == JUDGE_LOST || news == JUDGE_BLINKED || news == JUDGE_FLAPPING))
        event_add_words(ev, F_WHY, o->why);
}

void tell_news(struct part_state *w, uint32_t i, enum judge_news news, const struct judge_told *told, int front)
{
    struct one *o = w->ones[i];
    struct event ev = event_new(kind_of(news));

    if (news == JUDGE_LOST || news == JUDGE_FLAPPING)
        o->alarm = new_alarm(ALARMS_OURS + i);
    else if (news == JUDGE_IS_HIDDEN)
        o->alarm = front == FRONT_NETWORK ? w->network_alarm : w->ones[front]->alarm;
    ev.dst = o->attempt.to;
    event_add_words(&ev, F_NAME, o->service.name);
    if (o->alarm)
        event_add_number(&ev, F_ALARM, o->alarm);
    add_time(&ev, F_SINCE, told->since_us);
    add_time(&ev, F_SPAN, told->span_us);
    add_time(&ev, F_GOOD, news == JUDGE_LOST || news == JUDGE_IS_HIDDEN ? told->good_us : 0);
    if (told->count > 0)
        event_add_number(&ev, F_COUNT, told->count);
    add_why(&ev, w, o, news, front);
    (void)role_emit(w->role, &ev, 0);
}

void tell_network(struct part_state *w, int64_t since_us)
{
    struct event ev = event_new(w->network_lost ? EV_WATCH_NETWORK_LOST : EV_WATCH_NETWORK_BACK);
    uint32_t outside = 0;
    bool ours = true;

    for (uint32_t i = 0; i < w->count; i++) {
        outside += w->ones[i]->outside;
        ours = ours && (!w->ones[i]->outside || w->ones[i]->ours);
    }
    if (w->network_lost)
        w->network_alarm = new_alarm(NETWORK_ALARM);
    event_add_number(&ev, F_ALARM, w->network_alarm);
    add_time(&ev, F_SINCE, since_us);
    if (w->network_lost) {
        event_add_number(&ev, F_COUNT, outside);
        event_add_words(&ev, F_WHY,
                        ours ? "nothing leaves this host" : "nothing outside of this host answers any more");
    } else
        add_time(&ev, F_SPAN, since_us - w->network_since_us);
    w->network_since_us = since_us;
    (void)role_emit(w->role, &ev, 0);
}

void tell_pause(struct part_state *w, int64_t span_us)
{
    struct event ev = event_new(EV_WATCH_PROBES_PAUSED);

    add_time(&ev, F_SPAN, span_us);
    (void)role_emit(w->role, &ev, 0);
}

void tell_that_all_stands(struct part_state *w)
{
    struct event ev = event_new(EV_WATCH_SERVICES_STAND);
    uint32_t down = 0;

    for (uint32_t i = 0; i < w->count; i++)
        down += w->ones[i]->judge.state == JUDGE_DOWN || w->ones[i]->judge.state == JUDGE_HIDDEN;
    event_add_number(&ev, F_COUNT, w->count);
    event_add_number(&ev, F_VALUE, down);
    (void)role_emit(w->role, &ev, 0);
    w->stood_us = clock_mono_us();
}

void tell_dropped(struct part_state *w, const struct one *o)
{
    struct event ev = event_new(EV_WATCH_SERVICE_DROPPED);

    event_add_words(&ev, F_NAME, o->service.name);
    (void)role_emit(w->role, &ev, 0);
}

/* ---- values ---- */

void tell_value(struct role *r, const char *family, const char *name, const char *what, double number, int64_t good_us)
{
    struct link_value v = { .number = number, .good_us = good_us };
    size_t n = (size_t)snprintf(v.name, sizeof(v.name), "%s.%s.%s", family, name, what);

    for (size_t i = 0; i < n && i < sizeof(v.name); i++) { /* as an expression can say it */
        char c = v.name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' && c != '-')
            v.name[i] = '_';
    }
    (void)chan_send(r->core, LINK_VALUE, 0, 0, &v, sizeof(v), -1);
}

static void value(const struct one *o, const char *what, double number)
{
    /* As long as two more probes may take. */
    tell_value(o->part->role, "service", o->service.name, what, number,
               2 * (services_every_us(&o->service) + o->service.within_us) + SECOND_US);
}

void tell_values(const struct one *o)
{
    const struct attempt *a = &o->attempt;

    if (o->judge.state != JUDGE_UNKNOWN)
        value(o, "up", o->judge.state == JUDGE_UP);
    value(o, "latency", a->well ? (double)a->took_us / SECOND_US : (double)NAN);
    value(o, "missed", o->judge.missed);
    if (!isnan(a->days))
        value(o, "days", a->days);
}
