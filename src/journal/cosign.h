/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cosign - another host's word for how a journal's folder ended: what its own keys can't prove against who has them.
 *
 * A witness has a key of its own that does not change, in its folder: the
 * file `witness` (0600: "SVwit01", 32 bytes of seed, CRC32C of them), and
 * `witness.pub`, the public one in hexadecimal digits.  What it says is
 * struct cosign: Ed25519 over "serviola head 1" and all up to `signature`.
 * The file `cosigned-ID` (the first 16 digits of the id of the journal that
 * is spoken of) is a row of them in the order they were made; witness and
 * origin keep one each.  Over COSIGNED_MOST bytes the older half leaves: the
 * chain leads from a later head to all before it.
 *
 * Of the segment that is not sealed yet its open head (seal.h) is cosigned,
 * again and again: it tells what the chain was at that line.  A witness can't
 * see whether a later head leads from an earlier one: verify does, so all of
 * them are kept.
 */
#ifndef SERVIOLA_JOURNAL_COSIGN_H
#define SERVIOLA_JOURNAL_COSIGN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "journal/folder.h"
#include "journal/segment.h"

enum { COSIGN_HOST = 32, COSIGNED_MOST = 8 << 20 };

struct cosign {
    uint8_t origin[SEG_HASH]; /* id of the journal it speaks of */
    uint64_t segment;         /* its seal says the next four, too */
    uint64_t last_seq, records;
    uint8_t chain[SEG_HASH];
    uint8_t next_key[SEG_HASH]; /* all zero: of an open head */
    uint8_t key[SEG_HASH];      /* the witness's */
    int64_t at_us;              /* by its clock */
    char host[COSIGN_HOST];     /* its name, NUL behind it */
    uint8_t signature[64];
};
_Static_assert(sizeof(struct cosign) == 256, "on disk and on the wire");

struct cosign_key {
    uint8_t public[SEG_HASH], seed[SEG_HASH];
};
int cosign_key_open(int dir, struct cosign_key *k, struct err *e); /* makes one when there is none */

/* What `s` says, by `host`. */
struct cosign cosign_make(const struct cosign_key *k, const struct seg_seal *s, const char *host, int64_t at_us);
bool cosign_is_signed(const struct cosign *c); /* by c->key, and its fields are within bounds */
bool cosign_fits(const struct cosign *c, const struct seg_seal *s);
bool cosign_is_open(const struct cosign *c); /* of an open head */
/* Takes the next one off *rest; false: there is no whole one. */
bool cosign_next(struct slice *rest, struct cosign *c);

struct file_name cosigned_name(const uint8_t origin[SEG_HASH]);
/* 0 with len 0: there is none; free(at). */
int cosigned_read(int dir, const char *name, uint8_t **at, size_t *len, struct err *e);
int cosigned_add(int dir, const struct cosign *at, size_t count, struct err *e); /* of one origin; on disk then */

/* A public key in hexadecimal digits, in a file of its own. */
int cosign_public_read(int dir, const char *name, uint8_t key[SEG_HASH], struct err *e);
int cosign_public_save(int dir, const char *name, const uint8_t key[SEG_HASH], struct err *e);
#endif
