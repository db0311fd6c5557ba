/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shelf - a segment of lines as it is sealed: packed into blocks, each with its facts in the index.
 *
 * The body of the INDEX element (content SEG_LINES): struct shelf_index,
 * `entries` times struct shelf_entry, then the filters (tokens.h).
 */
#ifndef SERVIOLA_SENSE_LOG_SHELF_H
#define SERVIOLA_SENSE_LOG_SHELF_H
#include <stdint.h>

#include "journal/feed.h"

enum {
    SHELF_GOAL = 512 << 10,         /* payload of a block */
    SHELF_GOAL_AGAIN = SEG_RAW_MAX, /* of one that is packed again: smaller in all, and slower to make */
    SHELF_LEVEL_AGAIN = 6,
    SHELF_HASH_LOG = 13,      /* of level 1: a table that stays in the nearest cache; a seventh faster, 1 % larger */
    SHELF_LEVEL_COLUMNS = 16, /* from here on zstd finds much more; 19 gains 2 % for three times the time */
};

struct shelf_how {           /* feed_kind's `own` */
    int level;               /* zstd's */
    bool columns;            /* packing again may take lines apart (journal/columns.h) */
    bool (*busy)(void *ctx); /* true: packing again is to make way.  NULL: never */
    void *ctx;
};

struct shelf_index {
    uint32_t entries;
    uint32_t filter_bytes; /* of all entries together */
};
struct shelf_entry {
    uint64_t offset; /* of the BLOCK element in the file */
    uint32_t size;   /* of the element with its payload */
    uint32_t count;
    uint64_t first_seq, last_seq;
    int64_t min_us, max_us;
    int64_t time_min_us, time_max_us;
    uint64_t hosts[4], programs[4];
    uint32_t filter_at, filter_len; /* in the filters; len 0: anything may be in here */
    uint32_t filter_crc;            /* CRC32C of the filter */
    uint8_t severities;
    uint8_t zero[3];
};
_Static_assert(sizeof(struct shelf_entry) == 144, "on disk");

/* feed_kind's pack and pack_again. */
int shelf_pack(void *own, struct seg_scan *wal, const struct seg_head *head, const struct seal_keys *keys,
               int64_t now_us, struct seg_out *out, struct pack_result *r, struct err *e);
int shelf_pack_again(void *own, struct slice file, uint64_t mark, const struct seg_seal *seal,
                     const struct seal_keys *keys, int64_t now_us, struct seg_out *out, struct err *e);
#endif
