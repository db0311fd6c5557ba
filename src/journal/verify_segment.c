/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "journal/seal.h"
#include "journal/verify_blocks.h"
#include "journal/verify_walk.h"

struct look { /* one file, element by element */
    struct walk *w;
    struct place at;
    uint64_t segment;
    bool sealed;
    struct slice bytes;
    bool entered, left; /* its HEAD, its SEAL was seen */
    bool hurt;          /* something in it was reported */
    bool linked;        /* w->chain is what the next block must continue */
    const uint8_t *key; /* of its HEAD, which its seal is to be signed with; NULL: not known */
    uint8_t head_key[SEG_HASH];
    uint64_t bad_at, bad_size; /* a stretch of no elements that waits for the block behind it */
    uint64_t first_seq, last_seq;
    uint64_t blocks, records, raw_bytes;
    int64_t min_us, max_us;
    uint8_t head_hash[SEG_HASH], index_hash[SEG_HASH];
    uint64_t index_at;
    struct slice proof; /* a PROOF element that INDEX may stand behind */
    bool packed_again;
    struct seg_anew anew;
    bool vouched;
    struct seg_vouch vouch;
};

#define REPORT(l, fault, ...)                                                                                          \
    do {                                                                                                               \
        (l)->hurt = true;                                                                                              \
        walk_report((l)->w, fault, &(l)->at, __VA_ARGS__);                                                             \
    } while (0)

/* A stretch of bad bytes is reported once it is known which events stood there. */
static void report_bad(struct look *l, uint64_t next_seq)
{
    struct place here = l->at;

    if (l->bad_size == 0)
        return;
    l->at.offset = l->bad_at;
    l->at.first_seq = l->w->last_seq + 1;
    l->at.last_seq = next_seq > l->at.first_seq ? next_seq - 1 : 0;
    REPORT(l, FAULT_CHANGED, "%llu bytes are no whole block", (unsigned long long)l->bad_size);
    l->bad_size = 0;
    l->linked = false;
    l->at = here;
}

static void enter(struct look *l, const struct seg_head *head)
{
    if (head->segment != l->segment)
        REPORT(l, FAULT_SWAPPED, "the file holds segment %llu", (unsigned long long)head->segment);
    if (memcmp(head->id, l->w->v->id, SEG_HASH) != 0)
        REPORT(l, FAULT_UNTRUSTED, "it belongs to another journal");
    walk_enter(l->w, &l->at, l->segment, head->key, head->prev, head->first_seq);
    memcpy(l->head_key, head->key, SEG_HASH);
    l->key = l->head_key;
    l->entered = l->linked = true;
    if (l->w->last_seq + 1 < head->first_seq)
        l->w->last_seq = head->first_seq - 1;
}

static void check_link(struct look *l, const struct seg_block *b)
{
    uint64_t before = l->w->last_seq;

    if (!l->linked || memcmp(b->prev, l->w->chain, SEG_HASH) == 0)
        return;
    if (b->first_seq <= before)
        REPORT(l, FAULT_SWAPPED, "this block stands behind event %llu", (unsigned long long)before);
    else if (b->first_seq == before + 1)
        REPORT(l, FAULT_CHANGED, "the chain does not lead here from the block before: one of the two was changed");
    else {
        struct place here = l->at;

        l->at.first_seq = before + 1;
        l->at.last_seq = b->first_seq - 1;
        REPORT(l, FAULT_MISSING, "blocks were taken out in front of event %llu", (unsigned long long)b->first_seq);
        l->at = here;
    }
}

static void count_block(struct look *l, const struct seg_block *b)
{
    if (l->blocks++ == 0) {
        l->first_seq = b->first_seq;
        l->min_us = b->min_us;
        l->max_us = b->max_us;
    }
    l->min_us = b->min_us < l->min_us ? b->min_us : l->min_us;
    l->max_us = b->max_us > l->max_us ? b->max_us : l->max_us;
    l->records += b->count;
    l->raw_bytes += b->raw_len;
    l->last_seq = b->last_seq;
}

/* `c` is NULL for a block whose checksum is wrong. */
static void check_block(struct look *l, const struct seg_block *b, const struct block_check *c)
{
    l->at.first_seq = b->first_seq;
    l->at.last_seq = b->last_seq;
    check_link(l, b);
    l->w->head_seen = l->w->head_seen || (c && c->head_seen);
    if (!c)
        REPORT(l, FAULT_CHANGED, "the payload's checksum is wrong");
    else if (c->state == BLOCK_NO_MEMORY)
        REPORT(l, FAULT_UNREADABLE, "no memory to unpack the payload");
    else if (c->state == BLOCK_NOT_UNPACKED)
        REPORT(l, FAULT_CHANGED, "the payload is not one zstd frame of %u bytes", b->raw_len);
    else if (c->state == BLOCK_OFF_CHAIN)
        REPORT(l, FAULT_CHANGED, "the payload is not what the chain says");
    else if (c->state == BLOCK_OFF_HEAD)
        REPORT(l, FAULT_CHANGED, "the payload is not what its head says");
    else if (c->state == BLOCK_OFF_PROOF)
        REPORT(l, FAULT_CHANGED, "its bytes are not those that were sealed");
    else {
        l->w->v->blocks++;
        l->w->v->events += b->count;
        l->w->v->raw_bytes += b->raw_len;
        if (l->w->v->first_seq == 0)
            l->w->v->first_seq = b->first_seq;
    }
    count_block(l, b);
    memcpy(l->w->chain, b->chain, SEG_HASH);
    if (b->last_seq > l->w->last_seq)
        l->w->last_seq = b->last_seq;
    l->linked = true;
}

