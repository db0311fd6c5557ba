/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "part/link.h"
#include "sense/gate/book.h"
#include "sense/gate/callback.h"
#include "sense/gate/dns.h"
#include "sense/gate/inner.h"
#include "sense/gate/lists.h"
#include "sense/gate/ports.h"
#include "sense/gate/tls.h"
#include "sys/clock.h"
#include "sys/jail.h"
#include "sys/loop.h"
#include "sys/memfile.h"
#include "sys/say.h"

#define SECOND_US 1000000LL
enum {
    TICK_US = 500000,
    ARM_LEAST_US = 2000, /* deadlines this close are looked at together */
    FILLING_PERCENT = 80,
    ROOM_PERCENT = 70,
    HOLDERS = 5,
    BOOK_WAIT_S = 10,
    DRAIN_S = 30,
    CAPPED_EVERY_US = 100000,
    CAPPED_BURST = 20,
};

static struct gate *gate_of(void *ctx) /* handlers of the link get the role */
{
    return ((struct role *)ctx)->own;
}

int64_t gate_now_us(const struct gate *g)
{
    (void)g;
    return clock_mono_us();
}

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static int64_t wall_us(void *ctx)
{
    (void)ctx;
    return clock_wall_us();
}

void gate_tell(struct gate *g, struct event *ev, const struct visit *v, uint64_t cause)
{
    struct slice told;

    if (v) {
        ev->src = v->peer;
        ev->dst = v->local;
        if (!event_get(ev, F_FLOW, &told))
            event_add_number(ev, F_FLOW, v->number);
    }
    role_emit_soon(g->role, ev, cause);
}

static void tell(void *ctx, struct event *ev, const struct visit *v)
{
    gate_tell(ctx, ev, v, 0);
}

static void tell_alone(void *ctx, struct event *ev)
{
    struct gate *g = ctx;

    gate_tell(g, ev, NULL, 0);
    if (ev->kind == EV_GATE_ACCOUNT_ABUSED && g->ownlist)
        ownlist_begin(g->ownlist);
}

/* ---- the sessions' clock ---- */

static void on_timer(void *ctx)
{
    struct gate *g = ctx;

    g->timer = 0;
    g->armed_us = INT64_MAX;
    timers_fire(g->timers, clock_mono_us());
    gate_arm(g);
}

void gate_arm(struct gate *g)
{
    int64_t next = timers_next_us(g->timers);
    int64_t now = clock_mono_us();

    if (next >= g->armed_us - ARM_LEAST_US)
        return;
    loop_untimer(g->role->loop, g->timer);
    if (next < now + ARM_LEAST_US)
        next = now + ARM_LEAST_US;
    g->timer = loop_timer(g->role->loop, next - now, 0, on_timer, g);
    g->armed_us = next;
}

/* ---- places ---- */

static void tell_places(struct gate *g, enum event_kind kind, uint64_t taken)
{
    struct limit_holder top[HOLDERS];
    uint32_t n = limits_holders(g->means.limits, top, HOLDERS);
    char words[160];
    struct text t = TEXT_IN(words);
    struct event ev = event_new(kind);

    for (uint32_t i = 0; i < n; i++)
        text_addf(&t, "%s%s: %llu", i ? ", " : "", addr_ip_text(top[i].who).text, (unsigned long long)top[i].sessions);
    event_add_number(&ev, F_VALUE, taken);
    event_add_number(&ev, F_LIMIT, g->set.limits.places);
    if (n > 0)
        event_add_words(&ev, F_PROOF, words);
    gate_tell(g, &ev, NULL, 0);
}

void gate_count_places(struct gate *g)
{
    uint64_t taken = limits_taken(g->means.limits);
    uint64_t places = g->set.limits.places;
    uint64_t open = places - places * g->set.limits.reserve / 100;

    if (!g->full && taken >= open) {
        g->full = g->filling = true;
        tell_places(g, EV_GATE_FULL, taken);
    } else if (!g->filling && taken * 100 >= open * FILLING_PERCENT) {
        g->filling = true;
        tell_places(g, EV_GATE_FILLING, taken);
    } else if (g->filling && taken * 100 < open * ROOM_PERCENT) {
        g->filling = g->full = false;
        tell_places(g, EV_GATE_ROOM_AGAIN, taken);
    }
}

