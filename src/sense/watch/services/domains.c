/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/domains.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/watch/services/inner.h"
#include "sys/clock.h"
#include "wire/rdap.h"

enum { SECOND_US = 1000000, FAILURES = 3 /* in a row, before it is told */, HOPS = 3 };
#define MINUTE_US (60 * (int64_t)SECOND_US)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)

struct domain {
    struct watched_domain set;
    int64_t due_us;            /* boot clock */
    int64_t began_us, good_us; /* wall clock: since when it is asked; the last good answer, 0: none */
    int64_t ends_us;           /* wall clock, as it was known last; 0: never */
    uint32_t failures;         /* in a row */
    bool asked;                /* once at least, with an answer or without */
    bool told_unknown, told_ended;
};

struct domains {
    struct role *role;
    struct prober *prober;
    uint32_t count;
    struct domain at[DOMAINS_MOST];
    int64_t told_us; /* boot clock: when all values were sent last */

    uint32_t asked; /* the one that is being asked, */
    unsigned hops;  /* elsewhere so often, */
    uint32_t timer; /* and again in a moment */
    struct service service;
    struct attempt attempt;
};

/* ---- what it means ---- */

static void tell_values_of(const struct domains *d, const struct domain *o)
{
    int64_t now_us = clock_wall_us();
    int64_t since_us = o->good_us ? o->good_us : o->began_us;

    if (o->ends_us != 0)
        tell_value(d->role, "domain", o->set.name, "days", (double)(o->ends_us - now_us) / DAY_US, 3 * MINUTE_US);
    if (o->asked)
        tell_value(d->role, "domain", o->set.name, "unasked",
                   o->failures > 0 ? (double)(now_us - since_us) / SECOND_US : 0, 3 * MINUTE_US);
}

static void tell(const struct domains *d, const struct domain *o, enum event_kind kind, const char *why)
{
    struct event ev = event_new(kind);

    event_add_text(&ev, F_DOMAIN, slice_first(slice_text(watched_domain_name(&o->set)), 64));
    if (kind == EV_WATCH_DOMAIN_UNKNOWN)
        event_add_number(&ev, F_SINCE, (uint64_t)(o->good_us ? o->good_us : o->began_us));
    if (o->ends_us > 0)
        event_add_number(&ev, F_UNTIL, (uint64_t)o->ends_us);
    if (why)
        event_add_words(&ev, F_WHY, why);
    (void)role_emit(d->role, &ev, 0);
}

static void failed(struct domains *d, struct domain *o, const char *why)
{
    o->asked = true;
    o->due_us = clock_mono_us() + (o->set.every_us < HOUR_US ? o->set.every_us : HOUR_US);
    if (++o->failures >= FAILURES && !o->told_unknown) {
        tell(d, o, EV_WATCH_DOMAIN_UNKNOWN, why);
        o->told_unknown = true;
    }
    tell_values_of(d, o);
}

static void answered(struct domains *d, struct domain *o, const struct rdap *said)
{
    bool news = o->ends_us != said->ends_us || o->told_unknown;

    o->asked = true;
    o->due_us = clock_mono_us() + o->set.every_us;
    o->good_us = clock_wall_us();
    o->failures = 0;
    o->told_unknown = false;
    o->ends_us = said->ends_us;
    if (said->to_be_deleted && !o->told_ended)
        tell(d, o, EV_WATCH_DOMAIN_ENDED, NULL);
    else if (news && !said->to_be_deleted)
        tell(d, o, EV_WATCH_DOMAIN_SEEN, NULL);
    o->told_ended = said->to_be_deleted;
    tell_values_of(d, o);
}

static bool is_of(struct slice name, const char *domain)
{
    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    return name.len == 0 || slice_eq_nocase(name, slice_text(domain));
}

static void read_page(struct domains *d, struct domain *o)
{
    struct rdap said;

    if (!rdap_read(slice_of(d->prober->page, (size_t)d->attempt.reply.bytes), &said))
        failed(d, o, "its answer makes no sense");
    else if (!is_of(said.name, watched_domain_name(&o->set)))
        failed(d, o, "its answer speaks of another domain");
    else if (!said.ends)
        failed(d, o, "its registry does not say when it ends");
    else
        answered(d, o, &said);
}

/* ---- asking ---- */

static void on_done(void *ctx, struct attempt *a);

