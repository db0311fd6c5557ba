/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * manifest - what stands in an evidence file beside the files, and what proves that it is whole.
 *
 * An evidence file is a tar, compressed by zstd, that holds in this order
 *   files/...      the files, sorted by their names' bytes
 *   SHA256SUMS     for `sha256sum -c`
 *   manifest.json  name, size, SHA-256, mtime, owner and origin of each file in that order, one a line; the public key
 *   seal.json      the root digest and its Ed25519 signature
 * The root digest is the SHA-256 of manifest.json as it is, so it binds names, order and all else, and sha256sum
 * prints it.  Signed are the bytes "serviola evidence 1\n" and the 32 bytes of the digest.
 *
 * The key is one of the host that packs.  Whoever has the host has the key: the seal proves that nothing was changed
 * since, to those who noted key or digest elsewhere, and nothing about what was done to the files before.
 */
#ifndef SERVIOLA_SENSE_LOG_MANIFEST_H
#define SERVIOLA_SENSE_LOG_MANIFEST_H
#include <stdio.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/slice.h"

enum {
    EVIDENCE_HASH = 32, /* SHA-256; a public key and a seed too */
    EVIDENCE_SIGNATURE = 64,
    EVIDENCE_FILES = 1 << 20,          /* at most in one evidence file */
    EVIDENCE_MANIFEST_BYTES = 1 << 30, /* at most, to be read */
    EVIDENCE_NAME = 4096,              /* a name's bytes, with the terminator */
    EVIDENCE_SEAL_BYTES = 256,
};
#define EVIDENCE_FOLDER   "files/"
#define EVIDENCE_SUMS     "SHA256SUMS"
#define EVIDENCE_MANIFEST "manifest.json"
#define EVIDENCE_SEAL     "seal.json"

struct evidence_key {
    uint8_t seed[EVIDENCE_HASH], open[EVIDENCE_HASH]; /* secret and public */
};
/* From this file, 64 hexadecimal digits that only its owner may read; made when it is not there. */
int evidence_key_load(const char *path, struct evidence_key *k, struct err *e);
void evidence_key_forget(struct evidence_key *k);

struct evidence_hex {
    char text[2 * EVIDENCE_SIGNATURE + 1];
};
struct evidence_hex evidence_hex(const uint8_t *bytes, size_t n);
bool evidence_unhex(struct slice hex, uint8_t *bytes, size_t n);

void manifest_head(FILE *to, const uint8_t key[EVIDENCE_HASH], const char *host);
/* The beginning of a file's line: what the tar shows too. */
void manifest_name(FILE *to, const char *name, uint64_t size, const uint8_t sha256[EVIDENCE_HASH]);
/* The rest of it; `changed` may be NULL. */
void manifest_about(FILE *to, const struct stat *st, const char *origin, const char *changed);
void manifest_left_out(FILE *to, const char *name, const char *why, bool first);
void manifest_sum(FILE *to, const char *name, const uint8_t sha256[EVIDENCE_HASH]);
void manifest_seal(FILE *to, const struct evidence_key *k, const uint8_t root[EVIDENCE_HASH]);

/* The root digest of `manifest`, when seal.json's bytes seal it and each line begins as in `lines` (manifest_name of
 * each file in order, a newline behind each); else e says which does not. */
int manifest_check(struct slice manifest, struct slice lines, struct slice seal, uint8_t root[EVIDENCE_HASH],
                   uint8_t key[EVIDENCE_HASH], struct err *e);
#endif
