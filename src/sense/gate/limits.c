/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rate.h"
#include "base/table.h"

enum { MINUTE_US = 60000000, SPARE = 4096 }; /* entries beyond one for each place, that remember rates */

struct tally {
    uint64_t sessions;
    struct rate_window minute;
};

struct limits {
    const struct gate_limits *set; /* borrowed */
    uint64_t seed, taken;
    struct table *addresses, *networks, *organisations; /* struct addr, struct prefix, uint64_t -> struct tally */
};

struct limits *limits_new(const struct gate_limits *set, uint64_t seed, struct err *e)
{
    struct limits *l = calloc(1, sizeof(*l));
    size_t cap = set->places + SPARE;

    if (!l) {
        (void)err_set(e, 0, "no memory for the gate's limits");
        return NULL;
    }
    l->set = set;
    l->seed = seed;
    l->addresses = table_new(cap, sizeof(struct addr), sizeof(struct tally), seed, e);
    l->networks = table_new(cap, sizeof(struct prefix), sizeof(struct tally), seed + 1, e);
    l->organisations = table_new(cap, sizeof(uint64_t), sizeof(struct tally), seed + 2, e);
    if (l->addresses && l->networks && l->organisations)
        return l;
    limits_free(l);
    return NULL;
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    table_free(l->addresses);
    table_free(l->networks);
    table_free(l->organisations);
    free(l);
}

void limits_set(struct limits *l, const struct gate_limits *set)
{
    l->set = set;
}

struct prefix limits_network(struct addr who)
{
    return prefix_of(addr_ip(who), who.family == 4 ? 24 : 64);
}

/* A full table lets its oldest entry go; one with sessions is made young again first.  There are more entries than
 * places, so one without is found. */
static struct tally *tally_of(struct table *t, const void *key)
{
    struct tally *oldest = table_oldest(t);

    while (table_count(t) == table_cap(t) && oldest->sessions > 0) {
        table_touch(t, oldest);
        oldest = table_oldest(t);
    }
    return table_add(t, key, NULL, NULL, NULL);
}

static bool over(struct tally *t, uint64_t at_once, uint64_t a_minute, int64_t now_us, struct limit_said *said)
{
    uint64_t rate = rate_add(&t->minute, MINUTE_US, now_us, 1);

    if (t->sessions >= at_once) {
        *said = (struct limit_said){ said->over, false, t->sessions + 1, at_once };
        return true;
    }
    if (a_minute > 0 && rate > a_minute) {
        *said = (struct limit_said){ said->over, true, rate, a_minute };
        return true;
    }
    return false;
}

struct limit_said limits_enter(struct limits *l, struct addr who, bool known, int64_t now_us, struct places *p)
{
    const struct gate_limits *set = l->set;
    uint64_t kept = known ? 0 : set->places * set->reserve / 100;
    struct limit_said said = { .over = LIMIT_PLACES, .value = l->taken + 1, .limit = set->places - kept };
    struct prefix net = limits_network(who);
    struct addr address = addr_ip(who);
    struct tally *mine;
    struct tally *ours;

    memset(p, 0, sizeof(*p));
    if (l->taken >= set->places - kept)
        return said;
    mine = tally_of(l->addresses, &address);
    ours = tally_of(l->networks, &net);
    said.over = LIMIT_ADDRESS;
    if (over(mine, set->per_address, set->rate_address, now_us, &said) && !known)
        return said;
    said.over = LIMIT_NETWORK;
    if (over(ours, set->per_network, set->rate_network, now_us, &said) && !known)
        return said;
    mine->sessions++;
    ours->sessions++;
    l->taken++;
    *p = (struct places){ .who = address, .network = true, .address = true, .place = true };
    return (struct limit_said){ 0 };
}

struct limit_said limits_join(struct limits *l, struct slice organisation, int64_t now_us, struct places *p)
{
    uint64_t key = hash_bytes(organisation.at, organisation.len, l->seed) | 1;
    struct limit_said said = { .over = LIMIT_ORGANISATION };
    struct tally *t;

    if (p->organisation != 0)
        return (struct limit_said){ 0 };
    t = tally_of(l->organisations, &key);
    if (over(t, l->set->per_organisation, l->set->rate_organisation, now_us, &said))
        return said;
    t->sessions++;
    p->organisation = key;
    return (struct limit_said){ 0 };
}

static void leave(struct table *t, const void *key)
{
    struct tally *tally = table_find(t, key);

    if (tally && tally->sessions > 0)
        tally->sessions--;
}

void limits_leave(struct limits *l, struct places *p)
{
    struct prefix net = limits_network(p->who);

    if (p->address)
        leave(l->addresses, &p->who);
    if (p->network)
        leave(l->networks, &net);
    if (p->organisation != 0)
        leave(l->organisations, &p->organisation);
    if (p->place)
        l->taken--;
    memset(p, 0, sizeof(*p));
}

uint64_t limits_taken(const struct limits *l)
{
    return l->taken;
}

uint32_t limits_holders(const struct limits *l, struct limit_holder *at, uint32_t most)
{
    uint32_t n = 0;

    for (const struct tally *t = table_oldest(l->addresses); t; t = table_newer(l->addresses, t)) {
        uint32_t i = n;

        if (t->sessions == 0 || (n == most && t->sessions <= at[n - 1].sessions))
            continue;
        if (n < most)
            n++;
        else
            i = n - 1;
        for (; i > 0 && at[i - 1].sessions < t->sessions; i--)
            at[i] = at[i - 1];
        memcpy(&at[i].who, table_key(l->addresses, t), sizeof(at[i].who));
        at[i].sessions = t->sessions;
    }
    return n;
}
