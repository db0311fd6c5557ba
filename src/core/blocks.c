/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"

struct blocks {
    struct table *table; /* struct addr to struct block */
};

struct blocks *blocks_new(size_t cap, uint64_t seed, struct err *e)
{
    struct blocks *b = calloc(1, sizeof(*b));

    if (!b) {
        err_set(e, 0, "no memory for blocks");
        return NULL;
    }
    b->table = table_new(cap, sizeof(struct addr), sizeof(struct block), seed, e);
    if (!b->table) {
        free(b);
        return NULL;
    }
    return b;
}

void blocks_free(struct blocks *b)
{
    if (!b)
        return;
    table_free(b->table);
    free(b);
}

struct block *blocks_find(struct blocks *b, struct addr who)
{
    return table_find(b->table, &who);
}

/* A host that only would be blocked, or may not be, gives its place up; one that is blocked never does. */
static bool make_room(struct blocks *b)
{
    struct block *oldest = table_oldest(b->table);

    if (table_count(b->table) < table_cap(b->table))
        return true;
    if (!oldest || oldest->state == BLOCK_ASKED || oldest->state == BLOCK_STANDS)
        return false;
    table_remove(b->table, oldest);
    return true;
}

struct block *blocks_add(struct blocks *b, struct addr who)
{
    struct block *entry;

    if (table_find(b->table, &who) || !make_room(b))
        return NULL;
    entry = table_add(b->table, &who, NULL, NULL, NULL);
    entry->who = who;
    return entry;
}

void blocks_remove(struct blocks *b, struct addr who)
{
    struct block *entry = table_find(b->table, &who);

    if (entry)
        table_remove(b->table, entry);
}

size_t blocks_count(const struct blocks *b, enum block_state state)
{
    size_t n = 0;

    for (const struct block *x = table_oldest(b->table); x; x = table_newer(b->table, x))
        n += x->state == state;
    return n;
}

void blocks_each(struct blocks *b, void (*visit)(void *ctx, struct block *entry), void *ctx)
{
    for (struct block *x = table_oldest(b->table); x; x = table_newer(b->table, x))
        visit(ctx, x);
}

void block_time(struct block *x, struct instant now, int64_t span_us)
{
    x->since_us = now.wall_us;
    x->until_us = now.wall_us + span_us;
    x->over_us = now.boot_us + span_us;
}

void blocks_tell_ends(struct blocks *b, struct instant now)
{
    for (struct block *x = table_oldest(b->table); x; x = table_newer(b->table, x))
        x->until_us = now.wall_us + (x->over_us - now.boot_us);
}

void blocks_expire(struct blocks *b, int64_t boot_us, void (*over)(void *ctx, const struct block *entry), void *ctx)
{
    struct block *next;

    for (struct block *x = table_oldest(b->table); x; x = next) {
        next = table_newer(b->table, x);
        if (x->over_us > boot_us)
            continue;
        over(ctx, x);
        table_remove(b->table, x);
    }
}

/* ---- the fold ---- */

static int64_t number_or(const struct event *ev, enum field f, int64_t otherwise)
{
    uint64_t n;

    return event_get_number(ev, f, &n) && n <= INT64_MAX ? (int64_t)n : otherwise;
}

static void fold_block(struct blocks *b, const struct event *ev, struct instant now)
{
    struct addr who = addr_ip(ev->src);
    struct block *entry = blocks_find(b, who);
    int64_t until_us = number_or(ev, F_UNTIL, 0);
    bool kept = ev->kind == EV_ACT_BLOCK_KEPT;
    struct slice rule;

    if (until_us <= now.wall_us) {
        blocks_remove(b, who);
        return;
    }
    entry = entry ? entry : blocks_add(b, who);
    if (!entry)
        return;
    entry->state = BLOCK_STANDS;
    entry->seq = kept ? (uint64_t)number_or(ev, F_ORIGIN, (int64_t)ev->seq) : ev->seq;
    entry->cause = kept ? entry->seq : ev->cause;
    entry->since_us = kept ? number_or(ev, F_SINCE, ev->at_us) : ev->at_us;
    entry->until_us = until_us;
    entry->over_us = now.boot_us + (until_us - now.wall_us);
    entry->outside = number_or(ev, F_OUTSIDE, 0) != 0;
    if (event_get(ev, F_RULE, &rule))
        (void)text_cstr(entry->rule, sizeof(entry->rule), slice_first(rule, sizeof(entry->rule) - 1));
}

bool blocks_fold(struct blocks *b, const struct event *ev, struct instant now)
{
    if (ev->kind == EV_JOURNAL_CHECKPOINT)
        table_clear(b->table);
    else if (ev->kind == EV_ACT_BLOCKED || ev->kind == EV_ACT_BLOCK_KEPT)
        fold_block(b, ev, now);
    else if (ev->kind == EV_ACT_UNBLOCKED || ev->kind == EV_ACT_BLOCK_EXPIRED)
        blocks_remove(b, addr_ip(ev->src));
    else
        return false;
    return true;
}
