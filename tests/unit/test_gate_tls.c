/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Server and client are two ends of a socket pair in this process; certificates are made here. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "sense/gate/tls.h"

enum { PEM_SIZE = 8192 };

/* ---- what OpenSSL holds, told apart by who asked for it ---- */

enum side { NOBODY, SERVER, CLIENT, SIDES };
static struct {
    size_t bytes[SIDES];
    enum side now;
} held;
struct block { /* in front of each piece of memory */
    size_t size;
    enum side side;
    _Alignas(16) char at[];
};

static void *take(size_t size, const char *file, int line)
{
    struct block *b = malloc(sizeof *b + size);

    (void)file;
    (void)line;
    if (!b)
        return NULL;
    b->size = size;
    b->side = held.now;
    held.bytes[b->side] += size + 16; /* malloc's own share, about */
    return b->at;
}

static void give(void *at, const char *file, int line)
{
    struct block *b;

    (void)file;
    (void)line;
    if (!at)
        return;
    b = (struct block *)(void *)((char *)at - offsetof(struct block, at));
    held.bytes[b->side] -= b->size + 16;
    free(b);
}

static void *again(void *at, size_t size, const char *file, int line)
{
    void *other = at && size == 0 ? NULL : take(size, file, line);

    if (at && other) {
        size_t old = ((struct block *)(void *)((char *)at - offsetof(struct block, at)))->size;

        memcpy(other, at, old < size ? old : size);
    }
    if (at && (other || size == 0))
        give(at, file, line);
    return other;
}

/* ---- certificates ---- */

struct identity {
    char certificate[PEM_SIZE], key[PEM_SIZE];
};

static void write_pem(struct identity *id, X509 *x, EVP_PKEY *k, const char *phrase)
{
    BIO *out = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_X509(out, x), 1);
    assert_true(BIO_read(out, id->certificate, sizeof id->certificate - 1) > 0);
    assert_int_equal(
        PEM_write_bio_PrivateKey(out, k, phrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (void *)(uintptr_t)phrase),
        1);
    assert_true(BIO_read(out, id->key, sizeof id->key - 1) > 0);
    BIO_free(out);
}

static void make_identity(struct identity *id, EVP_PKEY *k, long good_for_s, const char *phrase)
{
    X509 *x = X509_new();

    memset(id, 0, sizeof *id);
    assert_non_null(k);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x), good_for_s);
    X509_set_pubkey(x, k);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"mx.example", -1,
                               -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, k, EVP_sha256()) > 0);
    write_pem(id, x, k, phrase);
    X509_free(x);
    EVP_PKEY_free(k);
}

static struct tls_context *context(const struct identity *id, struct err *e)
{
    return tls_context_new(slice_text(id->certificate), slice_text(id->key), e);
}

/* ---- a server and a client ---- */

struct talk {
    struct tls_context *context;
    struct tls *server;
    SSL_CTX *client_context;
    SSL *client;
    int fd[2];
};

static void talk_open(struct talk *t, int version_max)
{
    struct identity id;
    struct err e = { 0 };

    held.now = NOBODY;
    make_identity(&id, EVP_EC_gen("P-256"), 86400, NULL);
    t->context = context(&id, &e);
    assert_non_null(t->context);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, t->fd), 0);
    held.now = SERVER;
    t->server = tls_new(t->context, t->fd[0], &e);
    assert_non_null(t->server);
    held.now = CLIENT;
    t->client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(t->client_context, 0);
    SSL_CTX_set_max_proto_version(t->client_context, version_max);
    t->client = SSL_new(t->client_context);
    SSL_set_fd(t->client, t->fd[1]);
    SSL_set_connect_state(t->client);
    held.now = NOBODY;
}

static void talk_close(struct talk *t)
{
    tls_free(t->server);
    SSL_free(t->client);
    SSL_CTX_free(t->client_context);
    tls_context_free(t->context);
    close(t->fd[0]);
    if (t->fd[1] >= 0)
        close(t->fd[1]);
}

