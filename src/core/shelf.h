/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shelf - what the watch wants on disk: the recorder's past, a file an hour, and pictures.
 *
 *     JOURNAL/recorder/20261122t18.reel    grows by a minute's frames at a time
 *     JOURNAL/xray/xray-20261122t182755-123.xray
 *
 * The oldest leave when they are too old or too many.  The scribe alone does this, so that nobody else waits.
 */
#ifndef SERVIOLA_CORE_SHELF_H
#define SERVIOLA_CORE_SHELF_H
#include "core/settings.h"
#include "part/link.h"

struct shelf;
struct shelf *shelf_new(const struct scribe_settings *conf, struct err *e); /* borrows conf */
void shelf_free(struct shelf *s);                                           /* NULL is fine */
void shelf_set(struct shelf *s, const struct scribe_settings *conf);        /* new settings */
/* `fd` is a sealed memory file and stays the caller's. */
int shelf_put(struct shelf *s, const struct link_shelve *what, int fd, struct err *e);
#endif
