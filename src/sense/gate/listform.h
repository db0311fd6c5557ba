/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listform - how compiled lists lie in their memory file; for who writes it (listcompile) and who reads it (lists).
 *
 *   struct list_head
 *   trees     one for each family: ranges in their order, one begins where the one before ends; a look-up is the last
 *             that begins at or below the first 64 bits of the address (IPv4: its 32, and zeros).  Levels above: each
 *             16th key of the one below, until 16 are left.  A range whose 64 bits are divided further has subs.
 *             Where there are many, of IPv4: a top, which says for the first 20 bits of an address in which range it
 *             begins; so a look-up asks two places of the memory instead of eight.
 *   names     a hash of all suffixes, half full; texts; patterns as they stood in the file
 *
 * `value` is list << LIST_LINE_BITS | line; 0 is nothing.
 */
#ifndef SERVIOLA_GATE_LISTFORM_H
#define SERVIOLA_GATE_LISTFORM_H
#include <stdint.h>

#include "sense/gate/settings.h"

enum {
    LIST_LINE_BITS = 28,
    LIST_LINES_MOST = (1 << LIST_LINE_BITS) - 1,
    LIST_FAN = 16,
    LIST_LEVELS = 8, /* 16^8 ranges: more than there are lines */
    LIST_TOP_BITS = 20,
    LIST_TOP = (1 << LIST_TOP_BITS) + 1,
    LIST_TOP_FROM = 65536, /* ranges: with fewer it costs more than it is worth */
    LIST_PROBES = 256,
    LIST_NAME_MOST = 255,
    LIST_PATTERNS = 256, /* of one kind */
    LIST_PATTERN_MOST = 512,
    LIST_NAMES = 2, /* kinds of names: GATE_LIST_RDNS, GATE_LIST_HELO */
};
#define LIST_MAGIC "SVLISTS3"

struct list_key {
    uint64_t high, low;
};
struct list_range {
    uint64_t from;
    uint32_t value, subs; /* subs > 0: so many from subs[value] on say more */
};
struct list_sub {
    uint64_t from; /* of the last 64 bits */
    uint32_t value, zero;
};
struct list_name {
    uint64_t hash;
    uint32_t text;  /* offset in the texts */
    uint16_t len;   /* 0: a free place */
    uint16_t below; /* 1: what is below it, not itself */
    uint32_t value, zero;
};
struct list_pattern {
    uint32_t text, len, value, zero;
};

struct list_part { /* a table: where it begins, and how many rows */
    uint64_t at, count;
};
struct list_tree {
    struct list_part ranges; /* the first begins at 0 */
    struct list_part levels[LIST_LEVELS];
    struct list_part top; /* uint32_t, none or LIST_TOP: the range that each 2^44th key lies in, and the last range */
    struct list_part subs;
};
struct list_names {
    uint8_t key[16];
    struct list_part slots; /* count is a power of two, or 0 */
    struct list_part texts; /* bytes */
    struct list_part patterns;
};
struct list_head {
    char magic[8];
    uint64_t size, entries;
    uint32_t zero, lists_count;
    struct {
        char name[KEY_NAME_LEN];
        uint32_t means, what;
    } lists[GATE_LISTS];
    struct list_tree trees[2];     /* IPv4, IPv6 */
    struct list_tree countries[2]; /* the same, where a value is a country: two letters */
    struct list_names names[LIST_NAMES];
};

struct list_key list_key(struct addr a);
uint64_t list_hash(const uint8_t key[16], struct slice lower);
#endif
