/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scribe - writes the journal's tail to disk, and is waited for by nobody.
 *
 * The only process with a folder.  It maps the tail, appends what is new,
 * syncs at most every `journal.sync`, and tells the core how far the disk
 * is.  It may hang in the kernel for as long as a disk hangs: the core sees
 * it and says so.  When its link closes it writes what is left, and ends.
 */
#ifndef SERVIOLA_CORE_SCRIBE_H
#define SERVIOLA_CORE_SCRIBE_H
#include "part/part.h"

extern const struct part scribe_part;
#endif
