/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pieces - the elements of a segment's file, read piece by piece: a large file takes no more memory than a small one.
 *
 * Elements larger than SEG_BLOCK_MAX (an INDEX may be) are not found so.  Bytes that belong to no element may be told
 * in several SEG_BAD, which follow each other.
 */
#ifndef SERVIOLA_JOURNAL_PIECES_H
#define SERVIOLA_JOURNAL_PIECES_H
#include "base/err.h"
#include "journal/segment.h"

enum { PIECES_ROOM = 2 * SEG_BLOCK_MAX };

struct pieces {
    struct seg_scan scan; /* for seg_next, once its mark is set; holds the beginning of the file at first */
    int fd;
    uint8_t *room;
    int error; /* an errno: the scan ended before its time */
};
int pieces_open(struct pieces *p, int dir, const char *name, struct err *e);
/* -1: not all of it could be read, and what was made of it is not to be used. */
int pieces_done(struct pieces *p, struct err *e);
void pieces_close(struct pieces *p);
#endif
