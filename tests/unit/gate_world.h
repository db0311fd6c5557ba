/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gate_world - a whole gate in one process, for unit tests and fuzzing: its one listener is fed by hand with ends of
 * socket pairs, and the mail server behind it is a scripted one on loopback, which says yes unless it is told
 * otherwise.
 *
 * No process, no jail, no name server: checks that ask somebody are off.
 */
#ifndef SERVIOLA_TEST_GATE_WORLD_H
#define SERVIOLA_TEST_GATE_WORLD_H
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/gate/book.h"
#include "sense/gate/inner.h"
#include "sys/loop.h"

enum { TURNS_QUIET = 6 }; /* of the loop, in which the server heard nothing */
static struct gate *g;
static struct role role;
static struct gate_server {
    int listening, mail; /* its one connection at a time; -1: none */
    char heard[65536];   /* what this connection brought, as it came */
    size_t heard_len, line_at;
    bool in_data;
    const char *to_rcpt, *to_dot; /* what it answers there; NULL: it hangs up instead */
} gate_server = { .listening = -1, .mail = -1, .to_rcpt = "250 ok\r\n", .to_dot = "250 queued\r\n" };
static int gate_core = -1; /* the core's end of the link */
static int gate_turns;

static int64_t gate_world_now_us(void *ctx)
{
    (void)ctx;
    return gate_now_us(g);
}

static void gate_world_tell(void *ctx, struct event *ev, const struct visit *v)
{
    gate_tell(ctx, ev, v, 0);
}

static void gate_server_say(const char *words)
{
    if (words)
        (void)!send(gate_server.mail, words, strlen(words), MSG_NOSIGNAL);
    else
        (void)shutdown(gate_server.mail, SHUT_RDWR);
}

static void gate_server_line(struct slice line)
{
    if (gate_server.in_data) {
        if (!slice_eq(line, SLICE(".\r\n")))
            return;
        gate_server.in_data = false;
        gate_server_say(gate_server.to_dot);
    } else if (slice_starts_nocase(line, SLICE("DATA"))) {
        gate_server.in_data = true;
        gate_server_say("354 go\r\n");
    } else
        gate_server_say(slice_starts_nocase(line, SLICE("RCPT")) ? gate_server.to_rcpt : "250 ok\r\n");
}

/* Kept as it came; what is older than the last line goes when there is no more room. */
static void gate_server_hear(struct slice in)
{
    struct gate_server *s = &gate_server;

    for (size_t i = 0; i < in.len; i++) {
        if (s->heard_len + 1 == sizeof(s->heard)) {
            memmove(s->heard, s->heard + s->line_at, s->heard_len - s->line_at);
            s->heard_len = s->line_at > 0 ? s->heard_len - s->line_at : 0;
            s->line_at = 0;
        }
        s->heard[s->heard_len++] = (char)in.at[i];
        s->heard[s->heard_len] = '\0';
        if (in.at[i] != '\n')
            continue;
        gate_server_line(slice_of(s->heard + s->line_at, s->heard_len - s->line_at));
        s->line_at = s->heard_len;
    }
}

static bool gate_server_serve(void) /* did anything happen? */
{
    struct gate_server *s = &gate_server;
    char in[65536];
    ssize_t n;

    if (s->mail < 0) {
        s->mail = accept4(s->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        s->in_data = false;
        s->heard_len = s->line_at = 0;
        (void)setsockopt(s->mail, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)); /* replies come at once */
        if (s->mail >= 0)
            gate_server_say("220 mail.test\r\n");
        return s->mail >= 0;
    }
    n = recv(s->mail, in, sizeof(in), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        (void)close(s->mail);
        s->mail = -1;
        return true;
    }
    gate_server_hear(slice_of(in, n > 0 ? (size_t)n : 0));
    return n > 0;
}

static void gate_world_nothing(void *ctx)
{
    (void)ctx;
}

