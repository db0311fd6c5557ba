/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pipe is left for a fresh one after PIPE_QUESTIONS, which moves the source
 * port that a forger has to guess, and when it seems stuck.  The tick alone
 * frees them.
 */
#include "sense/gate/dns.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/table.h"
#include "sense/gate/dns_cache.h"
#include "sense/gate/dns_pipe.h"
#include "sys/clock.h"
#include "sys/loop.h"

enum {
    PIPES = 8,
    PIPE_QUESTIONS = 256,
    FAILURES = 5,  /* in a row, before a probe is sent */
    REFUSALS = 30, /* in a row, and for so long: one broken domain is not enough */
    REFUSALS_US = 3000000,
    TICK_US = 50000,
    PROBE_US = 1000000, /* how long a probe may take, and how often one is sent */
    TTL_LEAST_S = 1,
    TTL_MOST_S = 86400,
    TTL_NEGATIVE_S = 60, /* without an SOA */
    TTL_NEGATIVE_MOST_S = 900,
    TTL_FAILED_S = 1,
};

struct flight { /* a question that was sent; its askers wait */
    struct dns_query *askers;
    struct dns_sent *sent;
    int64_t until_us;
};

struct dns_query {
    struct dns_query *next, **at; /* at: what points here */
    bool *over;                   /* told when it ends below dns_ask */
    void (*done)(void *ctx, const struct dns_answer *a);
    void *ctx;
};

struct dns {
    struct loop *loop;
    struct gate_dns set;
    struct key_addrs servers;
    void (*changed)(void *ctx, struct dns_facts f);
    void *ctx;
    struct table *flights; /* struct dns_question: struct flight, by age */
    struct dns_cache *cache;
    struct dns_pipe *pipes[PIPES]; /* the first one takes new questions */
    size_t pipes_count;
    uint32_t tick;     /* timer; 0: nothing is under way */
    unsigned failures; /* in a row */
    bool down;
    unsigned refusals; /* in a row: questions that failed, though the servers are there */
    int64_t refusals_since_us;
    bool useless;    /* so often and so long that it was told */
    uint64_t failed; /* while down or useless */
    struct dns_pipe *probe;
    bool probe_answered;
    int64_t probe_until_us; /* 0: none is out */
};

static const struct dns_answer no_answer = { .code = DNS_FAILED };
static const struct dns_answer no_such_name = { .code = DNS_NO_NAME };

/* --- are the servers there? --- */

static void on_reply(void *owner, void *about, enum dns_end how, struct slice message);

/* New questions take a fresh pipe; those that are under way stay where they are.  -1: all goes on as it is. */
static int pipe_renew(struct dns *d, struct err *e)
{
    struct dns_pipe *fresh;

    if (d->pipes_count == PIPES)
        return err_set(e, 0, "name servers: too many that don't answer");
    fresh = dns_pipe_new(d->loop, &d->servers, d->set.try_us, d->set.tries, on_reply, d, e);
    if (!fresh)
        return -1;
    memmove(d->pipes + 1, d->pipes, d->pipes_count++ * sizeof(d->pipes[0]));
    d->pipes[0] = fresh;
    return 0;
}

static void on_probe(void *owner, void *about, enum dns_end how, struct slice message)
{
    struct dns *d = owner;

    (void)about, (void)message;
    d->probe_answered |= how == DNS_ANSWERED;
}

/* Its own pipe, so that a stuck one is told from silent servers; each server is asked within the second.  Every
 * resolver knows localhost by itself (RFC 6761), whatever is wrong beyond it. */
static void probe_start(struct dns *d)
{
    int64_t try_us = PROBE_US / (int64_t)(d->servers.count + 1);
    struct dns_sent *sent;

    d->probe_answered = false;
    d->probe_until_us = clock_mono_us() + PROBE_US;
    d->probe = dns_pipe_new(d->loop, &d->servers, try_us, 1, on_probe, d, NULL);
    if (d->probe)
        dns_pipe_send(d->probe, DNS_A, "localhost", d, &sent);
}

static void tell(struct dns *d, bool down)
{
    struct dns_facts f = { .down = down || d->useless, .answers = d->useless && !down, .failed = d->failed };

    d->down = down;
    d->failed = 0;
    d->refusals = 0;
    if (d->changed)
        d->changed(d->ctx, f);
}

static void servers_refuse(struct dns *d, int64_t now_us)
{
    if (d->refusals++ == 0)
        d->refusals_since_us = now_us;
    d->failed += d->useless;
    if (d->useless || d->down || d->refusals < REFUSALS || now_us - d->refusals_since_us < REFUSALS_US)
        return;
    d->useless = true;
    d->failed = d->refusals;
    tell(d, false);
}

static void servers_know(struct dns *d)
{
    bool was = d->useless;

    d->refusals = 0;
    d->useless = false;
    if (was && !d->down)
        tell(d, false);
}

static void servers_answer(struct dns *d)
{
    d->failures = 0;
    if (d->down)
        tell(d, false);
}

static void servers_fail(struct dns *d)
{
    d->failures++;
    d->failed += d->down;
}

