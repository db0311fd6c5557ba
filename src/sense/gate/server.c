/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection to the mail server: who the client is, the greeting, EHLO; from then on what a session says. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/inner.h"
#include "sys/loop.h"
#include "sys/sockaddr.h"
#include "wire/proxyproto.h"

enum server_state {
    SERVER_BORROWING,
    SERVER_CONNECTING,
    SERVER_GREETING,
    SERVER_EHLO,
    SERVER_XCLIENT,
    SERVER_READY,
    SERVER_OVER
};
enum { LINE_MOST = 1024, REPLIES_A_TURN = 64, BORROWING_MOST = 128, BORROW_IDS = 1 << 20 /* above those of doors */ };

struct server {
    struct backend *backend;
    struct addr client, local;
    char *client_name, *helo; /* owned; NULL: none */
    const struct server_hooks *hooks;
    void *ctx;
    struct server *next_borrowing; /* in g->borrowing */
    uint32_t borrow_id;
    int fd;
    enum server_state state;
    bool introduced; /* XCLIENT was taken */
    bool watched_out;
    int64_t due_us;
    struct outbox out;
    struct inbox in; /* the beginning of a reply */
    bool in_hook, freed;
};

static void on_socket(void *ctx, int fd, int events);

bool server_is_ready(const struct server *s)
{
    return s->state == SERVER_READY;
}

int64_t server_due_us(const struct server *s)
{
    return s->due_us;
}

static void release(struct server *s)
{
    free(s->client_name);
    free(s->helo);
    free(s->in.at);
    outbox_free(&s->out);
    free(s);
}

static void stop_borrowing(struct server *s)
{
    struct gate *g = s->backend->gate;

    for (struct server **at = &g->borrowing; *at; at = &(*at)->next_borrowing)
        if (*at == s) {
            *at = s->next_borrowing;
            g->borrowing_count--;
            return;
        }
}

static void hang_up(struct server *s)
{
    if (s->state == SERVER_BORROWING)
        stop_borrowing(s);
    s->state = SERVER_OVER;
    if (s->fd < 0)
        return;
    loop_close(s->backend->gate->role->loop, s->fd);
    s->fd = -1;
}

int server_give_up(struct server *s, struct slice *unread)
{
    int fd = s->fd;

    *unread = slice_of(s->in.at, s->in.len);
    if (s->state != SERVER_READY || s->out.len > 0)
        return -1;
    loop_unwatch(s->backend->gate->role->loop, fd);
    s->fd = -1;
    return fd;
}