/* 1 when the server is done, -1 when it failed. */
static int shake(struct talk *t)
{
    int done = 0;

    for (int i = 0; i < 20 && done == 0; i++) {
        held.now = CLIENT;
        SSL_do_handshake(t->client);
        ERR_clear_error();
        held.now = SERVER;
        done = tls_handshake(t->server);
        held.now = NOBODY;
    }
    held.now = CLIENT;
    SSL_do_handshake(t->client);
    ERR_clear_error();
    held.now = NOBODY;
    return done;
}

static void client_says(struct talk *t, const char *text)
{
    held.now = CLIENT;
    assert_int_equal(SSL_write(t->client, text, (int)strlen(text)), strlen(text));
    held.now = SERVER;
}

static void both_ends_understand_each_other(void **state)
{
    struct talk t;
    char buffer[64];

    (void)state;
    talk_open(&t, TLS1_3_VERSION);
    assert_int_equal(shake(&t), 1);
    assert_memory_equal(tls_words(t.server), "TLSv1.3 TLS_", 12);
    assert_int_equal(tls_recv(t.server, buffer, sizeof buffer), -1);
    assert_int_equal(errno, EAGAIN);
    assert_false(tls_wants_write(t.server));
    client_says(&t, "EHLO a\r\n");
    assert_int_equal(tls_recv(t.server, buffer, 4), 4);
    assert_true(tls_pending(t.server));
    assert_int_equal(tls_recv(t.server, buffer, sizeof buffer), 4);
    assert_false(tls_pending(t.server));
    assert_int_equal(tls_send(t.server, "250 b\r\n", 7), 7);
    held.now = CLIENT;
    assert_int_equal(SSL_read(t.client, buffer, sizeof buffer), 7);
    assert_int_equal(SSL_shutdown(t.client), 0);
    held.now = SERVER;
    assert_int_equal(tls_recv(t.server, buffer, sizeof buffer), 0);
    talk_close(&t);
}

static void a_peer_that_vanishes_has_ended(void **state)
{
    struct talk t;
    char byte;

    (void)state;
    talk_open(&t, TLS1_3_VERSION);
    assert_int_equal(shake(&t), 1);
    close(t.fd[1]);
    t.fd[1] = -1;
    assert_int_equal(tls_recv(t.server, &byte, 1), 0);
    assert_int_equal(tls_send(t.server, "250\r\n", 5), -1);
    talk_close(&t);
}

static void what_does_not_fit_is_sent_later(void **state)
{
    enum { SIZE = 1 << 20 };
    static char sent[SIZE], got[SIZE];
    struct talk t;
    size_t out = 0, in = 0;
    bool full = false;

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (char)(i * 7 + i / 251);
    talk_open(&t, TLS1_2_VERSION);
    assert_int_equal(shake(&t), 1);
    while (in < SIZE) {
        ssize_t n = out < SIZE ? tls_send(t.server, sent + out, SIZE - out) : 0;
        int r;

        if (n > 0) {
            out += (size_t)n;
            continue;
        }
        full |= out < SIZE && errno == EAGAIN && tls_wants_write(t.server);
        while (in < SIZE && (r = SSL_read(t.client, got + in, SIZE - (int)in)) > 0)
            in += (size_t)r;
    }
    assert_true(full);
    assert_memory_equal(sent, got, SIZE);
    talk_close(&t);
}

static void old_versions_are_refused(void **state)
{
    struct talk t;

    (void)state;
    talk_open(&t, TLS1_1_VERSION);
    SSL_set_cipher_list(t.client, "ALL:@SECLEVEL=0");
    assert_int_equal(shake(&t), -1);
    assert_string_equal(tls_error(t.server), "unsupported protocol");
    assert_int_equal(tls_recv(t.server, &t, 1), -1);
    assert_int_equal(errno, EPROTO);
    talk_close(&t);
}

static void plain_text_is_no_handshake(void **state)
{
    struct talk t, other;

    (void)state;
    talk_open(&t, TLS1_3_VERSION);
    talk_open(&other, TLS1_3_VERSION);
    assert_int_equal(write(t.fd[1], "EHLO injected.test\r\nMAIL FROM:<a@b>\r\n", 37), 37);
    assert_int_equal(tls_handshake(t.server), -1);
    assert_true(strlen(tls_error(t.server)) > 0);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(shake(&other), 1); /* one session's fault is not another's */
    talk_close(&t);
    talk_close(&other);
}

