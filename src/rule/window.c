/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rule/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct addr src;
    uint32_t rule;
    uint32_t chain;        /* next in its bucket, or the next free one */
    uint32_t newer, older; /* by last event */
    uint32_t count;        /* times kept, */
    uint32_t first;        /* the oldest of them at this place in its ring */
    int64_t until_us;      /* when its window closes, if nothing more comes */
};

enum { NONE = 0 }; /* entries are numbered from 1 */

struct windows {
    struct entry *entries; /* owned; [0] is not used */
    int64_t *stamps;       /* owned; `times` of them for each entry */
    uint32_t *buckets;     /* owned; a power of two of them */
    uint32_t cap, mask, times;
    uint32_t used; /* entries ever taken; those beyond were never touched */
    uint32_t free; /* a chain of those given back */
    uint32_t newest, oldest;
    uint64_t seed, lost;
};

struct windows *windows_new(size_t entries, uint32_t times, uint64_t seed, struct err *e)
{
    struct windows *w = calloc(1, sizeof(*w));
    uint32_t buckets = 16;

    assert(entries > 0 && entries <= 1u << 24 && times > 0);
    while (buckets < entries)
        buckets *= 2;
    if (w) {
        w->entries = calloc(entries + 1, sizeof(*w->entries));
        w->stamps = calloc((entries + 1) * times, sizeof(*w->stamps));
        w->buckets = calloc(buckets, sizeof(*w->buckets));
        w->cap = (uint32_t)entries;
        w->mask = buckets - 1;
        w->times = times;
        w->seed = seed;
    }
    if (w && w->entries && w->stamps && w->buckets)
        return w;
    windows_free(w);
    (void)err_set(e, 0, "no memory for %zu windows of %u events", entries, times);
    return NULL;
}

void windows_free(struct windows *w)
{
    if (!w)
        return;
    free(w->entries);
    free(w->stamps);
    free(w->buckets);
    free(w);
}

static uint32_t *bucket_of(struct windows *w, uint32_t rule, struct addr src)
{
    return &w->buckets[addr_hash(src, w->seed + rule) & w->mask];
}

static void unlink_age(struct windows *w, uint32_t n)
{
    struct entry *en = &w->entries[n];

    *(en->newer ? &w->entries[en->newer].older : &w->newest) = en->older;
    *(en->older ? &w->entries[en->older].newer : &w->oldest) = en->newer;
}

static void link_newest(struct windows *w, uint32_t n)
{
    struct entry *en = &w->entries[n];

    en->newer = NONE;
    en->older = w->newest;
    *(w->newest ? &w->entries[w->newest].newer : &w->oldest) = n;
    w->newest = n;
}

static void drop(struct windows *w, uint32_t n)
{
    struct entry *en = &w->entries[n];
    uint32_t *at = bucket_of(w, en->rule, en->src);

    while (*at != n)
        at = &w->entries[*at].chain;
    *at = en->chain;
    unlink_age(w, n);
    en->chain = w->free;
    en->count = 0;
    w->free = n;
}

static uint32_t take_free(struct windows *w, int64_t now_us)
{
    uint32_t n;

    if (!w->free && w->used < w->cap)
        return ++w->used;
    if (!w->free) {
        w->lost += w->entries[w->oldest].until_us > now_us;
        drop(w, w->oldest);
    }
    n = w->free;
    w->free = w->entries[n].chain;
    return n;
}

static uint32_t find_or_take(struct windows *w, uint32_t rule, struct addr src, int64_t now_us)
{
    uint32_t *bucket = bucket_of(w, rule, src);
    uint32_t n;

    for (n = *bucket; n; n = w->entries[n].chain)
        if (w->entries[n].rule == rule && addr_eq(w->entries[n].src, src))
            break;
    if (n) {
        unlink_age(w, n);
    } else {
        n = take_free(w, now_us);
        w->entries[n] = (struct entry){ .src = src, .rule = rule, .chain = *bucket };
        *bucket = n;
    }
    link_newest(w, n);
    return n;
}

bool windows_count(struct windows *w, uint32_t rule, struct addr src, uint32_t times, int64_t within_us, int64_t now_us)
{
    uint32_t n = find_or_take(w, rule, src, now_us);
    struct entry *en = &w->entries[n];
    int64_t *ring = w->stamps + (size_t)n * w->times;

    assert(times > 0 && times <= w->times);
    while (en->count > 0 && now_us - ring[en->first] > within_us) {
        en->first = (en->first + 1) % times;
        en->count--;
    }
    ring[(en->first + en->count) % times] = now_us;
    en->count++;
    en->until_us = now_us + within_us;
    if (en->count < times)
        return false;
    drop(w, n);
    return true;
}

void windows_forget(struct windows *w, struct addr src)
{
    uint32_t older;

    for (uint32_t n = w->newest; n; n = older) {
        older = w->entries[n].older;
        if (addr_eq(w->entries[n].src, src))
            drop(w, n);
    }
}

uint64_t windows_lost(const struct windows *w)
{
    return w->lost;
}
