/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * accountfile - what was learned of accounts, on disk: the whole of it at a time, in a new file that takes the place of
 * the old one when the disk has it.
 *
 *   magic 8, length 8, check sum of what follows 4, zero 4; then as warden_save wrote it (mode 0600)
 *
 * A file that is damaged is put aside as gate.accounts.damaged: half of what is known would be worse than nothing.
 */
#ifndef SERVIOLA_GATE_ACCOUNTFILE_H
#define SERVIOLA_GATE_ACCOUNTFILE_H
#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum { ACCOUNTFILE_MOST = 256 << 20 };

/* FOLDER/gate.accounts into *bytes, which is to be freed; empty: there is none, or (*aside) it was put aside.  -1: it
 * can't be read now. */
int accountfile_read(const char *folder, struct slice *kept, void **bytes, bool *aside, struct err *e);
/* Waits until the disk has it. */
int accountfile_write(const char *folder, struct slice kept, struct err *e);
#endif
