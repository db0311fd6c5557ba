/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * read - what an iterator in the kernel tells, through the descriptor of its link (load.h).
 */
#ifndef SERVIOLA_SYS_ITER_READ_H
#define SERVIOLA_SYS_ITER_READ_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/iter/record.h"

struct iter_bytes {
    uint8_t *at; /* owned */
    size_t len, cap;
};

/* Begins a walk: a descriptor to read it from, the caller's; -1 with errno. */
int iter_open(int link);
/* Reads such a descriptor to its end, behind what is there; -1 with errno. */
int iter_take_rest(int fd, struct iter_bytes *b);
/* One whole walk, behind what is there. */
int iter_take(int link, struct iter_bytes *b);

/* The record at *at, which moves behind it; NULL at the end. */
const struct iter_head *iter_next(const struct iter_bytes *b, size_t *at);
bool iter_is(const struct iter_head *h, unsigned kind, size_t least);
/* Do they tell of `pid`?  An iterator may load and still give nothing. */
bool iter_tells_of(const struct iter_bytes *b, int64_t pid);
#endif
