/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/availability.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define SECOND_US 1000000LL
#define DAYS_TOLD 62
#define DAY_US    (86400 * SECOND_US)

enum state { NOT_KNOWN, IS_UP, IS_DOWN, IS_OUT_OF_SIGHT, IS_GONE };

const enum event_kind availability_kinds[] = {
    EV_WATCH_SERVICE_SEEN,    EV_WATCH_SERVICE_LOST,  EV_WATCH_SERVICE_BACK,
    EV_WATCH_SERVICE_HIDDEN,  EV_WATCH_SERVICE_SHOWN, EV_WATCH_NETWORK_LOST,
    EV_WATCH_SERVICE_BLINKED, EV_WATCH_NETWORK_BACK,  EV_WATCH_SERVICE_DROPPED,
    EV_WATCH_SERVICES_STAND,  EV_WATCH_PROBES_PAUSED, EV_SERVIOLA_STARTED,
    EV_SERVIOLA_STOPPED,      EV_ROLE_DIED,           EV_ROLE_GAVE_UP,
};
const size_t availability_kinds_count = sizeof(availability_kinds) / sizeof(availability_kinds[0]);

/* ---- days and months ---- */

/* Where the day or month that holds this time begins, and the next `step` of them. */
static int64_t begin_of(int64_t at_us, bool months, int step)
{
    time_t s = (time_t)(at_us / SECOND_US);
    struct tm tm;

    if (!localtime_r(&s, &tm))
        return at_us;
    tm.tm_sec = tm.tm_min = tm.tm_hour = 0;
    tm.tm_isdst = -1;
    if (months) {
        tm.tm_mday = 1;
        tm.tm_mon += step;
    } else
        tm.tm_mday += step;
    return (int64_t)mktime(&tm) * SECOND_US;
}

struct availability *availability_new(int64_t from_us, int64_t to_us, struct err *e)
{
    struct availability *a = calloc(1, sizeof(*a));

    if (!a || to_us <= from_us) {
        err_set(e, a ? 0 : ENOMEM, "no time to look at");
        free(a);
        return NULL;
    }
    a->from_us = from_us;
    a->to_us = to_us;
    a->months = to_us - from_us > DAYS_TOLD * DAY_US;
    for (int i = 0; i < AVAILABILITY_PARTS; i++) {
        a->parts[i] = i == 0 ? from_us : begin_of(from_us, a->months, i);
        if (a->parts[i] >= to_us)
            break;
        a->parts_count++;
    }
    a->parts[a->parts_count] = to_us;
    return a;
}

void availability_free(struct availability *a)
{
    for (uint32_t i = 0; a && i < a->count; i++)
        free(a->at[i]);
    free(a);
}

/* ---- time that has passed ---- */

static void add(struct availability_time *t, int state, int64_t span_us)
{
    if (state == IS_UP)
        t->up_us += span_us;
    else if (state == IS_DOWN)
        t->down_us += span_us;
    else if (state != IS_GONE)
        t->unknown_us += span_us;
}

/* It was in this state from its mark until then. */
static void pass(const struct availability *a, struct availability_service *s, int state, int64_t until_us)
{
    int64_t from_us = s->mark_us > a->from_us ? s->mark_us : a->from_us;
    int64_t to_us = until_us < a->to_us ? until_us : a->to_us;

    if (until_us > s->mark_us)
        s->mark_us = until_us;
    if (to_us <= from_us)
        return;
    add(&s->all, state, to_us - from_us);
    for (uint32_t i = 0; i < a->parts_count; i++) {
        int64_t begin = from_us > a->parts[i] ? from_us : a->parts[i];
        int64_t end = to_us < a->parts[i + 1] ? to_us : a->parts[i + 1];

        if (end > begin)
            add(&s->parts[i], state, end - begin);
    }
}

static void turn(const struct availability *a, struct availability_service *s, int state, int64_t at_us)
{
    pass(a, s, s->state, at_us);
    s->state = state;
}

/* ---- losses ---- */

static struct availability_loss *open_loss(struct availability_service *s)
{
    struct availability_loss *last = s->losses_count ? &s->losses[(s->losses_count - 1) % AVAILABILITY_LOSSES] : NULL;

    return last && last->until_us == 0 ? last : NULL;
}

static void note_loss(const struct availability *a, struct availability_service *s, const struct event *ev,
                      int64_t since_us, int64_t until_us)
{
    struct availability_loss *l;
    struct slice why;
    struct text t;

    if (open_loss(s) || (until_us != 0 && until_us < a->from_us))
        return;
    l = &s->losses[s->losses_count++ % AVAILABILITY_LOSSES];
    *l = (struct availability_loss){ .since_us = since_us, .until_us = until_us };
    t = TEXT_IN(l->why);
    if (event_get(ev, F_WHY, &why))
        text_visible(&t, why);
}

/* One that was over before the time that is asked for is not told. */
static void end_loss(const struct availability *a, struct availability_service *s, int64_t until_us, bool unsure)
{
    struct availability_loss *l = open_loss(s);

    if (!l)
        return;
    l->until_us = until_us;
    l->unsure = unsure;
    if (until_us < a->from_us)
        s->losses_count--;
}

