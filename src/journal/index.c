/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t index_key(enum index_role role, const void *at, size_t len)
{
    const uint8_t *p = at;
    uint64_t h = (0xcbf29ce484222325u ^ (uint64_t)role) * 0x100000001b3u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

uint64_t index_key_addr(enum index_role role, struct addr a)
{
    return index_key(role, a.ip, a.family == 4 ? 4 : 16);
}

static uint64_t probe(uint64_t key, unsigned i, uint64_t bits)
{
    return (key + i * (key >> 32 | 1)) % bits;
}

void index_done(struct index_builder *b)
{
    free(b->entries);
    free(b->keys);
    seg_out_free(&b->filters);
    *b = (struct index_builder){ 0 };
}

static int room_for_keys(struct index_builder *b, size_t more, struct err *e)
{
    uint64_t *keys;

    if (b->keys_cap >= more)
        return 0;
    keys = realloc(b->keys, more * sizeof(*keys));
    if (!keys)
        return err_set(e, errno, "index");
    b->keys = keys;
    b->keys_cap = more;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static void add_addr(struct index_builder *b, struct addr a, enum index_role alone, enum index_role net)
{
    if (a.family == 0)
        return;
    b->keys[b->keys_count++] = index_key_addr(alone, a);
    b->keys[b->keys_count++] = index_key_addr(net, prefix_of(a, a.family == 4 ? INDEX_NET4 : INDEX_NET6).net);
}

static void look_at(struct index_builder *b, struct index_entry *entry, const struct event *ev)
{
    entry->kinds[ev->kind / 64 % 4] |= (uint64_t)1 << ev->kind % 64;
    entry->hosts |= (uint64_t)1 << ev->host % 64;
    entry->grades = (uint8_t)(entry->grades | 1u << (ev->grade & 7));
    add_addr(b, ev->src, INDEX_SRC, INDEX_SRC_NET);
    add_addr(b, ev->dst, INDEX_DST, INDEX_DST_NET);
    if (ev->cause > 0)
        b->keys[b->keys_count++] = index_key(INDEX_CAUSE, &ev->cause, sizeof(ev->cause));
}

/* The keys become bits of a new filter behind the others. */
static int make_filter(struct index_builder *b, struct index_entry *entry, struct err *e)
{
    size_t kept = 0;
    size_t len;
    uint64_t bits;
    uint8_t *filter;

    if (b->keys_count > 1)
        qsort(b->keys, b->keys_count, sizeof(*b->keys), by_value);
    for (size_t i = 0; i < b->keys_count; i++)
        if (i == 0 || b->keys[i] != b->keys[i - 1])
            b->keys[kept++] = b->keys[i];
    len = (kept * INDEX_BITS_A_KEY / 64 + 1) * 8;
    if (seg_out_room(&b->filters, len, e) < 0)
        return -1;
    filter = b->filters.at + b->filters.len;
    memset(filter, 0, len);
    bits = len * 8;
    for (size_t k = 0; k < kept; k++)
        for (unsigned i = 0; i < INDEX_PROBES; i++) {
            uint64_t bit = probe(b->keys[k], i, bits);

            filter[bit / 8] = (uint8_t)(filter[bit / 8] | 1u << bit % 8);
        }
    entry->filter_at = (uint32_t)b->filters.len;
    entry->filter_len = (uint32_t)len;
    b->filters.len += len;
    return 0;
}

struct index_entry index_entry_unknown(const struct seg_block *block, uint64_t offset, uint32_t size)
{
    struct index_entry entry = { .offset = offset,
                                 .size = size,
                                 .count = block->count,
                                 .first_seq = block->first_seq,
                                 .last_seq = block->last_seq,
                                 .min_us = block->min_us,
                                 .max_us = block->max_us,
                                 .hosts = UINT64_MAX,
                                 .grades = 0xff };

    memset(entry.kinds, 0xff, sizeof(entry.kinds));
    return entry;
}

static int look_at_all(struct index_builder *b, struct index_entry *entry, struct slice payload, struct err *e)
{
    if (room_for_keys(b, payload.len / sizeof(struct event) * 5, e) < 0)
        return -1;
    b->keys_count = 0;
    memset(entry->kinds, 0, sizeof(entry->kinds));
    entry->hosts = 0;
    entry->grades = 0;
    for (; payload.len >= sizeof(struct event); payload = slice_skip(payload, sizeof(struct event))) {
        struct event ev;

        memcpy(&ev, payload.at, sizeof(ev));
        look_at(b, entry, &ev);
    }
    return make_filter(b, entry, e);
}

int index_add(struct index_builder *b, enum seg_content content, const struct seg_block *block, uint64_t offset,
              uint32_t size, struct slice payload, struct err *e)
{
    struct index_entry entry = index_entry_unknown(block, offset, size);

    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        struct index_entry *entries = realloc(b->entries, cap * sizeof(*entries));

        if (!entries)
            return err_set(e, errno, "index");
        b->entries = entries;
        b->cap = cap;
    }
    if (content == SEG_EVENTS && look_at_all(b, &entry, payload, e) < 0)
        return -1;
    b->entries[b->count++] = entry;
    return 0;
}

int index_body(const struct index_builder *b, struct seg_out *out, struct err *e)
{
    struct seg_index head = { .entries = (uint32_t)b->count, .filter_bytes = (uint32_t)b->filters.len };
    size_t entries = b->count * sizeof(*b->entries);

    if (seg_out_room(out, sizeof(head) + entries + b->filters.len, e) < 0)
        return -1;
    memcpy(out->at + out->len, &head, sizeof(head));
    out->len += sizeof(head);
    if (entries > 0)
        memcpy(out->at + out->len, b->entries, entries);
    out->len += entries;
    if (b->filters.len > 0)
        memcpy(out->at + out->len, b->filters.at, b->filters.len);
    out->len += b->filters.len;
    return 0;
}

struct index_entry index_at(const struct index_view *v, size_t i)
{
    struct index_entry entry;

    memcpy(&entry, v->entries.at + i * sizeof(entry), sizeof(entry));
    return entry;
}

bool index_read(struct slice body, struct index_view *v)
{
    struct seg_index head;
    size_t bytes;

    if (body.len < sizeof(head))
        return false;
    memcpy(&head, body.at, sizeof(head));
    body = slice_skip(body, sizeof(head));
    bytes = head.entries * sizeof(struct index_entry);
    if (body.len != bytes + head.filter_bytes)
        return false;
    *v = (struct index_view){ .entries = slice_first(body, bytes),
                              .filters = slice_skip(body, bytes),
                              .count = head.entries };
    for (size_t i = 0; i < v->count; i++) {
        struct index_entry entry = index_at(v, i);

        if (entry.filter_at > v->filters.len || entry.filter_len > v->filters.len - entry.filter_at)
            return false;
    }
    return true;
}

bool index_may_hold(const struct index_view *v, const struct index_entry *entry, uint64_t key)
{
    uint64_t bits = (uint64_t)entry->filter_len * 8;
    const uint8_t *filter = v->filters.at + entry->filter_at;

    for (unsigned i = 0; bits > 0 && i < INDEX_PROBES; i++) {
        uint64_t bit = probe(key, i, bits);

        if (!(filter[bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}
