/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/callback.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rate.h"
#include "base/table.h"
#include "sense/gate/book.h"
#include "sense/gate/ours.h"
#include "sys/loop.h"
#include "sys/sockaddr.h"

#define SECOND_US 1000000LL
enum {
    TICK_US = 50000,
    NETWORKS = 4096,    /* whose rate is remembered */
    BUDGET_SAID_S = 60, /* gate.callback_budget, at most so often */
    NONCE = 8,          /* seconds, and chance */
    MAC = 12,
    TOKEN = 2 * (NONCE + MAC), /* hexadecimal */
    TOKEN_AGE_S = 86400,       /* of gates whose clocks differ, too */
};
#define TOKEN_BEGINS "cb-"

struct call {
    struct call *next;
    struct callback *home;
    struct callback_call *askers;
    struct addr target, local;
    uint64_t flow; /* of the visit that began it */
    int fd;
    bool connected;
    int64_t began_us, deadline_us;
    struct callback_talk talk;
};
struct callback_call { /* one asker */
    struct callback_call *next;
    struct call *call;
    void (*done)(void *ctx, enum callback_result r, const char *words);
    void *ctx;
};
struct callback {
    struct gate_means *means;
    const char *(*never)(const struct gate_means *m, struct addr who, const struct visit *v);
    struct call *calls;
    uint64_t in_flight;
    struct table *networks; /* struct addr -> struct rate_bucket */
    uint32_t timer;
    uint8_t secret[crypto_generichash_KEYBYTES]; /* where the configuration has no token */
    uint64_t unsaid;                             /* refused by the budget since it was said */
    int64_t said_us;
};

static int64_t now_us(const struct callback *c)
{
    return c->means->now_us(c->means->ctx);
}

static uint32_t wall_s(const struct callback *c)
{
    return (uint32_t)(c->means->wall_us(c->means->ctx) / SECOND_US);
}

static const struct gate_callback *conf(const struct callback *c)
{
    return &c->means->set->callback;
}

/* ---- the first fence: who is never called ---- */

const char *callback_never(const struct gate_means *m, struct addr who, const struct visit *v)
{
    if (who.family == 0 || ours_addr(m, who) || (v && addr_eq_ip(who, v->local)))
        return "it is our own address";
    for (uint32_t i = 0; i < m->set->listeners_count; i++)
        if (addr_eq_ip(who, m->set->listeners[i].to))
            return "it is our mail server's address";
    if (v && addr_is_loopback(v->local))
        return "it came in by an address of this host alone";
    if (addr_is_multicast(who) || addr_is_link_local(who))
        return "it is no address of a single host";
    if (addr_is_private(who) && !m->set->callback.private_too)
        return "it is a private address";
    return NULL;
}

/* Connected, both ends are known: a call to ourselves comes from loopback, or from its own target. */
static bool reached_ourselves(struct call *c)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    memset(&sa, 0, sizeof(sa));
    if (getsockname(c->fd, (struct sockaddr *)&sa, &len) < 0)
        return true;
    c->local = sockaddr_read(&sa);
    return c->home->never == callback_never && (addr_is_loopback(c->local) || addr_eq_ip(c->local, c->target));
}

/* ---- the second: the token ---- */

/* cb-<8 bytes of time and chance><12 bytes of keyed hash>.name */
static void mac_of(const struct callback *c, const uint8_t nonce[NONCE], uint8_t mac[MAC])
{
    static const uint8_t use[] = "serviola callback";
    const char *token = c->means->set->token;
    uint8_t key[crypto_generichash_KEYBYTES];
    uint8_t all[crypto_generichash_BYTES];

    memcpy(key, c->secret, sizeof(key));
    if (token[0] != '\0')
        (void)crypto_generichash(key, sizeof(key), (const uint8_t *)token, strnlen(token, sizeof(c->means->set->token)),
                                 use, sizeof(use));
    (void)crypto_generichash(all, sizeof(all), nonce, NONCE, key, sizeof(key));
    memcpy(mac, all, MAC);
    sodium_memzero(key, sizeof(key));
}

static void write_token(const struct callback *c, char text[TOKEN + 1])
{
    uint8_t bytes[NONCE + MAC];
    uint32_t now = wall_s(c);

    randombytes_buf(bytes, NONCE);
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(now >> (24 - 8 * i));
    mac_of(c, bytes, bytes + NONCE);
    (void)sodium_bin2hex(text, TOKEN + 1, bytes, sizeof(bytes));
}

