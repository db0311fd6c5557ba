/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"

enum { INCIDENTS = 1024, THING = 2 * EVENT_BODY, LOOK_US = 100000 };

static const struct pair {
    enum event_kind began, over;
    bool named; /* there may be several at once: one a name */
} pairs[] = {
    { EV_WATCH_TRIGGERED, EV_WATCH_RECOVERED, true },
    { EV_WATCH_NOTICED, EV_WATCH_RECOVERED, true },
    { EV_WATCH_SERVICE_LOST, EV_WATCH_SERVICE_BACK, true },
    { EV_WATCH_SERVICE_FLAPPING, EV_WATCH_SERVICE_STEADY, true },
    { EV_SCRIBE_STUCK, EV_SCRIBE_BACK, false },
    { EV_SCRIBE_FAILED, EV_SCRIBE_BACK, false },
    { EV_ROLE_DIED, EV_ROLE_STARTED, true },
    { EV_ROLE_GAVE_UP, EV_ROLE_STARTED, true },
    { EV_HUNT_INTERFACE_LOST, EV_HUNT_STARTED, true },
    { EV_ACT_TABLE_LOST, EV_ACT_TABLE_BACK, false },
    { EV_GATE_FILLING, EV_GATE_ROOM_AGAIN, false },
    { EV_GATE_FULL, EV_GATE_ROOM_AGAIN, false },
    { EV_GATE_DNS_DOWN, EV_GATE_DNS_BACK, false },
    { EV_GATE_SERVER_DOWN, EV_GATE_SERVER_BACK, true },
    { EV_GATE_BOOK_STUCK, EV_GATE_BOOK_BACK, false },
    { EV_GATE_ACCOUNT_STOPPED, EV_GATE_ACCOUNT_RELEASED, true },
    { EV_LOG_DISK_FULL, EV_LOG_DISK_BACK, false },
    { EV_LOG_DISK_FAILED, EV_LOG_DISK_BACK, false },
    { EV_LOG_FORWARD_LOST, EV_LOG_FORWARD_BACK, true },
    { EV_LOG_FOUND, EV_LOG_FOUND_OVER, true },
    { EV_NOTIFY_STUCK, EV_NOTIFY_BACK, true },
};
enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

struct incident_key { /* of kind and thing */
    uint64_t a, b;
};

struct incident {
    struct event first, last;
    const struct notify_rule *rule;
    uint32_t ways;
    bool has_end, open, told, acknowledged, escalated;
    uint64_t untold; /* repetitions */
    bool ended;      /* an end that was not told yet: it came in between repetitions */
    int64_t since_us, told_us;
    int64_t window_us, window_ends_us;
    int64_t doubt_ends_us; /* serviola was started anew: found again until then, or it is over; 0: no doubt */
};

struct incidents {
    const struct notify_settings *set;
    void (*told)(void *ctx, const struct notice *n);
    void *ctx;
    struct table *at; /* struct incident_key: struct incident */
    int64_t looked_us;
};

struct incidents *incidents_new(const struct notify_settings *s, void (*told)(void *ctx, const struct notice *n),
                                void *ctx, struct err *e)
{
    struct incidents *in = calloc(1, sizeof(*in));

    if (!in) {
        (void)err_set(e, 0, "no memory for notices");
        return NULL;
    }
    *in = (struct incidents){ .set = s, .told = told, .ctx = ctx };
    in->at = table_new(INCIDENTS, sizeof(struct incident_key), sizeof(struct incident), 1, e);
    if (in->at)
        return in;
    free(in);
    return NULL;
}

void incidents_free(struct incidents *in)
{
    if (in)
        table_free(in->at);
    free(in);
}

/* ---- what an event speaks of ---- */

static const struct pair *pair_of(enum event_kind began)
{
    for (unsigned i = 0; i < PAIRS; i++)
        if (pairs[i].began == began)
            return &pairs[i];
    return NULL;
}

static size_t put(uint8_t *at, size_t len, struct slice s)
{
    size_t n = s.len < THING - len ? s.len : THING - len;

    memcpy(at + len, s.at, n);
    return len + n;
}

/* Two kinds that end alike are two incidents. */
static struct incident_key key_of(enum event_kind kind, const struct event *ev)
{
    static const enum field names[] = { F_RULE, F_NAME, F_USER, F_LISTENER };
    const struct pair *pair = pair_of(kind);
    struct addr src = addr_ip(ev->src);
    uint8_t thing[THING] = { 0 };
    size_t len = 0;
    struct slice value;

