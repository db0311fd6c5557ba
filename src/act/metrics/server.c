/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/metrics/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/library.h"
#include "sys/say.h"

enum { CONNECTIONS = 16, PATIENCE_S = 10, REQUEST = 16 * 1024, TICK_US = 1000000, TURNS = 256 };

/* What we call of libmicrohttpd, each with its own type. */
#define MHD_CALLS(X)                                                                                                   \
    X(start_daemon)                                                                                                    \
    X(run)                                                                                                             \
    X(get_timeout)                                                                                                     \
    X(get_daemon_info) X(create_response_from_buffer) X(add_response_header) X(queue_response) X(destroy_response)

static struct {
#define MEMBER(name) __typeof__(MHD_##name) *name;
    MHD_CALLS(MEMBER)
#undef MEMBER
} mhd;

struct server {
    struct loop *loop;
    void (*make)(void *ctx, struct text *page);
    void *ctx;
    char *page;
    struct MHD_Daemon *daemon;
};

static int load(struct err *e)
{
    static const struct library library = { "libmicrohttpd.so.12", "libmicrohttpd12", "metrics need libmicrohttpd" };
#define CALL(name) { "MHD_" #name, &mhd.name },
    static const struct library_call calls[] = { MHD_CALLS(CALL) };
#undef CALL

    return library_open(&library, calls, sizeof(calls) / sizeof(*calls), e);
}

struct server *metrics_server_new(struct loop *l, void (*make)(void *ctx, struct text *page), void *ctx, struct err *e)
{
    struct server *s = calloc(1, sizeof(*s));

    if (s)
        *s = (struct server){ .loop = l, .make = make, .ctx = ctx, .page = malloc(SERVER_PAGE) };
    if (s && s->page && load(e) == 0)
        return s;
    if (!s || !s->page)
        (void)err_set(e, ENOMEM, "metrics");
    if (s)
        free(s->page);
    free(s);
    return NULL;
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, struct slice body,
                              enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *r = mhd.create_response_from_buffer(body.len, (void *)(uintptr_t)body.at, mode);
    enum MHD_Result result;

    if (!r)
        return MHD_NO;
    (void)mhd.add_response_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    (void)mhd.add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)mhd.add_response_header(r, "Allow", "GET, HEAD");
    result = mhd.queue_response(c, status, r);
    mhd.destroy_response(r);
    return result;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *body, size_t *body_len, void **seen)
{
    struct server *s = ctx;
    struct text t = text_in(s->page, SERVER_PAGE);
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    (void)version;
    (void)body;
    if (!*seen) { /* the head alone is there */
        *seen = s;
        return MHD_YES;
    }
    if (*body_len > 0) { /* what nobody asked for */
        *body_len = 0;
        return MHD_YES;
    }
    if (!reads || strcmp(url, "/metrics") != 0)
        return answer(c, reads ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED, SLICE("only GET /metrics is here\n"),
                      MHD_RESPMEM_PERSISTENT);
    s->make(s->ctx, &t);
    return answer(c, MHD_HTTP_OK, slice_of(s->page, t.len), MHD_RESPMEM_MUST_COPY);
}

/* It says itself when it has more to do although nothing stirs; that is done before anything else, but not for ever. */
static void run(struct server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;

    for (unsigned i = 0; i < TURNS && wait_ms == 0; i++) {
        (void)mhd.run(s->daemon);
        if (mhd.get_timeout(s->daemon, &wait_ms) != MHD_YES)
            return;
    }
}

static void on_ready(void *ctx, int fd, int events)
{
    (void)fd;
    (void)events;
    run(ctx);
}

static void on_tick(void *ctx)
{
    run(ctx); /* its time-outs */
}

int metrics_server_open(struct server *s, int fd, struct err *e)
{
    const union MHD_DaemonInfo *info;

    s->daemon =
        mhd.start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)PATIENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST, MHD_OPTION_END);
    info = s->daemon ? mhd.get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        (void)close(fd);
        return err_set(e, 0, "libmicrohttpd does not take the socket");
    }
    if (loop_watch(s->loop, info->epoll_fd, LOOP_IN, on_ready, s, e) < 0)
        return -1;
    return loop_timer(s->loop, TICK_US, TICK_US, on_tick, s) ? 0 : err_set(e, 0, "no room for a timer");
}
