/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/watch/services/inner.h"
#include "sys/clock.h"
#include "sys/runner.h"
#include "sys/sockaddr.h"

enum {
    SECOND_US = 1000000,
    SPREAD_US = 50000,     /* between the first probes */
    GAP_US = 100000,       /* between two of one service */
    STILL_US = 3000000,    /* a second that comes so late: we did not run */
    PATIENCE_US = 2000000, /* for others to say that the network is well */
    ROUNDS = 4,            /* what is news of one may be the reason for another's */
    HOSTS_FILE = 65536,
};
#define MINUTE_US (60 * (int64_t)SECOND_US)
#define STAND_US  (10 * MINUTE_US) /* between two words that all is as it was */

/* ---- when ---- */

static void probe_in(struct one *o, int64_t delay_us);

static void on_time(void *ctx)
{
    struct one *o = ctx;

    o->timer = 0;
    if (o->attempt.open)
        return;
    if (!o->part->recall.over)
        probe_in(o, 0);
    else if (services_ask_own(&o->service) && !o->part->prober.own.known)
        probe_in(o, SECOND_US); /* the core tells soon */
    else if (o->knocks)
        attempt_knock(&o->attempt);
    else
        attempt_begin(&o->attempt);
}

static void probe_in(struct one *o, int64_t delay_us)
{
    struct loop *l = o->part->role->loop;

    o->knocks = false;
    loop_untimer(l, o->timer);
    o->timer = loop_timer(l, delay_us > GAP_US ? delay_us : GAP_US, 0, on_time, o);
}

/* How long after the last one began. */
static int64_t pause_us(const struct one *o)
{
    int64_t every_us = services_every_us(&o->service);

    if (o->judge.state == JUDGE_UP || o->judge.state == JUDGE_UNKNOWN)
        return o->judge.missed ? SECOND_US : every_us;
    if (o->judge.goods > 0)
        return SECOND_US;
    every_us /= 10; /* when is it back?  What is seldom asked need not be asked each second. */
    return every_us < SECOND_US ? SECOND_US : every_us > MINUTE_US ? MINUTE_US : every_us;
}

static bool stands(const struct one *o)
{
    return (o->judge.state == JUDGE_UP || o->judge.state == JUDGE_UNKNOWN) && o->judge.missed == 0;
}

/* Until then a look at the port tells whether it is time already: an open one that closes, a closed one that opens. */
static void probe_again(struct one *o)
{
    int64_t knock_us = services_knock_us(&o->service);
    int64_t next_us = o->asked_us + pause_us(o);
    int64_t soonest_us = o->attempt.begun_us + SECOND_US;
    bool tells = stands(o) || !o->reached;

    if (next_us < soonest_us)
        next_us = soonest_us;
    if (knock_us == 0 || !tells || o->attempt.begun_us + knock_us >= next_us) {
        probe_in(o, next_us - clock_mono_us());
        return;
    }
    probe_in(o, o->attempt.begun_us + knock_us - clock_mono_us());
    o->knocks = true;
}

/* Somebody wants to know now. */
static void hurry(struct one *o)
{
    if (!o->attempt.open && o->judge.missed == 0)
        probe_in(o, 0);
}

/* ---- what it means ---- */

static void see_all(const struct part_state *w, struct front_seen *seen)
{
    for (uint32_t i = 0; i < w->count; i++) {
        const struct one *o = w->ones[i];

        seen[i] = (struct front_seen){
            .service = &o->service, .judge = o->judge, .host = o->attempt.to, .outside = o->outside, .ours = o->ours
        };
    }
}

static void judge_network(struct part_state *w, const struct front_seen *seen)
{
    int64_t since_us = 0;

    if (!w->network_lost) {
        since_us = front_network_lost(seen, w->count);
        w->network_lost = since_us != 0;
    } else
        for (uint32_t i = 0; i < w->count && since_us == 0; i++)
            if (seen[i].outside && seen[i].judge.goods > 0 && seen[i].judge.first_good_us > w->network_since_us) {
                since_us = seen[i].judge.first_good_us;
                w->network_lost = false;
            }
    if (since_us != 0)
        tell_network(w, since_us);
}

