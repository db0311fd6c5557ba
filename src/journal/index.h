/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * index - what each block of a sealed segment may hold, so that a search can skip it.
 *
 * The body of an INDEX element: struct seg_index, `entries` times struct
 * index_entry, then the filters.  A set bit of `kinds` or `hosts` (number mod
 * its size) or of a filter means "perhaps", a clear one "surely not".
 *
 * A filter is a Bloom filter: INDEX_PROBES bits for each key, bit i of key h
 * at ((h + i * (h >> 32 | 1)) mod 2^64) mod its bits.  Keys of events:
 * index_key over a role and a value: each source and destination alone, in
 * its /24 (IPv4) or /64 (IPv6), and each cause.
 */
#ifndef SERVIOLA_JOURNAL_INDEX_H
#define SERVIOLA_JOURNAL_INDEX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "journal/event.h"
#include "journal/segment.h"

enum { INDEX_PROBES = 7, INDEX_BITS_A_KEY = 10, INDEX_NET4 = 24, INDEX_NET6 = 64 };

struct seg_index {
    uint32_t entries;
    uint32_t filter_bytes; /* of all entries together */
};
struct index_entry {
    uint64_t offset; /* of the BLOCK element in the file */
    uint32_t size;   /* of the element with its payload */
    uint32_t count;
    uint64_t first_seq, last_seq;
    int64_t min_us, max_us;
    uint64_t kinds[4];
    uint64_t hosts;
    uint32_t filter_at;  /* in the filters */
    uint32_t filter_len; /* bytes; 0: anything may be in here */
    uint8_t grades;      /* bit of each grade that occurs */
    uint8_t zero[7];
};
_Static_assert(sizeof(struct index_entry) == 104, "on disk");

enum index_role { INDEX_SRC = 1, INDEX_DST, INDEX_SRC_NET, INDEX_DST_NET, INDEX_CAUSE };
uint64_t index_key(enum index_role role, const void *at, size_t len); /* FNV-1a 64, finished as in MurmurHash3 */
uint64_t index_key_addr(enum index_role role, struct addr a);         /* the port does not count */

/* Building: block by block, in file order.  Begins zeroed. */
struct index_builder {
    struct index_entry *entries;
    size_t count, cap;
    struct seg_out filters;
    uint64_t *keys; /* of the block that is being looked at */
    size_t keys_count, keys_cap;
};
void index_done(struct index_builder *b);
/* `offset` and `size` are those of the block's element; of content other than events nothing is known. */
int index_add(struct index_builder *b, enum seg_content content, const struct seg_block *block, uint64_t offset,
              uint32_t size, struct slice payload, struct err *e);
/* The element's body. */
int index_body(const struct index_builder *b, struct seg_out *out, struct err *e);
struct index_entry index_entry_unknown(const struct seg_block *block, uint64_t offset,
                                       uint32_t size); /* without a filter */

/* Reading. */
struct index_view {
    struct slice entries; /* both borrowed from the body */
    struct slice filters;
    size_t count;
};
bool index_read(struct slice body, struct index_view *v); /* false: lengths don't fit */
struct index_entry index_at(const struct index_view *v, size_t i);
bool index_may_hold(const struct index_view *v, const struct index_entry *entry, uint64_t key);
#endif
