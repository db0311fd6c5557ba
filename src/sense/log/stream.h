/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream - one connection that brings lines: what streams.c, relp.c and secure.c share.
 */
#ifndef SERVIOLA_SENSE_LOG_STREAM_H
#define SERVIOLA_SENSE_LOG_STREAM_H
#include <sodium.h>

#include "sense/log/inner.h"

struct secure; /* secure.c: a TLS connection */
struct relp;   /* relp.c: what a RELP connection waits to acknowledge */

struct stream {
    struct streams *all;
    struct intake *in;
    struct source source;
    enum log_way way;
    struct addr from; /* family 0: no network */
    char peer[PEER_ROOM];
    size_t peer_len;
    uint8_t *rest; /* read and not yet taken */
    size_t rest_len, rest_cap;
    bool counted;       /* it has sent octet counts */
    bool broken;        /* a framing error was told */
    bool ended;         /* nothing more comes */
    bool waits;         /* it holds itself: too much is not acknowledged */
    int64_t sampled_us; /* arrival of the line that was looked into last */
    int64_t heard_us;   /* when it last said something, */
    int64_t begun_us;   /* and when what is not yet whole began, or it came */
    uint64_t skip_left; /* of a line that is too long; SYSLOG_LINE: to its newline */
    uint8_t *cut;       /* its beginning; NULL: no such line */
    uint64_t cut_whole;
    crypto_hash_sha256_state cut_hash;
    struct secure *secure;
    struct relp *relp;
    struct stream *next, *before; /* of streams */
};

/* What of `bytes` was taken; less than all: the rest is incomplete, or there is no room (the store says which). */
size_t stream_feed(struct stream *s, struct slice bytes, int64_t now_us);
/* Bytes to the other side; false: it is gone, or takes nothing. */
bool stream_say(struct stream *s, const void *at, size_t len);

/* relp.c */
struct relp *relp_new(void);
void relp_free(struct relp *r);
size_t relp_feed(struct stream *s, struct slice bytes, int64_t now_us, bool *bad);
/* Acknowledges what is on the disk; false: the connection is of no use any more. */
bool relp_synced(struct stream *s, uint64_t seq);
bool relp_waits(const struct relp *r);

/* secure.c: OpenSSL */
struct secure_house;
struct secure_house *secure_house_new(const struct papers *p, int client /* enum log_client */, struct err *e);
void secure_house_free(struct secure_house *h);
/* Whether who came in by an older house would be let in by this one; only where secure_is_ready. */
bool secure_still_stands(const struct secure_house *h, const struct secure *t);
struct secure *secure_new(struct secure_house *h, int fd, struct err *e);
void secure_free(struct secure *t);
enum secure_got { SECURE_AGAIN = -1, SECURE_FAILED = -2 };
/* Bytes, 0 at the end, or enum secure_got; `why` of a failure. */
ssize_t secure_read(struct secure *t, void *at, size_t len, struct err *why);
/* The name in the client's certificate once, when the handshake is done and there is one. */
bool secure_is_ready(const struct secure *t); /* the handshake is done */
bool secure_identity(struct secure *t, char *name, size_t size);
#endif
