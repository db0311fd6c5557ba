/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tls - the server's side of TLS on a non-blocking socket (OpenSSL 3).
 *
 * TLS 1.2 and 1.3, no renegotiation, no compression, no tickets kept here,
 * buffers given back while idle.  Reading and writing look like recv and
 * send: -1 with EAGAIN says which way to wait (tls_wants_write).
 */
#ifndef SERVIOLA_GATE_TLS_H
#define SERVIOLA_GATE_TLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

struct tls_context;
struct tls;
/*
 * From PEM texts: the certificate with its chain behind it, and its key.  Wrong ones say what is wrong (no key for this
 * certificate, a pass phrase, too weak).  One that has expired is taken, as no mail is better for a server that stays
 * closed: tell it (tls_context_ends_s).  Reads no file, so it works in a jail.
 */
struct tls_context *tls_context_new(struct slice certificate, struct slice key, struct err *e);
int64_t tls_context_ends_s(const struct tls_context *c); /* until when the certificate is good, seconds since 1970 */
void tls_context_free(struct tls_context *c);            /* sessions keep what they need */
struct tls *tls_new(struct tls_context *c, int fd, struct err *e);
void tls_free(struct tls *t);     /* NULL is fine; says good-bye on fd, so before it is closed; does not close it */
int tls_handshake(struct tls *t); /* 1 done, 0 not yet, -1 failed (tls_error) */
ssize_t tls_recv(struct tls *t, void *at, size_t len); /* 0: the peer ended; -1 with errno EAGAIN or EPROTO */
ssize_t tls_send(struct tls *t, const void *at, size_t len);
bool tls_wants_write(const struct tls *t);  /* what EAGAIN waits for */
bool tls_pending(const struct tls *t);      /* bytes that are decrypted and not read yet */
const char *tls_words(const struct tls *t); /* "TLSv1.3 TLS_AES_256_GCM_SHA384"; the tls's own */
const char *tls_error(const struct tls *t);
#endif