bool callback_is_ours(const struct callback *c, struct slice helo)
{
    uint8_t bytes[NONCE + MAC];
    uint8_t mac[MAC];
    size_t got = 0;
    uint32_t then = 0;
    uint32_t now = wall_s(c);

    if (!slice_starts_nocase(helo, SLICE(TOKEN_BEGINS)))
        return false;
    helo = slice_skip(helo, sizeof(TOKEN_BEGINS) - 1);
    if (helo.len < TOKEN || sodium_hex2bin(bytes, sizeof(bytes), (const char *)helo.at, TOKEN, NULL, &got, NULL) != 0 ||
        got != sizeof(bytes))
        return false;
    mac_of(c, bytes, mac);
    if (sodium_memcmp(mac, bytes + NONCE, MAC) != 0)
        return false;
    for (size_t i = 0; i < 4; i++)
        then = then << 8 | bytes[i];
    return (now > then ? now - then : then - now) <= TOKEN_AGE_S;
}

/* ---- the third: budgets ---- */

static void say_budget(struct callback *c)
{
    struct event ev = event_new(EV_GATE_CALLBACK_BUDGET);

    c->unsaid++;
    if (c->said_us != 0 && now_us(c) - c->said_us < BUDGET_SAID_S * SECOND_US)
        return;
    c->said_us = now_us(c);
    event_add_number(&ev, F_COUNT, c->unsaid);
    event_add_number(&ev, F_VALUE, c->in_flight);
    event_add_number(&ev, F_LIMIT, conf(c)->in_flight);
    c->unsaid = 0;
    if (c->means->tell)
        c->means->tell(c->means->ctx, &ev, NULL);
}

static bool has_budget(struct callback *c, struct addr who)
{
    struct addr network = prefix_of(addr_ip(who), who.family == 4 ? 24 : 64).net;
    struct rate_bucket *b = NULL;

    if (c->in_flight < conf(c)->in_flight)
        b = table_add(c->networks, &network, NULL, NULL, NULL);
    if (b && rate_take(b, conf(c)->per_network, SECOND_US / (int64_t)conf(c)->per_network, now_us(c)))
        return true;
    say_budget(c);
    return false;
}

/* ---- results ---- */

static struct book_key key_of(const struct callback *c, struct addr who)
{
    return book_key(c->means->book, BOOK_CALLBACK, slice_of(who.ip, sizeof(who.ip)), slice_of(&who.family, 1),
                    slice_of(NULL, 0));
}

static bool remembers(const struct callback *c, struct addr who, enum callback_result *r)
{
    struct book_entry en;
    struct book_key k;

    if (!c->means->book)
        return false;
    k = key_of(c, who);
    if (!book_get(c->means->book, &k, &en) || book_expired(c->means->book, &en, wall_s(c)) || en.value >= BOOK_RESULTS)
        return false;
    *r = (enum callback_result)en.value;
    return true;
}

static void remember(const struct callback *c, struct addr who, enum callback_result r)
{
    struct book_entry en = { .kind = BOOK_CALLBACK, .value = (uint8_t)r, .first_s = wall_s(c), .last_s = wall_s(c) };

    if (!c->means->book || r >= CALLBACK_BUSY)
        return;
    en.key = key_of(c, who);
    book_put(c->means->book, &en, wall_s(c));
}

static void tell_called(struct call *c, const char *words)
{
    struct gate_means *m = c->home->means;
    struct event ev = event_new(EV_GATE_CALLED_BACK);

    ev.src = c->target; /* as in all events of this client */
    ev.dst = c->local;
    event_add_number(&ev, F_FLOW, c->flow);
    event_add_words(&ev, F_WHY, words);
    event_add_number(&ev, F_SPAN, (uint64_t)(now_us(c->home) - c->began_us));
    if (m->tell)
        m->tell(m->ctx, &ev, NULL);
}

static void unlink_call(struct callback *home, struct call *c)
{
    struct call **at = &home->calls;

    while (*at != c) /* it is one of them */
        at = &(*at)->next;
    *at = c->next;
    loop_close(home->means->loop, c->fd);
    home->in_flight--;
}

