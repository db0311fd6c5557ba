/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * value - numbers with units, as people write them in the configuration and behind options.
 */
#ifndef SERVIOLA_CONF_VALUE_H
#define SERVIOLA_CONF_VALUE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/text.h"

/* False, with *value untouched, for anything else and for what does not fit. */
bool value_bool(struct slice s, bool *value);       /* yes no true false on off */
bool value_number(struct slice s, uint64_t *value); /* 12, 12k, 3M, 1G: decimal thousands */
bool value_bytes(struct slice s, uint64_t *value);  /* 512, 512B, 64KiB, 16MiB, 2GiB, 1TiB */
bool value_span(struct slice s, int64_t *us);       /* 0, 7us, 250ms, 30s, 5min, 2h, 36d, 1h30min */

/* The shortest spelling that the readers above read back to the same number. */
void value_write_number(struct text *t, uint64_t value);
void value_write_bytes(struct text *t, uint64_t value);
void value_write_span(struct text *t, int64_t us);
#endif
