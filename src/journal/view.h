/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view - one segment as a reader sees it: a list of blocks, with filters when it is sealed.
 *
 * The reader keeps two: the active segment's, which grows with its file, and
 * the sealed one it looked at last.
 */
#ifndef SERVIOLA_JOURNAL_VIEW_H
#define SERVIOLA_JOURNAL_VIEW_H
#include "journal/folder.h"
#include "journal/index.h"
#include "journal/query.h"
#include "journal/segment.h"

struct segment_known { /* what the folder's list and the seal tell */
    uint64_t number;
    bool sealed;
    bool sound; /* sealed, and its seal could be read: the rest is known */
    uint64_t first_seq, last_seq;
    int64_t min_us, max_us;
    uint64_t index_at;
    uint64_t mark;
};

struct view {
    uint64_t number; /* 0: empty */
    bool sealed;
    struct file_name name;
    int fd;
    uint64_t mark;
    size_t count;                /* blocks */
    struct index_view index;     /* of a sealed one, in `bytes` ... */
    struct index_entry *scanned; /* ... or found by reading the file */
    size_t scanned_cap;
    uint8_t *bytes; /* the INDEX element; of an active one, the whole file as read so far */
    size_t len, scanned_to;
    uint8_t chain[SEG_HASH]; /* of an active one: after its last block */
    uint64_t damaged;
    char damage[160];
};

struct reader {
    int dir;
    bool dir_owned;
    struct segment_known *known; /* by number */
    size_t count;
    struct view active, sealed;
    struct seg_out stored;                     /* a block's element as read */
    uint8_t *raw;                              /* its payload, SEG_RAW_MAX */
    uint64_t raw_segment, raw_offset, raw_seq; /* whose payload that is; 0: nobody's */
    size_t raw_len;
};

int reader_refresh(struct reader *r, struct err *e);
/* NULL with an error: it can't be read.  A segment that has left meanwhile gives an empty view. */
struct view *reader_view(struct reader *r, struct segment_known *k, struct err *e);
struct index_entry view_entry(const struct view *v, size_t i);
/* *raw stays valid until the next call. */
int reader_unpack(struct reader *r, struct view *v, const struct index_entry *entry, struct slice *raw, struct err *e);
#endif