static const char *limit_words(const struct limit_said *said)
{
    static const char *const words[][2] = {
        [LIMIT_NONE] = { "", "" },
        [LIMIT_PLACES] = { "every place is taken", "every place is taken" },
        [LIMIT_ADDRESS] = { "too many sessions of this address", "too many connections a minute of this address" },
        [LIMIT_NETWORK] = { "too many sessions of this network", "too many connections a minute of this network" },
        [LIMIT_ORGANISATION] = { "too many sessions of this organisation",
                                 "too many connections a minute of this organisation" },
    };

    return words[said->over][said->rate];
}

static void tell_capped(struct gate *g, const struct session *s, const struct limit_said *said)
{
    struct event ev = event_new(EV_GATE_CLIENT_CAPPED);

    if (!rate_take(&g->capped, CAPPED_BURST, CAPPED_EVERY_US, clock_mono_us()))
        return;
    event_add_words(&ev, F_WHY, limit_words(said));
    event_add_number(&ev, F_VALUE, said->value);
    event_add_number(&ev, F_LIMIT, said->limit);
    gate_tell(g, &ev, s->visit, 0);
}

bool gate_let_in(struct session *s, const struct limit_said *said)
{
    struct gate *g = s->gate;
    struct limit_said again;
    struct list_hit hit;

    if (greylist_knows(s->visit) ||
        (g->means.lists && lists_addr(g->means.lists, s->visit->peer, &hit) && hit.means == GATE_LIST_ALLOW)) {
        again = limits_enter(g->means.limits, s->visit->peer, true, clock_mono_us(), &s->places);
        if (again.over == LIMIT_NONE)
            return true;
    }
    if (said->over == LIMIT_PLACES)
        return false;
    tell_capped(g, s, said);
    if (visit_act(s->visit, CHECK_LIMITS) != GATE_REFUSE) {
        (void)limits_enter(g->means.limits, s->visit->peer, true, clock_mono_us(), &s->places);
        return true;
    }
    visit_found(s->visit, CHECK_LIMITS, FOUND_HIT, "%s: %llu, and %llu are allowed", limit_words(said),
                (unsigned long long)said->value, (unsigned long long)said->limit);
    return false;
}

void gate_join(struct session *s)
{
    struct limit_said said =
        limits_join(s->gate->means.limits, slice_text(s->visit->organisation), clock_mono_us(), &s->places);

    if (said.over == LIMIT_NONE)
        return;
    tell_capped(s->gate, s, &said);
    visit_found(s->visit, CHECK_LIMITS, FOUND_HIT, "%s: %llu, and %llu are allowed", limit_words(&said),
                (unsigned long long)said.value, (unsigned long long)said.limit);
}

/* ---- what the core says ---- */

static void collect_own(struct gate *g)
{
    struct event ev = event_new(EV_GATE_OWN_CUT);
    size_t n = 0;

    for (uint32_t i = 0; i < g->links_count; i++)
        for (uint32_t k = 0; k < g->links[i].count && k < HAND_LINK_ADDRS; k++) {
            if (n < GATE_OWN)
                g->own[n++] = addr_ip(g->links[i].own[k]);
            else
                g->own_cut = true;
        }
    g->self.count = n;
    if (!g->own_cut || g->own_cut_told)
        return;
    g->own_cut_told = true;
    event_add_number(&ev, F_COUNT, n);
    event_add_words(&ev, F_WHY, "write this host's networks below gate.own");
    gate_tell(g, &ev, NULL, 0);
}

static int on_link_fact(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = gate_of(ctx);

    (void)from;
    (void)m;
    (void)fd;
    g->own_cut = !hand_links_fold(g->links, &g->links_count, GATE_LINKS, body) || g->own_cut;
    collect_own(g);
    return 0;
}

static int on_links_known(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = gate_of(ctx);

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    g->own_known = true;
    door_open_all(g);
    return 0;
}

static int on_lent(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    return m->id >= SERVICE_POLICY ? service_on_lent(gate_of(ctx), m->id, body, fd)
                                   : door_on_lent(gate_of(ctx), m->id, body, fd);
}

static int on_lent_in_name(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    return server_on_lent(gate_of(ctx), m->id, body, fd);
}

static int on_book(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = gate_of(ctx);
    struct err e;
    struct book *b = book_new(fd, g->set.greylist.entries, &e);

    (void)from;
    (void)m;
    (void)body;
    if (!b) {
        say("the greylist's memory: %s", e.text);
        return 0;
    }
    book_free(g->means.book);
    book_set(b, &g->set.greylist, &g->set.callback);
    g->means.book = b;
    g->book_came = true;
    door_open_all(g);
    return 0;
}

