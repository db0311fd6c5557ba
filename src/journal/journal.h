/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal - the one writer of a journal's folder.
 *
 *   NNNNNNNNNN.wal   the active segment: whole commits, appended
 *   NNNNNNNNNN.zst   a sealed one: packed, indexed, signed (segment.h is the format)
 *   NNNNNNNNNN.torn  bytes that were cut off a damaged one, kept for who wants to look
 *   expired          the seals of segments that retention removed
 *   key              the secret of the active segment (seal.h)
 *   reserve          some KiB to give back when the disk is full
 *
 * A group commit is journal_append and journal_sync: what a sync covered is
 * on the disk, survives kill -9 and power loss, and is never taken back.
 * When either fails (disk full, an I/O error), nothing of what was not yet
 * synced counts: journal_last says where to go on, with the same events.
 * Readers (query.h) need no lock and see whole blocks only.
 */
#ifndef SERVIOLA_JOURNAL_JOURNAL_H
#define SERVIOLA_JOURNAL_JOURNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/event.h"

struct journal;

struct journal_limits {
    uint64_t segment_bytes; /* an active segment of this size is due; 64 KiB to 1 GiB */
    int64_t segment_age_us; /* ... or of this age; 0: never by age */
    uint64_t total_bytes;   /* retention: sealed segments beyond this leave, oldest first; 0: no limit */
    int64_t age_us;         /* ... and those sealed longer ago than this; 0: no limit */
    uint64_t reserve_bytes; /* size of the reserve file; 0: none */
};
struct journal_limits journal_default_limits(void); /* 8 MiB, 1 day, 1 GiB, never, 256 KiB */

struct journal_opened { /* what journal_open met; each is worth an event */
    uint64_t last_seq;  /* the newest event on disk; 0: none yet */
    uint64_t segment;   /* the active segment's number */
    uint64_t torn_segment;
    uint64_t torn_bytes; /* cut off torn_segment, which keeps its whole blocks; 0: nothing was torn */
    bool key_lost;       /* the key was missing or another segment's: a new one begins, verify will say so */
    bool fresh;          /* the folder was empty */
    uint8_t id[32];      /* the journal's first public key: who keeps it elsewhere can prove the journal whole */
};
struct journal_sealed { /* what journal_rotate did; all 0: there was nothing to seal */
    uint64_t segment, first_seq, last_seq;
    uint64_t raw_bytes, stored_bytes;
};
struct journal_expired { /* what journal_retain removed; segments 0: nothing */
    uint64_t segments, last_segment, first_seq, last_seq;
    bool held_back; /* more should leave, but no checkpoint after it is on disk (replay.h): make one */
};

/*
 * Creates the folder (0750) if need be, takes its lock, removes what a crash
 * left half done, cuts a torn end off and seals what waits to be sealed.
 */
struct journal *journal_open(const char *folder, const struct journal_limits *l, int64_t now_us,
                             struct journal_opened *found, struct err *e);
void journal_close(struct journal *j); /* what was not synced may be lost; NULL is fine */

/* `seq` must rise from event to event; a step over a number says that it was lost before it came here. */
int journal_append(struct journal *j, const struct event *events, size_t count, struct err *e);
int journal_sync(struct journal *j, struct err *e);
uint64_t journal_last(const struct journal *j);     /* newest appended: go on behind it */
uint64_t journal_synced(const struct journal *j);   /* newest on disk */
const uint8_t *journal_id(const struct journal *j); /* 32 bytes; borrowed */

bool journal_is_due(const struct journal *j, int64_t now_us); /* time to journal_rotate */
/* Syncs, begins a new active segment, packs and seals the old one.  After a failure the journal can still be written.
 */
int journal_rotate(struct journal *j, int64_t now_us, struct journal_sealed *s, struct err *e);
/* Other sizes and ages from now on; the reserve stays. */
void journal_set_limits(struct journal *j, const struct journal_limits *l);
/* Removes what is over the limits, whole segments, never one that a replay still needs. */
int journal_retain(struct journal *j, int64_t now_us, struct journal_expired *x, struct err *e);

/* On a full disk: gives the reserve back, so that the alarm itself can be written.  False: it is gone already. */
bool journal_release_reserve(struct journal *j);
int journal_restore_reserve(struct journal *j, struct err *e); /* when there is room again; 0 too when it is in place */
#endif
