/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Syslog to another host: octet-counted (RFC 6587) over TCP, or the same in TLS (RFC 5425). */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sense/log/sender.h"
#include "sense/log/store.h"

enum { OUT_GOAL = 64 << 10, OUT_ROOM = OUT_GOAL + STORE_LINE_MAX + 64 };

struct sender {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl; /* NULL: plain */
    uint64_t taken, sent;
    size_t len;
    uint8_t out[OUT_ROOM];
};

static void close_it(struct sender *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    SSL_CTX_free(s->ctx);
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s);
}

/* Until OpenSSL can go on; false: it can't. */
static bool wait_tls(struct sender *s, int result)
{
    int why = SSL_get_error(s->ssl, result);

    return (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) &&
           sender_wait(s->fd, why == SSL_ERROR_WANT_WRITE);
}

static int write_tls(struct sender *s, const uint8_t *at, size_t len, struct err *e)
{
    while (len > 0) {
        int n = SSL_write(s->ssl, at, (int)len);

        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (!wait_tls(s, n))
            return err_set(e, 0, "TLS: the other side takes nothing");
    }
    return 0;
}

static int begin_tls(struct sender *s, struct addr to, struct err *e)
{
    char words[200];

    s->ctx = SSL_CTX_new(TLS_client_method());
    if (s->ctx && SSL_CTX_set_default_verify_paths(s->ctx) == 1 && (s->ssl = SSL_new(s->ctx))) {
        SSL_set_verify(s->ssl, SSL_VERIFY_PEER, NULL);
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), addr_ip_text(to).text);
        if (SSL_set_fd(s->ssl, s->fd) == 1) {
            int result;

            while ((result = SSL_connect(s->ssl)) < 0 && wait_tls(s, result))
                continue;
            if (result == 1)
                return 0;
        }
    }
    ERR_error_string_n(ERR_get_error(), words, sizeof(words));
    ERR_clear_error();
    return err_set(e, 0, "TLS: %s", words);
}

static struct sender *open_it(struct addr to, bool secure, struct err *e)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (!s) {
        err_set(e, ENOMEM, "sender");
        return NULL;
    }
    s->fd = sender_connect(to, e);
    if (s->fd >= 0 && (!secure || begin_tls(s, to, e) == 0))
        return s;
    close_it(s);
    return NULL;
}

static struct sender *open_tcp(struct addr to, const uint8_t id[32], struct err *e)
{
    (void)id;
    return open_it(to, false, e);
}

static struct sender *open_tls(struct addr to, const uint8_t id[32], struct err *e)
{
    (void)id;
    return open_it(to, true, e);
}

static int flush_it(struct sender *s, struct err *e)
{
    size_t len = s->len;

    s->len = 0;
    if ((s->ssl ? write_tls(s, s->out, len, e) : sender_write(s->fd, s->out, len, e)) < 0)
        return -1;
    s->sent = s->taken;
    return 0;
}

static int send_it(struct sender *s, const struct log_line *line, struct err *e)
{
    if (s->len >= OUT_GOAL && flush_it(s, e) < 0)
        return -1;
    s->len += (size_t)snprintf((char *)s->out + s->len, 32, "%zu ", line->raw.len);
    memcpy(s->out + s->len, line->raw.at, line->raw.len);
    s->len += line->raw.len;
    s->taken = line->seq;
    return 0;
}

static int acked(struct sender *s, int wait_ms, uint64_t *seq, struct err *e)
{
    (void)wait_ms;
    (void)e;
    *seq = s->sent;
    return 0;
}

const struct sender_kind sender_tcp = {
    .name = "tcp",
    .open = open_tcp,
    .send = send_it,
    .flush = flush_it,
    .acked = acked,
    .close = close_it,
    .window = 1 << 20,
};
const struct sender_kind sender_tls = {
    .name = "tls",
    .open = open_tls,
    .send = send_it,
    .flush = flush_it,
    .acked = acked,
    .close = close_it,
    .window = 1 << 20,
};
