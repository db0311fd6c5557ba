/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { WORDS = 64, WHY = 128 };

struct tls_context {
    SSL_CTX *ssl;
    int64_t ends_s;
};

struct tls {
    SSL *ssl;
    bool done, failed, wants_write;
    char words[WORDS];
    char why[WHY];
};

/* OpenSSL's own words for what went wrong last; its queue is empty afterwards. */
static const char *last_words(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return reason ? reason : "no reason given";
}

/* A key behind a pass phrase would ask for it on the terminal. */
static int no_phrase(char *buffer, int size, int writing, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static int add_chain(SSL_CTX *ssl, BIO *pem, struct err *e)
{
    X509 *more;

    while ((more = PEM_read_bio_X509(pem, NULL, no_phrase, NULL))) {
        if (SSL_CTX_add0_chain_cert(ssl, more) != 1) {
            X509_free(more);
            return err_set(e, 0, "a certificate of the chain can't be used: %s", last_words());
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return err_set(e, 0, "the chain behind the certificate is damaged: %s", last_words());
    ERR_clear_error();
    return 0;
}

static int use_certificate(struct tls_context *c, struct slice pem, struct err *e)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    X509 *leaf = bio ? PEM_read_bio_X509_AUX(bio, NULL, no_phrase, NULL) : NULL;
    struct tm ends;
    int status = -1;

    if (!leaf) {
        err_set(e, 0, "no certificate in PEM form: %s", last_words());
        goto out;
    }
    if (SSL_CTX_use_certificate(c->ssl, leaf) != 1) {
        err_set(e, 0, "the certificate can't be used: %s", last_words());
        goto out;
    }
    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &ends) == 1)
        c->ends_s = timegm(&ends);
    status = add_chain(c->ssl, bio, e);
out:
    X509_free(leaf);
    BIO_free(bio);
    return status;
}

static int use_key(struct tls_context *c, struct slice pem, struct err *e)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL) : NULL;
    bool ok = key && SSL_CTX_use_PrivateKey(c->ssl, key) == 1 && SSL_CTX_check_private_key(c->ssl) == 1;

    if (!key)
        err_set(e, 0, "no private key in PEM form, or one behind a pass phrase: %s", last_words());
    else if (!ok)
        err_set(e, 0, "the key does not belong to the certificate: %s", last_words());
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok ? 0 : -1;
}

/* What holds for every session: see the header. */
static void set_manners(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_NO_TICKET | SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 0);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
}

struct tls_context *tls_context_new(struct slice certificate, struct slice key, struct err *e)
{
    struct tls_context *c;

    if (certificate.len > INT_MAX || key.len > INT_MAX || OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        err_set(e, 0, "TLS can't be set up");
        return NULL;
    }
    c = calloc(1, sizeof *c);
    if (c)
        c->ssl = SSL_CTX_new(TLS_server_method());
    if (!c || !c->ssl) {
        err_set(e, ENOMEM, "TLS");
        goto fail;
    }
    if (SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION) != 1) {
        err_set(e, 0, "TLS 1.2: %s", last_words());
        goto fail;
    }
    set_manners(c->ssl);
    if (use_certificate(c, certificate, e) < 0 || use_key(c, key, e) < 0)
        goto fail;
    return c;
fail:
    tls_context_free(c);
    return NULL;
}

int64_t tls_context_ends_s(const struct tls_context *c)
{
    return c->ends_s;
}

void tls_context_free(struct tls_context *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ssl);
    free(c);
}

struct tls *tls_new(struct tls_context *c, int fd, struct err *e)
{
    struct tls *t = calloc(1, sizeof *t);

    ERR_clear_error();
    if (t)
        t->ssl = SSL_new(c->ssl);
    if (!t || !t->ssl || SSL_set_fd(t->ssl, fd) != 1) {
        err_set(e, ENOMEM, "TLS session");
        tls_free(t);
        return NULL;
    }
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    ERR_clear_error();
    if (t->done && !t->failed)
        SSL_shutdown(t->ssl); /* says good-bye if there is room for it in the socket; nobody waits for the answer */
    SSL_free(t->ssl);
    ERR_clear_error();
    free(t);
}

static int failed(struct tls *t, int error)
{
    t->failed = true;
    if (error == SSL_ERROR_SYSCALL)
        snprintf(t->why, sizeof t->why, "%s", errno ? strerror(errno) : "the peer is gone");
    else
        snprintf(t->why, sizeof t->why, "%s", last_words());
    ERR_clear_error();
    errno = EPROTO;
    return -1;
}

/* What a call that gave `result` came to: 0 the peer ended, -1 with errno. */
static int not_done(struct tls *t, int result)
{
    int error = SSL_get_error(t->ssl, result);

    t->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return failed(t, error);
    errno = EAGAIN;
    return -1;
}

static void begin(struct tls *t)
{
    ERR_clear_error();
    errno = 0;
    t->wants_write = false;
}

int tls_handshake(struct tls *t)
{
    int result;

    if (t->failed)
        return -1;
    begin(t);
    result = SSL_accept(t->ssl);
    if (result == 1) {
        t->done = true;
        snprintf(t->words, sizeof t->words, "%s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
        return 1;
    }
    result = not_done(t, result);
    if (result == 0) {
        t->failed = true;
        snprintf(t->why, sizeof t->why, "the peer is gone");
        return -1;
    }
    return errno == EAGAIN ? 0 : -1;
}

ssize_t tls_recv(struct tls *t, void *at, size_t len)
{
    int result;

    if (t->failed || !t->done) {
        errno = EPROTO;
        return -1;
    }
    begin(t);
    result = SSL_read(t->ssl, at, len > INT_MAX ? INT_MAX : (int)len);
    return result > 0 ? result : not_done(t, result);
}

ssize_t tls_send(struct tls *t, const void *at, size_t len)
{
    int result;

    if (t->failed || !t->done) {
        errno = EPROTO;
        return -1;
    }
    if (len == 0)
        return 0;
    begin(t);
    result = SSL_write(t->ssl, at, len > INT_MAX ? INT_MAX : (int)len);
    if (result > 0)
        return result;
    if (not_done(t, result) == 0)
        errno = EPIPE;
    return -1;
}

bool tls_wants_write(const struct tls *t)
{
    return t->wants_write;
}

bool tls_pending(const struct tls *t)
{
    return t->done && !t->failed && SSL_pending(t->ssl) > 0;
}

const char *tls_words(const struct tls *t)
{
    return t->words;
}

const char *tls_error(const struct tls *t)
{
    return t->why;
}
