/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seal - who signs a segment, and why nobody can do it again later.
 *
 * Each segment has its own Ed25519 key.  The seal of segment n names the key
 * of segment n + 1; once n is sealed on disk its secret is overwritten.  Who
 * gets the machine today holds the secret of the active segment and the next:
 * with the journal's id (the key of segment 1) kept elsewhere, what was sealed
 * before can't be rewritten.
 *
 * What is packed again later is signed with the key of the segment that is
 * active then: Ed25519 over "serviola anew 1", id, number and chain of the
 * packed one, struct seg_anew, number and key of the signing one.  Who gets
 * the machine can sign so too, so it stands for the index, and for the
 * payload only where a reader is content with that (verify.h, `quick`).
 *
 * An open head is a seal of the active segment as far as it is on the disk:
 * `index_at` is 0, there are no hashes of head and index, and no file holds
 * one.  It is made for who cosigns heads (cosign.h).
 *
 * The file `key` (0600): struct seal_file.
 */
#ifndef SERVIOLA_JOURNAL_SEAL_H
#define SERVIOLA_JOURNAL_SEAL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/segment.h"

enum { SEAL_SEED = 32 };

struct seal_keys {
    uint64_t segment;     /* whose secret `seed` is */
    uint8_t id[SEG_HASH]; /* public key of segment 1 */
    uint8_t seed[SEAL_SEED];
    uint8_t next_seed[SEAL_SEED]; /* of segment + 1 */
};
struct seal_file {
    char magic[8]; /* "SVkey01" */
    struct seal_keys keys;
    uint32_t crc; /* CRC32C of `keys` */
    uint32_t zero;
};

int seal_start(struct err *e); /* once a process, before anything else here */
/* Fresh ones for this segment; for segment 1 the id is theirs, else it is left alone. */
void seal_keys_make(struct seal_keys *k, uint64_t segment);
int seal_keys_load(int dir, struct seal_keys *k, struct err *e);       /* code ENOENT: there is none */
int seal_keys_save(int dir, const struct seal_keys *k, struct err *e); /* overwrites and erases the old file */
void seal_keys_advance(struct seal_keys *k); /* to the next segment; the old secret is gone from memory */
void seal_keys_forget(struct seal_keys *k);
void seal_public(const uint8_t seed[SEAL_SEED], uint8_t key[SEG_HASH]);

/* Fills id, key, next_key and signature; all else in `s` is set. */
void seal_sign(const struct seal_keys *k, struct seg_seal *s);
bool seal_is_signed(const struct seg_seal *s); /* by s->key */
static inline bool seal_is_open(const struct seg_seal *s)
{
    return s->index_at == 0;
}
/* Of the segment that `s` seals, packed again as `a` says. */
void seal_vouch(const struct seal_keys *k, const struct seg_seal *s, const struct seg_anew *a, struct seg_vouch *v);
bool seal_is_vouched(const struct seg_vouch *v, const struct seg_seal *s, const struct seg_anew *a); /* by v->key */
/* The seal at the end of a sealed segment's file, signature checked. */
int seal_read(int fd, struct seg_seal *s, uint64_t *mark, struct err *e);
/* Where the index of a sealed segment is: as its seal says, unless it was packed again. */
uint64_t seal_index_at(int fd, const struct seg_seal *s, uint64_t mark, bool *anew);
int seal_read_of(int dir, uint64_t segment, struct seg_seal *s, struct err *e);
#endif
