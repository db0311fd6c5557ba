/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forward - the store's lines to other hosts: a thread for each, a cursor in the store's own segments, no second queue.
 *
 * Only what is on our disk is sent.  The cursor moves when the other side has
 * acknowledged, and stands in the store's folder in the file `cursor-NAME`:
 * each line arrives at least once, at another serviola exactly once.
 */
#ifndef SERVIOLA_SENSE_LOG_FORWARD_H
#define SERVIOLA_SENSE_LOG_FORWARD_H
#include "sense/log/inner.h"

struct forwards *forwards_new(struct intake *in, struct err *e);
int forwards_start(struct forwards *f, struct err *e);
void forwards_synced(struct forwards *f, uint64_t seq);           /* lines up to here may be sent */
void forwards_head(struct forwards *f, const struct seg_seal *s); /* the open head (journal/seal.h) as it is now */
void forwards_free(struct forwards *f);
#endif
