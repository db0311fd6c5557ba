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
 *
 * A key has eight places, in two groups of four that its hash chooses: a
 * look-up touches two places in memory, however full it is.
 */
#ifndef SERVIOLA_GATE_BOOK_H
#define SERVIOLA_GATE_BOOK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"

enum book_kind { BOOK_PAIR = 1, BOOK_CLIENT, BOOK_CALLBACK };
struct book_key {
    uint8_t at[16];
};
struct book_entry { /* 32 bytes in the file */
    struct book_key key;
    uint32_t first_s, last_s; /* wall clock, seconds since 1970 */
    uint16_t count;           /* BOOK_PAIR, BOOK_CLIENT: how often it passed */
    uint8_t kind;             /* enum book_kind; 0: free */
    uint8_t value;            /* BOOK_CALLBACK: enum callback_result */
    uint32_t sum;             /* over the rest; book_put sets it */
};
_Static_assert(sizeof(struct book_entry) == 32, "two entries a cache line");

enum { BOOK_RESULTS = 3 };
struct book_spans {                    /* how long an entry is worth keeping */
    uint32_t window_s;                 /* a pair that never passed, from its first knock */
    uint32_t good_s;                   /* one that did, and a client: from the last time */
    uint32_t callback_s[BOOK_RESULTS]; /* a callback's result, by enum callback_result */
};

struct book;
/* Over a memory file of another book (`fd` is the book's from here on, also when it fails), or a fresh one of room for
 * `entries` with fd -1. */
struct book *book_new(int fd, uint64_t entries, struct err *e);
void book_free(struct book *b); /* the memory stays as long as somebody has its descriptor; NULL is fine */
/* How long entries last, at start and after a reload. */
void book_set(struct book *b, const struct gate_greylist *grey, const struct gate_callback *call);

struct book_key book_key(const struct book *b, enum book_kind kind, struct slice a, struct slice s, struct slice r);
/* A copy; false when it is not there.  It may be over its time (book_expired). */
bool book_get(const struct book *b, const struct book_key *k, struct book_entry *out);
bool book_expired(const struct book *b, const struct book_entry *en, uint32_t now_s);
/* Writes it; when the places for this key are all taken the one least recently used leaves, expired ones first. */
void book_put(struct book *b, const struct book_entry *en, uint32_t now_s);
void book_remove(struct book *b, const struct book_key *k);
uint64_t book_count(const struct book *b), book_left(const struct book *b); /* entries; how many had to leave */
uint64_t book_damaged(const struct book *b); /* entries whose bytes made no sense and were dropped */
int book_fd(const struct book *b);
#endif
