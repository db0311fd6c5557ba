/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns - questions to the name servers, with a cache that keeps each answer for its own time.
 *
 * /etc/hosts is never read (our own name stands there as 127.0.1.1).  Equal
 * questions that are out share one.  Bounded: questions in flight, tries,
 * total time, records of an answer, bytes of a name, entries and bytes of the
 * cache.  When questions fail in a row, a probe tells whether the servers are
 * down; while they are, questions fail at once, a probe goes out each second,
 * and `changed` says so once and once more when they are back.  Servers that
 * answer, and say of every name that they failed, are told too, but asked on.
 */
#ifndef SERVIOLA_GATE_DNS_H
#define SERVIOLA_GATE_DNS_H
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"
#include "wire/dns.h"

struct loop;
struct dns;
struct dns_query;
struct dns_facts { /* what `changed` is told */
    bool down;
    bool answers;    /* down, but they do answer: each time that they failed */
    uint64_t failed; /* questions that failed since it is down */
};
struct dns *dns_new(struct loop *l, const struct gate_settings *set, void (*changed)(void *ctx, struct dns_facts f),
                    void *ctx, struct err *e);
void dns_free(struct dns *d);
int dns_set(struct dns *d, const struct gate_settings *set, struct err *e); /* after a reload */

/* `done` is called exactly once unless dns_drop came first, perhaps before this returns (then NULL is returned); the
 * answer is borrowed for the call.  `done` may ask and drop, but neither free nor set the dns. */
struct dns_query *dns_ask(struct dns *d, enum dns_kind kind, struct slice name,
                          void (*done)(void *ctx, const struct dns_answer *a), void *ctx);
struct dns_query *dns_ask_ptr(struct dns *d, struct addr who, void (*done)(void *ctx, const struct dns_answer *a),
                              void *ctx);
void dns_drop(struct dns_query *q); /* NULL is fine */
uint64_t dns_in_flight(const struct dns *d);
#endif
