/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t slot_of(const struct places *p, uint64_t key)
{
    uint64_t h = (key ^ p->seed) * 0x9e3779b97f4a7c15u;

    return (uint32_t)((h ^ h >> 32) & p->mask);
}

int places_init(struct places *p, uint32_t most, uint64_t seed, struct err *e)
{
    uint32_t slots = 16;

    while (slots < 2 * most)
        slots *= 2;
    *p = (struct places){ .most = most, .mask = slots - 1, .seed = seed };
    p->keys = calloc(most, sizeof(*p->keys));
    p->slots = calloc(slots, sizeof(*p->slots));
    p->free = calloc(most, sizeof(*p->free));
    if (p->keys && p->slots && p->free)
        return 0;
    places_done(p);
    return err_set(e, ENOMEM, "places");
}

void places_done(struct places *p)
{
    free(p->keys);
    free(p->slots);
    free(p->free);
    memset(p, 0, sizeof(*p));
}

uint32_t places_find(const struct places *p, uint64_t key)
{
    for (uint32_t s = slot_of(p, key); p->slots[s]; s = (s + 1) & p->mask)
        if (p->keys[p->slots[s] - 1] == key)
            return p->slots[s] - 1;
    return PLACE_NONE;
}

uint32_t places_add(struct places *p, uint64_t key)
{
    uint32_t s = slot_of(p, key);
    uint32_t place;

    if (p->count == p->most)
        return PLACE_NONE;
    place = p->free_count > 0 ? p->free[--p->free_count] : p->room++;
    while (p->slots[s])
        s = (s + 1) & p->mask;
    p->slots[s] = place + 1;
    p->keys[place] = key;
    p->count++;
    return place;
}

/* Whoever stands behind the gap, and may stand in it, moves up. */
static void close_gap(struct places *p, uint32_t gap)
{
    for (uint32_t s = (gap + 1) & p->mask; p->slots[s]; s = (s + 1) & p->mask) {
        uint32_t home = slot_of(p, p->keys[p->slots[s] - 1]);

        if (((s - home) & p->mask) >= ((s - gap) & p->mask)) {
            p->slots[gap] = p->slots[s];
            gap = s;
        }
    }
    p->slots[gap] = 0;
}

void places_remove(struct places *p, uint32_t place)
{
    uint32_t s = slot_of(p, p->keys[place]);

    while (p->slots[s] != place + 1)
        s = (s + 1) & p->mask;
    close_gap(p, s);
    p->keys[place] = 0;
    p->free[p->free_count++] = place;
    p->count--;
}
