/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * accountfile - what was learned of accounts, on disk: gate.accounts (mode 0600).
 *
 *   magic 8, zero 8; then the ledger's pieces (sense/gate/ledger.h), one behind the other
 *
 * It begins as a new file that takes the place of the old one when the disk
 * has it; what is learned later is appended.  So a piece that is not sound is
 * the end of what is known, and a file that does not even begin soundly is
 * put aside as gate.accounts.damaged.  Files of the first form are read too:
 *
 *   magic 8, length 8, check sum of what follows 4, zero 4; then all in one
 */
#ifndef SERVIOLA_GATE_ACCOUNTFILE_H
#define SERVIOLA_GATE_ACCOUNTFILE_H
#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/ledger.h"

enum { ACCOUNTFILE_MOST = LEDGER_MOST + 64 };

struct accountfile_found {
    bool aside; /* it was put aside: nothing is known */
    bool cut;   /* its end is not sound: what stands before it is known */
};
/* FOLDER/gate.accounts, as far as it is sound, into *kept and *bytes, which is to be freed; empty: there is none, or it
 * was put aside.  -1: it can't be read now. */
int accountfile_read(const char *folder, struct slice *kept, void **bytes, struct accountfile_found *found,
                     struct err *e);
/* What is behind the head of what was read: of the first form (*first), or pieces. */
struct slice accountfile_content(struct slice kept, bool *first);

/* These pieces, the first `written` bytes of which it has; 0: it begins anew.  Waits until the disk has it.  After a
 * failure nobody knows what the disk has: it is to be begun anew. */
int accountfile_write(const char *folder, struct slice pieces, size_t written, struct err *e);
#endif
