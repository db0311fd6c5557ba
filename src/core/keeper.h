/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keeper - what the scribe keeps besides the journal: evidence files and the story's log.
 *
 * Evidence comes as a sealed memory file and becomes FOLDER/evidence/NAME,
 * whole or not at all; the oldest leave when there are too many.  The log
 * (`hunt: { story_log: }`) gets a line for each mail that was seen.
 * A failure here is said and stops nothing.
 */
#ifndef SERVIOLA_CORE_KEEPER_H
#define SERVIOLA_CORE_KEEPER_H
#include <stdbool.h>
#include <stddef.h>

#include "core/settings.h"
#include "journal/event.h"
#include "part/link.h"

struct keeper;
struct keeper *keeper_new(const struct scribe_settings *conf, struct err *e); /* conf is borrowed for life */
void keeper_free(struct keeper *k);                                           /* NULL is fine */
void keeper_set(struct keeper *k, const struct scribe_settings *conf);        /* after a reload */

/* Events as they go to disk, in order; one that comes again after a failed write is not written twice. */
void keeper_wrote(struct keeper *k, const struct event *events, size_t count);

/* Keeps it; *ev is then the event to report.  False: refused or failed (and said). */
bool keeper_evidence(struct keeper *k, const struct link_evidence *what, uint64_t cause, int fd, struct event *ev);
/* Brings what was kept since the last call to the disk. */
void keeper_sync(struct keeper *k);
#endif
