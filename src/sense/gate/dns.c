/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * c-ares carries the questions (UDP, TCP when an answer is cut, the next
 * server when one is silent); what comes back is read by wire/dns.
 *
 * A pipe is one c-ares channel.  It is left for a fresh one after
 * PIPE_QUESTIONS, which moves the source port that a forger has to guess, and
 * when it seems stuck; it is destroyed from the tick alone, never below one
 * of its own callbacks.  Identifiers come from the kernel: a jailed c-ares
 * can't read /dev/urandom, and would fall back to rand().
 */
#include "sense/gate/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/table.h"
#include "base/text.h"
#include "sense/gate/dns_cache.h"
#include "sys/clock.h"
#include "sys/loop.h"

enum {
    PIPES = 8,
    PIPE_QUESTIONS = 256,
    FAILURES = 5, /* in a row, before a probe is sent */
    TICK_US = 50000,
    PROBE_US = 1000000, /* how long a probe may take, and how often one is sent */
    EDNS_BYTES = 1232,  /* fits any path unfragmented */
    CLASS_IN = 1,
    TTL_LEAST_S = 1,
    TTL_MOST_S = 86400,
    TTL_NEGATIVE_S = 60, /* without an SOA */
    TTL_NEGATIVE_MOST_S = 900,
    TTL_FAILED_S = 1,
};

struct pipe {
    ares_channel channel;
    struct loop *loop;
    unsigned open, asked; /* questions */
    struct pipe *next;
};

struct flight { /* a question that was sent; its askers wait */
    struct dns_query *askers;
    struct sent *sent;
    int64_t until_us;
};

struct dns_query {
    struct flight *flight;
    struct dns_query *next, **at; /* at: what points here */
    bool *over;                   /* told when it ends below dns_ask */
    void (*done)(void *ctx, const struct dns_answer *a);
    void *ctx;
};

struct sent { /* what c-ares holds; it may outlive its flight */
    struct dns *dns;
    struct flight *flight; /* NULL: nobody waits any more */
    struct pipe *pipe;
};

struct dns {
    struct loop *loop;
    struct gate_dns set;
    struct key_addrs servers;
    void (*changed)(void *ctx, struct dns_facts f);
    void *ctx;
    struct table *flights; /* struct dns_question: struct flight, by age */
    struct dns_cache *cache;
    struct pipe *pipes; /* the first one takes new questions */
    uint32_t tick;      /* timer; 0: nothing is under way */
    unsigned failures;  /* in a row */
    bool down, ending;
    uint64_t failed; /* while down */
    struct pipe *probe;
    bool probe_answered;
    int64_t probe_until_us;
};

static const struct dns_answer no_answer = { .code = DNS_FAILED };
static const struct dns_answer no_such_name = { .code = DNS_NO_NAME };

/* --- pipes --- */

static void pipe_ready(void *ctx, int fd, int events)
{
    struct pipe *p = ctx;

    ares_process_fd(p->channel, events & (LOOP_IN | LOOP_GONE) ? fd : ARES_SOCKET_BAD,
                    events & LOOP_OUT ? fd : ARES_SOCKET_BAD);
}

/* A socket that can't be watched is one whose questions end at their deadline. */
static void pipe_watch(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct pipe *p = ctx;
    int events = (readable ? LOOP_IN : 0) | (writable ? LOOP_OUT : 0);

    if (events == 0)
        loop_unwatch(p->loop, fd);
    else if (loop_change(p->loop, fd, events, NULL) < 0)
        (void)loop_watch(p->loop, fd, events, pipe_ready, p, NULL);
}

static int pipe_servers(struct pipe *p, const struct key_addrs *servers)
{
    struct ares_addr_port_node node[KEY_ADDR_CAP];

    memset(node, 0, sizeof(node));
    for (uint32_t i = 0; i < servers->count; i++) {
        struct addr a = servers->at[i];
        bool v4 = a.family == 4;

        node[i].next = i + 1 < servers->count ? &node[i + 1] : NULL;
        node[i].family = v4 ? AF_INET : AF_INET6;
        memcpy(v4 ? (void *)&node[i].addr.addr4 : (void *)&node[i].addr.addr6, a.ip, v4 ? 4 : 16);
        node[i].udp_port = node[i].tcp_port = a.port ? a.port : 53;
    }
    return ares_set_servers_ports(p->channel, node);
}

