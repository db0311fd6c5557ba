/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * book - what the gate remembers: greylist pairs, clients of good standing, callback results.
 *
 * One open hash in a shared memory file of fixed size, 32 bytes an entry,
 * keyed by a 128-bit keyed hash, so that neither names nor addresses stand in
 * it.  The gate alone writes; a process of its own (role `book`) carries what
 * changed to the disk each second, reads it back at start, and hands the
 * memory to a gate that starts anew: nothing is forgotten, and a hanging disk
 * is not noticed here.
 */
#ifndef SERVIOLA_GATE_BOOK_H
#define SERVIOLA_GATE_BOOK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum book_kind { BOOK_PAIR = 1, BOOK_CLIENT, BOOK_CALLBACK };
struct book_key {
    uint8_t at[16];
};
struct book_entry { /* 32 bytes in the file */
    struct book_key key;
    uint32_t first_s, last_s; /* wall clock, seconds since 1970 */
    uint16_t count;
    uint8_t kind;  /* enum book_kind; 0: free */
    uint8_t value; /* BOOK_CALLBACK: enum callback_result */
    uint32_t sum;  /* over the rest */
};

struct book;
/* Over a memory file that book_file made (role `book`), or a fresh one with fd -1. */
struct book *book_new(int fd, uint64_t entries, struct err *e);
void book_free(struct book *b);
struct book_key book_key(const struct book *b, enum book_kind kind, struct slice a, struct slice s, struct slice r);
/* A copy; false when it is not there. */
bool book_get(const struct book *b, const struct book_key *k, struct book_entry *out);
/* Writes it; when the places for this key are all taken the one least recently used leaves, expired ones first. */
void book_put(struct book *b, const struct book_entry *en, uint32_t now_s);
void book_remove(struct book *b, const struct book_key *k);
uint64_t book_count(const struct book *b), book_left(const struct book *b); /* entries; how many had to leave */
int book_fd(const struct book *b);
#endif
