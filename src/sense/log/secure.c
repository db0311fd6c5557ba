/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS 1.2 and 1.3 by OpenSSL, the server's side of RFC 5425: a client shows a certificate, and its name is kept. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
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

/* ---- from texts ---- */

static BIO *bio_of(const struct paper *p)
{
    struct slice text = paper_text(p);

    return BIO_new_mem_buf(text.at, (int)text.len);
}

/* A text that ends behind its last piece is no error. */
static int at_end(const char *what, int pieces, struct err *e)
{
    unsigned long code = ERR_peek_last_error();

    if (pieces > 0 && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
        return 0;
    }
    return failed(e, what);
}

/* The first is ours, the others lead to its root. */
static int use_certificates(SSL_CTX *ctx, const struct paper *p, struct err *e)
{
    BIO *bio = bio_of(p);
    X509 *x;
    int count = 0;
    bool fine = bio != NULL;

    ERR_clear_error();
    while (fine && (x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        fine = count++ == 0 ? SSL_CTX_use_certificate(ctx, x) == 1 : SSL_CTX_add1_chain_cert(ctx, x) == 1;
        X509_free(x);
    }
    BIO_free(bio);
    return fine ? at_end("log.certificates.certificate", count, e) : failed(e, "log.certificates.certificate");
}

static int no_passphrase(char *room, int size, int writes, void *own)
{
    (void)room;
    (void)size;
    (void)writes;
    (void)own;
    return 0;
}

static int use_key(SSL_CTX *ctx, const struct paper *p, struct err *e)
{
    BIO *bio = bio_of(p);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool fine = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

    EVP_PKEY_free(key);
    BIO_free(bio);
    return fine ? 0 : failed(e, "log.certificates.key");
}

static int believe(SSL_CTX *ctx, const struct paper *p, struct err *e)
{
    BIO *bio = bio_of(p);
    X509 *x;
    int count = 0;
    bool fine = bio != NULL;

    ERR_clear_error();
    while (fine && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        fine = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x) == 1;
        X509_free(x);
        count++;
    }
    BIO_free(bio);
    return fine ? at_end("log.certificates.clients", count, e) : failed(e, "log.certificates.clients");
}

/* With lists each client's authority must have one, and one that is not out of date. */
static int ask_the_lists(SSL_CTX *ctx, const struct paper *p, struct err *e)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    BIO *bio = bio_of(p);
    X509_CRL *list;
    int count = 0;
    bool fine = bio && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;

    ERR_clear_error();
    while (fine && (list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        fine = X509_STORE_add_crl(store, list) == 1;
        X509_CRL_free(list);
        count++;
    }
    BIO_free(bio);
    return fine ? at_end("log.certificates.revoked", count, e) : failed(e, "log.certificates.revoked");
}

/* ---- the house ---- */

static int configure(SSL_CTX *ctx, const struct papers *p, int client, struct err *e)
{
    int how = client == LOG_CLIENT_MUST  ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            : client == LOG_CLIENT_ASKED ? SSL_VERIFY_PEER
                                         : SSL_VERIFY_NONE;

    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(ctx, 1);
    if (use_certificates(ctx, &p->certificate, e) < 0 || use_key(ctx, &p->key, e) < 0 ||
        (p->clients.len > 0 && believe(ctx, &p->clients, e) < 0) ||
        (p->revoked.len > 0 && ask_the_lists(ctx, &p->revoked, e) < 0))
        return -1;
    SSL_CTX_set_verify(ctx, how, NULL);
    (void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"serviola", 8);
    return 0;
}

struct secure_house *secure_house_new(const struct papers *p, int client, struct err *e)
{
    struct secure_house *h = calloc(1, sizeof(*h));

    if (!h) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    h->ctx = SSL_CTX_new(TLS_server_method());
    if (h->ctx && configure(h->ctx, p, client, e) == 0)
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

/* Who was let in by other papers is judged by these; what its certificate needs it has shown. */
bool secure_still_stands(const struct secure_house *h, const struct secure *t)
{
    X509 *x = SSL_get1_peer_certificate(t->ssl);
    X509_STORE_CTX *judge = x ? X509_STORE_CTX_new() : NULL;
    bool stands = !x ? !(SSL_CTX_get_verify_mode(h->ctx) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) : judge != NULL;

    if (x && stands && SSL_CTX_get_verify_mode(h->ctx) != SSL_VERIFY_NONE)
        stands = X509_STORE_CTX_init(judge, SSL_CTX_get_cert_store(h->ctx), x, SSL_get_peer_cert_chain(t->ssl)) == 1 &&
                 X509_STORE_CTX_set_default(judge, "ssl_client") == 1 && X509_verify_cert(judge) == 1;
    X509_STORE_CTX_free(judge);
    X509_free(x);
    ERR_clear_error();
    return stands;
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
