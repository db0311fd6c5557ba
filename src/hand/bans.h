/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bans - who is blocked, and until when: the hand's own list.
 *
 * The kernel's set is put back from it.  One table of a fixed size; a block
 * whose time is over counts as gone and makes room when room is needed.
 */
#ifndef SERVIOLA_HAND_BANS_H
#define SERVIOLA_HAND_BANS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

struct ban {
    struct addr who;         /* family 0: an empty slot */
    bool outside;            /* as it was asked; its own caller's to set */
    uint32_t known;          /* 1: the last comparison found it in the kernel */
    int64_t until_us;        /* boot clock */
    uint64_t packets, bytes; /* dropped before the kernel's set was last put back */
};

struct bans {
    struct ban *slots; /* own */
    size_t mask;       /* slots - 1 */
    size_t count, cap;
    uint64_t seed;
};

int bans_init(struct bans *b, size_t cap, uint64_t seed, struct err *e);
void bans_done(struct bans *b);

/* NULL when `who` is not blocked (any more).  Valid until the next _add, _remove or _sweep. */
struct ban *bans_find(struct bans *b, struct addr who, int64_t now_us);
bool bans_knew(const struct bans *b, struct addr who); /* blocked, or over and not swept yet */
/* NULL when it is full; an entry of the same host is replaced. */
struct ban *bans_add(struct bans *b, struct addr who, int64_t until_us);
bool bans_remove(struct bans *b, struct addr who);
size_t bans_sweep(struct bans *b, int64_t now_us); /* removes what is over; returns how many */

/* for (struct ban *x = bans_next(b, NULL); x; x = bans_next(b, x)) */
struct ban *bans_next(const struct bans *b, const struct ban *after);
#endif
