/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns - questions to the name servers, with a cache that keeps each answer for its own time.
 *
 * c-ares speaks the protocol; /etc/hosts is never read (our own name stands
 * there as 127.0.1.1).  Bounded: questions in flight, tries, total time,
 * records of an answer, bytes of a name, entries of the cache.  When no
 * server answers, questions fail at once but for one that tries each second;
 * gate.dns_down and gate.dns_back say so.
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