static void nobody_begins_anew(void **state)
{
    struct talk t;
    char buffer[64];

    (void)state;
    talk_open(&t, TLS1_2_VERSION);
    assert_int_equal(shake(&t), 1);
    SSL_renegotiate(t.client);
    SSL_do_handshake(t.client);
    assert_true(tls_recv(t.server, buffer, sizeof buffer) <= 0);
    SSL_do_handshake(t.client);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    talk_close(&t);
}

/* How much a session holds that has said a few words and waits. */
static size_t idle_bytes(int version)
{
    static const char line[] = "MAIL FROM:<a@b>\r\n";
    size_t before = held.bytes[SERVER], bytes;
    char buffer[64];
    struct talk t;

    talk_open(&t, version);
    assert_int_equal(shake(&t), 1);
    client_says(&t, line);
    assert_int_equal(tls_recv(t.server, buffer, sizeof buffer), sizeof line - 1);
    assert_int_equal(tls_send(t.server, "250 ok\r\n", 8), 8);
    assert_int_equal(tls_recv(t.server, buffer, sizeof buffer), -1);
    bytes = held.bytes[SERVER] - before;
    print_message("%s: %zu bytes\n", tls_words(t.server), bytes);
    talk_close(&t);
    return bytes;
}

static void an_idle_session_holds_less_than_20_kib(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    (void)state;
    for (int i = 0; i < 2; i++) {
        idle_bytes(versions[i]); /* OpenSSL keeps what it had to look up for a first session */
        assert_in_range(idle_bytes(versions[i]), 1000, 20 * 1024);
    }
}

static void assert_refused(const struct identity *id, const char *why)
{
    struct err e = { 0 };

    assert_null(context(id, &e));
    assert_non_null(strstr(e.text, why));
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_wrong_certificate_says_what_is_wrong(void **state)
{
    struct identity good, other, secret, weak;

    (void)state;
    make_identity(&good, EVP_EC_gen("P-256"), 86400, NULL);
    make_identity(&other, EVP_EC_gen("P-256"), 86400, NULL);
    make_identity(&secret, EVP_EC_gen("P-256"), 86400, "phrase");
    make_identity(&weak, EVP_RSA_gen(512), 86400, NULL);
    memcpy(other.certificate, good.certificate, sizeof good.certificate);
    assert_refused(&other, "does not belong to the certificate");
    assert_refused(&secret, "pass phrase");
    assert_refused(&weak, "too small");
    memcpy(other.key, good.certificate, sizeof good.certificate);
    assert_refused(&other, "no private key");
    memset(other.certificate, 'x', 100);
    assert_refused(&other, "no certificate");
    strcat(good.certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_refused(&good, "chain");
}

static void an_expired_certificate_is_taken_and_told(void **state)
{
    struct identity id;
    struct tls_context *c;
    struct err e = { 0 };

    (void)state;
    make_identity(&id, EVP_EC_gen("P-256"), -3600, NULL);
    memcpy(id.certificate + strlen(id.certificate), id.certificate, strlen(id.certificate)); /* and a chain of one */
    c = context(&id, &e);
    assert_non_null(c);
    assert_true(llabs(tls_context_ends_s(c) - ((int64_t)time(NULL) - 3600)) < 60);
    tls_context_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_understand_each_other),
        cmocka_unit_test(a_peer_that_vanishes_has_ended),
        cmocka_unit_test(what_does_not_fit_is_sent_later),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(plain_text_is_no_handshake),
        cmocka_unit_test(nobody_begins_anew),
        cmocka_unit_test(an_idle_session_holds_less_than_20_kib),
        cmocka_unit_test(a_wrong_certificate_says_what_is_wrong),
        cmocka_unit_test(an_expired_certificate_is_taken_and_told),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as every role does */
    if (CRYPTO_set_mem_functions(take, again, give) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
