/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rule/window.h"

#include <assert.h>
#include <stdlib.h>

#include "base/table.h"

struct key {
    struct addr src;
    uint32_t rule;
};
_Static_assert(sizeof(struct key) == sizeof(struct addr) + sizeof(uint32_t), "a key is compared as its bytes");

struct window {
    int64_t until_us;    /* when it closes, if nothing more comes */
    uint32_t count;      /* times kept, */
    uint32_t first;      /* the oldest of them at this place in its ring */
    int64_t stamps_us[]; /* windows.times of them */
};

struct windows {
    struct table *table; /* owned */
    uint32_t times;
    uint64_t lost;
    int64_t now_us; /* of the event that is being counted, for on_leaving */
};

struct windows *windows_new(size_t entries, uint32_t times, uint64_t seed, struct err *e)
{
    struct windows *w = calloc(1, sizeof(*w));

    assert(times > 0);
    if (!w) {
        (void)err_set(e, 0, "no memory for %zu windows", entries);
        return NULL;
    }
    w->times = times;
    w->table = table_new(entries, sizeof(struct key), sizeof(struct window) + times * sizeof(int64_t), seed, e);
    if (w->table)
        return w;
    free(w);
    (void)err_wrap(e, "%zu windows of %u events", entries, times);
    return NULL;
}

void windows_free(struct windows *w)
{
    if (!w)
        return;
    table_free(w->table);
    free(w);
}

static void on_leaving(void *ctx, const void *key, void *value)
{
    struct windows *w = ctx;
    const struct window *leaves = value;

    (void)key;
    w->lost += leaves->until_us > w->now_us;
}

bool windows_count(struct windows *w, uint32_t rule, struct addr src, uint32_t times, int64_t within_us, int64_t now_us)
{
    struct key key = { .src = src, .rule = rule };
    struct window *in;

    assert(times > 0 && times <= w->times);
    w->now_us = now_us;
    in = table_add(w->table, &key, NULL, on_leaving, w);
    while (in->count > 0 && now_us - in->stamps_us[in->first] > within_us) {
        in->first = (in->first + 1) % times;
        in->count--;
    }
    in->stamps_us[(in->first + in->count) % times] = now_us;
    in->count++;
    in->until_us = now_us + within_us;
    if (in->count < times)
        return false;
    table_remove(w->table, in);
    return true;
}

void windows_forget(struct windows *w, struct addr src)
{
    void *newer;

    for (void *at = table_oldest(w->table); at; at = newer) {
        const struct key *key = table_key(w->table, at);

        newer = table_newer(w->table, at);
        if (addr_eq(key->src, src))
            table_remove(w->table, at);
    }
}

uint64_t windows_lost(const struct windows *w)
{
    return w->lost;
}