static bool decide_one(struct part_state *w, uint32_t i, const struct front_seen *seen)
{
    struct one *o = w->ones[i];
    struct judge_limits limits = { .misses = (uint32_t)o->service.misses, .steady_us = o->service.steady_us };
    struct front f = { .is = FRONT_WELL, .who = FRONT_NOBODY };
    struct judge_told told = { 0 };
    int64_t now_us = clock_mono_us();
    bool missing = judge_misses(&o->judge, &limits);
    enum judge_news news;

    if (o->judge.missed > 0 || o->was_behind)
        f = front_of(seen, w->count, i, w->network_lost, o->asks_us == 0 || now_us - o->asks_us < PATIENCE_US);
    if (!missing)
        o->asks_us = 0;
    else if (o->asks_us == 0)
        o->asks_us = now_us;
    for (uint32_t k = 0; missing && k < w->count; k++)
        if (f.wanted >> k & 1)
            hurry(w->ones[k]);
    if (o->was_behind && f.is == FRONT_WELL)
        judge_front_back(&o->judge);
    if (f.is != FRONT_ASKED)
        o->was_behind = f.is == FRONT_DOWN;
    news = judge_decide(&o->judge, &limits, f.is, clock_wall_us(), &told);
    if (news != JUDGE_SAME)
        tell_news(w, i, news, &told, f.who);
    return news != JUDGE_SAME;
}

static void decide(struct part_state *w)
{
    struct front_seen seen[SERVICES_MOST];
    bool news = true;

    for (int round = 0; news && round < ROUNDS; round++) {
        news = false;
        see_all(w, seen);
        judge_network(w, seen);
        for (uint32_t i = 0; i < w->count; i++)
            news = decide_one(w, i, seen) || news;
    }
}

/* Would a packet to it leave this host? */
static bool is_outside(struct addr to)
{
    struct sockaddr_storage sa;
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);
    bool same = false;
    int fd;

    if (addr_is_loopback(to))
        return false;
    to.port = 9; /* nothing is sent */
    fd = socket(to.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sockaddr_from(to, &sa)) == 0 &&
        getsockname(fd, (struct sockaddr *)&own, &len) == 0)
        same = addr_eq_ip(sockaddr_read(&own), to);
    if (fd >= 0)
        (void)close(fd);
    return !same;
}

/* Whether that is a missed probe: an open port says nothing of the server, and is asked for more if that was down. */
static bool knock_missed(struct one *o)
{
    bool well = o->attempt.well;

    if (well && !stands(o))
        probe_in(o, 0);
    else if (well || o->judge.missed > 0)
        probe_again(o);
    return !well && o->judge.missed == 0;
}

/* Whether we did not run for a while: no probe that was under way says anything. */
static bool stood_still(struct part_state *w)
{
    int64_t now_us = clock_mono_us();
    int64_t span_us = now_us - w->ran_us;

    w->ran_us = now_us;
    if (span_us < STILL_US)
        return false;
    tell_pause(w, span_us);
    for (uint32_t i = 0; i < w->count; i++) {
        attempt_drop(&w->ones[i]->attempt);
        judge_slept(&w->ones[i]->judge);
        probe_in(w->ones[i], (int64_t)i * SPREAD_US);
    }
    return true;
}

static void on_done(void *ctx, struct attempt *a)
{
    struct one *o = ctx;

    if (stood_still(o->part))
        return;
    if (a->knock && !knock_missed(o))
        return;
    if (!a->knock)
        o->asked_us = a->begun_us;
    o->reached = a->connected;
    if (a->to.family != 0 && !addr_eq(a->to, o->looked_at)) {
        o->looked_at = a->to;
        o->outside = is_outside(a->to);
    }
    o->ours = a->ours;
    if (!a->well)
        memcpy(o->why, a->why, sizeof(o->why));
    judge_take(&o->judge, a->well, a->begun_at_us);
    decide(o->part);
    tell_values(o);
    probe_again(o);
}

