/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct flow_key flow_key_of(const struct link_packet *link, const struct ip_packet *ip, const struct tcp_segment *t,
                            bool inner)
{
    struct flow_key k = { .client_port = t->sport, .server_port = t->dport, .family = ip->family, .inner = inner };
    size_t n = ip->family == 4 ? 4 : 16;

    memcpy(k.client, ip->src, n);
    memcpy(k.server, ip->dst, n);
    k.vlans = link->vlans;
    memcpy(k.vlan, link->vlan, link->vlans * sizeof(link->vlan[0]));
    return k;
}

struct flow_key flow_key_turned(struct flow_key k)
{
    struct flow_key turned = k;

    memcpy(turned.client, k.server, sizeof(k.server));
    memcpy(turned.server, k.client, sizeof(k.client));
    turned.client_port = k.server_port;
    turned.server_port = k.client_port;
    return turned;
}

uint64_t flow_key_hash(const struct flow_key *k, uint64_t seed)
{
    uint64_t words[sizeof(*k) / 8];
    uint64_t h = seed ^ 0x9e3779b97f4a7c15u;

    memcpy(words, k, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        h ^= words[i];
        h *= 0xff51afd7ed558ccdu;
        h ^= h >> 32;
        h += seed;
    }
    return h;
}

/* --- who knocks: sets of eight places --- */

enum { KNOCK_WAYS = 8 };
struct knocks {
    uint64_t seed, mask, count, evicted;
    struct knock at[];
};

static uint64_t power_of_two(uint64_t n)
{
    uint64_t p = 16;

    while (p < n)
        p *= 2;
    return p;
}

struct knocks *knocks_new(uint64_t cap, uint64_t seed, struct err *e)
{
    uint64_t places = power_of_two(cap);
    struct knocks *k = calloc(1, sizeof(*k) + places * sizeof(struct knock));

    if (!k) {
        (void)err_set(e, ENOMEM, "half-open table");
        return NULL;
    }
    k->seed = seed;
    k->mask = places / KNOCK_WAYS - 1;
    return k;
}

void knocks_free(struct knocks *k)
{
    free(k);
}

static struct knock *knock_set(struct knocks *k, const struct flow_key *key)
{
    return &k->at[(flow_key_hash(key, k->seed) & k->mask) * KNOCK_WAYS];
}

static bool is_over(const struct knock *one, int64_t now_us, int64_t patience_us)
{
    return one->at_us == 0 || now_us - one->at_us > patience_us;
}

struct knock *knocks_find(struct knocks *k, const struct flow_key *key, int64_t now_us, int64_t patience_us)
{
    struct knock *set = knock_set(k, key);

    for (size_t i = 0; i < KNOCK_WAYS; i++)
        if (!is_over(&set[i], now_us, patience_us) && memcmp(&set[i].key, key, sizeof(*key)) == 0)
            return &set[i];
    return NULL;
}

struct knock *knocks_put(struct knocks *k, const struct flow_key *key, int64_t now_us, int64_t patience_us)
{
    struct knock *set = knock_set(k, key);
    struct knock *place = NULL;

    for (size_t i = 0; i < KNOCK_WAYS; i++) {
        struct knock *one = &set[i];

        if (one->at_us != 0 && is_over(one, now_us, patience_us))
            knocks_remove(k, one);
        if (one->at_us != 0 && memcmp(&one->key, key, sizeof(*key)) == 0)
            return one;
        if (!place || (place->at_us != 0 && (one->at_us == 0 || one->seen < place->seen ||
                                             (one->seen == place->seen && one->at_us < place->at_us))))
            place = one;
    }
    if (place->at_us != 0)
        k->evicted++;
    else
        k->count++;
    *place = (struct knock){ .key = *key, .at_us = now_us ? now_us : 1, .client_scale = -1, .server_scale = -1 };
    return place;
}

void knocks_remove(struct knocks *k, struct knock *one)
{
    one->at_us = 0;
    k->count--;
}

uint64_t knocks_count(const struct knocks *k)
{
    return k->count;
}

uint64_t knocks_evicted(const struct knocks *k)
{
    return k->evicted;
}

/* --- flows: a pool, a hash, and three lists by last sign of life --- */

