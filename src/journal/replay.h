/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay - the events that a core needs again to know what stands.
 *
 * State events are act.blocked, act.unblocked, act.block_expired,
 * act.block_kept, act.allowed and act.disallowed; state is their fold, in
 * order.  A checkpoint spares the fold from the beginning of time: the core
 * appends
 *
 *   journal.checkpoint {count: K}
 *   K times act.block_kept or act.allowed, cause = the checkpoint's number
 *
 * one for each block and each allowance that stands, nothing in between.
 * It does so after each replay, and when the scribe says that a segment was
 * sealed and enough has happened since the last one.  A replay begins at the newest checkpoint of which all K are on
 * disk, and leaves the mark of a later half one out; who folds forgets what
 * it knew when it sees a journal.checkpoint.
 * Retention never removes a segment from that checkpoint on.
 */
#ifndef SERVIOLA_JOURNAL_REPLAY_H
#define SERVIOLA_JOURNAL_REPLAY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/event.h"
#include "journal/query.h"

bool replay_is_state(enum event_kind kind); /* journal.checkpoint included */

/* Follows appended events and knows the newest complete checkpoint. */
struct checkpoint {
    uint64_t seq;     /* of the newest complete one; 0: none */
    uint64_t pending; /* of one whose members still come; 0: none */
    uint64_t left;    /* how many of them */
};
void checkpoint_see(struct checkpoint *c, const struct event *ev);

/* The newest complete checkpoint on disk. */
int replay_checkpoint(struct reader *r, struct checkpoint *c, struct err *e);
/* State events from the newest complete checkpoint on (from the first event, without one), in order. */
int replay_state(struct reader *r, bool (*seen)(void *own, const struct event *ev), void *own, struct query_told *told,
                 struct err *e);
#endif
