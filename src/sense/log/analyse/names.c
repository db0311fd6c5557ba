/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/analyse/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct name {
    uint8_t len;
    char text[NAMES_LENGTH];
};

struct names {
    uint64_t seed;
    uint32_t cap, count, mask;
    struct name *all; /* that of id n is all[n - 1] */
    uint32_t *place;  /* [mask + 1], open addressing: ids, 0 is free; at most half full */
    uint32_t last;    /* asked for most recently: it often comes again */
};

struct names *names_new(uint32_t cap, uint64_t seed, struct err *e)
{
    struct names *n = calloc(1, sizeof(*n));
    uint32_t places = 4;

    if (!n)
        goto no_memory;
    while (places < 2 * cap)
        places *= 2;
    n->seed = seed;
    n->cap = cap;
    n->mask = places - 1;
    n->all = calloc(cap, sizeof(*n->all));
    n->place = calloc(places, sizeof(*n->place));
    if (n->all && n->place)
        return n;
no_memory:
    names_free(n);
    (void)err_set(e, ENOMEM, "names");
    return NULL;
}

void names_free(struct names *n)
{
    if (!n)
        return;
    free(n->all);
    free(n->place);
    free(n);
}

static bool matches(const struct name *k, struct slice name)
{
    return k->len == name.len && (name.len == 0 || memcmp(k->text, name.at, name.len) == 0);
}

/* Its place, or the free one where it belongs. */
static uint32_t *place_of(struct names *n, struct slice name)
{
    uint32_t at = (uint32_t)hash_bytes(name.at, name.len, n->seed) & n->mask;

    while (n->place[at] != 0 && !matches(&n->all[n->place[at] - 1], name))
        at = (at + 1) & n->mask;
    return &n->place[at];
}

uint32_t names_find(struct names *n, struct slice name)
{
    return *place_of(n, slice_first(name, NAMES_LENGTH));
}

uint32_t names_id(struct names *n, struct slice name)
{
    uint32_t *place;

    name = slice_first(name, NAMES_LENGTH);
    if (n->last != 0 && matches(&n->all[n->last - 1], name))
        return n->last;
    place = place_of(n, name);
    if (*place == 0 && n->count < n->cap) {
        struct name *k = &n->all[n->count];

        k->len = (uint8_t)name.len;
        if (name.len > 0)
            memcpy(k->text, name.at, name.len);
        *place = ++n->count;
    }
    n->last = *place;
    return *place;
}

struct slice names_of(const struct names *n, uint32_t id)
{
    return id == 0 ? SLICE("(others)") : slice_of(n->all[id - 1].text, n->all[id - 1].len);
}

uint32_t names_count(const struct names *n)
{
    return n->count;
}

void names_save(const struct names *n, struct bytes_out *to)
{
    bytes_put(to, n->count, 4);
    for (uint32_t id = 1; id <= n->count; id++)
        bytes_put_slice(to, names_of(n, id));
}

int names_load(struct names *n, struct bytes_in *from, struct err *e)
{
    uint32_t count = (uint32_t)bytes_get(from, 4);

    for (uint32_t id = 1; id <= count && !from->bad; id++)
        from->bad = names_id(n, bytes_get_slice(from, NAMES_LENGTH)) != id || from->bad;
    return from->bad ? err_set(e, 0, "names are not sound") : 0;
}