static int on_lists(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = gate_of(ctx);
    struct err e;
    struct lists *l = lists_map(fd, &e);

    (void)from;
    (void)m;
    (void)body;
    (void)close(fd);
    if (!l) {
        say("lists: %s", e.text);
        return 0;
    }
    lists_free(g->lists);
    g->means.lists = g->lists = l;
    return 0;
}

/* An administrator says so. */
static int on_account(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = gate_of(ctx);
    const struct link_account *a = body;
    struct slice user = slice_of(a->name, strnlen(a->name, sizeof(a->name)));

    (void)from;
    (void)m;
    (void)fd;
    if (a->stop)
        warden_stop(g->warden, user, clock_wall_us());
    else
        (void)warden_release(g->warden, user, clock_wall_us());
    return 0;
}

static int on_ignored(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)ctx;
    (void)from;
    (void)m;
    (void)body;
    if (fd >= 0)
        (void)close(fd);
    return 0;
}

static const struct chan_op ops[] = {
    { HAND_FACT_LINK, "interface", sizeof(struct hand_link), sizeof(struct hand_link), false, on_link_fact },
    { HAND_FACT_LINKS_KNOWN, "interfaces known", 0, 0, false, on_links_known },
    { HAND_LISTEN + HAND_ANSWER, "listening", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true, on_lent },
    { HAND_BORROW + HAND_ANSWER, "in a client's name", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true,
      on_lent_in_name },
    { LINK_BOOK, "book", 0, 0, true, on_book },
    { LINK_LISTS, "lists", 0, 0, true, on_lists },
    { LINK_ACCOUNTS, "accounts", 0, 0, true, remember_on_accounts },
    { LINK_ACCOUNTS_KEPT, "accounts kept", 0, 0, true, remember_on_accounts },
    { LINK_MAIL, "mail", sizeof(struct link_mail), sizeof(struct link_mail), false, heard_on_mail },
    { LINK_FORGET, "forget", sizeof(struct addr), sizeof(struct addr), false, on_ignored },
    { LINK_ACCOUNT, "account", sizeof(struct link_account), sizeof(struct link_account), false, on_account },
    { LINK_ALLOW, "allow", sizeof(struct link_allow), sizeof(struct link_allow), false, on_ignored },
};

/* ---- the tick ---- */

static void on_dns(void *ctx, struct dns_facts f)
{
    struct gate *g = ctx;
    struct event ev = event_new(f.down ? EV_GATE_DNS_DOWN : EV_GATE_DNS_BACK);

    if (f.failed > 0)
        event_add_number(&ev, F_COUNT, f.failed);
    if (f.answers)
        event_add_words(&ev, F_WHY,
                        "each question is answered with a failure; look where the resolver itself gets its answers");
    gate_tell(g, &ev, NULL, 0);
}

static void on_tick(void *ctx)
{
    struct gate *g = ctx;
    int64_t now = clock_mono_us();

    if (!g->book_came && now - g->began_us > BOOK_WAIT_S * SECOND_US) {
        say("the greylist's book did not come; the gate opens with an empty one");
        g->book_came = true;
    }
    for (uint32_t i = 0; i < g->set.listeners_count && !g->stopping; i++)
        backend_tick(&g->backends[i], now);
    if (!g->stopping && ++g->ticks % 20 == 1)
        door_open_all(g);
    if (g->ticks % 120 == 0)
        warden_tick(g->warden, clock_wall_us());
    ownlist_tick(g->ownlist);
    remember_tick(g);
    remember_tell(g);
    if (g->stopping && (g->sessions_count == 0 || now - g->stopping_us > DRAIN_S * SECOND_US))
        loop_stop(g->role->loop);
}

static void before_sleep(void *ctx)
{
    struct gate *g = ctx;

    session_flush_all(g);
    remember_tick(g);
    (void)role_emit_all(g->role);
}

/* ---- settings ---- */

static int take_settings(struct gate *g, struct err *e)
{
    struct tls_context *tls = NULL;

    memcpy(&g->set, g->role->settings, sizeof(g->set));
    if (g->set.certificate_len > 0 && g->set.key_len > 0) {
        tls = tls_context_new(slice_of(g->set.certificate_pem, g->set.certificate_len),
                              slice_of(g->set.key_pem, g->set.key_len), e);
        explicit_bzero(g->set.key_pem, sizeof(g->set.key_pem));
        if (!tls)
            return -1;
    }
    tls_context_free(g->tls);
    g->tls = tls;
    for (uint32_t i = 0; i < g->set.listeners_count; i++) {
        struct backend *b = &g->backends[i];
        bool same = b->gate && addr_eq(b->to, g->set.listeners[i].to);

        if (!same) {
            backend_stop(b);
            memset(b, 0, sizeof(*b));
        }
        b->gate = g;
        b->at = &g->set.listeners[i];
        b->to = b->at->to;
    }
    door_name_all(g);
    return 0;
}

