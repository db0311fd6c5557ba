/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * board - this second's values in a memory file, for whoever shows figures and must not see the recorder's pictures.
 *
 * One writes, others map it read-only, nobody waits: the count of writings is
 * odd while the values change.
 */
#ifndef SERVIOLA_WATCH_BOARD_H
#define SERVIOLA_WATCH_BOARD_H
#include "base/err.h"
#include "sense/watch/values.h"

struct board;
struct board *board_new(struct err *e);
int board_fd(const struct board *b);
void board_write(struct board *b, const struct values *v, int64_t at_us);

/* Of another process; the descriptor stays the caller's and may be closed. */
struct board *board_open(int fd, struct err *e);
void board_free(struct board *b); /* NULL is fine */
/* Copies the values, VALUES_MOST at most; how many, and when they were measured (wall clock).  0: none, or they were
 * changing. */
uint32_t board_read(const struct board *b, struct value *at, int64_t *at_us);
#endif
