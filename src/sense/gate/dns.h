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

struct loop;
enum dns_kind { DNS_PTR, DNS_A, DNS_AAAA, DNS_MX, DNS_TXT };
enum dns_code {
    DNS_FOUND,
    DNS_NOTHING, /* the name is there, such a record is not */
    DNS_NO_NAME, /* NXDOMAIN */
    DNS_FAILED,  /* no answer, SERVFAIL, nonsense: ask again later */
};
enum { DNS_RECORDS = 32, DNS_NAME = 256 };

struct dns_record {
    struct addr addr;    /* A, AAAA */
    struct slice name;   /* PTR, MX: a name as its bytes, without the final dot; empty: the root (null MX) */
    uint16_t preference; /* MX */
    struct slice text;   /* TXT: its strings joined */
};
struct dns_answer { /* borrowed for the call */
    enum dns_code code;
    uint32_t count;                    /* of records that are told, at most DNS_RECORDS */
    bool more;                         /* there were more */
    struct dns_record at[DNS_RECORDS]; /* MX by preference */
};

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

/* `done` is called exactly once unless dns_drop came first; perhaps before this returns (then NULL is returned). */
struct dns_query *dns_ask(struct dns *d, enum dns_kind kind, struct slice name,
                          void (*done)(void *ctx, const struct dns_answer *a), void *ctx);
struct dns_query *dns_ask_ptr(struct dns *d, struct addr who, void (*done)(void *ctx, const struct dns_answer *a),
                              void *ctx);
void dns_drop(struct dns_query *q); /* NULL is fine */
uint64_t dns_in_flight(const struct dns *d);
#endif
