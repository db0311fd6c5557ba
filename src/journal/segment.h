/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * segment - the file format of a journal, version 1: bytes in, elements out.
 *
 * A segment file is a row of elements without gaps.  An element is one zstd
 * skippable frame (RFC 8878, 3.1.2) that may be followed by one zstd frame,
 * the payload; so `zstdcat FILE` prints the payload of a whole segment and
 * nothing else (but of COLUMNS: there it prints that it can't).  Numbers are
 * little-endian.
 *
 *   active (.wal)    HEAD BLOCK BLOCK ...            payload in zstd frames of raw blocks: written as it came
 *   sealed (.zst)    HEAD BLOCK ... PROOF INDEX SEAL       payload compressed, several commits in one block
 *   packed again     HEAD BLOCK ... PROOF INDEX VOUCH ANEW SEAL  the same payload in larger blocks; HEAD and SEAL as
 *                    they were
 *
 * Every element begins with struct seg_prefix.  `mark` is a random number of
 * the segment: bytes from outside that end up in a payload, or in a disk block
 * that was another file's, can't pass for an element.  `crc` covers the
 * skippable frame (its own field as 0); a block's `stored_crc` covers the
 * zstd frame behind it.
 *
 * HEAD   struct seg_head: whose segment this is, and the chain up to here.
 * BLOCK  struct seg_block, then, for each commit but the last, two LEB128
 *        numbers: records, bytes of payload.  What was one write of the
 *        writer is one commit; packing puts neighbours into one block.
 * COLUMNS  a BLOCK whose payload is stored in columns (columns.h); stands for one when a segment is packed again.
 * PROOF  SHA-256 of each BLOCK element with its payload as it is stored, 32 bytes each, in their order.  May be
 * missing; stands right in front of INDEX, and index_hash is over both: so a seal proves each byte without unpacking.
 * INDEX  struct seg_index, then entries and filters (index.h).
 * SEAL   struct seg_seal: the last element, of a fixed size, so that a reader
 *        finds everything from the end of the file.
 *
 * ANEW   struct seg_anew: where blocks and index are now.  The seal still proves the payload, by the chain.
 * VOUCH  struct seg_vouch: the signature over ANEW, and so over PROOF and INDEX, by the key of the segment that was
 *        active at that time; of a later key than the seal's, so it proves less than the chain does (seal.h).  Missing
 *        in what was packed before there was one.
 *
 * Payload (content 1): events, 256 bytes each (event.h), seq rising.
 * Content 2 is for lines; their records are the business of who writes them.
 *
 * Chain: SHA-256 over what follows, for each commit.
 *
 *   "serviola chain 1" | chain before (32) | content u16 | 0 u16 | records u32 | first seq u64 | bytes u64 | payload
 *
 * The chain before the first commit of segment 1 is the journal's id, of a
 * later segment the chain after the one before it.  `prev` and `chain` of a
 * block are the chain before its first and after its last commit.  It runs
 * over the payload as it came, so packing does not change it.
 *
 * Seal: Ed25519 (RFC 8032) by the segment's own key over "serviola seal 1"
 * and struct seg_seal up to `signature`.  It names the key of the next
 * segment; the secret is erased after signing (seal.h).
 *
 * Version: a reader refuses elements of another `version`; additions take a
 * new element type, which old readers step over.
 */
#ifndef SERVIOLA_JOURNAL_SEGMENT_H
#define SERVIOLA_JOURNAL_SEGMENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum {
    SEG_ZSTD_MAGIC = 0x184D2A53, /* one of the 16 skippable magics */
    SEG_VERSION = 1,
    SEG_HASH = 32,
    SEG_RAW_MAX = 1 << 20,    /* payload of one block */
    SEG_RAW_GOAL = 128 << 10, /* payload that packing aims at */
    SEG_COMMITS_MAX = 4096,   /* in one block */
    SEG_BLOCK_MAX = 2 << 20,  /* a whole BLOCK element */
    SEG_INDEX_MAX = 64 << 20, /* body of an index */
};
enum seg_type { SEG_HEAD = 1, SEG_BLOCK, SEG_INDEX, SEG_SEAL, SEG_ANEW, SEG_PROOF, SEG_COLUMNS, SEG_VOUCH };
enum seg_content { SEG_EVENTS = 1, SEG_LINES };

struct seg_prefix {
    uint32_t zstd_magic;
    uint32_t zstd_len; /* of the skippable frame behind these 8 bytes */
    char magic[4];     /* "SVLA" */
    uint8_t type;      /* enum seg_type */
    uint8_t version;
    uint16_t content; /* enum seg_content */
    uint64_t mark;
    uint32_t stored_len; /* of the zstd frame that follows; 0: none */
    uint32_t crc;
};
_Static_assert(sizeof(struct seg_prefix) == 32, "on disk");

struct seg_head {
    uint64_t segment;   /* 1, 2, ... */
    uint64_t first_seq; /* no event before this number is in here */
    int64_t opened_us;
    uint8_t id[SEG_HASH];  /* public key of segment 1 */
    uint8_t key[SEG_HASH]; /* public key of this segment */
    uint8_t prev[SEG_HASH];
};
_Static_assert(sizeof(struct seg_head) == 120, "on disk");

struct seg_block {
    uint64_t first_seq, last_seq;
    int64_t min_us, max_us; /* wall clock, both included */
    uint32_t count;         /* records */
    uint32_t raw_len;
    uint32_t commits; /* at least 1 */
    uint32_t stored_crc;
    uint8_t prev[SEG_HASH], chain[SEG_HASH];
};
_Static_assert(sizeof(struct seg_block) == 112, "on disk");