static void gate_world_on_turn(void *ctx)
{
    char drop[4096];

    (void)ctx;
    (void)loop_timer(role.loop, 0, 0, gate_world_nothing, NULL); /* never asleep */
    session_flush_all(g);
    if (gate_server_serve())
        gate_turns = 0;
    while (recv(gate_core, drop, sizeof(drop), MSG_DONTWAIT) > 0)
        ;
    if (++gate_turns > TURNS_QUIET)
        loop_stop(role.loop);
}

static void gate_world_turn(void) /* until whatever was under way on loopback is over */
{
    struct err e;

    gate_turns = 0;
    (void)loop_run(role.loop, &e);
}

static void gate_server_listen(struct addr *at)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(here);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert(bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(fd, 16) == 0);
    assert(getsockname(fd, (struct sockaddr *)&here, &len) == 0);
    *at = addr_v4(INADDR_LOOPBACK, ntohs(here.sin_port));
    gate_server.listening = fd;
}

static void gate_world_on_gone(void *ctx, struct chan *c, const char *why)
{
    (void)ctx;
    (void)c;
    (void)why;
}

static void gate_world_limits(void)
{
    g->set.limits = (struct gate_limits){ .places = 100,
                                          .per_address = 100,
                                          .per_network = 100,
                                          .per_organisation = 100,
                                          .recipients = 5,
                                          .unknown_recipients = 3,
                                          .errors = 5,
                                          .idle_commands = 10,
                                          .line_bytes = 2048,
                                          .command_us = 60000000,
                                          .data_us = 60000000,
                                          .session_us = 60000000 };
}

static void gate_world_open(void)
{
    struct gate_listener *l;
    struct err e;
    int pair[2];

    g = calloc(1, sizeof(*g));
    assert(g && chan_pair(pair, &e) == 0);
    gate_core = pair[1];
    role.loop = loop_new(&e);
    role.core = chan_new(pair[0], "core", NULL, 0, g, &e);
    assert(role.loop && role.core && chan_attach(role.core, role.loop, gate_world_on_gone, &e) == 0);
    g->role = &role;
    g->armed_us = INT64_MAX;
    g->self.own = g->own;
    g->timers = timers_new(1024, &e);
    gate_world_limits();
    g->set.listeners_count = 1;
    l = &g->set.listeners[0];
    *l = (struct gate_listener){ .name = "test", .identity = GATE_NOBODY, .outside = GATE_OUTSIDE_NO };
    l->checks.junk = l->checks.pipelining = l->checks.early = GATE_REFUSE;
    gate_server_listen(&l->to);
    g->backends[0] = (struct backend){ .gate = g, .at = l, .state = BACKEND_UP, .name = "mail.test" };
    g->backends[0].offer.can = SMTP_CAN_PIPELINING | SMTP_CAN_8BITMIME;
    g->doors[0] = (struct door){ .gate = g, .at = l, .fd = -1 };
    g->means = (struct gate_means){ .set = &g->set,
                                    .self = &g->self,
                                    .loop = role.loop,
                                    .name = "mail.test",
                                    .now_us = gate_world_now_us,
                                    .wall_us = gate_world_now_us,
                                    .tell = gate_world_tell,
                                    .ctx = g };
    g->means.limits = limits_new(&g->set.limits, 7, &e);
    g->means.book = book_new(-1, 1024, &e);
    g->tarpit = tarpit_new(role.loop, &g->set.limits, &e);
    assert(g->timers && g->means.limits && g->means.book && g->tarpit);
    loop_before_sleep(role.loop, gate_world_on_turn, NULL);
}

/* A client comes from 44.1.0.2; its end of the connection, or -1. */
static int gate_world_come(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    session_new(&g->doors[0], ends[0], addr_v4(0x2c010002, 4000), addr_v4(0x2c010001, 25));
    gate_world_turn();
    return ends[1];
}

/* The client hangs up: its session ends, and nothing of it stays. */
static void gate_world_leave(int fd)
{
    (void)close(fd);
    for (int i = 0; i < 50 && g->sessions_count > 0; i++)
        gate_world_turn();
    assert(g->sessions_count == 0 && limits_taken(g->means.limits) == 0);
}
#endif
