/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/bans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int bans_init(struct bans *b, size_t cap, uint64_t seed, struct err *e)
{
    size_t slots = 64;

    while (slots < cap * 2)
        slots *= 2;
    *b = (struct bans){ .mask = slots - 1, .cap = cap, .seed = seed };
    b->slots = calloc(slots, sizeof(*b->slots));
    return b->slots ? 0 : err_set(e, ENOMEM, "a list for %zu blocks", cap);
}

void bans_done(struct bans *b)
{
    free(b->slots);
    *b = (struct bans){ 0 };
}

static size_t home(const struct bans *b, struct addr who)
{
    return (size_t)addr_hash(who, b->seed) & b->mask;
}

/* The slot of `who`, or the empty one where it would stand. */
static struct ban *slot_of(const struct bans *b, struct addr who)
{
    size_t i = home(b, who);

    while (b->slots[i].who.family != 0 && !addr_eq_ip(b->slots[i].who, who))
        i = (i + 1) & b->mask;
    return &b->slots[i];
}

bool bans_knew(const struct bans *b, struct addr who)
{
    return slot_of(b, who)->who.family != 0;
}

struct ban *bans_find(struct bans *b, struct addr who, int64_t now_us)
{
    struct ban *slot = slot_of(b, who);

    if (slot->who.family == 0)
        return NULL;
    if (slot->until_us <= now_us) {
        (void)bans_remove(b, who);
        return NULL;
    }
    return slot;
}

struct ban *bans_add(struct bans *b, struct addr who, int64_t until_us)
{
    struct ban *slot = slot_of(b, who);

    if (slot->who.family == 0) {
        if (b->count >= b->cap)
            return NULL;
        b->count++;
    }
    *slot = (struct ban){ .who = addr_ip(who), .until_us = until_us };
    return slot;
}

bool bans_remove(struct bans *b, struct addr who)
{
    struct ban *slot = slot_of(b, who);
    size_t hole = (size_t)(slot - b->slots);

    if (slot->who.family == 0)
        return false;
    /* What stands behind moves up as far as its home allows, so that no search ends too early. */
    for (size_t i = (hole + 1) & b->mask; b->slots[i].who.family != 0; i = (i + 1) & b->mask)
        if (((i - home(b, b->slots[i].who)) & b->mask) >= ((i - hole) & b->mask)) {
            b->slots[hole] = b->slots[i];
            hole = i;
        }
    b->slots[hole] = (struct ban){ 0 };
    b->count--;
    return true;
}

size_t bans_sweep(struct bans *b, int64_t now_us)
{
    size_t before = b->count;

    for (size_t i = 0; i <= b->mask;)
        if (b->slots[i].who.family != 0 && b->slots[i].until_us <= now_us)
            (void)bans_remove(b, b->slots[i].who); /* another may have moved here: look again */
        else
            i++;
    return before - b->count;
}

struct ban *bans_next(const struct bans *b, const struct ban *after)
{
    for (size_t i = after ? (size_t)(after - b->slots) + 1 : 0; i <= b->mask; i++)
        if (b->slots[i].who.family != 0)
            return &b->slots[i];
    return NULL;
}
