/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Places are numbered from 1; 0 is none. */
struct entry {
    uint32_t next;         /* in its bucket; of a free place: the next free one */
    uint32_t older, newer; /* in order of age */
    uint32_t hash;
    /* key, then value, each rounded up to 8 bytes */
};
_Static_assert(sizeof(struct entry) % 8 == 0, "keys and values are aligned");

struct table {
    size_t cap, count, key_size, value_size, value_at, stride;
    uint64_t seed;
    uint32_t mask;       /* buckets - 1 */
    uint32_t free, used; /* first of the places that were given back; places that were ever given out */
    uint32_t oldest, newest;
    uint32_t *bucket; /* [mask + 1] */
    uint8_t *slab;    /* [cap * stride] */
};

static size_t round_up(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static struct entry *entry_at(const struct table *t, uint32_t place)
{
    return (struct entry *)(void *)(t->slab + (place - 1) * t->stride);
}

static uint32_t place_of(const struct table *t, const void *value)
{
    return (uint32_t)((size_t)((const uint8_t *)value - t->slab) / t->stride) + 1;
}

static void *key_at(const struct table *t, uint32_t place)
{
    return t->slab + (place - 1) * t->stride + sizeof(struct entry);
}

static void *value_at(const struct table *t, uint32_t place)
{
    return place ? t->slab + (place - 1) * t->stride + t->value_at : NULL;
}

struct table *table_new(size_t cap, size_t key_size, size_t value_size, uint64_t seed, struct err *e)
{
    struct table *t = calloc(1, sizeof(*t));
    size_t buckets = 1;

    if (!t || cap == 0 || cap > UINT32_MAX / 2 || key_size == 0 || key_size > 4096 || value_size > 1 << 20) {
        (void)err_set(e, t ? EINVAL : ENOMEM, "table of %zu", cap);
        free(t);
        return NULL;
    }
    while (buckets < cap)
        buckets *= 2;
    t->cap = cap;
    t->key_size = key_size;
    t->value_size = value_size;
    t->value_at = sizeof(struct entry) + round_up(key_size);
    t->stride = t->value_at + round_up(value_size ? value_size : 1);
    t->seed = seed;
    t->mask = (uint32_t)(buckets - 1);
    t->bucket = calloc(buckets, sizeof(*t->bucket));
    t->slab = calloc(cap, t->stride);
    if (t->bucket && t->slab)
        return t;
    (void)err_set(e, ENOMEM, "table of %zu", cap);
    table_free(t);
    return NULL;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    free(t->bucket);
    free(t->slab);
    free(t);
}

static uint32_t find(const struct table *t, const void *key, uint32_t hash)
{
    uint32_t place = t->bucket[hash & t->mask];

    while (place && (entry_at(t, place)->hash != hash || memcmp(key_at(t, place), key, t->key_size) != 0))
        place = entry_at(t, place)->next;
    return place;
}

static uint32_t hash_of(const struct table *t, const void *key)
{
    uint64_t h = hash_bytes(key, t->key_size, t->seed);

    return (uint32_t)(h ^ h >> 32);
}

void *table_find(struct table *t, const void *key)
{
    return value_at(t, find(t, key, hash_of(t, key)));
}

static void leave_order(struct table *t, const struct entry *one)
{
    *(one->older ? &entry_at(t, one->older)->newer : &t->oldest) = one->newer;
    *(one->newer ? &entry_at(t, one->newer)->older : &t->newest) = one->older;
}

static void be_newest(struct table *t, uint32_t place)
{
    struct entry *one = entry_at(t, place);

    one->older = t->newest;
    one->newer = 0;
    *(t->newest ? &entry_at(t, t->newest)->newer : &t->oldest) = place;
    t->newest = place;
}

void table_touch(struct table *t, void *value)
{
    uint32_t place = place_of(t, value);

    if (place == t->newest)
        return;
    leave_order(t, entry_at(t, place));
    be_newest(t, place);
}

void table_remove(struct table *t, void *value)
{
    uint32_t place = place_of(t, value);
    struct entry *one = entry_at(t, place);
    uint32_t *from = &t->bucket[one->hash & t->mask];

    while (*from != place)
        from = &entry_at(t, *from)->next;
    *from = one->next;
    leave_order(t, one);
    one->next = t->free;
    t->free = place;
    t->count--;
}

static uint32_t take_place(struct table *t)
{
    uint32_t place = t->free;

    if (!place)
        return ++t->used;
    t->free = entry_at(t, place)->next;
    return place;
}

void *table_add(struct table *t, const void *key, bool *fresh, void (*leaves)(void *ctx, const void *key, void *value),
                void *ctx)
{
    uint32_t hash = hash_of(t, key);
    uint32_t place = find(t, key, hash);
    struct entry *one;

    if (fresh)
        *fresh = place == 0;
    if (place) {
        table_touch(t, value_at(t, place));
        return value_at(t, place);
    }
    if (t->count == t->cap) {
        if (leaves)
            leaves(ctx, key_at(t, t->oldest), value_at(t, t->oldest));
        table_remove(t, value_at(t, t->oldest));
    }
    place = take_place(t);
    one = entry_at(t, place);
    one->hash = hash;
    one->next = t->bucket[hash & t->mask];
    t->bucket[hash & t->mask] = place;
    memcpy(key_at(t, place), key, t->key_size);
    memset(value_at(t, place), 0, t->value_size);
    be_newest(t, place);
    t->count++;
    return value_at(t, place);
}

void table_clear(struct table *t)
{
    memset(t->bucket, 0, ((size_t)t->mask + 1) * sizeof(*t->bucket));
    t->free = t->used = t->oldest = t->newest = 0;
    t->count = 0;
}

size_t table_count(const struct table *t)
{
    return t->count;
}

size_t table_cap(const struct table *t)
{
    return t->cap;
}

const void *table_key(const struct table *t, const void *value)
{
    return key_at(t, place_of(t, value));
}

void *table_oldest(const struct table *t)
{
    return value_at(t, t->oldest);
}

void *table_newer(const struct table *t, const void *value)
{
    return value_at(t, entry_at(t, place_of(t, value))->newer);
}