    for (unsigned i = 0; (!pair || pair->named) && i < sizeof(names) / sizeof(names[0]); i++)
        if (event_get(ev, names[i], &value)) {
            len = put(thing, len, slice_of(&names[i], 1));
            len = put(thing, len, value);
        }
    if (!pair && src.family)
        len = put(thing, len, slice_of(&src, sizeof(src)));
    return (struct incident_key){ hash_bytes(thing, len, kind), hash_bytes(thing, len, ~(uint64_t)kind) };
}

/* A word of F_ACTS. */
static bool says_notify(const struct event *ev)
{
    struct slice rest;

    if (!event_get(ev, F_ACTS, &rest))
        return false;
    while (rest.len > 0)
        if (slice_eq(slice_until(rest, ' ', &rest), SLICE("notify")))
            return true;
    return false;
}

static bool is_of_watch(const struct event *ev)
{
    return ev->kind == EV_WATCH_TRIGGERED || ev->kind == EV_WATCH_NOTICED;
}

static bool fits_name(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);

    return len > 0 && pattern[len - 1] == '*' ? strncmp(pattern, name, len - 1) == 0 : strcmp(pattern, name) == 0;
}

static bool fits(const struct notify_rule *r, const struct event *ev)
{
    bool event = r->events.count == 0;
    bool of = r->of.count == 0;
    struct slice name = { 0 };

    if (!is_of_watch(ev) && ev->grade < (r->grade == 0 ? GRADE_WARN : GRADE_ALARM))
        return false;
    (void)event_get(ev, F_NAME, &name);
    for (uint32_t i = 0; i < r->events.count; i++)
        event = event || fits_name(r->events.at[i], event_name((enum event_kind)ev->kind));
    for (uint32_t i = 0; i < r->of.count; i++)
        of = of || slice_eq(name, slice_text(r->of.at[i]));
    return event && of;
}

static const struct notify_rule *rule_for(const struct incidents *in, const struct event *ev)
{
    if (is_of_watch(ev) && !says_notify(ev))
        return NULL;
    for (uint32_t i = 0; i < in->set->rules_count; i++)
        if (fits(&in->set->rules[i], ev))
            return &in->set->rules[i];
    return NULL;
}

/* A way that is stuck is not told of on itself. */
static uint32_t ways_for(const struct incidents *in, const struct key_names *names, const struct event *ev)
{
    uint32_t ways = notify_ways_of(in->set, names);
    struct slice name;

    if ((ev->kind == EV_NOTIFY_STUCK || ev->kind == EV_NOTIFY_LOST) && event_get(ev, F_NAME, &name))
        for (uint32_t i = 0; i < in->set->ways_count; i++)
            if (slice_eq(name, slice_text(in->set->ways[i].name)))
                ways &= ~(1u << i);
    return ways;
}

/* ---- telling ---- */

static void tell(struct incidents *in, struct incident *i, enum notice_stage stage, const struct event *ev,
                 uint32_t ways, int64_t now_us)
{
    struct notice n = {
        .id = ev->seq,
        .stage = (uint8_t)stage,
        .grade = i->first.grade,
        .lasts = i->open,
        .unseen = stage == NOTICE_OVER && ev == &i->first,
        .has_end = i->has_end,
        .ways = ways,
        .count = i->untold,
        .span_us = stage == NOTICE_MORE ? now_us - i->told_us : now_us - i->since_us,
        .ev = *ev,
        .first = i->first.seq,
        .began_us = i->first.at_us,
    };

    i->untold = 0;
    i->ended = false;
    i->told_us = now_us;
    if (ways)
        in->told(in->ctx, &n);
}

static void begin(struct incidents *in, struct incident *i, const struct event *ev, const struct notify_rule *rule,
                  bool mute, int64_t now_us)
{
    *i = (struct incident){ .first = *ev, .rule = rule, .open = true, .told = !mute, .since_us = now_us };
    i->has_end = pair_of((enum event_kind)ev->kind) != NULL;
    i->ways = mute ? 0 : ways_for(in, &rule->to, ev);
    i->window_us = in->set->window_us;
    i->window_ends_us = now_us + i->window_us;
    tell(in, i, NOTICE_BEGAN, ev, i->ways, now_us);
}

static void begin_or_count(struct incidents *in, const struct event *ev, bool mute, int64_t now_us)
{
    const struct notify_rule *rule = rule_for(in, ev);
    struct incident_key key = key_of((enum event_kind)ev->kind, ev);
    struct incident *i;
    bool fresh;

    if (!rule)
        return;
    i = table_add(in->at, &key, &fresh, NULL, NULL);
    if (fresh || (!i->told && !mute)) {
        begin(in, i, ev, rule, mute, now_us);
        return;
    }
    if (i->doubt_ends_us) { /* it is as it was */
        i->doubt_ends_us = 0;
        return;
    }
    i->untold++;
    i->last = *ev;
    if (!i->open) {
        i->open = true;
        i->acknowledged = i->escalated = false;
        i->since_us = now_us;
        i->first.at_us = ev->at_us;
        i->first.seq = ev->seq;
    }
}

