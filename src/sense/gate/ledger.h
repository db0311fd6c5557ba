/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ledger - what the gate learns of accounts, as it learns it: a memory file that grows at its end alone.
 *
 *   0    magic 8, bytes in force 8, zero 48
 *   64   pieces: length 4, check sum 4, so many bytes (warden_save_some's)
 *
 * The gate alone appends; role `book` carries what is new to the disk, and
 * the core keeps the memory for whoever starts anew.  A piece is in force
 * when all of it is there: who dies in the middle of one leaves no trace.
 * It has room for so much and no more: when it has grown, the gate begins
 * another one with what counts, and hands that over when it is whole.
 */
#ifndef SERVIOLA_GATE_LEDGER_H
#define SERVIOLA_GATE_LEDGER_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

enum { LEDGER_MOST = 256 << 20 };

struct ledger;
/* An empty one that has room for so many bytes (at most LEDGER_MOST); memory comes as it is written. */
struct ledger *ledger_new(size_t room, struct err *e);
/* Another process' one; `fd` is the ledger's from here on, also when it fails. */
struct ledger *ledger_take(int fd, struct err *e);
void ledger_free(struct ledger *l); /* the memory stays as long as somebody has its descriptor; NULL is fine */
int ledger_fd(const struct ledger *l);

bool ledger_add(struct ledger *l, struct slice piece); /* false: it is full, and as it was */
/* All that is in force now; behind it the gate may go on writing. */
struct slice ledger_bytes(const struct ledger *l);
/* The first piece of *bytes, which goes on behind it; false: there is none, or it is not sound and *bytes is as it was.
 */
bool ledger_next(struct slice *bytes, struct slice *piece);
#endif
