/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expired - the seals of segments that retention removed: the file `expired`, SEAL elements in a row.
 *
 * About 400 bytes a segment, for ever: with them the keys and the chain can
 * be followed from the journal's id to the oldest segment that is still there.
 */
#ifndef SERVIOLA_JOURNAL_EXPIRED_H
#define SERVIOLA_JOURNAL_EXPIRED_H
#include "base/err.h"
#include "journal/segment.h"

int expired_read(int dir, uint8_t **at, size_t *len, struct err *e); /* 0 with len 0: none; free(at) */
/* Takes the next one off *rest: SEG_GOT, SEG_BAD (bytes that are no seal were stepped over) or SEG_END. */
enum seg_got expired_next(struct slice *rest, struct seg_seal *seal);
int expired_add(int dir, const struct seg_seal *seals, size_t count, struct err *e);
#endif
