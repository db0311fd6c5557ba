/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bookfile - the book on disk: read at start, then whatever changed is written, in the order of the disk.
 *
 *   0        magic, number of places, key, check sum (the key makes the rest readable: mode 0600)
 *   4 KiB    the places, as in memory; an entry never lies across two sectors
 *
 * What is damaged costs itself alone: each entry has a check sum and a place
 * that only it leads to.  A file whose head makes no sense is put aside as
 * gate.book.damaged and begun anew.
 */
#ifndef SERVIOLA_GATE_BOOKFILE_H
#define SERVIOLA_GATE_BOOKFILE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/gate/book.h"

struct book_read { /* what reading found */
    uint64_t entries, damaged;
    bool begun_anew; /* there was no file */
    bool put_aside;  /* its head made no sense */
    bool cut;        /* it ended early: what is left was read */
};

struct bookfile;
/* Nobody else keeps a book in this folder as long as it is open; nothing is read yet. */
struct bookfile *bookfile_open(const char *folder, struct err *e);
void bookfile_close(struct bookfile *f); /* the book too; NULL is fine */
/* Reads FOLDER/gate.book, or begins it, into a fresh book of room for `entries`, which stays the file's. */
struct book *bookfile_read(struct bookfile *f, uint64_t entries, struct book_read *read, struct err *e);
/* Instead of reading: this book was in force before us, and is the file's from here on. */
int bookfile_adopt(struct bookfile *f, struct book *b, struct err *e);
struct book *bookfile_book(struct bookfile *f); /* NULL before either */
/* Writes what changed since the last round, and waits until the disk has it; *entries is how many places that were.
 * After a failure all is written again. */
int bookfile_round(struct bookfile *f, uint64_t *entries, struct err *e);
#endif
