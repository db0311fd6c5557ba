/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ring - the newest frames in a memory file of a fixed size, sealed: others map it read-only.
 *
 * One writes, any number read, nobody waits.  The writer moves `from` before
 * it overwrites; a reader copies, then looks whether `from` has passed what
 * it copied.  Positions only grow; a byte lies at its position modulo size.
 */
#ifndef SERVIOLA_WATCH_RING_H
#define SERVIOLA_WATCH_RING_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { RING_MAGIC = 0x52474c53, RING_PAGE = 4096, RING_LEAST = 1 << 20 };
#define RING_MOST (1ull << 30)

struct ring_page { /* the file's first page */
    uint32_t magic, zero;
    uint64_t size; /* of what follows this page */
    _Atomic uint64_t from, to;
};

struct frames; /* the writer's */
struct frames *frames_new(uint64_t size, struct err *e);
void frames_free(struct frames *r);
int frames_fd(const struct frames *r);
/* Frames older than oldest_us (mono_us of their head) leave, and those whose place is needed. */
void frames_add(struct frames *r, struct slice frame, int64_t oldest_us);
uint64_t frames_bytes(const struct frames *r);

/* A copy of all whole frames, oldest first; the caller's, free().  -1: it is no such file. */
int frames_copy(int fd, uint8_t **at, size_t *len, struct err *e);
#endif
