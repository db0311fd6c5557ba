/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tasks - every process, each second, for little.
 *
 * /proc is listed anew only when something was forked since.  A process with
 * one thread is asked for its schedstat through a descriptor kept open: what
 * has not run since is what it was.  Only who ran is read in full.  Threads
 * of the kernel, of which there are hundreds, are asked each fourth second.
 *
 * With an iterator of the kernel (sys/iter) none of this is needed: one walk
 * tells all of all of them, for a third of the time.
 */
#ifndef SERVIOLA_WATCH_TASKS_H
#define SERVIOLA_WATCH_TASKS_H
#include "sense/watch/facts.h"

struct tasks;
/* `proc` is borrowed for life; descriptors: how many may be kept open. */
struct tasks *tasks_new(int proc, uint32_t most, uint32_t descriptors, struct err *e);
void tasks_free(struct tasks *t); /* NULL is fine */
/* From now on by this iterator, borrowed for life.  False: it tells nothing of us, and /proc is read on. */
bool tasks_walk_by(struct tasks *t, int link);
bool tasks_walks(const struct tasks *t);
/* `last_pid`: of /proc/loadavg; 0: not known. */
void tasks_sample(struct tasks *t, uint64_t last_pid, struct facts *f);
uint64_t tasks_refused(const struct tasks *t); /* that found no place */
#endif