/* Whether who packed it again signed what it is now. */
static void check_vouch(struct look *l, const struct seg_seal *s)
{
    if (!l->packed_again)
        return;
    if (!l->vouched)
        l->w->v->unvouched++;
    else if (seal_is_vouched(&l->vouch, s, &l->anew))
        walk_vouched(l->w, &l->at, &l->vouch);
    else
        REPORT(l, FAULT_CHANGED, "the signature of who packed it again is wrong");
}

static void check_seal(struct look *l, const struct seg_element *el, const struct seg_seal *s)
{
    bool signed_well = seal_is_signed(s);
    bool by_its_key = memcmp(s->id, l->w->v->id, SEG_HASH) == 0 && (!l->key || memcmp(s->key, l->key, SEG_HASH) == 0);
    const uint8_t *index_hash = l->packed_again ? l->anew.index_hash : s->index_hash;
    bool same = memcmp(s->head_hash, l->head_hash, SEG_HASH) == 0 && memcmp(index_hash, l->index_hash, SEG_HASH) == 0 &&
                (l->packed_again ? l->anew.index_at : s->index_at) == l->index_at;
    bool sums = (l->packed_again ? l->anew.blocks : s->blocks) == l->blocks && s->records == l->records &&
                s->raw_bytes == l->raw_bytes &&
                (l->blocks == 0 || (s->first_seq == l->first_seq && s->last_seq == l->last_seq &&
                                    s->min_us == l->min_us && s->max_us == l->max_us));

    l->left = true;
    l->at.first_seq = s->first_seq;
    l->at.last_seq = s->last_seq;
    if (!signed_well)
        REPORT(l, FAULT_CHANGED, "the seal's signature is wrong");
    else if (!by_its_key)
        REPORT(l, FAULT_UNTRUSTED, "it is sealed with another key than its head names");
    if (s->segment != l->segment)
        REPORT(l, FAULT_SWAPPED, "the seal is that of segment %llu", (unsigned long long)s->segment);
    if (!l->hurt && !same)
        REPORT(l, FAULT_CHANGED, "head or index is not the one that was sealed");
    if (!l->hurt && !sums)
        REPORT(l, FAULT_MISSING, "%llu blocks are here and %llu were sealed", (unsigned long long)l->blocks,
               (unsigned long long)s->blocks);
    if (!l->hurt && memcmp(s->chain, l->w->chain, SEG_HASH) != 0)
        REPORT(l, FAULT_CHANGED, "the chain does not end where the seal says");
    check_vouch(l, s);
    if (el->offset + el->size < l->bytes.len)
        REPORT(l, FAULT_CHANGED, "%llu bytes stand behind the seal",
               (unsigned long long)(l->bytes.len - el->offset - el->size));
    walk_leave(l->w, s, l->at.file, signed_well && by_its_key);
}

/* INDEX with the PROOF right in front of it. */
static struct slice with_proof(struct slice proof, struct slice index)
{
    return proof.len > 0 && proof.at + proof.len == index.at ? slice_of(proof.at, proof.len + index.len) : index;
}

static void look_at(struct look *l, const struct seg_element *el, const struct block_check *c)
{
    struct seg_head head;
    struct seg_block b;
    struct seg_seal s;

    l->at.offset = el->offset;
    if (seg_read_block(el, &b)) {
        report_bad(l, b.first_seq);
        check_block(l, &b, c);
        return;
    }
    report_bad(l, 0);
    if (el->type == SEG_HEAD && el->offset == 0 && seg_read_head(el, &head)) {
        seg_hash(l->head_hash, el->whole);
        enter(l, &head);
    } else if (el->type == SEG_PROOF && l->sealed) {
        l->proof = el->whole;
    } else if (el->type == SEG_INDEX && l->sealed) {
        seg_hash(l->index_hash, with_proof(l->proof, el->whole));
        l->index_at = el->offset;
    } else if (l->sealed && !l->vouched && !l->packed_again && seg_read_vouch(el, &l->vouch)) {
        l->vouched = true;
    } else if (l->sealed && !l->packed_again && seg_read_anew(el, &l->anew)) {
        l->packed_again = true;
    } else if (l->sealed && !l->left && seg_read_seal(el, &s))
        check_seal(l, el, &s);
    else
        REPORT(l, FAULT_CHANGED, "an element of type %d does not belong here", (int)el->type);
}