static void set_name(struct gate *g)
{
    g->means.name = g->set.name;
    for (uint32_t i = 0; i < g->set.listeners_count && g->means.name[0] == '\0'; i++)
        g->means.name = g->backends[i].name;
}

void gate_named(struct gate *g)
{
    set_name(g);
}

/* ---- the part ---- */

static uint16_t country_of(void *own, struct addr client)
{
    return lists_country(((struct gate *)own)->lists, client);
}

static int gate_open(struct role *r, struct err *e)
{
    struct gate *g = calloc(1, sizeof(*g));
    uint64_t seed = 0;

    if (!g)
        return err_set(e, ENOMEM, "gate");
    r->own = g;
    g->role = r;
    g->spare = dup(STDERR_FILENO);
    g->armed_us = INT64_MAX;
    g->self.own = g->own;
    g->timers = timers_new(TIMERS_MOST, e);
    if (!g->timers || take_settings(g, e) < 0)
        return -1;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return err_set(e, errno, "getrandom");
    g->means = (struct gate_means){
        .set = &g->set, .self = &g->self, .loop = r->loop, .now_us = now_us, .wall_us = wall_us, .tell = tell, .ctx = g
    };
    g->means.limits = limits_new(&g->set.limits, seed, e);
    g->means.book = book_new(-1, g->set.greylist.entries, e);
    if (g->means.book)
        book_set(g->means.book, &g->set.greylist, &g->set.callback);
    g->warden = warden_new(&g->set.accounts, seed, tell_alone, g, e);
    if (g->warden)
        warden_countries(g->warden, country_of, g);
    g->guesses = guesses_new(&g->set.accounts, seed, tell_alone, g, e);
    set_name(g);
    return g->means.limits && g->means.book && g->warden && g->guesses ? 0 : -1;
}

static void gate_confine(struct role *r, struct jail *j)
{
    struct gate *g = r->own;

    g->ports_count = gate_ports(&g->set, g->ports);
    j->tcp = JAIL_TCP_SOURCE | JAIL_TCP_CONNECT;
    j->tcp_ports = g->ports;
    j->tcp_ports_count = g->ports_count;
}

static int gate_run(struct role *r, struct err *e)
{
    struct gate *g = r->own;

    g->began_us = clock_mono_us();
    g->means.dns = dns_new(r->loop, &g->set, on_dns, g, e);
    if (!g->means.dns)
        return -1;
    g->means.callback = callback_new(&g->means, e);
    if (!g->means.callback)
        return -1;
    g->ownlist = ownlist_new(&g->means, e);
    if (!g->ownlist)
        return -1;
    g->tarpit = tarpit_new(r->loop, &g->set.limits, e);
    if (!g->tarpit)
        return -1;
    loop_before_sleep(r->loop, before_sleep, g);
    return loop_timer(r->loop, 1000, TICK_US, on_tick, g) ? 0 : err_set(e, 0, "no timer for the gate");
}

static void gate_reload(struct role *r)
{
    struct gate *g = r->own;
    struct err e;

    if (take_settings(g, &e) < 0)
        say("the certificate stays the old one: %s", e.text);
    limits_set(g->means.limits, &g->set.limits);
    book_set(g->means.book, &g->set.greylist, &g->set.callback);
    tarpit_set(g->tarpit, &g->set.limits);
    service_reload(g);
    if (dns_set(g->means.dns, &g->set, &e) < 0)
        say("name servers: %s", e.text);
    set_name(g);
    door_open_all(g);
}

static void gate_stop(struct role *r)
{
    struct gate *g = r->own;

    g->stopping = true;
    g->stopping_us = clock_mono_us();
    door_close_all(g);
    for (uint32_t i = 0; i < GATE_LISTENERS; i++)
        backend_stop(&g->backends[i]);
    service_close_all(g);
    session_end_all(g);
    remember_now(g);
    if (g->sessions_count == 0)
        loop_stop(r->loop);
}

const struct part sense_gate = {
    .name = "gate",
    .what = "takes mail in front of a mail server, and looks at who brings it",
    .user = "serviola-gate",
    .keys = gate_keys,
    .settings_size = sizeof(struct gate_settings),
    .calls = JAIL_CONNECT | JAIL_ACCEPT,
    .locked = true,
    .confine = gate_confine,
    .open = gate_open,
    .run = gate_run,
    .reload = gate_reload,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
    .stop = gate_stop,
};
