/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DISTINCT_START = 8, DISTINCT_TOTAL = 1 << 20 /* hashes over all sources: 8 MiB */ };
enum list { UNPROVEN, PROVEN, LISTS };

struct sources {
    struct source *at;
    uint32_t *buckets;
    uint32_t cap, mask, used, generation;
    uint32_t oldest[LISTS], newest[LISTS];
    uint64_t seed, evicted;
    uint64_t hashes; /* places in all sets */
    const struct hunt_settings *settings;
};

struct sources *sources_new(uint64_t cap, uint64_t seed, const struct hunt_settings *settings, struct err *e)
{
    struct sources *t = calloc(1, sizeof(*t));
    uint32_t buckets = 16;

    while (buckets < cap)
        buckets *= 2;
    if (t) {
        t->at = calloc(cap, sizeof(*t->at));
        t->buckets = calloc(buckets, sizeof(*t->buckets));
    }
    if (!t || !t->at || !t->buckets) {
        (void)err_set(e, ENOMEM, "source table");
        sources_free(t);
        return NULL;
    }
    t->cap = (uint32_t)cap;
    t->mask = buckets - 1;
    t->seed = seed;
    sources_set(t, settings);
    return t;
}

static void clear_sets(struct sources *t, struct source *s)
{
    struct distinct *sets[] = { &s->servers, &s->senders, &s->domains, &s->helos };

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        t->hashes -= sets[i]->cap;
        free(sets[i]->at);
        *sets[i] = (struct distinct){ 0 };
    }
}

void sources_free(struct sources *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->used; i++)
        clear_sets(t, &t->at[i]);
    free(t->at);
    free(t->buckets);
    free(t);
}

void sources_set(struct sources *t, const struct hunt_settings *settings)
{
    t->settings = settings;
    t->generation++;
}

static bool among(const struct key_prefixes *list, struct addr who)
{
    for (uint32_t i = 0; i < list->count && i < KEY_PREFIX_CAP; i++)
        if (prefix_has(list->at[i], who))
            return true;
    return false;
}

bool sources_allows(const struct sources *t, struct addr who)
{
    return among(&t->settings->allow, addr_ip(who));
}

bool sources_inside(const struct sources *t, struct addr who)
{
    who = addr_ip(who);
    if (t->settings->inside.count == 0)
        return addr_is_private(who) || addr_is_link_local(who);
    return among(&t->settings->inside, who);
}

bool sources_own(const struct sources *t, struct addr who)
{
    return among(&t->settings->own, addr_ip(who));
}

static void judge(struct sources *t, struct source *s)
{
    if (s->generation == t->generation)
        return;
    s->generation = t->generation;
    s->inside = sources_inside(t, s->who);
    s->allowed = sources_allows(t, s->who);
    s->limits = &t->settings->limits;
    for (uint32_t i = 0; i < t->settings->networks_count && i < HUNT_NETWORKS; i++)
        if (among(&t->settings->networks[i].net, s->who)) {
            s->limits = &t->settings->networks[i].limits;
            return;
        }
}

static void list_add(struct sources *t, struct source *s)
{
    uint32_t me = (uint32_t)(s - t->at) + 1;
    enum list l = s->proven ? PROVEN : UNPROVEN;

    s->older = t->newest[l];
    s->newer = 0;
    if (s->older)
        t->at[s->older - 1].newer = me;
    else
        t->oldest[l] = me;
    t->newest[l] = me;
}

static void list_take(struct sources *t, struct source *s)
{
    enum list l = s->proven ? PROVEN : UNPROVEN;

    if (s->older)
        t->at[s->older - 1].newer = s->newer;
    else
        t->oldest[l] = s->newer;
    if (s->newer)
        t->at[s->newer - 1].older = s->older;
    else
        t->newest[l] = s->older;
}

static uint32_t *bucket(const struct sources *t, struct addr who)
{
    return &t->buckets[addr_hash(who, t->seed) & t->mask];
}

static uint32_t evict(struct sources *t)
{
    uint32_t me = t->oldest[UNPROVEN] ? t->oldest[UNPROVEN] : t->oldest[PROVEN];
    struct source *s = &t->at[me - 1];
    uint32_t *at = bucket(t, s->who);

    while (*at != me)
        at = &t->at[*at - 1].hash_next;
    *at = s->hash_next;
    list_take(t, s);
    clear_sets(t, s);
    t->evicted++;
    return me;
}