int flow_table_init(struct flow_table *t, uint64_t cap, uint64_t seed, struct err *e)
{
    uint64_t buckets = power_of_two(cap);

    *t = (struct flow_table){ .cap = (uint32_t)cap, .mask = (uint32_t)buckets - 1, .seed = seed };
    t->at = calloc(cap, sizeof(*t->at));
    t->buckets = calloc(buckets, sizeof(*t->buckets));
    if (!t->at || !t->buckets) {
        flow_table_done(t);
        return err_set(e, ENOMEM, "flow table");
    }
    return 0;
}

void flow_table_done(struct flow_table *t)
{
    free(t->at);
    free(t->buckets);
    t->at = NULL;
    t->buckets = NULL;
}

struct flow *flow_find(struct flow_table *t, const struct flow_key *key)
{
    uint32_t i = t->buckets[flow_key_hash(key, t->seed) & t->mask];

    while (i != 0) {
        struct flow *f = &t->at[i - 1];

        if (memcmp(&f->key, key, sizeof(*key)) == 0)
            return f;
        i = f->hash_next;
    }
    return NULL;
}

static void list_add(struct flow_table *t, struct flow *f, enum flow_list list)
{
    uint32_t me = (uint32_t)(f - t->at) + 1;

    f->list = (uint8_t)list;
    f->older = t->newest[list];
    f->newer = 0;
    if (f->older)
        t->at[f->older - 1].newer = me;
    else
        t->oldest[list] = me;
    t->newest[list] = me;
    t->count[list]++;
}

static void list_take(struct flow_table *t, struct flow *f)
{
    if (f->older)
        t->at[f->older - 1].newer = f->newer;
    else
        t->oldest[f->list] = f->newer;
    if (f->newer)
        t->at[f->newer - 1].older = f->older;
    else
        t->newest[f->list] = f->older;
    t->count[f->list]--;
}

struct flow *flow_new(struct flow_table *t, const struct flow_key *key, enum flow_list list, int64_t now_us)
{
    struct flow *f;
    uint32_t me = t->free_list;

    if (me != 0)
        t->free_list = t->at[me - 1].hash_next;
    else if (t->used < t->cap)
        me = ++t->used;
    else
        return NULL;
    f = &t->at[me - 1];
    *f =
        (struct flow){ .key = *key, .number = ++t->numbers, .first_us = now_us, .last_us = now_us, .moved_us = now_us };
    f->bucket = (uint32_t)(flow_key_hash(key, t->seed) & t->mask);
    f->hash_next = t->buckets[f->bucket];
    t->buckets[f->bucket] = me;
    f->up.scale = -1;
    f->down.scale = -1;
    list_add(t, f, list);
    return f;
}

struct flow *flow_oldest(struct flow_table *t, enum flow_list list)
{
    return t->oldest[list] ? &t->at[t->oldest[list] - 1] : NULL;
}

struct flow *flow_victim(struct flow_table *t)
{
    struct flow *f = flow_oldest(t, FLOW_CLOSING);

    if (!f)
        f = flow_oldest(t, FLOW_UNPROVEN);
    return f ? f : flow_oldest(t, FLOW_PROVEN);
}

void flow_touch(struct flow_table *t, struct flow *f, enum flow_list list, int64_t now_us)
{
    f->last_us = now_us;
    if (f->list == list && (f->newer == 0 || (now_us >= f->moved_us && now_us - f->moved_us < FLOW_ORDER_US)))
        return;
    f->moved_us = now_us;
    list_take(t, f);
    list_add(t, f, list);
}

void flow_remove(struct flow_table *t, struct flow *f)
{
    uint32_t me = (uint32_t)(f - t->at) + 1;
    uint32_t *at = &t->buckets[f->bucket];

    while (*at != me)
        at = &t->at[*at - 1].hash_next;
    *at = f->hash_next;
    list_take(t, f);
    f->key.family = 0;
    f->number = 0;
    f->hash_next = t->free_list;
    t->free_list = me;
}

struct addr flow_client(const struct flow *f)
{
    return addr_from_ip(f->key.family, f->key.client, f->key.client_port);
}

struct addr flow_server(const struct flow *f)
{
    return addr_from_ip(f->key.family, f->key.server, f->key.server_port);
}
