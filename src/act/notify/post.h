/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * post - one message out, by SMTP or HTTP, through libcurl: TLS, log-in, proxies and time-outs are its own field.
 *
 * libcurl is loaded by this part alone: it brings thirty libraries along,
 * which no other process of the house has to carry.  Everything that it
 * would read from files is read at post_new, before the jail; names are
 * looked up by others (servers.h).  Answers are read only to be forgotten, but
 * for one line that is kept as evidence.
 */
#ifndef SERVIOLA_NOTIFY_POST_H
#define SERVIOLA_NOTIFY_POST_H
#include "act/notify/settings.h"
#include "base/err.h"
#include "base/slice.h"
#include "sys/loop.h"

enum { POST_SECRET = 256, POST_SAID = 160 };

struct post_way { /* what a way needs besides its settings, read before the jail */
    const struct notify_way *set;
    char secret[POST_SECRET]; /* password or token; "" for none */
    struct slice ca;          /* PEM; own */
    char from[256];           /* mail: the envelope's sender */
};
/* Reads its secret and its certificates; -1: it can't be used, and the error says what to do. */
int post_way_open(struct post_way *w, const struct notify_way *set, const char *host, struct err *e);

struct post;
struct post *post_new(struct loop *l, int64_t timeout_us, struct err *e);

bool post_target(const struct notify_way *w, char host[256],
                 uint16_t *port); /* who is to be connected: the proxy, if any */

/*
 * `text` is copied.  `addresses`: "192.0.2.1,2001:db8::1", of post_target's host.  `done` is called once, from the
 * loop: `said` is the server's last line when it went out (outside bytes), else why it did not. -1: it could not even
 * begin.
 */
int post_send(struct post *p, const struct post_way *w, const char *addresses, const char *key, struct slice text,
              void (*done)(void *ctx, bool out, const char *said), void *ctx, struct err *e);
#endif
