/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * places - gives each key a small number and keeps it until the key leaves.
 *
 * Pids and sockets keep their place from second to second, so that what has
 * not changed costs nothing to say.
 */
#ifndef SERVIOLA_WATCH_PLACES_H
#define SERVIOLA_WATCH_PLACES_H
#include <stdint.h>

#include "base/err.h"

#define PLACE_NONE UINT32_MAX

struct places {
    uint64_t *keys;  /* owned: of each place; 0: free */
    uint32_t *slots; /* owned: hashed; place + 1 */
    uint32_t *free;  /* owned: places that were left, the last one first */
    uint64_t seed;
    uint32_t most, mask, room, count, free_count; /* room: places below it were used */
};

int places_init(struct places *p, uint32_t most, uint64_t seed, struct err *e);
void places_done(struct places *p);
uint32_t places_find(const struct places *p, uint64_t key); /* PLACE_NONE: it has none */
uint32_t places_add(struct places *p, uint64_t key);        /* a key that has none and is not 0; PLACE_NONE: full */
void places_remove(struct places *p, uint32_t place);
#endif