static bool probing(const struct dns *d)
{
    return d->down || d->probe_until_us != 0;
}

static void probe_look(struct dns *d, int64_t now_us)
{
    bool was_asked = d->probe_until_us != 0;

    if (d->probe)
        dns_pipe_tick(d->probe);
    if (was_asked && !d->probe_answered && now_us < d->probe_until_us)
        return;
    dns_pipe_free(d->probe);
    d->probe = NULL;
    d->probe_until_us = 0;
    if (was_asked && d->probe_answered) {
        (void)pipe_renew(d, NULL); /* they answer, and yet questions failed: the pipe may be stuck */
        servers_answer(d);
    } else if (was_asked && !d->down)
        tell(d, true);
    if (d->down || d->failures >= FAILURES)
        probe_start(d);
}

/* --- questions and answers --- */

static void query_free(struct dns_query *q)
{
    if (q->over)
        *q->over = true;
    free(q);
}

static struct dns_query *take_first(struct dns_query **askers)
{
    struct dns_query *q = *askers;

    *askers = q->next;
    if (q->next)
        q->next->at = askers;
    return q;
}

/* The flight is over before anybody is told, so that whoever is told may ask again. */
static void flight_end(struct dns *d, struct flight *f, const struct dns_answer *a)
{
    struct dns_query *askers = f->askers;

    dns_sent_forget(f->sent);
    table_remove(d->flights, f);
    if (askers)
        askers->at = &askers;
    while (askers) {
        struct dns_query *q = take_first(&askers);
        void (*done)(void *, const struct dns_answer *) = q->done;
        void *ctx = q->ctx;

        query_free(q);
        done(ctx, a);
    }
}

static int64_t seconds_us(uint32_t s, uint32_t most)
{
    return (int64_t)(s < TTL_LEAST_S ? TTL_LEAST_S : s > most ? most : s) * 1000000;
}

static int64_t lifetime_us(enum dns_code code, uint32_t ttl_s)
{
    switch (code) {
    case DNS_FOUND:
        return seconds_us(ttl_s, TTL_MOST_S);
    case DNS_NOTHING:
    case DNS_NO_NAME:
        return seconds_us(ttl_s ? ttl_s : TTL_NEGATIVE_S, TTL_NEGATIVE_MOST_S);
    case DNS_FAILED:
        break;
    }
    return (int64_t)TTL_FAILED_S * 1000000;
}

static void land(struct dns *d, struct flight *f, struct slice message)
{
    struct dns_room room;
    struct dns_answer a;
    uint32_t ttl_s;
    struct dns_question q;
    struct dns_kept *kept;

    memcpy(&q, table_key(d->flights, f), sizeof(q));
    if (!dns_read(message, q.kind, slice_text(q.name), &room, &a, &ttl_s)) {
        a = no_answer;
        ttl_s = 0;
    }
    if (a.code == DNS_FAILED)
        servers_refuse(d, clock_mono_us());
    else
        servers_know(d);
    kept = dns_kept_new(&a, clock_mono_us() + lifetime_us(a.code, ttl_s));
    if (kept)
        dns_cache_put(d->cache, &q, kept);
    flight_end(d, f, &a);
    dns_kept_let_go(kept);
}

static void on_reply(void *owner, void *about, enum dns_end how, struct slice message)
{
    struct dns *d = owner;
    struct flight *f = about;

    if (how == DNS_DROPPED)
        return;
    if (how == DNS_ANSWERED)
        servers_answer(d);
    else if (how == DNS_SILENT && f)
        servers_fail(d);
    if (!f)
        return;
    f->sent = NULL;
    land(d, f, message);
}

static void expire(struct dns *d, int64_t now_us)
{
    struct flight *f;

    while ((f = table_oldest(d->flights)) && f->until_us <= now_us) {
        servers_fail(d);
        flight_end(d, f, &no_answer);
    }
}

/* Older pipes go when their last question is over. */
static void reap(struct dns *d)
{
    size_t kept = 1;

    for (size_t i = 1; i < d->pipes_count; i++)
        if (dns_pipe_open(d->pipes[i]) > 0)
            d->pipes[kept++] = d->pipes[i];
        else
            dns_pipe_free(d->pipes[i]);
    d->pipes_count = kept;
}

static size_t open_questions(const struct dns *d)
{
    size_t open = 0;

    for (size_t i = 0; i < d->pipes_count; i++)
        open += dns_pipe_open(d->pipes[i]);
    return open;
}

static void on_tick(void *ctx)
{
    struct dns *d = ctx;
    int64_t now_us = clock_mono_us();

    for (size_t i = 0; i < d->pipes_count; i++)
        dns_pipe_tick(d->pipes[i]);
    expire(d, now_us);
    if (probing(d) || d->failures >= FAILURES)
        probe_look(d, now_us);
    reap(d);
    if (table_count(d->flights) > 0 || d->pipes_count > 1 || open_questions(d) > 0 || probing(d))
        return;
    loop_untimer(d->loop, d->tick);
    d->tick = 0;
}

