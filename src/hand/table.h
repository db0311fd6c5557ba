/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table - what the kernel says of our table.
 */
#ifndef SERVIOLA_HAND_TABLE_H
#define SERVIOLA_HAND_TABLE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "hand/elements.h"
#include "hand/nl.h"

struct table_facts {
    bool there;
    uint32_t flags, owner;
};
int table_look(struct nl *n, const char *name, struct table_facts *t, struct err *e);

/* All rules as one number: their handles, order and every byte of what they do.  -1 with errno, as below. */
int table_sum_rules(struct nl *n, const char *name, uint64_t *hash);
/* Every element of block4 and block6; `each` hears an element twice when a read had to start again. */
int table_blocks(struct nl *n, const char *name, elements_each each, void *ctx);
#endif
