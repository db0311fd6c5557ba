/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bookmem - how the book lies in memory; for the gate, which writes it, and role `book`, which carries it to the disk.
 *
 *   0          struct book_head, one page
 *   4 KiB      ring of places that were written, BOOK_RING x 4 bytes
 *   + 1 MiB    the places, 32 bytes each, in groups of BOOK_GROUP
 *
 * The gate writes a place, then its number into the ring; the keeper takes
 * numbers out, then copies the places.  A ring that is full sets `all`: the
 * keeper then writes every place.  Neither believes what the other could
 * have damaged: sizes and the key are copied when the memory is mapped, and
 * a number that is out of range is left out.
 */
#ifndef SERVIOLA_GATE_BOOKMEM_H
#define SERVIOLA_GATE_BOOKMEM_H
#include <stdatomic.h>

#include "sense/gate/book.h"

enum {
    BOOK_GROUP = 4,
    BOOK_PAGE = 4096,
    BOOK_RING = 1 << 18, /* a power of two */
    BOOK_KEY = 16,
};
enum { BOOK_SLOTS_AT = BOOK_PAGE + BOOK_RING * 4 };

struct book_head {
    char magic[8]; /* BOOK_MAGIC */
    uint64_t slots;
    uint8_t key[BOOK_KEY];
    uint64_t count, left, damaged;
    _Alignas(64) _Atomic uint64_t written; /* into the ring, by the gate */
    _Alignas(64) _Atomic uint64_t taken;   /* out of it, by the keeper */
    _Alignas(64) _Atomic uint32_t all;
};
#define BOOK_MAGIC "SVBOOKM1"

struct book {
    uint8_t *map;
    size_t size;
    int fd;
    struct book_head *head;
    uint32_t *ring;
    struct book_entry *slot;
    uint64_t slots;
    uint8_t key[BOOK_KEY];
    struct book_spans spans;
};

uint64_t book_slots_for(uint64_t entries);
/* A fresh one whose keys are made with `key`. */
struct book *book_make(uint64_t slots, const uint8_t key[BOOK_KEY], struct err *e);
uint32_t book_sum(const struct book_entry *en);
/* Whether this place may hold it: it is sound, and its key leads here. */
bool book_belongs(const struct book *b, const struct book_entry *en, uint64_t slot);
#endif
