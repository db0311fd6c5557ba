/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/timers.h"

#include <errno.h>
#include <stdlib.h>

struct timer {
    int64_t at_us, every_us;
    void (*fire)(void *ctx);
    void *ctx;
    uint16_t generation; /* the upper half of the id: an old id of this place is not ours */
    uint16_t position;   /* in the heap; meaningless while fire is NULL */
};

struct timers {
    size_t cap, count;
    uint16_t *heap;      /* [cap]: first `count` are places in `timer`, ordered; the rest are the free places */
    struct timer *timer; /* [cap] */
};

struct timers *timers_new(size_t cap, struct err *e)
{
    struct timers *t = calloc(1, sizeof(*t));

    if (t) {
        t->heap = calloc(cap, sizeof(*t->heap));
        t->timer = calloc(cap, sizeof(*t->timer));
    }
    if (!t || !t->heap || !t->timer || cap == 0 || cap > TIMERS_MOST) {
        (void)err_set(e, ENOMEM, "%zu timers", cap);
        timers_free(t);
        return NULL;
    }
    t->cap = cap;
    for (size_t i = 0; i < cap; i++)
        t->heap[i] = (uint16_t)i;
    return t;
}

void timers_free(struct timers *t)
{
    if (!t)
        return;
    free(t->heap);
    free(t->timer);
    free(t);
}

static int64_t due(const struct timers *t, size_t position)
{
    return t->timer[t->heap[position]].at_us;
}

static void put(struct timers *t, size_t position, uint16_t place)
{
    t->heap[position] = place;
    t->timer[place].position = (uint16_t)position;
}

static void settle(struct timers *t, size_t position) /* restores the order around one that changed */
{
    uint16_t place = t->heap[position];
    int64_t at_us = t->timer[place].at_us;

    while (position > 0 && due(t, (position - 1) / 2) > at_us) {
        put(t, position, t->heap[(position - 1) / 2]);
        position = (position - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * position + 1;

        if (child + 1 < t->count && due(t, child + 1) < due(t, child))
            child++;
        if (child >= t->count || due(t, child) >= at_us)
            break;
        put(t, position, t->heap[child]);
        position = child;
    }
    put(t, position, place);
}

uint32_t timers_add(struct timers *t, int64_t at_us, int64_t every_us, void (*fire)(void *ctx), void *ctx)
{
    uint16_t place;
    struct timer *one;

    if (t->count == t->cap)
        return 0;
    place = t->heap[t->count];
    one = &t->timer[place];
    one->at_us = at_us;
    one->every_us = every_us;
    one->fire = fire;
    one->ctx = ctx;
    put(t, t->count, place);
    t->count++;
    settle(t, t->count - 1);
    return (uint32_t)one->generation << 16 | (place + 1u);
}

static void take_out(struct timers *t, uint16_t place)
{
    size_t position = t->timer[place].position;

    t->timer[place].fire = NULL;
    t->timer[place].generation++;
    t->count--;
    if (position < t->count) {
        put(t, position, t->heap[t->count]);
        t->heap[t->count] = place;
        settle(t, position);
    } else
        t->heap[t->count] = place;
}

void timers_remove(struct timers *t, uint32_t id)
{
    size_t place = (id & 0xffff) - 1u;

    if ((id & 0xffff) == 0 || place >= t->cap || !t->timer[place].fire || t->timer[place].generation != id >> 16)
        return;
    take_out(t, (uint16_t)place);
}

int64_t timers_next_us(const struct timers *t)
{
    return t->count ? due(t, 0) : INT64_MAX;
}

size_t timers_count(const struct timers *t)
{
    return t->count;
}

void timers_fire(struct timers *t, int64_t now_us)
{
    for (size_t budget = t->count; budget > 0 && timers_next_us(t) <= now_us; budget--) {
        uint16_t place = t->heap[0];
        struct timer one = t->timer[place];

        if (one.every_us > 0) {
            t->timer[place].at_us =
                one.at_us + one.every_us > now_us ? one.at_us + one.every_us : now_us + one.every_us;
            settle(t, 0);
        } else
            take_out(t, place);
        one.fire(one.ctx);
    }
}
