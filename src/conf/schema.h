/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schema - what may stand in the configuration: one table per part.
 *
 * From the same table come the reader, its errors, `serviola check
 * --defaults` and serviola.conf(5).  A part's settings are one flat struct
 * without pointers (it travels to the part's process in a sealed memory
 * file), so a list is an array with a count in front of it.
 */
#ifndef SERVIOLA_CONF_SCHEMA_H
#define SERVIOLA_CONF_SCHEMA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum key_type {
    KEY_BOOL,     /* bool: yes/no/true/false/on/off */
    KEY_NUMBER,   /* uint64_t: 12, 12k, 3M (decimal thousands) */
    KEY_BYTES,    /* uint64_t: 512, 64KiB, 16MiB, 2GiB */
    KEY_SPAN,     /* int64_t microseconds: 250ms, 30s, 5min, 2h, 36d */
    KEY_WORD,     /* int: index into `words` */
    KEY_TEXT,     /* char[size] */
    KEY_ADDR,     /* struct addr (port optional) */
    KEY_PREFIXES, /* struct key_prefixes of `cap` */
    KEY_PORTS,    /* struct key_ports */
    KEY_NAMES,    /* struct key_names: short words, e.g. interfaces */
    KEY_TABLE,    /* nested block with its own keys (`sub`) at the same base + offset */
    KEY_EACH      /* a block of named blocks: array of `cap` structs of `size` with a uint32_t count just before it,
                     each beginning with char name[32]; keys of one in `sub` */
};

enum { KEY_PREFIX_CAP = 1024, KEY_PORT_CAP = 16, KEY_NAME_CAP = 32, KEY_NAME_LEN = 32 };
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
    const char *name; /* NULL ends a table */
    enum key_type type;
    size_t offset, size;
    int64_t min, max;          /* for NUMBER, BYTES, SPAN */
    const char *def;           /* as it would stand in the file; "" for an empty list; NULL for a required key */
    const char *const *words;  /* for WORD, NULL-ended */
    const struct key *sub;     /* for TABLE and EACH */
    uint32_t cap;              /* for EACH */
    const char *help;          /* one sentence for the man page */
};

/* A top-level block: `hunt:`, `journal:` ... */
struct section {
    const char *name; /* NULL ends the list */
    const char *what; /* one sentence */
    const struct key *keys;
    size_t size;      /* of the part's settings struct */
};
#endif
