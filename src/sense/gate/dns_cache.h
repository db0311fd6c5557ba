/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns_cache - answers of name servers, each for its own time.
 *
 * Bounded in entries and in bytes; what was not asked for longest leaves
 * first.  An answer that is being told stays until it is let go.
 */
#ifndef SERVIOLA_GATE_DNS_CACHE_H
#define SERVIOLA_GATE_DNS_CACHE_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/dns.h"

struct dns_question { /* compared as bytes */
    uint8_t kind;
    char name[DNS_NAME - 1]; /* lower case, without the final dot, then zeros */
};
/* False when it is no name that can be asked for. */
bool dns_question_set(struct dns_question *q, enum dns_kind kind, struct slice name);

struct dns_kept { /* one answer on the heap */
    uint32_t users;
    int64_t until_us;
    size_t bytes;
    struct dns_answer answer;
    struct dns_record at[];
};
struct dns_kept *dns_kept_new(const struct dns_answer *a, int64_t until_us); /* NULL without memory */
void dns_kept_let_go(struct dns_kept *k);                                    /* the last user frees it; NULL is fine */

struct dns_cache;
struct dns_cache *dns_cache_new(size_t entries, uint64_t seed, struct err *e);
void dns_cache_free(struct dns_cache *c); /* NULL is fine */
/* The caller lets go of it; NULL when there is none that still holds. */
struct dns_kept *dns_cache_find(struct dns_cache *c, const struct dns_question *q, int64_t now_us);
void dns_cache_put(struct dns_cache *c, const struct dns_question *q, struct dns_kept *k); /* one more user of k */
void dns_cache_forget(struct dns_cache *c);                                                /* all of it */
size_t dns_cache_bytes(const struct dns_cache *c);                                         /* of the answers */
#endif