/* The end of the first time is told at once; what goes to and fro is told when its window ends. */
static void end(struct incidents *in, const struct event *ev, int64_t now_us)
{
    for (unsigned p = 0; p < PAIRS; p++) {
        struct incident_key key;
        struct incident *i;

        if (pairs[p].over != (enum event_kind)ev->kind)
            continue;
        key = key_of(pairs[p].began, ev);
        i = table_find(in->at, &key);
        if (!i || !i->open)
            continue;
        i->open = false;
        i->doubt_ends_us = 0;
        i->last = *ev;
        if (i->untold == 0)
            tell(in, i, NOTICE_OVER, ev, i->ways | (i->escalated ? notify_ways_of(in->set, &i->rule->then) : 0),
                 now_us);
        else
            i->ended = true;
    }
}

/* Of the event that it names, or of all. */
static void acknowledge(struct incidents *in, const struct event *ev)
{
    uint64_t which = 0;

    (void)event_get_number(ev, F_ORIGIN, &which);
    for (struct incident *i = table_oldest(in->at); i; i = table_newer(in->at, i))
        if (which == 0 || i->first.seq == which)
            i->acknowledged = true;
}

/* Whoever starts anew does not know what it found in an earlier life: if it is still so, it says so again. */
static void doubt(struct incidents *in, const struct event *ev, int64_t now_us)
{
    if (ev->kind != EV_SERVIOLA_STARTED && ev->kind != EV_WATCH_STARTED)
        return;
    for (struct incident *i = table_oldest(in->at); i; i = table_newer(in->at, i))
        if (i->open && i->has_end && (ev->kind == EV_SERVIOLA_STARTED || is_of_watch(&i->first)))
            i->doubt_ends_us = now_us + in->set->settle_us;
}

void incidents_take(struct incidents *in, const struct event *ev, bool mute, int64_t now_us)
{
    if (now_us - in->looked_us >= LOOK_US)
        incidents_tick(in, now_us);
    if (ev->kind == EV_NOTIFY_ACKNOWLEDGED)
        acknowledge(in, ev);
    doubt(in, ev, now_us);
    end(in, ev, now_us);
    begin_or_count(in, ev, mute, now_us);
}

static void escalate(struct incidents *in, struct incident *i, int64_t now_us)
{
    if (!i->open || !i->has_end || i->acknowledged || i->escalated || !i->told || i->rule->then.count == 0 ||
        now_us - i->since_us < i->rule->escalate_us)
        return;
    i->escalated = true;
    tell(in, i, NOTICE_STILL, &i->first, ways_for(in, &i->rule->then, &i->first), now_us);
}

static void end_doubt(struct incidents *in, struct incident *i, int64_t now_us)
{
    if (i->doubt_ends_us == 0 || i->doubt_ends_us > now_us)
        return;
    i->doubt_ends_us = 0;
    i->open = false;
    tell(in, i, NOTICE_OVER, &i->first, i->ways, now_us);
}

void incidents_tick(struct incidents *in, int64_t now_us)
{
    struct incident *next;

    in->looked_us = now_us;
    for (struct incident *i = table_oldest(in->at); i; i = next) {
        next = table_newer(in->at, i);
        end_doubt(in, i, now_us);
        escalate(in, i, now_us);
        if (i->window_ends_us > now_us)
            continue;
        if (i->untold > 0) {
            tell(in, i, NOTICE_MORE, &i->last, i->ways, now_us);
            i->window_us = i->window_us * 2 < in->set->window_most_us ? i->window_us * 2 : in->set->window_most_us;
        } else if (i->ended)
            tell(in, i, NOTICE_OVER, &i->last, i->ways, now_us);
        else if (!i->open || !i->has_end) {
            table_remove(in->at, i);
            continue;
        }
        i->window_ends_us = now_us + i->window_us;
    }
}

size_t incidents_kinds(enum event_kind *at, size_t most)
{
    size_t count = 0;

    for (int k = EV_NONE + 1; k < EV_KINDS && count < most; k++) {
        bool wanted =
            event_grade((enum event_kind)k) >= GRADE_WARN || strncmp(event_name((enum event_kind)k), "notify.", 7) == 0;

        wanted = wanted || k == EV_SERVIOLA_STARTED || k == EV_WATCH_STARTED;
        for (unsigned p = 0; p < PAIRS; p++)
            wanted = wanted || pairs[p].over == (enum event_kind)k;
        if (wanted)
            at[count++] = (enum event_kind)k;
    }
    return count;
}