static void pipe_free(struct pipe *p)
{
    if (!p)
        return;
    ares_destroy(p->channel);
    free(p);
}

static struct pipe *pipe_new(struct loop *l, const struct key_addrs *servers, int64_t try_us, uint64_t tries,
                             struct err *e)
{
    struct pipe *p = calloc(1, sizeof(*p));
    char lookups[] = "b";
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = (int)(try_us / 1000),
        .tries = (int)tries,
        .lookups = lookups,
        .ednspsz = EDNS_BYTES,
        .sock_state_cb = pipe_watch,
        .sock_state_cb_data = p,
    };
    int status;

    if (!p) {
        (void)err_set(e, ENOMEM, "name servers");
        return NULL;
    }
    p->loop = l;
    status = ares_init_options(&p->channel, &o,
                               ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                   ARES_OPT_EDNSPSZ | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        (void)err_set(e, 0, "name servers: %s", ares_strerror(status));
        free(p);
        return NULL;
    }
    status = pipe_servers(p, servers);
    if (status == ARES_SUCCESS)
        return p;
    (void)err_set(e, 0, "name servers: %s", ares_strerror(status));
    pipe_free(p);
    return NULL;
}

/* New questions take a fresh pipe; those that are under way stay where they are.  Without one, all goes on as it is. */
static void pipe_renew(struct dns *d)
{
    unsigned count = 0;
    struct pipe *fresh;

    for (const struct pipe *p = d->pipes; p; p = p->next)
        count++;
    fresh = count < PIPES ? pipe_new(d->loop, &d->servers, d->set.try_us, d->set.tries, NULL) : NULL;
    if (!fresh)
        return;
    fresh->next = d->pipes;
    d->pipes = fresh;
}

/* False when it could not be sent; `answered` is called at any rate. */
static bool pipe_send(struct pipe *p, enum dns_kind kind, const char *name, ares_callback answered, void *ctx)
{
    unsigned char *question = NULL;
    uint16_t id;
    int len;

    if (getrandom(&id, sizeof(id), 0) != sizeof(id) ||
        ares_create_query(name, CLASS_IN, dns_type(kind), id, 1, &question, &len, EDNS_BYTES) != ARES_SUCCESS)
        return false;
    ares_send(p->channel, question, len, answered, ctx);
    ares_free_string(question);
    return true;
}

/* --- are the servers there? --- */

