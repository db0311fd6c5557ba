/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of the gate that sends any bytes, in segments that a 0xff ends; the server behind is a scripted one on
 * loopback.  Every reply is a reply, every session ends, and nothing stays behind.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/gate/book.h"
#include "sense/gate/inner.h"
#include "sys/loop.h"

static struct gate *g;
static struct role role;
static int core_end = -1, server_fd = -1; /* the core's end of the link; the server's listening socket */
static int mail_fd = -1;                  /* its one connection */

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return gate_now_us(g);
}

static void tell(void *ctx, struct event *ev, const struct visit *v)
{
    gate_tell(ctx, ev, v, 0);
}

/* Says yes to each line, 354 to DATA; enough for the dialogue to go on. */
static void serve(void)
{
    char in[65536];
    ssize_t n;

    if (mail_fd < 0) {
        mail_fd = accept4(server_fd, NULL, NULL, SOCK_NONBLOCK);
        if (mail_fd >= 0)
            (void)!send(mail_fd, "220 mail.test\r\n", 15, MSG_NOSIGNAL);
        return;
    }
    n = recv(mail_fd, in, sizeof(in), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        (void)close(mail_fd);
        mail_fd = -1;
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (in[i] != '\n')
            continue;
        if (i >= 5 && memcmp(in + i - 5, "DATA\r", 5) == 0)
            (void)!send(mail_fd, "354 go\r\n", 8, MSG_NOSIGNAL);
        else
            (void)!send(mail_fd, "250 ok\r\n", 8, MSG_NOSIGNAL);
    }
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static int turns;
static void on_turn(void *ctx)
{
    char drop[4096];

    (void)ctx;
    (void)loop_timer(role.loop, 0, 0, nothing, NULL); /* never asleep */
    session_flush_all(g);
    serve();
    while (recv(core_end, drop, sizeof(drop), MSG_DONTWAIT) > 0)
        ;
    if (++turns > 12)
        loop_stop(role.loop);
}

static void turn(void)
{
    struct err e;

    turns = 0;
    (void)loop_run(role.loop, &e);
}

static void listen_as_server(struct addr *at)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(here);

    server_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert(bind(server_fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(server_fd, 16) == 0);
    assert(getsockname(server_fd, (struct sockaddr *)&here, &len) == 0);
    *at = addr_v4(INADDR_LOOPBACK, ntohs(here.sin_port));
}

static void on_gone(void *ctx, struct chan *c, const char *why)
{
    (void)ctx;
    (void)c;
    (void)why;
}

static void set_up(void)
{
    struct gate_listener *l;
    struct err e;
    int pair[2];

    g = calloc(1, sizeof(*g));
    assert(g && chan_pair(pair, &e) == 0);
    core_end = pair[1];
    role.loop = loop_new(&e);
    role.core = chan_new(pair[0], "core", NULL, 0, g, &e);
    assert(role.loop && role.core && chan_attach(role.core, role.loop, on_gone, &e) == 0);
    g->role = &role;
    g->armed_us = INT64_MAX;
    g->self.own = g->own;
    g->timers = timers_new(1024, &e);
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
    g->set.listeners_count = 1;
    l = &g->set.listeners[0];
    *l = (struct gate_listener){ .name = "fuzz", .identity = GATE_NOBODY, .outside = GATE_OUTSIDE_NO };
    l->checks.junk = l->checks.pipelining = l->checks.early = GATE_REFUSE;
    listen_as_server(&l->to);
    g->backends[0] = (struct backend){ .gate = g, .at = l, .state = BACKEND_UP, .name = "mail.test" };
    g->backends[0].offer.can = SMTP_CAN_PIPELINING | SMTP_CAN_8BITMIME;
    g->doors[0] = (struct door){ .gate = g, .at = l, .fd = -1 };
    g->means = (struct gate_means){ .set = &g->set,
                                    .self = &g->self,
                                    .loop = role.loop,
                                    .name = "mail.test",
                                    .now_us = now_us,
                                    .wall_us = now_us,
                                    .tell = tell,
                                    .ctx = g };
    g->means.limits = limits_new(&g->set.limits, 7, &e);
    g->means.book = book_new(-1, 1024, &e);
    g->tarpit = tarpit_new(role.loop, &g->set.limits, &e);
    assert(g->timers && g->means.limits && g->means.book && g->tarpit);
    loop_before_sleep(role.loop, on_turn, NULL);
}

/* Each line that comes back begins with a code. */
static void hear(int fd)
{
    static char heard[1 << 18];
    size_t len = 0;
    ssize_t n;

    while (len < sizeof(heard) && (n = recv(fd, heard + len, sizeof(heard) - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    for (char *at = heard, *end; len > 0 && (end = memchr(at, '\n', len)); len -= (size_t)(end + 1 - at), at = end + 1)
        assert(end - at >= 4 && at[0] >= '2' && at[0] <= '5' && end[-1] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    int ends[2];

    if (!g)
        set_up();
    if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return 0;
    session_new(&g->doors[0], ends[0], addr_v4(0x2c010002, 4000), addr_v4(0x2c010001, 25));
    turn();
    for (int segments = 0; rest.len > 0 && segments < 16; segments++) {
        struct slice one = slice_until(rest, (char)0xff, &rest);

        (void)!send(ends[1], one.at, one.len, MSG_NOSIGNAL);
        turn();
        hear(ends[1]);
    }
    (void)close(ends[1]);
    for (int i = 0; i < 50 && g->sessions_count > 0; i++)
        turn();
    assert(g->sessions_count == 0 && limits_taken(g->means.limits) == 0);
    return 0;
}
