/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tail - the journal's newest events, in a memory file that only the core can write.
 *
 * The core makes it (tail_new), keeps the one writable mapping and seals the
 * file (F_SEAL_FUTURE_WRITE, no shrink, no grow): readers map it read-only
 * and can't do otherwise.  A ring of `slots` events; slot of number seq is
 * seq % slots.  A writer clears the slot's seq, fills it, then stores seq
 * with release order; a reader copies and looks at seq before and after.
 */
#ifndef SERVIOLA_JOURNAL_TAIL_H
#define SERVIOLA_JOURNAL_TAIL_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/event.h"

struct tail;

/* `first` is the number that the next event gets (the disk's last + 1). */
struct tail *tail_new(size_t slots, uint64_t first, struct err *e);
struct tail *tail_open(int fd, struct err *e); /* read-only; checks seals, size and magic; fd stays the caller's */
void tail_free(struct tail *t);
int tail_fd(const struct tail *t); /* of tail_new: to be passed to readers; borrowed */

/* Writer, before the first event and once: the next event gets the number `next`.  The memory file is made before the
 * jail, but only the disk knows where the journal stood. */
void tail_begin(struct tail *t, uint64_t next);
/* Writer.  Gives the event its seq and returns it; never fails. */
uint64_t tail_append(struct tail *t, struct event *ev);
void tail_set_synced(struct tail *t, uint64_t seq); /* everything up to here is on disk */

/* Readers. */
uint64_t tail_next(const struct tail *t);   /* the number the next event will get */
uint64_t tail_oldest(const struct tail *t); /* oldest that is still in the ring */
uint64_t tail_synced(const struct tail *t);
enum tail_got { TAIL_GOT, TAIL_NOT_YET, TAIL_GONE };
enum tail_got tail_get(const struct tail *t, uint64_t seq, struct event *ev);
#endif
