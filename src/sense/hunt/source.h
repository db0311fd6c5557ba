/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * source - what each host that speaks mail has done: totals, and the present window.
 *
 * A window begins with the first thing a source does and lasts as the
 * settings say; then its counts begin anew.  Of distinct things (servers,
 * senders, domains, names) keyed hashes are kept, one more than the limit:
 * enough to know that it was crossed.
 */
#ifndef SERVIOLA_HUNT_SOURCE_H
#define SERVIOLA_HUNT_SOURCE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "sense/hunt/engine.h"
#include "sense/hunt/settings.h"

struct distinct {
    uint64_t *at; /* owned; open addressing, 0 is free */
    uint32_t count, cap;
};

/* What was reported in the present window already. */
enum told {
    TOLD_MAIL = 1,
    TOLD_RATE = 2,
    TOLD_SERVERS = 4,
    TOLD_SENDERS = 8,
    TOLD_DOMAINS = 16,
    TOLD_HELO = 32,
    TOLD_REFUSALS = 64,
    TOLD_VOLUME = 128,
    TOLD_TLS = 256,
    TOLD_AUTH = 512,
    TOLD_UNCONFIRMED = 1024,
    TOLD_INBOUND = 2048,
    TOLD_OVERLAP = 4096,
    TOLD_GAP = 8192,
    TOLD_LONG = 16384,
    TOLD_CAPPED = 32768, /* a finding was due, and the minute had no room for it */
    TOLD_FINDINGS = TOLD_MAIL | TOLD_RATE | TOLD_SERVERS | TOLD_SENDERS | TOLD_DOMAINS | TOLD_HELO | TOLD_REFUSALS |
                    TOLD_VOLUME | TOLD_TLS
};

struct source {
    struct addr who;
    int64_t first_us, last_us, window_at_us;
    uint64_t connections, mails, recipients, refusals, tls, auths, bytes, unconfirmed; /* in all */
    uint64_t connections_now, refusals_now, bytes_now;                                 /* in this window */
    struct distinct servers, senders, domains, helos;
    const struct hunt_limits *limits; /* of its network; inside the settings */
    uint32_t told;                    /* enum told */
    uint32_t generation;              /* of the settings that `inside`, `allowed` and `limits` stand for */
    uint32_t hash_next, older, newer; /* index + 1 */
    bool inside, allowed, proven;
};

struct sources;
struct sources *sources_new(uint64_t cap, uint64_t seed, const struct hunt_settings *settings, struct err *e);
void sources_free(struct sources *t);
void sources_set(struct sources *t, const struct hunt_settings *settings);

/* Found or made; its window is the one of now.  `proven`: by a confirmed flow; the others leave first when it is full.
 */
struct source *sources_get(struct sources *t, struct addr who, bool proven, int64_t now_us);
const struct source *sources_look(const struct sources *t, struct addr who); /* NULL: not there */
/* The same; *place (0 at first) is where it was found the last time, and saves the search. */
const struct source *sources_at(const struct sources *t, struct addr who, uint32_t *place);
void sources_each(const struct sources *t, bool (*each)(void *ctx, const struct source *s), void *ctx);
uint64_t sources_evicted(const struct sources *t);
/* On the allow list, as the settings say. */
bool sources_allows(const struct sources *t, struct addr who);
bool sources_inside(const struct sources *t, struct addr who);
/* This host itself. */
bool sources_own(const struct sources *t, struct addr who);
/* Its present window begins anew. */
void sources_forget(struct sources *t, struct addr who);
/* One more of its kind; gives how many there are, at most `limit` + 1. */
uint32_t sources_distinct(struct sources *t, struct distinct *d, uint64_t hash, uint64_t limit);
uint64_t sources_hash(const struct sources *t, struct slice s); /* letters without case */
#endif
