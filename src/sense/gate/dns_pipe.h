/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_pipe - one c-ares channel on the loop: questions go in, replies come out as they were received.
 *
 * UDP, TCP when an answer is cut, the next server when one is silent.
 * Identifiers come from the kernel: a jailed c-ares can't read /dev/urandom,
 * and would fall back to rand().  A pipe must not be freed below one of its
 * own calls of `answered`.
 */
#ifndef SERVIOLA_GATE_DNS_PIPE_H
#define SERVIOLA_GATE_DNS_PIPE_H
#include "base/err.h"
#include "base/slice.h"
#include "conf/schema.h"
#include "wire/dns.h"

struct loop;
enum dns_end {
    DNS_ANSWERED, /* by a server; the message is empty when it said that it could not or would not */
    DNS_SILENT,   /* by none, in all tries */
    DNS_UNSENT,   /* it never went out */
    DNS_DROPPED,  /* the pipe was freed */
};
struct dns_pipe;
struct dns_sent; /* a question that is out */

/* Each question ends in one call of `answered` with what was given to _send, or NULL once it was forgotten. */
struct dns_pipe *dns_pipe_new(struct loop *l, const struct key_addrs *servers, int64_t try_us, uint64_t tries,
                              void (*answered)(void *owner, void *about, enum dns_end how, struct slice message),
                              void *owner, struct err *e);
void dns_pipe_free(struct dns_pipe *p); /* NULL is fine */
/* *sent is set before anything else happens; `answered` may be called before this returns. */
void dns_pipe_send(struct dns_pipe *p, enum dns_kind kind, const char *name, void *about, struct dns_sent **sent);
void dns_sent_forget(struct dns_sent *s); /* nobody waits for it any more; NULL is fine */
void dns_pipe_tick(struct dns_pipe *p);   /* c-ares sees that time has passed in here alone */
unsigned dns_pipe_open(const struct dns_pipe *p), dns_pipe_asked(const struct dns_pipe *p);
#endif
