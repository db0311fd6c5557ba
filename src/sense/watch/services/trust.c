/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose certificates are good, and until when: OpenSSL's client side. */
#include <errno.h>
#include <math.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sense/watch/services/attempt.h"

#define SYSTEM_TRUST "/etc/ssl/certs/ca-certificates.crt"
#define DAY          86400.0

const char *trust_words(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return reason ? reason : "the connection ended in the middle of it";
}

static bool checks(const char *trust)
{
    return strcmp(trust, "any") != 0;
}

static uint32_t context_of(const struct prober *p, const char *trust)
{
    uint32_t i = 0;

    while (i < p->contexts_count && strcmp(p->contexts[i].trust, trust) != 0)
        i++;
    return i;
}

static void open_context(struct prober *p, const char *trust)
{
    const char *file = trust[0] ? trust : SYSTEM_TRUST;
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    uint32_t i = p->contexts_count++;

    (void)snprintf(p->contexts[i].trust, sizeof(p->contexts[i].trust), "%s", trust);
    if (!ssl) {
        (void)snprintf(p->contexts[i].why, sizeof(p->contexts[i].why), "TLS can't be set up");
        return;
    }
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* trust_judge does it, so that the dates are seen first */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    if (checks(trust) && SSL_CTX_load_verify_file(ssl, file) != 1) {
        ERR_clear_error();
        (void)snprintf(p->contexts[i].why, sizeof(p->contexts[i].why), "%s",
                       trust[0]
                           ? "the certificates to trust can't be read"
                           : "the system's certificates can't be read; they come with the package ca-certificates");
    }
    p->contexts[i].ssl = ssl;
}

void trust_open(struct prober *p, const struct services *all)
{
    (void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    for (uint32_t i = 0; i < all->count + all->domains_count; i++) {
        const char *trust = i < all->count ? all->at[i].trust : all->domains[i - all->count].trust;

        if (context_of(p, trust) == p->contexts_count && p->contexts_count < TRUST_CONTEXTS)
            open_context(p, trust);
    }
}

SSL *trust_new(struct attempt *a, int fd)
{
    struct prober *p = a->prober;
    uint32_t i = context_of(p, a->service->trust);
    bool named = a->target.addr.family == 0;
    SSL *ssl;

    if (i == p->contexts_count || !p->contexts[i].ssl || p->contexts[i].why[0]) {
        attempt_missed(a, "%s", i == p->contexts_count ? "too many files of certificates" : p->contexts[i].why);
        return NULL;
    }
    ERR_clear_error();
    ssl = SSL_new(p->contexts[i].ssl);
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || (named && SSL_set_tlsext_host_name(ssl, a->target.host) != 1) ||
        (named ? SSL_set1_host(ssl, a->target.host)
               : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), a->target.host)) != 1) {
        SSL_free(ssl);
        attempt_missed(a, "TLS: %s", trust_words());
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

static double days_left(const X509 *certificate)
{
    struct tm ends;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &ends) != 1)
        return (double)NAN;
    return difftime(timegm(&ends), time(NULL)) / DAY;
}

/* The first to end of those that were needed; of an unproven one its own end. */
static double chain_days(const SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get_verify_result(ssl) == X509_V_OK ? SSL_get0_verified_chain(ssl) : NULL;
    const X509 *own = SSL_get0_peer_certificate(ssl);
    double days = own ? days_left(own) : (double)NAN;

    for (int i = 0; chain && i < sk_X509_num(chain); i++)
        days = fmin(days, days_left(sk_X509_value(chain, i)));
    return days;
}

bool trust_judge(struct attempt *a)
{
    long verdict = SSL_get_verify_result(a->ssl);

    a->days = chain_days(a->ssl);
    if (isnan(a->days))
        attempt_missed(a, "TLS without a certificate");
    else if (checks(a->service->trust) && verdict != X509_V_OK)
        attempt_missed(a, "its certificate: %s", X509_verify_cert_error_string(verdict));
    return a->open;
}
