/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tokens - the words of a text as keys, and filters over keys (lines.h says what a token is).
 *
 * The filter is a split-block Bloom filter: 32-byte blocks, of which a key
 * touches one, with one bit in each of its eight words.  A clear bit means
 * "surely not".  Keys and filters stand on disk: neither may change.
 */
#ifndef SERVIOLA_SENSE_LOG_TOKENS_H
#define SERVIOLA_SENSE_LOG_TOKENS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/log/lines.h"

enum {
    FILTER_BITS_A_KEY = 12,
    FILTER_BLOCK = 32,
    TOKENS_BEHIND = 80, /* so many bytes behind a text are read, and do not count */
};

/* Distinct keys of one block of lines; zeroed at first. */
struct token_set {
    uint64_t *slots;   /* open addressing; 0: free */
    uint64_t *keys;    /* each once, in the order they came */
    size_t count, cap; /* of slots; a power of two */
    bool failed;       /* no memory: the block gets no filter */
    uint64_t *recent;  /* by their lowest bits, the ones that were seen last; behind them those that wait to be added */
    size_t waiting;
};
void token_set_clear(struct token_set *t);
void token_set_done(struct token_set *t);
/* All its tokens, once token_set_end was called; TOKENS_BEHIND bytes behind the text can be read. */
void token_set_add(struct token_set *t, struct slice text);
void token_set_end(struct token_set *t);

size_t filter_bytes(size_t keys);
void filter_make(uint8_t *filter, size_t bytes, const uint64_t *keys, size_t count);
bool filter_may_hold(struct slice filter, uint64_t key);
#endif
