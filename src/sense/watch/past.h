/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * past - the recorder's pictures again: those of the disk, and behind them those of the memory.
 *
 * Where both know a time, the memory is asked: it has a picture each second.
 */
#ifndef SERVIOLA_WATCH_PAST_H
#define SERVIOLA_WATCH_PAST_H
#include "base/err.h"
#include "sense/watch/reel.h"
#include "snap/snap.h"

struct past;
/* `folder`: the journal's; NULL: the disk is not asked.  `ring`: of recorder_fd, borrowed; -1: there is none. */
struct past *past_open(const char *folder, int ring, struct err *e);
void past_close(struct past *p); /* NULL is fine */
/* The time of the newest picture in memory; 0: there is none. */
int64_t past_newest_us(const struct past *p);
/* Each picture of this time (wall clock, both ends included), oldest first, until `seen` says false; how many, or -1.
 */
int64_t past_each(struct past *p, int64_t from_us, int64_t to_us, bool (*seen)(void *ctx, const struct reel_picture *p),
                  void *ctx, struct err *e);
/* The newest picture at this time or before it, but no more than two minutes; NULL with an error.  The past's own,
 * until the next call. */
const struct reel_picture *past_at(struct past *p, int64_t at_us, struct err *e);

/* What a picture of the recorder can say to the explainers: processes, connections, listeners, figures.  The caller
 * frees it. */
struct snap *past_snap(const struct reel_picture *p, struct err *e);
#endif
