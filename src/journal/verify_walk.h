/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify_walk - what verify carries from segment to segment.
 */
#ifndef SERVIOLA_JOURNAL_VERIFY_WALK_H
#define SERVIOLA_JOURNAL_VERIFY_WALK_H
#include "journal/folder.h"
#include "journal/segment.h"
#include "journal/verify.h"
#include "journal/verify_blocks.h"

struct walk {
    void (*found)(void *own, const struct finding *f);
    void *own;
    struct verdict *v;
    const uint8_t *since_head; /* NULL, or a chain head that must occur */
    bool head_seen;
    uint64_t segment; /* the last one walked; 0: none */
    uint64_t last_seq;
    bool known; /* chain and promised are what the next segment must continue */
    uint8_t chain[SEG_HASH];
    bool promises;              /* ... promised too */
    uint8_t promised[SEG_HASH]; /* the next segment's key */
    bool proven;                /* every key so far was promised, back to the id */
    bool quick;
    struct vouchers *vouchers; /* verify_vouch.c */
    struct cosigned *cosigned; /* verify_cosign.c */
};

struct place { /* of what a finding speaks of */
    const char *file;
    uint64_t segment, offset, first_seq, last_seq;
};
void walk_report(struct walk *w, enum fault fault, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void walk_saw_head(struct walk *w, const uint8_t chain[SEG_HASH]);

/* Whether `segment`, with this key and this chain before it, is what comes next; reports what is not so. */
void walk_enter(struct walk *w, const struct place *at, uint64_t segment, const uint8_t key[SEG_HASH],
                const uint8_t prev[SEG_HASH], uint64_t first_seq);
/* A seal that was checked: what it says about the next segment. */
void walk_leave(struct walk *w, const struct seg_seal *s, const char *file, bool trusted);

/* verify_vouch.c: who signed what was packed again; their keys are known only when their segments are reached. */
void walk_vouched(struct walk *w, const struct place *at, const struct seg_vouch *v);
void walk_meets_key(struct walk *w, uint64_t segment, const uint8_t key[SEG_HASH]);
void walk_end_vouchers(struct walk *w); /* reports who never came, and frees */

/* verify_cosign.c: what other hosts signed of heads; once v->id is known, with each seal, in the end. */
int walk_load_cosigned(struct walk *w, int dir, const struct verify_wish *wish, struct err *e);
void walk_meets_head(struct walk *w, const struct seg_seal *s, const char *file);
/* Open heads within a segment: which blocks are to show them, and whether they did. */
void walk_wants_heads(struct walk *w, uint64_t segment, struct block_check *at, size_t count);
void walk_saw_heads(struct walk *w, uint64_t segment, const char *file);
void walk_end_cosigned(struct walk *w); /* reports what was cosigned and is not here, and frees */
void walk_free_cosigned(struct walk *w);

/* verify_segment.c: one file's bytes. */
void walk_segment(struct walk *w, const char *file, uint64_t segment, bool sealed, struct slice bytes);
#endif