static bool tick_start(struct dns *d)
{
    if (!d->tick)
        d->tick = loop_timer(d->loop, TICK_US, TICK_US, on_tick, d);
    return d->tick != 0;
}

/* What was given up still holds a place until c-ares gives it up, too. */
static bool has_room(const struct dns *d)
{
    return table_count(d->flights) < table_cap(d->flights) && open_questions(d) < 2 * table_cap(d->flights);
}

/* The flight may be over when this returns. */
static void flight_send(struct dns *d, struct flight *f, const struct dns_question *q)
{
    if (dns_pipe_asked(d->pipes[0]) >= PIPE_QUESTIONS)
        (void)pipe_renew(d, NULL);
    dns_pipe_send(d->pipes[0], q->kind, q->name, f, &f->sent);
}

struct dns_query *dns_ask(struct dns *d, enum dns_kind kind, struct slice name,
                          void (*done)(void *ctx, const struct dns_answer *a), void *ctx)
{
    struct dns_question question;
    struct dns_kept *kept;
    struct dns_query *q;
    struct flight *f;
    bool fresh;
    bool over = false;

    if (!dns_question_set(&question, kind, name)) {
        done(ctx, &no_such_name);
        return NULL;
    }
    kept = dns_cache_find(d->cache, &question, clock_mono_us());
    if (kept) {
        done(ctx, &kept->answer);
        dns_kept_let_go(kept);
        return NULL;
    }
    f = table_find(d->flights, &question);
    fresh = !f;
    q = calloc(1, sizeof(*q));
    if (!q || (fresh && (d->down || !has_room(d) || !tick_start(d)))) {
        d->failed += d->down;
        free(q);
        done(ctx, &no_answer);
        return NULL;
    }
    if (fresh) {
        f = table_add(d->flights, &question, NULL, NULL, NULL);
        f->until_us = clock_mono_us() + d->set.total_us;
    }
    *q = (struct dns_query){ .next = f->askers, .at = &f->askers, .over = &over, .done = done, .ctx = ctx };
    if (q->next)
        q->next->at = &q->next;
    f->askers = q;
    if (fresh)
        flight_send(d, f, &question);
    if (over)
        return NULL;
    q->over = NULL;
    return q;
}

struct dns_query *dns_ask_ptr(struct dns *d, struct addr who, void (*done)(void *ctx, const struct dns_answer *a),
                              void *ctx)
{
    char name[DNS_NAME];

    if (!dns_reverse_name(who, slice_text(NULL), name, sizeof(name)))
        name[0] = '\0'; /* no address has no name */
    return dns_ask(d, DNS_PTR, slice_text(name), done, ctx);
}

/* The question goes on: its answer is worth keeping. */
void dns_drop(struct dns_query *q)
{
    if (!q)
        return;
    *q->at = q->next;
    if (q->next)
        q->next->at = q->at;
    query_free(q);
}

uint64_t dns_in_flight(const struct dns *d)
{
    return table_count(d->flights);
}

/* --- the whole --- */

static void set_servers(struct dns *d, const struct gate_settings *set)
{
    d->set = set->dns;
    d->servers = set->dns.servers.count > 0 ? set->dns.servers : set->resolvers;
    if (d->servers.count == 0) /* as resolv.conf(5) says */
        d->servers = (struct key_addrs){ .count = 1, .at = { addr_v4(INADDR_LOOPBACK, 0) } };
}

struct dns *dns_new(struct loop *l, const struct gate_settings *set, void (*changed)(void *ctx, struct dns_facts f),
                    void *ctx, struct err *e)
{
    struct dns *d = calloc(1, sizeof(*d));
    uint64_t seeds[2];

    if (!d || getrandom(seeds, sizeof(seeds), 0) != sizeof(seeds)) {
        (void)err_set(e, 0, "name servers: no memory or no random numbers");
        free(d);
        return NULL;
    }
    d->loop = l;
    d->changed = changed;
    d->ctx = ctx;
    set_servers(d, set);
    d->flights = table_new(d->set.in_flight, sizeof(struct dns_question), sizeof(struct flight), seeds[0], e);
    d->cache = d->flights ? dns_cache_new(d->set.cache, seeds[1], e) : NULL;
    if (d->cache && pipe_renew(d, e) == 0)
        return d;
    dns_free(d);
    return NULL;
}

int dns_set(struct dns *d, const struct gate_settings *set, struct err *e)
{
    set_servers(d, set);
    if (pipe_renew(d, e) < 0)
        return -1;
    if (!tick_start(d)) /* which frees the older ones */
        return err_set(e, 0, "name servers: no timer left");
    return 0;
}

void dns_free(struct dns *d)
{
    struct flight *f;

    if (!d)
        return;
    loop_untimer(d->loop, d->tick);
    for (size_t i = 0; i < d->pipes_count; i++)
        dns_pipe_free(d->pipes[i]);
    dns_pipe_free(d->probe);
    while (d->flights && (f = table_oldest(d->flights))) {
        while (f->askers)
            query_free(take_first(&f->askers));
        table_remove(d->flights, f);
    }
    table_free(d->flights);
    dns_cache_free(d->cache);
    free(d);
}
