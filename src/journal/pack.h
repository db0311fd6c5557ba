/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack - turn an active segment's bytes into the sealed file's: compressed, indexed, signed.
 *
 * Pure: elements in, bytes out.  Commits are merged into blocks of up to
 * SEG_RAW_GOAL; what is damaged in the source is left out, its place in the
 * chain stays open and verify names it.
 */
#ifndef SERVIOLA_JOURNAL_PACK_H
#define SERVIOLA_JOURNAL_PACK_H
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "journal/seal.h"
#include "journal/segment.h"

struct pack_result {
    struct seg_seal seal;
    uint64_t damaged_bytes; /* of the source, left out */
};
/*
 * `head` is the segment's head as the writer knows it (the source's own may be damaged); `keys` are its keys.  The file
 * is written into `out`, which is empty.
 */
int pack_segment(struct seg_scan *wal, const struct seg_head *head, const struct seal_keys *keys, int64_t now_us,
                 struct seg_out *out, struct pack_result *r, struct err *e);
#endif