static void probe_answered(void *ctx, int status, int timeouts, unsigned char *at, int len)
{
    struct dns *d = ctx;

    (void)timeouts, (void)at, (void)len;
    if (d->ending || status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
        return;
    d->probe_answered = status != ARES_ETIMEOUT && status != ARES_ECONNREFUSED && status != ARES_ENOMEM;
}

/* Its own pipe, so that a stuck one is told from silent servers; each server is asked within the second.  Every
 * resolver knows localhost by itself (RFC 6761), whatever is wrong beyond it. */
static void probe_start(struct dns *d)
{
    int64_t try_us = PROBE_US / (int64_t)(d->servers.count + 1);

    d->probe_answered = false;
    d->probe_until_us = clock_mono_us() + PROBE_US;
    d->probe = pipe_new(d->loop, &d->servers, try_us, 1, NULL);
    if (d->probe)
        (void)pipe_send(d->probe, DNS_A, "localhost", probe_answered, d);
}

static void tell(struct dns *d, bool down)
{
    struct dns_facts f = { .down = down, .failed = d->failed };

    d->down = down;
    d->failed = 0;
    if (d->changed)
        d->changed(d->ctx, f);
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
        ares_process_fd(d->probe->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (was_asked && !d->probe_answered && now_us < d->probe_until_us)
        return;
    pipe_free(d->probe);
    d->probe = NULL;
    d->probe_until_us = 0;
    if (was_asked && d->probe_answered) {
        pipe_renew(d); /* they answer, and yet questions failed: the pipe may be stuck */
        servers_answer(d);
    } else if (was_asked && !d->down)
        tell(d, true);
    if (d->down || d->failures >= FAILURES)
        probe_start(d);
}

/* --- questions and answers --- */

static void query_end(struct dns_query *q)
{
    *q->at = q->next;
    if (q->next)
        q->next->at = q->at;
    if (q->over)
        *q->over = true;
    free(q);
}

/* The flight is over before anybody is told, so that whoever is told may ask again. */
static void flight_end(struct dns *d, struct flight *f, const struct dns_answer *a)
{
    struct dns_query *askers = f->askers;

    if (f->sent)
        f->sent->flight = NULL;
    table_remove(d->flights, f);
    if (askers)
        askers->at = &askers;
    while (askers) {
        void (*done)(void *, const struct dns_answer *) = askers->done;
        void *ctx = askers->ctx;

        query_end(askers);
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
    kept = dns_kept_new(&a, clock_mono_us() + lifetime_us(a.code, ttl_s));
    if (kept)
        dns_cache_put(d->cache, &q, kept);
    flight_end(d, f, &a);
    dns_kept_let_go(kept);
}

static void answered(void *ctx, int status, int timeouts, unsigned char *at, int len)
{
    struct sent *s = ctx;
    struct dns *d = s->dns;
    struct flight *f = s->flight;

    (void)timeouts;
    s->pipe->open--;
    free(s);
    if (d->ending)
        return;
    if (status == ARES_SUCCESS || status == ARES_ESERVFAIL || status == ARES_EREFUSED || status == ARES_ENOTIMP)
        servers_answer(d);
    else if (f)
        servers_fail(d);
    if (!f)
        return;
    f->sent = NULL;
    land(d, f, slice_of(at, at ? (size_t)len : 0));
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
    struct pipe **at = &d->pipes->next;

    while (*at) {
        struct pipe *p = *at;

        if (p->open > 0) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        pipe_free(p);
    }
}

static void on_tick(void *ctx)
{
    struct dns *d = ctx;
    int64_t now_us = clock_mono_us();

    for (struct pipe *p = d->pipes; p; p = p->next)
        ares_process_fd(p->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    expire(d, now_us);
    if (probing(d) || d->failures >= FAILURES)
        probe_look(d, now_us);
    reap(d);
    if (table_count(d->flights) > 0 || d->pipes->next || d->pipes->open > 0 || probing(d))
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

/* The flight may have ended when this returns. */
static void flight_send(struct dns *d, struct flight *f, const struct dns_question *q)
{
    struct sent *s = calloc(1, sizeof(*s));

    if (!s) {
        flight_end(d, f, &no_answer);
        return;
    }
    if (d->pipes->asked >= PIPE_QUESTIONS)
        pipe_renew(d);
    *s = (struct sent){ .dns = d, .flight = f, .pipe = d->pipes };
    f->sent = s;
    d->pipes->asked++;
    d->pipes->open++;
    if (!pipe_send(d->pipes, q->kind, q->name, answered, s))
        answered(s, ARES_EBADQUERY, 0, NULL, 0);
}

static bool has_room(const struct dns *d)
{
    size_t open = 0;

    for (const struct pipe *p = d->pipes; p; p = p->next)
        open += p->open;
    return table_count(d->flights) < table_cap(d->flights) && open < 2 * table_cap(d->flights);
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
    *q =
        (struct dns_query){ .flight = f, .next = f->askers, .at = &f->askers, .over = &over, .done = done, .ctx = ctx };
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
    if (q)
        query_end(q);
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

    if (!d || getrandom(seeds, sizeof(seeds), 0) != sizeof(seeds) ||
        ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
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
    d->pipes = d->cache ? pipe_new(l, &d->servers, d->set.try_us, d->set.tries, e) : NULL;
    if (d->pipes)
        return d;
    dns_free(d);
    return NULL;
}

int dns_set(struct dns *d, const struct gate_settings *set, struct err *e)
{
    struct pipe *fresh;

    set_servers(d, set);
    fresh = pipe_new(d->loop, &d->servers, d->set.try_us, d->set.tries, e);
    if (!fresh)
        return -1;
    fresh->next = d->pipes;
    d->pipes = fresh;
    if (!tick_start(d)) /* which reaps the older ones */
        return err_set(e, 0, "name servers: no timer left");
    return 0;
}

void dns_free(struct dns *d)
{
    struct flight *f;

    if (!d)
        return;
    d->ending = true;
    loop_untimer(d->loop, d->tick);
    while (d->pipes) {
        struct pipe *p = d->pipes;

        d->pipes = p->next;
        pipe_free(p);
    }
    pipe_free(d->probe);
    while (d->flights && (f = table_oldest(d->flights))) {
        while (f->askers)
            query_end(f->askers);
        table_remove(d->flights, f);
    }
    table_free(d->flights);
    dns_cache_free(d->cache);
    ares_library_cleanup();
    free(d);
}
