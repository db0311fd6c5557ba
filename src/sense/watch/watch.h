/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watch - the part: measures each second, records it, and says when somebody should know.
 *
 *   watch.c        the part: a sample each second, triggers to events, the recorder's files to the scribe
 *   sampler.c      this second's facts: tasks.c (processes), sockets.c, texts of /proc
 *   indicators/    one thing that is measured each: values by name
 *   mounts.c       disks and file systems, asked by processes that may hang (lookout.c)
 *   probe.h        what other parts measure
 *   trigger.c      condition.h: what a trigger waits for
 *   recorder.c     the past: reel.h (the form), ring.h (in memory), past.h (read again)
 */
#ifndef SERVIOLA_WATCH_WATCH_H
#define SERVIOLA_WATCH_WATCH_H
#include "part/part.h"
#include "sense/watch/settings.h"

/* Where the part finds the link of the iterator that it walks processes with (sys/iter), when there is one. */
enum { WATCH_GLANCE_FD = 5 };

extern const struct part sense_watch;

/* Whether what was opened before the jail for `old` does not do for `now`. */
bool watch_needs_restart(const struct watch_settings *old, const struct watch_settings *now);
#endif
