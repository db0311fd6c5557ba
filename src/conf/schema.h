/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schema - what may stand in the configuration: one table per part.
 *
 * From the same table come the reader, its errors, `serviola check
 * --defaults` and serviola.conf(5).  A part's settings are one flat struct
 * without pointers (it travels to the part's process in a sealed memory
 * file), so a list is an array with a count.
 *
 *   const struct key hunt_keys[] = {
 *       { .name = "mode", .type = KEY_WORD, KEY_AT(struct hunt_settings, mode), .words = modes, .def = "observe",
 *         .help = "What to do about a finding." },
 *       { .name = "flows", .type = KEY_NUMBER, KEY_AT(struct hunt_settings, flows), .min = 64, .max = 1 << 24,
 *         .def = "65536", .help = "Most flows that are followed at once." },
 *       { .name = "limits", .type = KEY_TABLE, KEY_AT(struct hunt_settings, limits), .sub = limit_keys,
 *         .help = "Lines that a host must not cross." },
 *       { .name = "networks", .type = KEY_EACH, KEY_EACH_AT(struct hunt_settings, networks, networks_count),
 *         .sub = network_keys, .def = "", .help = "Limits of their own for some networks." },
 *       { .name = NULL },
 *   };
 *
 * Where things lie: a key's `offset` counts from the start of the struct that
 * its table describes.  That is the part's settings for a section's own keys,
 * the member that KEY_AT names for the keys in a KEY_TABLE's `sub` (give it
 * offset 0 to group keys that lie in the outer struct itself), and one
 * element of the array for the keys in a KEY_EACH's `sub`.
 */
#ifndef SERVIOLA_CONF_SCHEMA_H
#define SERVIOLA_CONF_SCHEMA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

enum key_type {
    KEY_BOOL,     /* bool: yes/no/true/false/on/off */
    KEY_NUMBER,   /* uint64_t: 12, 12k, 3M (decimal thousands) */
    KEY_BYTES,    /* uint64_t: 512, 64KiB, 16MiB, 2GiB */
    KEY_SPAN,     /* int64_t microseconds: 250ms, 30s, 5min, 2h, 36d, 1h30min; 0 alone needs no unit */
    KEY_WORD,     /* int: index into `words` */
    KEY_TEXT,     /* char[size], terminated; no control bytes */
    KEY_ADDR,     /* struct addr (port optional); "" for none where the default is "" */
    KEY_ADDRS,    /* struct key_addrs: `["0.0.0.0:25", "[::]:25"]`; ports optional */
    KEY_PREFIXES, /* struct key_prefixes: `[10.0.0.0/8, 192.0.2.1]`; one alone needs no brackets, as in all lists */
    KEY_PORTS,    /* struct key_ports: `[25, 587]` */
    KEY_NAMES,    /* struct key_names: short words, e.g. interfaces */
    KEY_TABLE,    /* nested block with its own keys in `sub` */
    KEY_EACH,     /* a block of named blocks: an array of structs that each begin with char name[KEY_NAME_LEN].
                     Its `def` is a YAML block that holds when the key is absent; what stands in the file replaces it
                     whole.  Under the name "*", as its table's only key, the table's own entries are the blocks. */
    KEY_TYPES
};

enum { KEY_PREFIX_CAP = 1024, KEY_ADDR_CAP = 16, KEY_PORT_CAP = 16, KEY_NAME_CAP = 32, KEY_NAME_LEN = 32 };
struct key_addrs {
    uint32_t count;
    struct addr at[KEY_ADDR_CAP];
};
struct key_prefixes {
    uint32_t count;
    struct prefix at[KEY_PREFIX_CAP];
};
struct key_ports {
    uint32_t count;
    uint16_t at[KEY_PORT_CAP];
};
struct key_names {
    uint32_t count;
    char at[KEY_NAME_CAP][KEY_NAME_LEN];
};

struct key {
    const char *name; /* NULL ends a table; at most KEY_CAP rows a table */
    enum key_type type;
    size_t offset, size;      /* KEY_AT: of the member; KEY_EACH_AT: of the array, and of one element */
    size_t count_at;          /* KEY_EACH: offset of the uint32_t that counts, right before the array */
    uint32_t cap;             /* KEY_EACH: elements in the array */
    int64_t min, max;         /* NUMBER, BYTES, SPAN, both ends included; both 0: no limit but the type's (SPAN: >= 0);
                                 NAMES: max is the longest in bytes, 0: KEY_NAME_LEN - 1 */
    const char *def;          /* as it would stand in the file; "" for an empty list or text; NULL for a required key;
                                 not used for TABLE */
    const char *const *words; /* WORD: NULL-ended */
    const char *words_are;    /* WORD: what they are, where they are too many to be listed; else NULL */
    const struct key *sub;    /* TABLE and EACH */
    const char *help;         /* one or two plain sentences for the man page and the commented file */
};

enum { KEY_CAP = 64 };

#define KEY_AT(type_, member) .offset = offsetof(type_, member), .size = sizeof(((type_ *)0)->member)
#define KEY_EACH_AT(type_, array, count)                                                                               \
    .offset = offsetof(type_, array), .size = sizeof(((type_ *)0)->array[0]),                                          \
    .cap = sizeof(((type_ *)0)->array) / sizeof(((type_ *)0)->array[0]), .count_at = offsetof(type_, count)

/* A top-level block: `hunt:`, `journal:` ... */
struct section {
    const char *name; /* NULL ends the list */
    const char *what; /* one sentence */
    const struct key *keys;
    size_t size; /* of the part's settings struct */
};

/* For the unit tests of whoever writes a table: sizes fit the types, members lie inside, defaults can be read. */
int schema_check(const struct section *sections, struct err *e);
#endif