static struct source *make(struct sources *t, struct addr who, bool proven, int64_t now_us)
{
    uint32_t me = t->used < t->cap ? ++t->used : evict(t);
    struct source *s = &t->at[me - 1];
    uint32_t *at = bucket(t, who);

    *s = (struct source){ .who = who, .first_us = now_us, .window_at_us = now_us, .proven = proven };
    s->hash_next = *at;
    *at = me;
    list_add(t, s);
    return s;
}

static struct source *find(const struct sources *t, struct addr who)
{
    for (uint32_t i = *bucket(t, who); i != 0; i = t->at[i - 1].hash_next)
        if (addr_eq_ip(t->at[i - 1].who, who))
            return &t->at[i - 1];
    return NULL;
}

static void begin_window(struct sources *t, struct source *s, int64_t now_us)
{
    s->window_at_us = now_us;
    s->connections_now = s->refusals_now = s->bytes_now = 0;
    s->told = 0;
    clear_sets(t, s);
}

void sources_forget(struct sources *t, struct addr who)
{
    struct source *s = find(t, addr_ip(who));

    if (s)
        begin_window(t, s, s->last_us);
}

struct source *sources_get(struct sources *t, struct addr who, bool proven, int64_t now_us)
{
    struct source *s;

    who = addr_ip(who);
    s = find(t, who);
    if (s) {
        list_take(t, s);
        s->proven = s->proven || proven;
        list_add(t, s);
    } else
        s = make(t, who, proven, now_us);
    judge(t, s);
    s->last_us = now_us;
    if (now_us - s->window_at_us >= s->limits->window_us || now_us < s->window_at_us - s->limits->window_us)
        begin_window(t, s, now_us);
    return s;
}

const struct source *sources_look(const struct sources *t, struct addr who)
{
    return find(t, addr_ip(who));
}

const struct source *sources_at(const struct sources *t, struct addr who, uint32_t *place)
{
    const struct source *s;

    if (*place > 0 && addr_eq_ip(t->at[*place - 1].who, who))
        return &t->at[*place - 1];
    s = sources_look(t, who);
    *place = s ? (uint32_t)(s - t->at) + 1 : 0;
    return s;
}

void sources_each(const struct sources *t, bool (*each)(void *ctx, const struct source *s), void *ctx)
{
    for (uint32_t i = 0; i < t->used; i++)
        if (!each(ctx, &t->at[i]))
            return;
}

uint64_t sources_evicted(const struct sources *t)
{
    return t->evicted;
}

static bool grow(struct sources *t, struct distinct *d)
{
    uint32_t cap = d->cap ? d->cap * 2 : DISTINCT_START;
    uint64_t *bigger;

    if (t->hashes + cap > DISTINCT_TOTAL)
        return false;
    bigger = calloc(cap, sizeof(*bigger));
    if (!bigger)
        return false;
    for (uint32_t i = 0; i < d->cap; i++) {
        uint32_t at = (uint32_t)d->at[i] & (cap - 1);

        if (d->at[i] == 0)
            continue;
        while (bigger[at] != 0)
            at = (at + 1) & (cap - 1);
        bigger[at] = d->at[i];
    }
    free(d->at);
    t->hashes += cap - d->cap;
    d->at = bigger;
    d->cap = cap;
    return true;
}

uint32_t sources_distinct(struct sources *t, struct distinct *d, uint64_t hash, uint64_t limit)
{
    uint32_t at;

    if (limit == 0 || d->count > limit)
        return d->count;
    if (d->count * 2 >= d->cap && !grow(t, d))
        return d->count;
    hash = hash ? hash : 1;
    at = (uint32_t)hash & (d->cap - 1);
    while (d->at[at] != 0) {
        if (d->at[at] == hash)
            return d->count;
        at = (at + 1) & (d->cap - 1);
    }
    d->at[at] = hash;
    return ++d->count;
}

uint64_t sources_hash(const struct sources *t, struct slice s)
{
    uint64_t h = t->seed ^ 0xcbf29ce484222325u ^ s.len;

    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.at[i];

        h ^= c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
        h *= 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}
