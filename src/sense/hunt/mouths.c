/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/mouths.h"

#include <string.h>

enum { PLACES = 16 }; /* looked at for one name */

struct mouth_name mouth_name(const uint8_t *mac, struct addr who)
{
    struct mouth_name n = { 0 };

    n.kind = mac ? 6 : who.family == 4 ? 4 : 8;
    memcpy(n.bytes, mac ? mac : who.ip, n.kind == 4 ? 3 : n.kind);
    return n;
}

bool mouths_over(const struct mouths *m, int64_t now_us)
{
    return m->since_us != 0 && (now_us - m->since_us >= MOUTHS_MINUTE_US || now_us < m->since_us - MOUTHS_MINUTE_US);
}

void mouths_begin(struct mouths *m, int64_t now_us)
{
    memset(m, 0, sizeof(*m));
    m->since_us = now_us;
}

static uint64_t hash(struct mouth_name n, uint64_t seed)
{
    struct addr a = { .family = n.kind };

    memcpy(a.ip, n.bytes, sizeof(n.bytes));
    return addr_hash(a, seed);
}

struct mouth *mouths_get(struct mouths *m, struct mouth_name name, uint64_t seed)
{
    uint64_t at = hash(name, seed);

    for (unsigned i = 0; i < PLACES; i++) {
        struct mouth *one = &m->at[(at + i) % MOUTHS];

        if (one->name.kind == 0)
            one->name = name;
        if (memcmp(&one->name, &name, sizeof(name)) == 0)
            return one;
    }
    return &m->rest;
}