static void finish_call(struct callback *home, struct call *c, enum callback_result r, const char *words)
{
    remember(home, c->target, r);
    tell_called(c, words);
    unlink_call(home, c);
    while (c->askers) { /* an asker may drop others, or begin a call */
        struct callback_call *a = c->askers;

        c->askers = a->next;
        a->done(a->ctx, r, words);
        free(a);
    }
    free(c);
}

static void end_call(struct call *c, enum callback_result r, const char *words)
{
    finish_call(c->home, c, r, words);
}

/* ---- the dialogue ---- */

static void wait_for(struct call *c, int64_t patience_us)
{
    int64_t now = now_us(c->home);
    int64_t total_us = c->began_us + conf(c->home)->total_us;

    c->deadline_us = now + patience_us < total_us ? now + patience_us : total_us;
}

/* What is said fits into an empty socket buffer, or the call is not worth waiting for. */
static bool say_to(struct call *c, const char *text)
{
    size_t len = strlen(text);

    return send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static bool say_ehlo(struct call *c)
{
    const char *name = c->home->means->name;
    char token[TOKEN + 1];
    char line[600];

    write_token(c->home, token);
    (void)snprintf(line, sizeof(line), "EHLO %s%s.%.300s\r\n", TOKEN_BEGINS, token, name && name[0] ? name : "invalid");
    return say_to(c, line);
}

static void on_bytes(struct call *c, struct slice bytes)
{
    struct callback_verdict v;

    switch (callback_talk_hear(&c->talk, &bytes, &v)) {
    case CALLBACK_GOES_ON:
        return;
    case CALLBACK_SAY_EHLO:
        wait_for(c, conf(c->home)->greeting_us);
        if (say_ehlo(c))
            on_bytes(c, bytes); /* a greeting comes once */
        else
            end_call(c, CALLBACK_SILENT, "it does not listen");
        return;
    case CALLBACK_OVER:
        if (v.quit)
            (void)say_to(c, "QUIT\r\n");
        end_call(c, v.result, v.words);
        return;
    }
}

/* `code`: errno, 0 where the other end closed. */
static void on_end(struct call *c, int code)
{
    struct callback_verdict v;

    callback_talk_end(&c->talk, code, &v);
    end_call(c, v.result, v.words);
}

/* True: it is connected.  A connection that failed is never merely ready. */
static bool on_connected(struct call *c, int events)
{
    int code = 0;
    socklen_t len = sizeof(code);
    struct err e;

    if ((events & LOOP_GONE) && getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
        code = errno;
    if (code != 0) {
        on_end(c, code);
        return false;
    }
    if (reached_ourselves(c)) {
        end_call(c, CALLBACK_NEVER, "the call came back to ourselves");
        return false;
    }
    c->connected = true;
    wait_for(c, conf(c->home)->greeting_us);
    (void)loop_change(c->home->means->loop, c->fd, LOOP_IN, &e);
    return true;
}

static void on_socket(void *ctx, int fd, int events)
{
    struct call *c = ctx;
    char bytes[4096];
    ssize_t n;

    if (!c->connected && !on_connected(c, events))
        return;
    n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n > 0)
        on_bytes(c, slice_of(bytes, (size_t)n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        on_end(c, n == 0 ? 0 : errno);
}

/* ---- deadlines ---- */

static struct call *first_late(const struct callback *home)
{
    struct call *c = home->calls;
    int64_t now = now_us(home);

    while (c && now < c->deadline_us)
        c = c->next;
    return c;
}

static const char *late(const struct call *c)
{
    if (!c->connected)
        return "no answer to a connection in time";
    return c->talk.step == CALLBACK_GREETING ? "no greeting in time" : "no answer to EHLO in time";
}

static void on_tick(void *ctx)
{
    struct callback *home = ctx;
    struct call *c;

    while ((c = first_late(home))) /* whoever is told may begin or end others */
        finish_call(home, c, CALLBACK_SILENT, late(c));
    if (!home->calls) {
        loop_untimer(home->means->loop, home->timer);
        home->timer = 0;
    }
}

/* ---- asking ---- */

/* Connects; NULL with errno. */
static struct call *begin_call(struct callback *home, struct addr target, const struct visit *v)
{
    struct call *c = calloc(1, sizeof(*c));
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(target, &sa);
    struct err e;

    if (!c)
        return NULL;
    c->home = home;
    c->target = target;
    c->flow = v ? v->number : 0;
    c->began_us = now_us(home);
    c->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || (connect(c->fd, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) ||
        loop_watch(home->means->loop, c->fd, LOOP_OUT, on_socket, c, &e) < 0) {
        int code = errno;

        if (c->fd >= 0)
            (void)close(c->fd);
        free(c);
        errno = code;
        return NULL;
    }
    wait_for(c, conf(home)->connect_us);
    c->next = home->calls;
    home->calls = c;
    home->in_flight++;
    if (home->timer == 0)
        home->timer = loop_timer(home->means->loop, TICK_US, TICK_US, on_tick, home);
    return c;
}

static struct callback_call *join(struct call *c, void (*done)(void *ctx, enum callback_result r, const char *words),
                                  void *ctx)
{
    struct callback_call *a = calloc(1, sizeof(*a));

    if (!a) {
        done(ctx, CALLBACK_BUSY, "no memory");
        return NULL;
    }
    *a = (struct callback_call){ .next = c->askers, .call = c, .done = done, .ctx = ctx };
    c->askers = a;
    return a;
}

static struct call *under_way(const struct callback *c, struct addr target)
{
    struct call *call = c->calls;

    while (call && !addr_eq(call->target, target))
        call = call->next;
    return call;
}

struct callback_call *callback_ask(struct callback *c, struct addr who, const struct visit *v,
                                   void (*done)(void *ctx, enum callback_result r, const char *words), void *ctx)
{
    static const char *const before[BOOK_RESULTS] = { [CALLBACK_SPEAKS] = "it answered when it was called before",
                                                      [CALLBACK_REFUSED] = "it refused when it was called before",
                                                      [CALLBACK_SILENT] = "it was silent when it was called before" };
    const char *never = c->never(c->means, who, v);
    enum callback_result r;
    struct call *call;

    who.port = (uint16_t)conf(c)->port;
    call = under_way(c, who);
    if (never) {
        done(ctx, CALLBACK_NEVER, never);
        return NULL;
    }
    if (remembers(c, who, &r)) {
        done(ctx, r, before[r]);
        return NULL;
    }
    if (!call && !has_budget(c, who)) {
        done(ctx, CALLBACK_BUSY, "more callbacks are asked for than may be made");
        return NULL;
    }
    if (!call)
        call = begin_call(c, who, v);
    if (!call) {
        int code = errno;

        r = code == ECONNREFUSED ? CALLBACK_REFUSED : CALLBACK_BUSY;
        remember(c, who, r);
        done(ctx, r, strerror(code));
        return NULL;
    }
    return join(call, done, ctx);
}

void callback_drop(struct callback_call *call)
{
    struct callback_call **at;

    if (!call)
        return;
    for (at = &call->call->askers; *at && *at != call; at = &(*at)->next)
        ;
    if (*at)
        *at = call->next;
    free(call);
}

/* ---- one for the gate ---- */

struct callback *callback_new(struct gate_means *m, struct err *e)
{
    struct callback *c = calloc(1, sizeof(*c));
    uint64_t seed;

    if (!c) {
        (void)err_set(e, ENOMEM, "callback");
        return NULL;
    }
    c->means = m;
    c->never = callback_never;
    randombytes_buf(c->secret, sizeof(c->secret));
    randombytes_buf(&seed, sizeof(seed));
    c->networks = table_new(NETWORKS, sizeof(struct addr), sizeof(struct rate_bucket), seed, e);
    if (c->networks)
        return c;
    free(c);
    return NULL;
}

void callback_free(struct callback *c)
{
    if (!c)
        return;
    while (c->calls) {
        struct call *call = c->calls;

        unlink_call(c, call);
        while (call->askers) {
            struct callback_call *a = call->askers;

            call->askers = a->next;
            free(a);
        }
        free(call);
    }
    loop_untimer(c->means->loop, c->timer);
    table_free(c->networks);
    free(c);
}

void callback_judge(struct callback *c,
                    const char *(*never)(const struct gate_means *m, struct addr who, const struct visit *v))
{
    c->never = never;
}

uint64_t callback_in_flight(const struct callback *c)
{
    return c->in_flight;
}
