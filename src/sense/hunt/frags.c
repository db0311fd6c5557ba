/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/frags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, PATIENCE_US = 30000000 };

struct piece {
    struct piece *next;
    uint32_t offset, len;
    uint8_t bytes[];
};

struct key {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint16_t vlan[LINK_TAGS];
    uint8_t family, proto;
    uint32_t zero;
};

struct datagram {
    struct key key;
    int64_t since_us;     /* 0: free */
    struct piece *pieces; /* by offset, no overlaps */
    uint32_t count, bytes;
    uint32_t length; /* of the whole; 0: the last piece has not come */
    uint8_t ttl, first_proto;
    bool spoiled; /* overlapped: its remaining pieces are eaten until it is too old */
    bool sum_bad;
};

struct frags {
    uint64_t bytes, bytes_max, dropped, seed;
    struct datagram at[FRAGS_DATAGRAMS];
    uint8_t src[16], dst[16];
    uint8_t whole[FRAGS_WHOLE];
};

struct frags *frags_new(uint64_t bytes_max, uint64_t seed, struct err *e)
{
    struct frags *f = calloc(1, sizeof(*f));

    if (!f) {
        (void)err_set(e, ENOMEM, "fragments");
        return NULL;
    }
    f->bytes_max = bytes_max;
    f->seed = seed;
    return f;
}

static void drop_pieces(struct frags *f, struct datagram *d)
{
    while (d->pieces) {
        struct piece *p = d->pieces;

        d->pieces = p->next;
        f->bytes -= p->len;
        free(p);
    }
    d->count = 0;
    d->bytes = 0;
}

static void drop(struct frags *f, struct datagram *d, bool lost)
{
    drop_pieces(f, d);
    f->dropped += lost && !d->spoiled;
    d->since_us = 0;
}

void frags_free(struct frags *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < FRAGS_DATAGRAMS; i++)
        drop_pieces(f, &f->at[i]);
    free(f);
}

void frags_tick(struct frags *f, int64_t now_us)
{
    for (size_t i = 0; i < FRAGS_DATAGRAMS; i++)
        if (f->at[i].since_us != 0 && now_us - f->at[i].since_us > PATIENCE_US)
            drop(f, &f->at[i], true);
}

uint64_t frags_dropped(const struct frags *f)
{
    return f->dropped;
}

static uint64_t key_hash(const struct key *k, uint64_t seed)
{
    uint64_t words[sizeof(*k) / 8];
    uint64_t h = seed;

    memcpy(words, k, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        h = (h ^ words[i]) * 0x9e3779b97f4a7c15u ^ h >> 29;
    return h ^ h >> 32;
}
_Static_assert(sizeof(struct key) % 8 == 0, "hashed as words");

/* Its place, a free one, or the oldest's. */
static struct datagram *find(struct frags *f, const struct key *k, int64_t now_us)
{
    struct datagram *set = &f->at[key_hash(k, f->seed) % (FRAGS_DATAGRAMS / WAYS) * WAYS];
    struct datagram *best = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].since_us != 0 && now_us - set[i].since_us > PATIENCE_US)
            drop(f, &set[i], true);
        if (set[i].since_us != 0 && memcmp(&set[i].key, k, sizeof(*k)) == 0)
            return &set[i];
        if (set[i].since_us < best->since_us)
            best = &set[i];
    }
    if (best->since_us != 0)
        drop(f, best, true);
    *best = (struct datagram){ .key = *k, .since_us = now_us ? now_us : 1 };
    return best;
}

static bool make_room(struct frags *f, const struct datagram *keep, size_t need)
{
    while (f->bytes + need > f->bytes_max) {
        struct datagram *oldest = NULL;

        for (size_t i = 0; i < FRAGS_DATAGRAMS; i++)
            if (&f->at[i] != keep && f->at[i].pieces && (!oldest || f->at[i].since_us < oldest->since_us))
                oldest = &f->at[i];
        if (!oldest)
            return false;
        drop(f, oldest, true);
    }
    return true;
}

static void spoil(struct frags *f, struct datagram *d)
{
    drop_pieces(f, d);
    f->dropped += !d->spoiled;
    d->spoiled = true;
}

static void add(struct frags *f, struct datagram *d, const struct ip_packet *p)
{
    struct piece **at = &d->pieces;
    uint32_t len = (uint32_t)p->payload.len;
    struct piece *fresh;

    while (*at && (*at)->offset + (*at)->len <= p->offset)
        at = &(*at)->next;
    if (*at && (*at)->offset < p->offset + len) {
        bool same = (*at)->offset == p->offset && (*at)->len == len && memcmp((*at)->bytes, p->payload.at, len) == 0;

        if (!same)
            spoil(f, d);
        return;
    }
    if (d->count == FRAGS_PIECES || !make_room(f, d, len)) {
        spoil(f, d);
        return;
    }
    fresh = malloc(sizeof(*fresh) + len);
    if (!fresh)
        return;
    fresh->offset = p->offset;
    fresh->len = len;
    memcpy(fresh->bytes, p->payload.at, len);
    fresh->next = *at;
    *at = fresh;
    f->bytes += len;
    d->bytes += len;
    d->count++;
}

static void join(struct frags *f, const struct datagram *d, struct ip_packet *whole)
{
    size_t alen = d->key.family == 4 ? 4 : 16;

    for (const struct piece *p = d->pieces; p; p = p->next)
        memcpy(f->whole + p->offset, p->bytes, p->len);
    memcpy(f->src, d->key.src, alen);
    memcpy(f->dst, d->key.dst, alen);
    *whole = (struct ip_packet){ .family = d->key.family,
                                 .proto = d->first_proto,
                                 .ttl = d->ttl,
                                 .src = f->src,
                                 .dst = f->dst,
                                 .payload = slice_of(f->whole, d->length),
                                 .wire_len = d->length,
                                 .sum_bad = d->sum_bad };
}

bool frags_put(struct frags *f, const struct link_packet *link, const struct ip_packet *piece, int64_t now_us,
               struct ip_packet *whole)
{
    struct key k = { .id = piece->id, .family = piece->family };
    size_t alen = piece->family == 4 ? 4 : 16;
    uint32_t end = piece->offset + (uint32_t)piece->wire_len;
    struct datagram *d;

    /* A piece that the capture cut, an empty one, and one that would reach past the largest packet. */
    if (piece->payload.len < piece->wire_len || piece->wire_len == 0 || end > FRAGS_WHOLE)
        return false;
    if (piece->more && piece->wire_len % 8 != 0)
        return false;
    memcpy(k.src, piece->src, alen);
    memcpy(k.dst, piece->dst, alen);
    memcpy(k.vlan, link->vlan, sizeof(link->vlan[0]) * link->vlans);
    k.proto = piece->family == 4 ? piece->proto : 0; /* of IPv6, only the first piece's counts */
    d = find(f, &k, now_us);
    if (d->spoiled)
        return false;
    if ((d->length != 0 && (end > d->length || (!piece->more && end != d->length)))) {
        spoil(f, d);
        return false;
    }
    if (!piece->more)
        d->length = end;
    if (piece->offset == 0) {
        d->first_proto = piece->proto;
        d->ttl = piece->ttl;
    }
    d->sum_bad = d->sum_bad || piece->sum_bad;
    add(f, d, piece);
    if (d->spoiled || d->length == 0 || d->bytes != d->length)
        return false;
    join(f, d, whole);
    drop(f, d, false);
    return whole->family == 4 || ip_extensions(whole->proto, whole->payload, whole->wire_len, whole);
}