struct seg_seal {
    uint64_t segment;
    uint64_t first_seq, last_seq; /* first > last: the segment is empty */
    int64_t min_us, max_us;
    int64_t sealed_us;
    uint64_t records, raw_bytes;
    uint64_t index_at; /* file offset of the INDEX element; 0: of no file, an open head (seal.h) */
    uint64_t blocks;
    uint8_t id[SEG_HASH], key[SEG_HASH], next_key[SEG_HASH];
    uint8_t prev[SEG_HASH], chain[SEG_HASH]; /* chain before and after this segment */
    uint8_t head_hash[SEG_HASH];             /* BLAKE2b-256 of the HEAD element ... */
    uint8_t index_hash[SEG_HASH];            /* ... and of the PROOF and INDEX elements */
    uint8_t signature[64];
};
_Static_assert(sizeof(struct seg_seal) == 368, "on disk");
struct seg_anew {
    uint64_t index_at; /* instead of the seal's */
    uint64_t blocks;
    int64_t packed_us;
    uint8_t index_hash[SEG_HASH];
};
_Static_assert(sizeof(struct seg_anew) == 56, "on disk");
struct seg_vouch {
    uint64_t segment; /* whose key it is; a later one than that which was packed */
    uint8_t key[SEG_HASH];
    uint8_t signature[64];
};
_Static_assert(sizeof(struct seg_vouch) == 104, "on disk");
enum { SEG_ANEW_BYTES = sizeof(struct seg_prefix) + sizeof(struct seg_anew) };
enum { SEG_SEAL_BYTES = sizeof(struct seg_prefix) + sizeof(struct seg_seal) };

/* What reading yields.  Slices point into the file's bytes, which the caller keeps. */
struct seg_element {
    enum seg_type type;
    enum seg_content content;
    uint64_t offset;     /* in the file */
    size_t size;         /* with the payload behind it */
    struct slice whole;  /* the skippable frame, for hashing */
    struct slice body;   /* behind the prefix */
    struct slice stored; /* the zstd frame */
};
enum seg_got {
    SEG_GOT,
    SEG_END,
    SEG_DAMAGED, /* a block whose head is sound and whose payload is not */
    SEG_BAD,     /* no element: offset and size say which bytes; reading goes on behind them */
};

struct seg_scan {
    struct slice file; /* all of it, or the piece that was read (pieces.h) */
    uint64_t base;     /* file offset of file.at[0]; 0 for a whole file */
    size_t at;
    uint64_t mark;
    uint64_t left;                    /* bytes of the file behind the piece */
    bool (*more)(struct seg_scan *s); /* what stands before `at` leaves the piece, what follows joins it; false: it
                                         can't grow.  NULL: never */
};
/* Finds the mark: of the first sound element.  False when there is none at all. */
bool seg_scan_start(struct seg_scan *s, struct slice file);
enum seg_got seg_next(struct seg_scan *s, struct seg_element *el);
/* The element whose `beginning` this is, of a file that has `left` bytes from there on: all but `stored` and `offset`.
 * False: there is none, or more than the beginning is needed to tell. */
bool seg_peek(struct slice beginning, uint64_t left, uint64_t mark, struct seg_element *el);

bool seg_read_head(const struct seg_element *el, struct seg_head *h);
/* Of BLOCK and COLUMNS; counts and lengths are within bounds. */
bool seg_read_block(const struct seg_element *el, struct seg_block *b);
bool seg_read_seal(const struct seg_element *el, struct seg_seal *s);
bool seg_read_anew(const struct seg_element *el, struct seg_anew *a);
bool seg_read_vouch(const struct seg_element *el, struct seg_vouch *v);

/* Unpacks a block's payload into `raw`, of at least SEG_RAW_MAX bytes. */
int seg_unpack(const struct seg_element *el, const struct seg_block *b, uint8_t *raw, struct err *e);
/* The same with a ZSTD_DCtx of the caller's, who has many blocks. */
int seg_unpack_by(void *zstd, const struct seg_element *el, const struct seg_block *b, uint8_t *raw, struct err *e);

/* Commits of a block, in order; false when all were seen or the list is malformed (then commits were left over). */
struct seg_commits {
    struct slice list;
    uint32_t left;
    uint32_t records, bytes; /* of the block, not yet given */
};
struct seg_commits seg_commits_of(const struct seg_element *el, const struct seg_block *b);
bool seg_next_commit(struct seg_commits *c, uint32_t *records, uint32_t *bytes);
bool seg_commits_fit(const struct seg_element *el, const struct seg_block *b); /* the list is well-formed */

void seg_chain(uint8_t chain[SEG_HASH], enum seg_content content, uint32_t records, uint64_t first_seq,
               struct slice payload); /* in place: before to after */
void seg_hash(uint8_t out[SEG_HASH], struct slice s);
void seg_digest(uint8_t out[SEG_HASH], struct slice s); /* SHA-256: of much, faster */

/* Writing: appends to `out`, which grows. */
struct seg_out {
    uint8_t *at;
    size_t len, cap;
};
int seg_out_room(struct seg_out *out, size_t more, struct err *e);
void seg_out_free(struct seg_out *out);
/* One element: `body` in one or two pieces, then the zstd frame. */
int seg_put(struct seg_out *out, uint64_t mark, enum seg_type type, enum seg_content content, struct slice body,
            struct slice more, struct slice stored, struct err *e);
/* A BLOCK with a zstd frame that holds `raw` as it is; fills b->stored_crc. */
int seg_put_raw(struct seg_out *out, uint64_t mark, enum seg_content content, struct seg_block *b, struct slice raw,
                struct err *e);
int seg_put_number(struct seg_out *out, uint64_t n, struct err *e); /* LEB128 */
#endif