void server_close(struct server *s, bool politely)
{
    if (!s)
        return;
    if (politely && s->state == SERVER_READY && s->out.len == 0)
        (void)send(s->fd, "QUIT\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
    hang_up(s);
    s->hooks = NULL;
    if (s->in_hook)
        s->freed = true;
    else
        release(s);
}

static void fail(struct server *s, const char *why, const struct smtpreply *said)
{
    if (s->state == SERVER_OVER)
        return;
    if (s->state < SERVER_READY)
        backend_failed(s->backend, why);
    hang_up(s);
    if (s->hooks)
        s->hooks->failed(s->ctx, why, said);
}

void server_expire(struct server *s)
{
    s->in_hook = true;
    fail(s, s->state <= SERVER_CONNECTING ? "no connection in time" : "no answer in time", NULL);
    s->in_hook = false;
    if (s->freed)
        release(s);
}

static void want(struct server *s)
{
    bool out = s->out.len > 0 || s->state <= SERVER_CONNECTING;
    struct err e;

    if (s->fd < 0 || out == s->watched_out)
        return;
    s->watched_out = out;
    (void)loop_change(s->backend->gate->role->loop, s->fd, LOOP_IN | (out ? LOOP_OUT : 0), &e);
}

static void push(struct server *s)
{
    if (s->state <= SERVER_CONNECTING || s->state == SERVER_OVER)
        return;
    if (outbox_send(&s->out, s->fd, NULL) < 0)
        (void)shutdown(s->fd, SHUT_RDWR); /* reading finds the end, and tells it in its own time */
    want(s);
}

void server_say(struct server *s, struct slice lines)
{
    s->due_us = gate_now_us(s->backend->gate) + SERVER_REPLY_S * 1000000LL;
    if (outbox_add(&s->out, lines))
        push(s);
}

bool server_feed(struct server *s, struct slice bytes)
{
    if (s->out.len == 0 && s->state == SERVER_READY && bytes.len > 0) {
        ssize_t n = send(s->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

        bytes = slice_skip(bytes, n > 0 ? (size_t)n : 0);
    }
    if (!outbox_add(&s->out, bytes))
        return false;
    if (s->out.len > 0)
        push(s);
    return s->out.len == 0;
}

/* ---- the opening ---- */

static void say(struct server *s, const char *line)
{
    (void)outbox_add(&s->out, slice_text(line));
    push(s);
}

static void say_ehlo(struct server *s)
{
    char line[LINE_MOST];
    struct text t = TEXT_IN(line);

    s->state = SERVER_EHLO;
    text_word(&t, "EHLO ");
    text_word(&t, s->helo && s->helo[0] ? s->helo : gate_name(s->backend));
    text_word(&t, "\r\n");
    say(s, line);
}

/* RFC 1891 xtext, as Postfix wants it in attribute values. */
static void add_xtext(struct text *t, const char *s)
{
    for (; *s; s++)
        if (*s > ' ' && *s < 0x7f && *s != '+' && *s != '=')
            text_addf(t, "%c", *s);
        else
            text_addf(t, "+%02X", (unsigned)(unsigned char)*s);
}

static void say_xclient(struct server *s)
{
    char line[LINE_MOST];
    struct text t = TEXT_IN(line);

    s->state = SERVER_XCLIENT;
    text_addf(&t, "XCLIENT ADDR=%s%s PORT=%u NAME=", s->client.family == 6 ? "IPV6:" : "", addr_ip_text(s->client).text,
              (unsigned)s->client.port);
    if (s->client_name)
        add_xtext(&t, s->client_name);
    else
        text_word(&t, "[UNAVAILABLE]");
    if (s->helo && s->helo[0]) {
        text_word(&t, " HELO=");
        add_xtext(&t, s->helo);
    }
    text_word(&t, " PROTO=ESMTP\r\n");
    say(s, line);
}

/* The server does not take the client's address from us: it would take the client for ourselves. */
static void not_introduced(struct server *s, const char *why, const struct smtpreply *said)
{
    struct event ev = event_new(EV_GATE_IDENTITY_REFUSED);

    ev.src = s->client;
    event_add_bytes(&ev, F_SERVER, &s->backend->at->to, sizeof(s->backend->at->to));
    event_add_words(&ev, F_WHY, why);
    if (said)
        event_add_text(&ev, F_REPLY, slice_trim(said->first));
    gate_tell(s->backend->gate, &ev, NULL, 0);
    fail(s, why, NULL);
}

static void on_opening(struct server *s, const struct smtpreply *r)
{
    struct smtp_offer offer;
    bool xclient = s->backend->at->identity == GATE_XCLIENT && s->client.family != 0;

    if (s->state == SERVER_GREETING) {
        if (r->code != 220)
            fail(s, "the server does not greet with 220", r);
        else
            say_ehlo(s);
        return;
    }
    if (s->state == SERVER_XCLIENT) {
        s->introduced = r->code == 220;
        if (s->introduced)
            say_ehlo(s);
        else
            not_introduced(s, "the server refuses XCLIENT; smtpd_authorized_xclient_hosts must name this host", r);
        return;
    }
    if (!smtp_offer_read(r, &offer)) {
        fail(s, "the server refuses EHLO", r);
        return;
    }
    if (xclient && !s->introduced) {
        if (offer.can & SMTP_CAN_XCLIENT)
            say_xclient(s);
        else
            not_introduced(s, "the server does not offer XCLIENT; smtpd_authorized_xclient_hosts must name this host",
                           NULL);
        return;
    }
    s->state = SERVER_READY;
    backend_worked(s->backend);
    if (s->hooks)
        s->hooks->ready(s->ctx, r);
}

/* A socket of the loopback device is often connected by now, and always soon. */
static void introduce(struct server *s)
{
    uint8_t header[PROXYPROTO_MOST];
    size_t len = 0;

    if (s->backend->at->identity == GATE_PROXY2)
        len = proxyproto_write_v2(s->client, s->local, header, sizeof(header));
    else if (s->backend->at->identity == GATE_PROXY1)
        len = proxyproto_write_v1(s->client, s->local, header, sizeof(header));
    (void)outbox_add(&s->out, slice_of(header, len));
}

static void on_connected(struct server *s, int events)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if ((events & LOOP_GONE) && (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)) {
        fail(s, error == ECONNREFUSED ? "connection refused" : strerror(error), NULL);
        return;
    }
    s->state = SERVER_GREETING;
    push(s);
    want(s);
}

/* ---- reading ---- */

static void take(struct server *s, struct slice in)
{
    struct smtpreply r;

    for (int turn = 0; in.len > 0 && s->state != SERVER_OVER && turn < REPLIES_A_TURN; turn++) {
        enum smtpreply_got got = smtpreply_read(in, &r);

        if (got == SMTPREPLY_BAD) {
            fail(s, "the server answers with what is no SMTP", NULL);
            return;
        }
        if (got == SMTPREPLY_MORE)
            break;
        in = slice_skip(in, r.all.len);
        if (s->state < SERVER_READY)
            on_opening(s, &r);
        else if (s->hooks)
            s->hooks->reply(s->ctx, &r);
    }
    if (s->state != SERVER_OVER && !inbox_keep(&s->in, in))
        fail(s, "no memory", NULL);
}

static void on_readable(struct server *s)
{
    uint8_t buffer[SMTPREPLY_BYTES * 2];
    ssize_t n;

    if (s->in.len > SMTPREPLY_BYTES) {
        fail(s, "the server's reply is too long", NULL);
        return;
    }
    memcpy(buffer, s->in.at ? s->in.at : buffer, s->in.len);
    n = recv(s->fd, buffer + s->in.len, SMTPREPLY_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fail(s, n == 0 ? "the server hung up" : strerror(errno), NULL);
        return;
    }
    take(s, slice_of(buffer, s->in.len + (size_t)n));
}

static void on_socket(void *ctx, int fd, int events)
{
    struct server *s = ctx;
    bool waited = s->out.len > 0;

    (void)fd;
    s->in_hook = true;
    if (s->state == SERVER_CONNECTING) {
        on_connected(s, events);
    }
    if (s->state > SERVER_CONNECTING) {
        if (events & LOOP_OUT)
            push(s);
        if (s->state != SERVER_OVER && waited && s->out.len == 0 && s->hooks && s->state == SERVER_READY)
            s->hooks->drained(s->ctx);
        if (s->state != SERVER_OVER && (events & (LOOP_IN | LOOP_GONE)))
            on_readable(s);
    }
    s->in_hook = false;
    if (s->freed)
        release(s);
}

/* ---- making one ---- */

static int connect_now(struct server *s)
{
    struct sockaddr_storage room;
    socklen_t len = sockaddr_from(s->backend->at->to, &room);
    int one = 1;
    struct err e;

    s->state = SERVER_CONNECTING;
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(s->fd, (const struct sockaddr *)(const void *)&room, len) < 0 && errno != EINPROGRESS)
        return -1;
    introduce(s);
    if (outbox_send(&s->out, s->fd, NULL) < 0)
        return -1;
    s->watched_out = s->out.len > 0;
    return loop_watch(s->backend->gate->role->loop, s->fd, LOOP_IN | (s->watched_out ? LOOP_OUT : 0), on_socket, s, &e);
}