static void each_second(void *ctx)
{
    struct part_state *w = ctx;

    (void)stood_still(w);
    if (!w->recall.over)
        return;
    decide(w);
    domains_second(w->domains);
    if (w->count == 0)
        return;
    if (w->stood_us == 0 || clock_mono_us() - w->stood_us >= STAND_US)
        tell_that_all_stands(w);
}

/* ---- start, reload, end ---- */

static void drop(struct one *o)
{
    attempt_drop(&o->attempt);
    loop_untimer(o->part->role->loop, o->timer);
    free(o);
}

static struct one *add(struct part_state *w, const struct service *s, uint32_t i)
{
    struct one *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    o->part = w;
    o->service = *s;
    attempt_init(&o->attempt, &w->prober, &o->service, on_done, o);
    probe_in(o, (int64_t)i * SPREAD_US);
    return o;
}

/* Our addresses are others than before: what was said of them is not true any more. */
static void ask_lists_again(struct part_state *w)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (services_ask_own(&w->ones[i]->service)) {
            attempt_drop(&w->ones[i]->attempt);
            probe_in(w->ones[i], 0);
        }
}

/* One that is as it was goes on. */
static void fit(struct part_state *w)
{
    const struct services_settings *set = w->role->settings;
    struct one *old[SERVICES_MOST];
    uint32_t old_count = w->count;

    memcpy(old, w->ones, sizeof(old));
    w->prober.resolvers = &set->resolvers;
    if (own_configure(&w->prober.own, set->own.at, set->own.count))
        ask_lists_again(w);
    w->count = 0;
    for (uint32_t i = 0; i < set->services.count; i++) {
        struct one *o = NULL;

        for (uint32_t k = 0; k < old_count; k++)
            if (old[k] && memcmp(&old[k]->service, &set->services.at[i], sizeof(struct service)) == 0) {
                o = old[k];
                old[k] = NULL;
            }
        if (!o)
            o = add(w, &set->services.at[i], i);
        if (o)
            w->ones[w->count++] = o;
    }
    for (uint32_t k = 0; k < old_count; k++)
        if (old[k]) {
            if (services_find(&set->services, old[k]->service.name) < 0)
                tell_dropped(w, old[k]);
            drop(old[k]);
        }
    domains_fit(w->domains, &set->services);
}

static void read_hosts(struct prober *p)
{
    static uint8_t text[HOSTS_FILE];
    int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

    if (n > 0)
        resolve_hosts(p, slice_of(text, (size_t)n));
    if (fd >= 0)
        (void)close(fd);
}

static int services_open(struct role *r, struct err *e)
{
    struct part_state *w = calloc(1, sizeof(*w));
    const struct services_settings *set = r->settings;

    if (!w)
        return err_set(e, ENOMEM, "the probes");
    r->own = w;
    w->role = r;
    w->prober.loop = r->loop;
    w->prober.echo[0] = echo_open(4);
    w->prober.echo[1] = echo_open(6);
    if (gethostname(w->prober.own_name, sizeof(w->prober.own_name) - 1) < 0 || !w->prober.own_name[0])
        (void)snprintf(w->prober.own_name, sizeof(w->prober.own_name), "localhost");
    read_hosts(&w->prober);
    trust_open(&w->prober, &set->services);
    w->domains = domains_new(r, &w->prober, e);
    return w->domains ? recall_open(w, set, e) : -1;
}

