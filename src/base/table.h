/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table - keys of one size to values of one size, never more than `cap` of them; the oldest leaves when it is full.
 *
 * All memory is taken at table_new, in one piece; only touched pages cost.
 * Adding, finding, removing and "which is the oldest" take the same time
 * however many there are.  A value stays where it is until it is removed, so
 * a pointer to it is good until then.  A key is compared as bytes: padding
 * in it must be set.
 */
#ifndef SERVIOLA_BASE_TABLE_H
#define SERVIOLA_BASE_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct table;
struct table *table_new(size_t cap, size_t key_size, size_t value_size, uint64_t seed, struct err *e);
void table_free(struct table *t); /* NULL is fine */

void *table_find(struct table *t, const void *key); /* the value, 8-byte aligned; NULL when it is not there */
void table_touch(struct table *t, void *value);     /* it is the newest now */

/*
 * The value of `key`, newest now, zeroed when it was not there.  In a full
 * table the oldest leaves first: `leaves` (may be NULL) sees it go and must
 * not change the table.
 */
void *table_add(struct table *t, const void *key, bool *fresh, void (*leaves)(void *ctx, const void *key, void *value),
                void *ctx);
void table_remove(struct table *t, void *value);
void table_clear(struct table *t);

size_t table_count(const struct table *t);
size_t table_cap(const struct table *t);
const void *table_key(const struct table *t, const void *value);

/* From the oldest to the newest; NULL at the end.  To remove on the way, ask for the next one first. */
void *table_oldest(const struct table *t);
void *table_newer(const struct table *t, const void *value);
#endif
