/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lock - memory that stays in memory: the disk may hang, we go on.
 *
 * Pages are locked once they are touched (so tables that are mostly empty
 * cost nothing), and the program and its libraries are read in at once: a
 * function that was never called is there too when the disk is not.
 */
#ifndef SERVIOLA_SYS_LOCK_H
#define SERVIOLA_SYS_LOCK_H
#include "base/err.h"

/* Lifts the limit for this process and all that it starts: the supervisor, before its jail. */
int lock_allow(struct err *e);

/* Before the jail.  -1 (all is read in, and nothing locked) when the limit is too low and can't be raised; the text
 * says how to. */
int lock_memory(struct err *e);

/* The program and its libraries, into memory that may be taken away again. */
void lock_read_in(void);
#endif
