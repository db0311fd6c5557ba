/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * limits - how many sessions at once, and how many a minute, of one address, one network, one organisation; and in all.
 *
 * A network is the /24 or /64 around an address.  Places in all are counted
 * here too: the last part of them is kept for clients of good standing.
 * What is counted is bounded: the oldest entry without a session leaves.
 */
#ifndef SERVIOLA_GATE_LIMITS_H
#define SERVIOLA_GATE_LIMITS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"

enum limit_over { LIMIT_NONE, LIMIT_PLACES, LIMIT_ADDRESS, LIMIT_NETWORK, LIMIT_ORGANISATION };
struct limit_said {
    enum limit_over over;
    bool rate;             /* over its rate; else over its sessions at once */
    uint64_t value, limit; /* what was counted, and the line it crossed */
};

struct limits;
struct places { /* what one session takes; all zero: nothing */
    struct addr who;
    bool network, address, place;
    uint64_t organisation; /* hash of its name; 0: none */
};

struct limits *limits_new(const struct gate_limits *set, uint64_t seed, struct err *e);
void limits_free(struct limits *l);
void limits_set(struct limits *l, const struct gate_limits *set);

/* One more session of this client.  Over a limit: nothing is taken. */
struct limit_said limits_enter(struct limits *l, struct addr who, bool known, int64_t now_us, struct places *p);
/* Its organisation became known: one more session of it.  Over the limit: nothing is taken. */
struct limit_said limits_join(struct limits *l, struct slice organisation, int64_t now_us, struct places *p);
void limits_leave(struct limits *l, struct places *p);

uint64_t limits_taken(const struct limits *l);
/* Those who hold most places: at most `most`, the biggest first; returns how many. */
struct limit_holder {
    struct addr who;
    uint64_t sessions;
};
uint32_t limits_holders(const struct limits *l, struct limit_holder *at, uint32_t most);
struct prefix limits_network(struct addr who); /* /24 or /64 */
#endif