/* A socket in the client's name comes from the hand, in its own time. */
static int borrow(struct server *s)
{
    struct gate *g = s->backend->gate;

    errno = EAGAIN;
    if (g->borrowing_count >= BORROWING_MOST)
        return -1;
    s->state = SERVER_BORROWING;
    s->borrow_id = g->borrow_id = BORROW_IDS | ((g->borrow_id + 1) & (BORROW_IDS - 1));
    if (chan_send(g->role->core, HAND_BORROW, s->borrow_id, 0, &s->client, sizeof(s->client), -1) < 0)
        return -1;
    s->next_borrowing = g->borrowing;
    g->borrowing = s;
    g->borrowing_count++;
    return 0;
}

int server_on_lent(struct gate *g, uint32_t id, const struct hand_outcome *o, int fd)
{
    struct server *s = g->borrowing;

    while (s && s->borrow_id != id)
        s = s->next_borrowing;
    if (!s) { /* the client left meanwhile */
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    stop_borrowing(s);
    s->fd = fd;
    s->in_hook = true;
    if (fd < 0) {
        s->state = SERVER_CONNECTING;
        fail(s, hand_code_words((enum hand_code)o->code), NULL);
    } else if (connect_now(s) < 0)
        fail(s, strerror(errno), NULL);
    s->in_hook = false;
    if (s->freed)
        release(s);
    return 0;
}

static int connect_to(struct server *s)
{
    if (s->backend->at->identity == GATE_TRANSPARENT)
        return borrow(s);
    s->fd = socket(s->backend->at->to.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return s->fd < 0 ? -1 : connect_now(s);
}

struct server *server_open(struct backend *b, struct addr client, struct addr local, const char *client_name,
                           const char *helo, const struct server_hooks *hooks, void *ctx)
{
    struct server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->backend = b;
    s->client = client;
    s->local = local;
    s->client_name = client_name ? strdup(client_name) : NULL;
    s->helo = helo && helo[0] ? strdup(helo) : NULL;
    s->hooks = hooks;
    s->ctx = ctx;
    s->fd = -1;
    s->state = SERVER_CONNECTING;
    s->due_us = gate_now_us(b->gate) + SERVER_WAIT_S * 1000000LL;
    if (connect_to(s) == 0)
        return s;
    s->state = SERVER_CONNECTING;
    if (errno != EMFILE && errno != ENFILE) /* that is ours, not the server's */
        backend_failed(b, strerror(errno));
    hang_up(s);
    release(s);
    return NULL;
}
