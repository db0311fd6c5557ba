/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * feed - a journal's folder of other content than events: who has records makes the blocks, and how they are packed.
 *
 * Opening, syncing, retention and what a crash leaves are those of journal.h
 * (journal_sync, journal_last, journal_synced, journal_is_due,
 * journal_retain, journal_close).  Rotation comes in two steps, so that
 * packing need not stand in the way of what arrives: feed_begin and the calls
 * of journal.h belong to one thread, feed_pack may be another's.
 */
#ifndef SERVIOLA_JOURNAL_FEED_H
#define SERVIOLA_JOURNAL_FEED_H
#include "journal/journal.h"
#include "journal/pack.h"
#include "journal/segment.h"

struct feed_kind {
    enum seg_content content;
    /* As pack_segment (pack.h), with `own` in front. */
    int (*pack)(void *own, struct seg_scan *wal, const struct seg_head *head, const struct seal_keys *keys,
                int64_t now_us, struct seg_out *out, struct pack_result *r, struct err *e);
    /* A sealed segment's bytes written anew, smaller: HEAD and SEAL as they are, VOUCH (by `keys`) and
     * ANEW in front of SEAL.  1: `out` holds
     * it, or nothing when the segment is to stay as it is; 0: not now.  May be NULL. */
    int (*pack_again)(void *own, struct slice file, uint64_t mark, const struct seg_seal *seal,
                      const struct seal_keys *keys, int64_t now_us, struct seg_out *out, struct err *e);
    void *own;
};

/* `kind` is copied. */
struct journal *feed_open(const char *folder, const struct journal_limits *l, const struct feed_kind *kind,
                          int64_t now_us, struct journal_opened *found, struct err *e);

struct feed_block {       /* one commit */
    struct slice payload; /* 1 to SEG_RAW_MAX bytes */
    uint64_t first_seq;   /* behind journal_last */
    uint32_t records;     /* numbered without a gap */
    int64_t min_us, max_us;
};
/* Written, not synced. */
int feed_append(struct journal *j, const struct feed_block *blocks, size_t count, struct err *e);

/* Syncs and begins a new active segment; the old one waits for feed_pack.  Nothing happens while one waits already. */
int feed_begin(struct journal *j, int64_t now_us, struct err *e);
bool feed_is_pending(const struct journal *j);                                             /* one waits */
int feed_pack(struct journal *j, int64_t now_us, struct journal_sealed *s, struct err *e); /* all 0: none waited */
/* Packs the oldest segment behind *segment again that was sealed before `before_us`; *segment becomes its number.  1:
 * done, or there was nothing to do with this one; 0: none is left.  For the thread of feed_pack. */
int feed_pack_again(struct journal *j, uint64_t *segment, int64_t before_us, int64_t now_us, struct err *e);
uint64_t feed_active_bytes(const struct journal *j);
/* The open head (seal.h) of the active segment, up to what is synced.  False: it is empty, or while one waits. */
bool feed_open_head(const struct journal *j, int64_t now_us, struct seg_seal *s);
#endif
