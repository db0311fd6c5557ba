/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * past - the events of the journal on disk, read by a process of its own: whoever reads a disk may hang with it.
 */
#ifndef SERVIOLA_NOTIFY_PAST_H
#define SERVIOLA_NOTIFY_PAST_H
#include "base/err.h"
#include "journal/event.h"

enum { PAST_MOST = 16384 };

/*
 * Before the jail.  A descriptor from which struct events come, oldest first, then the end: those that notices are made
 * of, since `since_us` (wall clock), the newest PAST_MOST of them; none when notify.started never stood in the journal.
 * -1 with an error.
 */
int past_start(const char *folder, int64_t since_us, const char *user, struct err *e);
#endif