static size_t ports_of(const struct services *all, uint16_t *at)
{
    struct target t;
    struct err e;
    size_t count = 0;

    for (uint32_t i = 0; i < all->count; i++)
        if (all->at[i].probe != SERVICE_ECHO && all->at[i].probe != SERVICE_DNS && target_read(&all->at[i], &t, &e) &&
            t.port != 0)
            at[count++] = t.port;
    for (uint32_t i = 0; i < all->domains_count; i++) {
        struct service s;

        if (watched_domain_service(&all->domains[i], &s, &e) && target_read(&s, &t, &e))
            at[count++] = t.port;
    }
    if (all->domains_count > 0)
        at[count++] = 443; /* where it may lead */
    return count;
}

static void services_confine(struct role *r, struct jail *j)
{
    struct part_state *w = r->own;
    const struct services_settings *set = r->settings;

    j->tcp = JAIL_TCP_CONNECT;
    j->tcp_ports = w->ports;
    j->tcp_ports_count = ports_of(&set->services, w->ports);
}

static int services_run(struct role *r, struct err *e)
{
    struct part_state *w = r->own;

    for (int i = 0; i < 2; i++)
        if (w->prober.echo[i] >= 0 && loop_watch(r->loop, w->prober.echo[i], LOOP_IN, echo_heard, &w->prober, e) < 0)
            return -1;
    if (runner_is_there(RUNNER_FD)) { /* programs may be started */
        (void)fcntl(RUNNER_FD, F_SETFL, O_NONBLOCK);
        if (loop_watch(r->loop, RUNNER_FD, LOOP_IN, exec_heard, &w->prober, e) < 0)
            return -1;
    }
    fit(w);
    w->ran_us = clock_mono_us();
    if (recall_run(w, e) < 0)
        return -1;
    return loop_timer(r->loop, SECOND_US, SECOND_US, each_second, w) ? 0 : err_set(e, 0, "no room for a timer");
}

static void services_reload(struct role *r)
{
    fit(r->own);
}

/* ---- what the core says ---- */

static int on_link_fact(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct part_state *w = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)fd;
    if (own_take(&w->prober.own, body) && w->prober.own.known)
        ask_lists_again(w);
    return 0;
}

static int on_links_known(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct part_state *w = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    w->prober.own.known = true;
    return 0;
}

static const struct chan_op ops[] = {
    { HAND_FACT_LINK, "interface", sizeof(struct hand_link), sizeof(struct hand_link), false, on_link_fact },
    { HAND_FACT_LINKS_KNOWN, "interfaces known", 0, 0, false, on_links_known },
};

static const char *trust_of(const struct services *all, uint32_t i)
{
    return i < all->count                      ? all->at[i].trust
         : i < all->count + all->domains_count ? all->domains[i - all->count].trust
                                               : NULL;
}

/* Every file of certificates was read at the start. */
static bool trust_suffices(const struct services *old, const struct services *now)
{
    for (uint32_t i = 0; trust_of(now, i); i++) {
        uint32_t k = 0;

        while (trust_of(old, k) && strcmp(trust_of(old, k), trust_of(now, i)) != 0)
            k++;
        if (!trust_of(old, k))
            return false;
    }
    return true;
}

bool services_need_restart(const struct services *old, const struct services *now)
{
    uint16_t had[PROBE_PORTS];
    uint16_t want[PROBE_PORTS];
    size_t had_count = ports_of(old, had);
    size_t want_count = ports_of(now, want);

    for (size_t i = 0; i < want_count; i++) {
        size_t k = 0;

        while (k < had_count && had[k] != want[i])
            k++;
        if (k == had_count)
            return true;
    }
    return !trust_suffices(old, now);
}

const struct part sense_services = {
    .name = "probe",
    .what = "asks services whether they are there",
    .user = "serviola-probe",
    .settings_size = sizeof(struct services_settings),
    .calls = JAIL_CONNECT,
    .locked = true,
    .confine = services_confine,
    .open = services_open,
    .run = services_run,
    .reload = services_reload,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
};
