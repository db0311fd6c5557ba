/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TCP connection that never waits: what is to be said goes out when it can, what comes in is shown to the kind. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "sense/watch/services/attempt.h"
#include "sys/sockaddr.h"

enum { READS_A_TURN = 16 };

static void on_socket(void *ctx, int fd, int events);

void talk_end(struct attempt *a)
{
    if (a->ssl) {
        if (a->secured)
            (void)SSL_shutdown(a->ssl); /* a good-bye, if there is room for it; nobody waits for the answer */
        SSL_free(a->ssl);
    }
    a->ssl = NULL;
    if (a->fd >= 0)
        loop_close(a->prober->loop, a->fd);
    a->fd = -1;
}

static void wait_for(struct attempt *a, int events)
{
    if (a->open && loop_change(a->prober->loop, a->fd, events, NULL) < 0)
        attempt_missed(a, "no room to wait for it");
}

/* ---- bytes ---- */

enum flow { FLOW_ON, FLOW_WAITS, FLOW_ENDED }; /* ENDED: so has the attempt */

/* What a call of OpenSSL's that gave `result` waits for. */
static enum flow secure_waits(struct attempt *a, int result)
{
    switch (SSL_get_error(a->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        wait_for(a, LOOP_IN);
        return FLOW_WAITS;
    case SSL_ERROR_WANT_WRITE:
        wait_for(a, LOOP_OUT);
        return FLOW_WAITS;
    default:
        attempt_missed(a, "TLS: %s", trust_words());
        return FLOW_ENDED;
    }
}

static enum flow push(struct attempt *a)
{
    while (a->out_sent < a->out_len) {
        const char *at = a->out + a->out_sent;
        size_t len = a->out_len - a->out_sent;
        ssize_t n = a->ssl ? SSL_write(a->ssl, at, (int)len) : send(a->fd, at, len, MSG_NOSIGNAL);

        if (n > 0)
            a->out_sent += (size_t)n;
        else if (a->ssl)
            return secure_waits(a, (int)n);
        else if (errno == EAGAIN || errno == EINTR) {
            wait_for(a, LOOP_IN | LOOP_OUT);
            return FLOW_WAITS;
        } else {
            attempt_failed(a, "it does not listen to what is said", errno);
            return FLOW_ENDED;
        }
    }
    a->out_len = a->out_sent = 0;
    return FLOW_ON;
}

static void closed(struct attempt *a)
{
    if (a->kind->closed)
        a->kind->closed(a);
    else
        attempt_missed(a, "it closed the connection");
    if (a->open) /* the kind did not know what to make of it */
        attempt_missed(a, "it closed the connection");
}

/* One read; FLOW_ON: there may be more. */
static enum flow pull(struct attempt *a)
{
    size_t room = sizeof(a->in) - a->in_len;
    ssize_t n;

    if (room == 0) {
        attempt_missed(a, "its answer is longer than a probe reads");
        return FLOW_ENDED;
    }
    n = a->ssl ? SSL_read(a->ssl, a->in + a->in_len, (int)room) : recv(a->fd, a->in + a->in_len, room, 0);
    if (n > 0) {
        a->in_len += (size_t)n;
        return FLOW_ON;
    }
    if (a->ssl && SSL_get_error(a->ssl, (int)n) != SSL_ERROR_ZERO_RETURN)
        return secure_waits(a, (int)n);
    if (n < 0 && !a->ssl && (errno == EAGAIN || errno == EINTR)) {
        wait_for(a, LOOP_IN);
        return FLOW_WAITS;
    }
    if (n < 0 && !a->ssl)
        attempt_failed(a, "the connection broke", errno);
    else
        closed(a);
    return FLOW_ENDED;
}

static void converse(struct attempt *a)
{
    for (int i = 0; i < READS_A_TURN && a->open; i++) {
        if (a->out_len > 0 && push(a) != FLOW_ON)
            return;
        if (pull(a) != FLOW_ON)
            return;
        if (a->kind->heard)
            a->kind->heard(a);
        else
            a->in_len = 0;
    }
    if (a->open) {
        if (a->out_len > 0 && push(a) != FLOW_ON)
            return;
        /* OpenSSL may hold more than the socket shows: it is asked again at once. */
        wait_for(a, a->ssl && SSL_pending(a->ssl) > 0 ? LOOP_IN | LOOP_OUT : LOOP_IN);
    }
}

/* ---- the beginning ---- */

static void begin(struct attempt *a)
{
    if (a->kind->begin)
        a->kind->begin(a);
    if (a->open)
        converse(a);
}

static void shake_hands(struct attempt *a)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(a->ssl);
    if (result != 1) {
        (void)secure_waits(a, result);
        return;
    }
    a->secured = true;
    if (trust_judge(a))
        begin(a);
}

void talk_secure(struct attempt *a)
{
    if (a->in_len > 0) {
        attempt_missed(a, "it said more before TLS had begun: somebody may have put that in");
        return;
    }
    a->ssl = trust_new(a, a->fd);
    if (a->ssl)
        shake_hands(a);
}

static void connected(struct attempt *a)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
        attempt_failed(a, "no connection", error ? error : errno);
        return;
    }
    a->connected = true;
    if (a->kind->tls)
        talk_secure(a);
    else
        begin(a);
}

static void on_socket(void *ctx, int fd, int events)
{
    struct attempt *a = ctx;

    (void)fd;
    (void)events;
    if (!a->connected)
        connected(a);
    else if (a->ssl && !a->secured)
        shake_hands(a);
    else
        converse(a);
}

/*
 * Our kernel waits for words of ours to send with the last step of the handshake; there are none, the socket is closed
 * at once, and that sends a reset in its place.  So the other kernel has said that it would take the connection, and
 * has none to hand to the server.
 */
static void be_quiet(int fd)
{
    struct linger at_once = { .l_onoff = 1 };
    int off = 0;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void talk_start(struct attempt *a)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(a->to, &sa);

    a->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (a->fd >= 0 && a->kind->quiet)
        be_quiet(a->fd);
    if (a->fd < 0 || (connect(a->fd, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)) {
        attempt_failed(a, "no connection", errno);
        return;
    }
    if (loop_watch(a->prober->loop, a->fd, LOOP_OUT, on_socket, a, NULL) < 0) {
        (void)close(a->fd);
        a->fd = -1;
        attempt_missed(a, "no room to wait for it");
    }
}

void talk_say(struct attempt *a, const char *words)
{
    size_t len = strlen(words);

    if (len > sizeof(a->out) - a->out_len) {
        attempt_missed(a, "there is more to say than a probe says");
        return;
    }
    memcpy(a->out + a->out_len, words, len);
    a->out_len += len;
}

void talk_eat(struct attempt *a, size_t used)
{
    if (used > a->in_len)
        used = a->in_len;
    a->in_len -= used;
    memmove(a->in, a->in + used, a->in_len);
}
