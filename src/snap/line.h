/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line - a record as a line of JSON, and back.
 *
 * Bytes that are no printable text are \u00NN, so a line is valid JSON
 * whatever a program calls itself, and gives the same bytes back.
 */
#ifndef SERVIOLA_SNAP_LINE_H
#define SERVIOLA_SNAP_LINE_H
#include "base/text.h"
#include "snap/snap.h"

enum { LINE_MOST = 512 << 10 }; /* the longest: a command line of which each byte is escaped */

/* {"pid":1,"comm":"init",...}; what is empty, 0 or false is left out.  No line end. */
void snap_line_write(struct text *t, enum snap_part part, const void *record);

/* -1 when it is no such line; members that nobody knows are passed over. */
int snap_line_read(struct snap *s, enum snap_part part, struct slice line, struct err *e);

/* The members of one flat JSON object, one after the other; `found` sees the raw value: a string still in its quotes.
 */
int snap_members(struct slice line, void (*found)(void *own, struct slice name, struct slice value), void *own,
                 struct err *e);
/* The bytes that a JSON string in its quotes stands for; never longer than it.  False when it is none. */
bool snap_string(struct slice quoted, uint8_t *bytes, size_t *len);
#endif
