/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recorded - a command's way to the recorder's past: the running watch's memory, and the disk.
 */
#ifndef SERVIOLA_CMD_RECORDED_H
#define SERVIOLA_CMD_RECORDED_H
#include "cmd/sight.h"
#include "sense/watch/past.h"

/* Either may be missing: without both it is NULL and the error says what to do.  `s` was configured. */
struct past *recorded_open(struct sight *s, struct err *e);
/* The same, of what is in memory alone: the newest pictures.  For followers. */
struct past *recorded_live(struct sight *s, struct err *e);
/* The picture of this time; the caller frees it.  Reads the configuration itself. */
struct snap *recorded_snap(const struct common_options *o, int64_t at_us, struct err *e);
#endif