static void go(void *ctx)
{
    struct domains *d = ctx;

    d->timer = 0;
    attempt_init(&d->attempt, d->prober, &d->service, on_done, d);
    attempt_begin_as(&d->attempt, d->service.probe == SERVICE_HTTP ? &kind_rdap_plain : &kind_rdap);
}

static bool is_elsewhere(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Another host, or another path on the same; never from TLS to none. */
static bool follow(struct domains *d)
{
    struct service to = d->service;
    struct slice location = slice_text(d->attempt.reply.location);
    bool plain = slice_starts_nocase(location, SLICE("http://"));
    struct target t;
    struct err e;
    int n;

    if (location.len == 0 || ++d->hops > HOPS || (plain && d->service.probe != SERVICE_HTTP))
        return false;
    if (location.at[0] == '/')
        n = snprintf(to.to, sizeof(to.to), d->attempt.target.addr.family == 6 ? "[%.100s]:%u%.130s" : "%.100s:%u%.130s",
                     d->attempt.target.host, d->attempt.target.port, d->attempt.reply.location);
    else
        n = snprintf(to.to, sizeof(to.to), "%.239s", d->attempt.reply.location);
    if (location.at[0] != '/')
        to.probe = plain ? SERVICE_HTTP : SERVICE_HTTPS;
    if (n >= (int)sizeof(to.to) || !target_read(&to, &t, &e))
        return false;
    d->service = to;
    d->timer = loop_timer(d->role->loop, 0, 0, go, d); /* not from within the attempt that has just ended */
    return d->timer != 0;
}

static void ask(struct domains *d, uint32_t i)
{
    struct err e;

    d->asked = i;
    d->hops = 0;
    if (watched_domain_service(&d->at[i].set, &d->service, &e)) /* the configuration has been looked at */
        go(d);
}

/* The one that has been due for longest. */
static struct domain *first_due(struct domains *d)
{
    struct domain *first = &d->at[0];

    for (uint32_t i = 1; i < d->count; i++)
        if (d->at[i].due_us < first->due_us)
            first = &d->at[i];
    return first;
}

static void ask_first(void *ctx)
{
    struct domains *d = ctx;

    d->timer = 0;
    ask(d, (uint32_t)(first_due(d) - d->at));
}

/* Many are asked at the same place: not all at once. */
static void ask_in(struct domains *d, int64_t pause_us)
{
    int64_t wait_us = first_due(d)->due_us - clock_mono_us();

    d->timer = loop_timer(d->role->loop, wait_us > pause_us ? wait_us : pause_us, 0, ask_first, d);
}

static void on_done(void *ctx, struct attempt *a)
{
    struct domains *d = ctx;
    struct domain *o = &d->at[d->asked];
    int64_t pause_us = o->set.every_us / 10;

    if (a->well)
        read_page(d, o);
    else if (!is_elsewhere(a->reply.status))
        failed(d, o, a->why);
    else if (follow(d))
        return;
    else
        failed(d, o, "it leads elsewhere too often, or to where is no TLS");
    ask_in(d, pause_us < SECOND_US ? pause_us : SECOND_US);
}

void domains_second(struct domains *d)
{
    int64_t now_us = clock_mono_us();

    if (now_us - d->told_us < MINUTE_US)
        return;
    d->told_us = now_us;
    for (uint32_t i = 0; i < d->count; i++)
        tell_values_of(d, &d->at[i]);
}

void domains_fit(struct domains *d, const struct services *set)
{
    struct domain *old = calloc(DOMAINS_MOST, sizeof(*old));
    uint32_t old_count = d->count;

    if (d->attempt.open)
        attempt_drop(&d->attempt);
    loop_untimer(d->role->loop, d->timer);
    d->timer = 0;
    if (!old)
        return;
    memcpy(old, d->at, sizeof(d->at));
    d->count = set->domains_count;
    for (uint32_t i = 0; i < d->count; i++) {
        d->at[i] = (struct domain){ .set = set->domains[i], .began_us = clock_wall_us() };
        for (uint32_t k = 0; k < old_count; k++)
            if (memcmp(&old[k].set, &set->domains[i], sizeof(old[k].set)) == 0)
                d->at[i] = old[k];
    }
    free(old);
    if (d->count > 0)
        ask_in(d, SECOND_US);
}

struct domains *domains_new(struct role *r, struct prober *p, struct err *e)
{
    struct domains *d = calloc(1, sizeof(*d));

    if (!d) {
        err_set(e, ENOMEM, "domains");
        return NULL;
    }
    d->role = r;
    d->prober = p;
    return d;
}
