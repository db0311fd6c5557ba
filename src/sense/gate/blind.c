/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * After the verdict, where the configuration wants it or TLS is the server's: bytes go by unread, both ways.
 *
 * splice(2) moves them through two pipes, so they never come into this
 * process; what one end does not take waits in its pipe, and the other end is
 * not read meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/gate/inner.h"
#include "sys/loop.h"

enum { CLIENT, SERVER, ENDS, PIPE_MOST = 65536 };

struct blind {
    struct session *session;
    struct lane { /* from this end to the other one */
        int fd;   /* of this end */
        int pipe[2];
        uint32_t held; /* bytes in the pipe */
        bool ended;    /* nothing more comes from this end */
        bool shut;     /* and the other end was told */
    } at[ENDS];
    int watched[ENDS]; /* LOOP_IN | LOOP_OUT */
};

static void on_server(void *ctx, int fd, int events);

static bool blocked(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* False: an end is broken. */
static bool pump(struct blind *b, unsigned from)
{
    struct lane *lane = &b->at[from];
    int to = b->at[!from].fd;

    for (;;) {
        ssize_t n = 0;

        if (lane->held < PIPE_MOST && !lane->ended) {
            n = splice(lane->fd, NULL, lane->pipe[1], NULL, PIPE_MOST - lane->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
            if (n > 0)
                lane->held += (uint32_t)n;
            else if (n == 0)
                lane->ended = true;
            else if (!blocked(n))
                return false;
            if (n > 0 && from == CLIENT)
                b->session->bytes += (uint64_t)n;
            else if (n > 0)
                b->session->sent += (uint64_t)n;
        }
        if (lane->held > 0) {
            ssize_t out = splice(lane->pipe[0], NULL, to, NULL, lane->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

            if (out > 0)
                lane->held -= (uint32_t)out;
            else if (!blocked(out))
                return false;
            else
                return true;
        } else if (n <= 0)
            break;
    }
    if (lane->ended && lane->held == 0 && !lane->shut) {
        lane->shut = true;
        (void)shutdown(to, SHUT_WR);
    }
    return true;
}

/* An end is read while its lane has room, and written to while the other lane holds something for it. */
static void watch(struct blind *b)
{
    struct err e;

    for (unsigned end = 0; end < ENDS; end++) {
        int events = (!b->at[end].ended && b->at[end].held == 0 ? LOOP_IN : 0) | (b->at[!end].held > 0 ? LOOP_OUT : 0);

        if (events == b->watched[end])
            continue;
        b->watched[end] = events;
        (void)loop_change(b->session->gate->role->loop, b->at[end].fd, events, &e);
    }
}

static void turn(struct blind *b)
{
    struct session *s = b->session;

    if (!pump(b, CLIENT) || !pump(b, SERVER) || (b->at[CLIENT].shut && b->at[SERVER].shut)) {
        session_end(s);
        return;
    }
    watch(b);
    session_enter(s, S_BLIND); /* its time begins anew */
}

static void on_server(void *ctx, int fd, int events)
{
    (void)fd;
    (void)events;
    turn(ctx);
}

void blind_turn(struct blind *b)
{
    turn(b);
}

static bool put(struct lane *lane, struct slice waiting)
{
    if (waiting.len == 0)
        return true;
    lane->held = (uint32_t)waiting.len;
    return waiting.len <= PIPE_MOST && write(lane->pipe[1], waiting.at, waiting.len) == (ssize_t)waiting.len;
}

struct blind *blind_new(struct session *s, struct slice from_client)
{
    struct blind *b = calloc(1, sizeof(*b));
    struct loop *l = s->gate->role->loop;
    struct slice from_server;
    struct err e;
    bool fits;

    if (!b)
        return NULL;
    b->session = s;
    for (unsigned i = 0; i < ENDS; i++)
        b->at[i] = (struct lane){ .fd = -1, .pipe = { -1, -1 } };
    b->at[CLIENT].fd = s->fd;
    b->watched[CLIENT] = b->watched[SERVER] = LOOP_IN;
    b->at[SERVER].fd = server_give_up(s->server, &from_server);
    if (b->at[SERVER].fd < 0 || pipe2(b->at[CLIENT].pipe, O_NONBLOCK | O_CLOEXEC) < 0 ||
        pipe2(b->at[SERVER].pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        goto fail;
    fits = put(&b->at[CLIENT], from_client) && put(&b->at[SERVER], from_server);
    if (!fits || loop_watch(l, b->at[SERVER].fd, LOOP_IN, on_server, b, &e) < 0)
        goto fail;
    (void)loop_change(l, s->fd, LOOP_IN, &e);
    return b;
fail:
    blind_free(b);
    return NULL;
}

void blind_free(struct blind *b)
{
    if (!b)
        return;
    for (unsigned i = 0; i < ENDS; i++)
        for (int k = 0; k < 2; k++)
            if (b->at[i].pipe[k] >= 0)
                (void)close(b->at[i].pipe[k]);
    if (b->at[SERVER].fd >= 0)
        loop_close(b->session->gate->role->loop, b->at[SERVER].fd);
    free(b);
}
