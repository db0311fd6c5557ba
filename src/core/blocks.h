/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blocks - which hosts are blocked, as the journal tells it: a fold over act.* events.
 *
 * A table of a fixed size, keyed by address.  It decides nothing and asks
 * nobody; core/acts.c does.  What it holds can be rebuilt from the journal.
 */
#ifndef SERVIOLA_CORE_BLOCKS_H
#define SERVIOLA_CORE_BLOCKS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "journal/event.h"

enum block_state {
    BLOCK_ASKED,   /* the hand has been asked */
    BLOCK_STANDS,  /* the kernel has it */
    BLOCK_PRETEND, /* observe mode: it would stand now */
    BLOCK_REFUSED, /* the hand refused; not asked again until until_us */
};

struct block {
    struct addr who;            /* port 0 */
    uint32_t waiter;            /* a command that waits for the answer (core/desk.h); 0 for none */
    uint32_t waiter_id;         /* the id of its ask */
    uint8_t state;              /* enum block_state */
    bool outside;               /* found by the gate: it need not be a host inside */
    uint64_t cause;             /* the finding or the command */
    uint64_t seq;               /* the act.blocked event; 0 until it stands */
    int64_t since_us, until_us; /* wall clock: for people, and for the journal across restarts */
    int64_t over_us;            /* boot clock: when it ends, as the kernel counts it */
    char rule[32];
};

struct instant { /* one moment on both clocks: somebody may set the wall's */
    int64_t wall_us, boot_us;
};

/* Begins now and lasts so long, on both clocks. */
void block_time(struct block *x, struct instant now, int64_t span_us);

struct blocks;
struct blocks *blocks_new(size_t cap, uint64_t seed, struct err *e); /* seed keys the hash */
void blocks_free(struct blocks *b);

struct block *blocks_find(struct blocks *b, struct addr who); /* inside the table; valid until the next change */
/* NULL when the host is there already, or the table is full of hosts that are blocked. */
struct block *blocks_add(struct blocks *b, struct addr who);
void blocks_remove(struct blocks *b, struct addr who);
size_t blocks_count(const struct blocks *b, enum block_state state);

/* Every entry, oldest first; `visit` must not add or remove. */
void blocks_each(struct blocks *b, void (*visit)(void *ctx, struct block *entry), void *ctx);
/* The wall clock was set: each end is told anew. */
void blocks_tell_ends(struct blocks *b, struct instant now);
/* Removes each entry whose time is over, after `over` has seen it; `over` must not add or remove. */
void blocks_expire(struct blocks *b, int64_t boot_us, void (*over)(void *ctx, const struct block *entry), void *ctx);

/* What an event from the journal says about blocks; true when it said anything. */
bool blocks_fold(struct blocks *b, const struct event *ev, struct instant now);
#endif
