/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * origins - the stores that are forwarded to this one, and how far we have each: what comes twice is dropped.
 *
 * The file `origins` in the store's folder holds them as of some line of our
 * own; what came behind that is found by reading those lines again, so after
 * any crash nothing is missing here that is on the disk.
 */
#ifndef SERVIOLA_SENSE_LOG_ORIGINS_H
#define SERVIOLA_SENSE_LOG_ORIGINS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { ORIGINS_MOST = 256, ORIGIN_WORD = 16 }; /* a store is known by so many digits of its id */

struct origins;
struct origins *origins_open(const char *folder, struct err *e);
void origins_close(struct origins *o); /* NULL is fine */
/* The number of the newest line of that store that we have; NULL: there are too many stores. */
uint64_t *origins_find(struct origins *o, struct slice id);
/* At most once a second, and only when all that was taken is on the disk: `seq` is our own newest line then. */
void origins_save(struct origins *o, uint64_t seq, int64_t mono_us);
#endif