/* ---- events ---- */

static struct availability_service *service_of(struct availability *a, const struct event *ev)
{
    char words[64];
    struct text t = TEXT_IN(words);
    struct slice name;

    if (!event_get(ev, F_NAME, &name))
        return NULL;
    text_visible(&t, name);
    for (uint32_t i = 0; i < a->count; i++)
        if (strcmp(a->at[i]->name, words) == 0)
            return a->at[i];
    if (a->count == AVAILABILITY_SERVICES)
        return NULL;
    a->at[a->count] = calloc(1, sizeof(*a->at[0]));
    if (!a->at[a->count])
        return NULL;
    memcpy(a->at[a->count]->name, words, sizeof(words));
    a->at[a->count]->state = IS_GONE; /* it was not there before */
    return a->at[a->count++];
}

/* From here on nobody looks. */
static void go_blind(struct availability *a, int64_t at_us)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (a->at[i]->state != IS_GONE)
            turn(a, a->at[i], NOT_KNOWN, at_us);
}

static void sleep_over(struct availability *a, int64_t at_us, int64_t span_us)
{
    for (uint32_t i = 0; i < a->count; i++) {
        struct availability_service *s = a->at[i];

        pass(a, s, s->state, at_us - span_us);
        pass(a, s, s->state == IS_GONE ? IS_GONE : NOT_KNOWN, at_us);
    }
}

static int64_t time_in(const struct event *ev, enum field f, int64_t otherwise)
{
    uint64_t n;

    return event_get_number(ev, f, &n) && n < INT64_MAX ? (int64_t)n : otherwise;
}

static void take_service(struct availability *a, const struct event *ev)
{
    struct availability_service *s = service_of(a, ev);
    int64_t since_us = time_in(ev, F_SINCE, ev->at_us);
    int64_t span_us = time_in(ev, F_SPAN, 0);

    if (!s)
        return;
    if (s->state == IS_GONE) /* the time before does not count */
        s->mark_us = since_us;
    if (ev->kind == EV_WATCH_SERVICE_SEEN || ev->kind == EV_WATCH_SERVICE_BACK || ev->kind == EV_WATCH_SERVICE_SHOWN) {
        end_loss(a, s, since_us, s->state == NOT_KNOWN);
        turn(a, s, IS_UP, since_us);
    } else if (ev->kind == EV_WATCH_SERVICE_LOST || (ev->kind == EV_WATCH_SERVICE_HIDDEN && !a->network_lost)) {
        note_loss(a, s, ev, since_us, 0);
        turn(a, s, IS_DOWN, since_us);
    } else if (ev->kind == EV_WATCH_SERVICE_HIDDEN)
        turn(a, s, IS_OUT_OF_SIGHT, since_us);
    else if (ev->kind == EV_WATCH_SERVICE_BLINKED) {
        note_loss(a, s, ev, since_us, since_us + span_us);
        turn(a, s, IS_DOWN, since_us);
        turn(a, s, IS_UP, since_us + span_us);
    } else
        turn(a, s, IS_GONE, ev->at_us);
}

static bool is_of_the_probes(const struct event *ev)
{
    struct slice name;

    return event_get(ev, F_NAME, &name) && slice_eq(name, SLICE("probe"));
}

/* Others say nothing of the services: those of the next life may come before its serviola.started. */
static bool is_of_interest(const struct event *ev)
{
    for (size_t i = 0; i < availability_kinds_count; i++)
        if (availability_kinds[i] == ev->kind)
            return (ev->kind != EV_ROLE_DIED && ev->kind != EV_ROLE_GAVE_UP) || is_of_the_probes(ev);
    return false;
}

void availability_take(struct availability *a, const struct event *ev)
{
    if (!is_of_interest(ev))
        return;
    if (ev->kind == EV_SERVIOLA_STARTED && !a->stopped)
        go_blind(a, a->seen_us); /* it was killed: the last that is known is the last that was said */
    else if (ev->kind == EV_SERVIOLA_STOPPED || ev->kind == EV_ROLE_DIED || ev->kind == EV_ROLE_GAVE_UP)
        go_blind(a, ev->at_us);
    else if (ev->kind == EV_WATCH_PROBES_PAUSED)
        sleep_over(a, ev->at_us, time_in(ev, F_SPAN, 0));
    else if (ev->kind == EV_WATCH_NETWORK_LOST || ev->kind == EV_WATCH_NETWORK_BACK)
        a->network_lost = ev->kind == EV_WATCH_NETWORK_LOST;
    else if (strncmp(event_name((enum event_kind)ev->kind), "watch.service_", 14) == 0)
        take_service(a, ev);
    if (ev->kind == EV_SERVIOLA_STARTED || ev->kind == EV_SERVIOLA_STOPPED) {
        a->stopped = ev->kind == EV_SERVIOLA_STOPPED;
        a->network_lost = false;
    }
    if (ev->at_us > a->seen_us)
        a->seen_us = ev->at_us;
}

void availability_end(struct availability *a, bool runs)
{
    if (!runs)
        go_blind(a, a->seen_us);
    for (uint32_t i = 0; i < a->count; i++)
        pass(a, a->at[i], a->at[i]->state, a->to_us);
}
