/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS 1.2 and 1.3 by OpenSSL, the server's side of RFC 5425: a client shows a certificate, and its name is kept. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/log/stream.h"

struct secure_house {
    SSL_CTX *ctx;
};

struct secure {
    SSL *ssl;
    bool told;
};

static int failed(struct err *e, const char *what)
{
    char words[200];
    unsigned long code = ERR_get_error();

    ERR_clear_error();
    if (code == 0)
        return err_set(e, 0, "%s", what);
    ERR_error_string_n(code, words, sizeof(words));
    return err_set(e, 0, "%s: %s", what, words);
}

/* With lists each client's authority must have one, and one that is not out of date. */
static int ask_the_lists(SSL_CTX *ctx, const char *file, struct err *e)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

    if (!lookup || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) < 1 ||
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) != 1)
        return failed(e, file);
    return 0;
}

static int configure(SSL_CTX *ctx, const struct log_settings *s, struct err *e)
{
    int how = s->client == LOG_CLIENT_MUST  ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            : s->client == LOG_CLIENT_ASKED ? SSL_VERIFY_PEER
                                            : SSL_VERIFY_NONE;

    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(ctx, 1);
    if (!s->certificate[0] || !s->key[0])
        return err_set(e, 0, "log: tls needs certificate and key, in certificates");
    if (SSL_CTX_use_certificate_chain_file(ctx, s->certificate) != 1)
        return failed(e, s->certificate);
    if (SSL_CTX_use_PrivateKey_file(ctx, s->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        return failed(e, s->key);
    if (how != SSL_VERIFY_NONE && !s->clients[0])
        return err_set(e, 0, "log: tls with client certificates needs clients, in certificates");
    if (s->clients[0] && SSL_CTX_load_verify_locations(ctx, s->clients, NULL) != 1)
        return failed(e, s->clients);
    if (s->revoked[0] && ask_the_lists(ctx, s->revoked, e) < 0)
        return -1;
    SSL_CTX_set_verify(ctx, how, NULL);
    (void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"serviola", 8);
    return 0;
}

struct secure_house *secure_house_new(const struct log_settings *s, struct err *e)
{
    struct secure_house *h = calloc(1, sizeof(*h));

    if (!h) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    h->ctx = SSL_CTX_new(TLS_server_method());
    if (h->ctx && configure(h->ctx, s, e) == 0)
        return h;
    if (!h->ctx)
        (void)failed(e, "TLS");
    secure_house_free(h);
    return NULL;
}

void secure_house_free(struct secure_house *h)
{
    if (!h)
        return;
    SSL_CTX_free(h->ctx);
    free(h);
}

struct secure *secure_new(struct secure_house *h, int fd, struct err *e)
{
    struct secure *t = calloc(1, sizeof(*t));

    if (t && (t->ssl = SSL_new(h->ctx)) && SSL_set_fd(t->ssl, fd) == 1) {
        SSL_set_accept_state(t->ssl);
        return t;
    }
    (void)failed(e, "TLS");
    secure_free(t);
    return NULL;
}

void secure_free(struct secure *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

/* As much as there is: the callers' buffer is larger than a record, and what OpenSSL holds no descriptor reports. */
ssize_t secure_read(struct secure *t, void *at, size_t len, struct err *why)
{
    size_t all = 0;
    int n = 0;

    ERR_clear_error();
    while (all < len && (n = SSL_read(t->ssl, (uint8_t *)at + all, (int)(len - all))) > 0)
        all += (size_t)n;
    if (all > 0)
        return (ssize_t)all;
    switch (SSL_get_error(t->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SECURE_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        if (ERR_peek_error() == 0)
            return 0;
        break;
    default:
        break;
    }
    if (SSL_get_verify_result(t->ssl) != X509_V_OK)
        err_set(why, 0, "TLS: its certificate: %s", X509_verify_cert_error_string(SSL_get_verify_result(t->ssl)));
    else
        (void)failed(why, "TLS");
    return SECURE_FAILED;
}

bool secure_is_ready(const struct secure *t)
{
    return SSL_is_init_finished(t->ssl);
}

bool secure_identity(struct secure *t, char *name, size_t size)
{
    X509 *x;
    int n;

    if (t->told || !SSL_is_init_finished(t->ssl))
        return false;
    t->told = true;
    x = SSL_get1_peer_certificate(t->ssl);
    if (!x)
        return false;
    n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, (int)size);
    X509_free(x);
    return n > 0;
}
