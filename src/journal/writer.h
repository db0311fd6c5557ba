/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * writer - what journal.c, recover.c and retain.c share: the writer from inside.
 */
#ifndef SERVIOLA_JOURNAL_WRITER_H
#define SERVIOLA_JOURNAL_WRITER_H
#include "journal/feed.h"
#include "journal/folder.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "journal/seal.h"
#include "journal/segment.h"

struct journal_place { /* up to where something is true: written, or synced */
    uint64_t offset;   /* in the active file */
    uint64_t last_seq;
    uint8_t chain[SEG_HASH];
    struct checkpoint checkpoint;
};

struct journal {
    int dir; /* holds the lock */
    struct journal_limits limits;
    struct feed_kind kind;
    struct seal_keys keys;
    int fd;        /* the active segment's file */
    uint64_t mark; /* of its elements */
    struct seg_head head;
    uint64_t head_bytes; /* where its first block begins */
    bool tail_dirty;     /* behind `written` there may be bytes of a failed write */
    uint64_t pending;    /* an older segment that is not yet packed; 0: none */
    struct journal_place written, synced;
    struct seg_out out;
};

/* j->out goes behind what is written, up to `place` (whose offset is filled here). */
int writer_write(struct journal *j, struct journal_place *place, struct err *e);
/* A new, empty active segment behind everything in `from`; the writer changes over to it. */
int writer_begin(struct journal *j, uint64_t segment, const struct journal_place *from, int64_t now_us, struct err *e);
/* Packs and seals NNN.wal, moves the keys on, removes it. */
int writer_pack(struct journal *j, uint64_t segment, int64_t now_us, struct journal_sealed *s, struct err *e);
/* recover.c: from whatever a crash left to one active segment; `e` is not NULL here. */
int writer_recover(struct journal *j, int64_t now_us, struct journal_opened *found, struct err *e);
/* retain.c: finishes a removal that a crash cut short; 0 with *last the newest expired segment's seal, or all 0. */
int writer_finish_expiry(struct journal *j, struct seg_seal *last, struct err *e);

/* recover.c: what a scan of an active segment's bytes finds. */
struct wal_scan {
    bool any; /* false: not one sound element */
    bool head_ok;
    struct seg_head head;
    uint64_t mark;
    uint64_t good_end; /* behind the last whole element */
    uint64_t blocks;
    uint64_t first_seq; /* of the first block */
    struct journal_place end;
    uint8_t first_prev[SEG_HASH];
    uint64_t damaged; /* bytes before good_end that belong to no whole element */
};
void wal_look(struct slice bytes, struct wal_scan *w);
/* Any, mark, head_ok and head, when the head is sound that these bytes begin with; else false. */
bool wal_look_head(struct slice beginning, struct wal_scan *w);
#endif