static void look_end(struct look *l)
{
    l->at.offset = l->bytes.len;
    l->at.first_seq = l->w->last_seq + 1;
    l->at.last_seq = 0;
    if (l->bad_size > 0 && !l->sealed) {
        l->at.offset = l->bad_at;
        walk_report(l->w, FAULT_NONE, &l->at,
                    "the last %llu bytes are no whole block: being written, or torn by a crash",
                    (unsigned long long)l->bad_size);
    } else
        report_bad(l, 0);
    if (l->sealed && !l->left) {
        REPORT(l, FAULT_CUT, "its seal is missing");
        l->w->known = l->linked;
        l->w->promises = l->w->proven = false;
    }
}

/* All elements in their order.  -1: no memory. */
static int find_elements(struct seg_scan scan, struct block_check **at, size_t *count)
{
    struct block_check c = { 0 };
    struct seg_block b;
    size_t cap = 0;

    *at = NULL;
    *count = 0;
    while ((c.got = seg_next(&scan, &c.el)) != SEG_END) {
        if (*count == cap) {
            struct block_check *more = reallocarray(*at, cap * 2 + 256, sizeof(*more));

            if (!more)
                return -1;
            *at = more;
            cap = cap * 2 + 256;
        }
        c.is_block = c.got == SEG_GOT && seg_read_block(&c.el, &b);
        (*at)[(*count)++] = c;
    }
    return 0;
}

/* What the elements say that their INDEX is, by a signature that is right; false: nothing that is to be relied upon. */
static bool signed_index(const struct walk *w, const struct block_check *at, size_t count,
                         const struct block_check **index, uint8_t hash[SEG_HASH])
{
    const struct block_check *last = at + count - 1;
    struct seg_vouch vouch;
    struct seg_anew anew;
    struct seg_seal s;

    if (count < 3 || last->got != SEG_GOT || !seg_read_seal(&last->el, &s) || !seal_is_signed(&s))
        return false;
    *index = last - 1;
    memcpy(hash, s.index_hash, SEG_HASH);
    if ((*index)->got != SEG_GOT || (*index)->el.type != SEG_ANEW)
        return true;
    if (!w->quick || count < 5 || !seg_read_anew(&last[-1].el, &anew) || last[-2].got != SEG_GOT ||
        !seg_read_vouch(&last[-2].el, &vouch) || !seal_is_vouched(&vouch, &s, &anew))
        return false;
    *index = last - 3;
    memcpy(hash, anew.index_hash, SEG_HASH);
    w->v->vouched++;
    return true;
}

/*
 * Gives each block what was signed of its bytes, when PROOF INDEX stand in front of the seal, or of what a quick look
 * takes for one, and all blocks are here.  Not when a chain head is looked for, which only the payload shows.
 */
static void find_proof(const struct look *l, struct block_check *at, size_t count)
{
    const struct block_check *index;
    uint8_t sealed[SEG_HASH];
    uint8_t hash[SEG_HASH];
    struct slice proof;
    size_t blocks = 0;

    if (l->w->since_head || !signed_index(l->w, at, count, &index, sealed) || index->got != SEG_GOT ||
        index->el.type != SEG_INDEX || index == at || index[-1].got != SEG_GOT || index[-1].el.type != SEG_PROOF)
        return;
    for (size_t i = 0; i < count; i++)
        blocks += at[i].is_block;
    seg_hash(hash, with_proof(index[-1].el.whole, index->el.whole));
    proof = index[-1].el.body;
    if (memcmp(hash, sealed, SEG_HASH) != 0 || proof.len != blocks * SEG_HASH)
        return;
    for (; count > 0; count--, at++)
        if (at->is_block) {
            at->proof = proof.at;
            proof = slice_skip(proof, SEG_HASH);
        }
}

static void walk_elements(struct look *l, const struct block_check *at, size_t count)
{
    struct walk *w = l->w;

    for (; count > 0; count--, at++) {
        const struct seg_element *el = &at->el;

        if (at->got == SEG_BAD) {
            l->bad_at = el->offset;
            l->bad_size = el->size;
            continue;
        }
        if (!l->entered && !(el->type == SEG_HEAD && el->offset == 0)) { /* its head is damaged: go on without */
            l->entered = true;
            w->known = w->promises = w->proven = false;
            w->segment = l->segment;
        }
        look_at(l, el, at->is_block ? at : NULL);
    }
    look_end(l);
}

void walk_segment(struct walk *w, const char *file, uint64_t segment, bool sealed, struct slice bytes)
{
    struct look l = { .w = w, .segment = segment, .sealed = sealed, .bytes = bytes };
    struct block_check *elements;
    struct seg_scan scan;
    size_t count;

    l.at = (struct place){ .file = file, .segment = segment };
    if (!seg_scan_start(&scan, bytes)) {
        walk_report(w, FAULT_CHANGED, &l.at, "there is not one whole element in its %zu bytes", bytes.len);
        w->segment = segment;
        w->known = w->promises = w->proven = false;
        return;
    }
    if (find_elements(scan, &elements, &count) == 0) {
        find_proof(&l, elements, count);
        walk_wants_heads(w, segment, elements, count);
        verify_blocks(elements, count, w->since_head);
        walk_elements(&l, elements, count);
        walk_saw_heads(w, segment, file);
    } else
        REPORT(&l, FAULT_UNREADABLE, "no memory for the list of its elements");
    free(elements);
}
