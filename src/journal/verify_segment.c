/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "journal/event.h"
#include "journal/seal.h"
#include "journal/verify_walk.h"

struct look { /* one file, element by element */
    struct walk *w;
    struct place at;
    uint64_t segment;
    bool sealed;
    struct slice bytes;
    bool entered, left;        /* its HEAD, its SEAL was seen */
    bool hurt;                 /* something in it was reported */
    bool linked;               /* w->chain is what the next block must continue */
    uint64_t bad_at, bad_size; /* a stretch of no elements that waits for the block behind it */
    uint64_t first_seq, last_seq;
    uint64_t blocks, records, raw_bytes;
    int64_t min_us, max_us;
    uint8_t head_hash[SEG_HASH], index_hash[SEG_HASH];
    uint64_t index_at;
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
    l->entered = l->linked = true;
    if (l->w->last_seq + 1 < head->first_seq)
        l->w->last_seq = head->first_seq - 1;
}

/* The payload against its head: numbers rise, times lie within. */
static bool events_fit(const struct seg_block *b, const uint8_t *raw)
{
    uint64_t last = 0;
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;

    if (b->raw_len != (uint64_t)b->count * sizeof(struct event))
        return false;
    for (uint32_t i = 0; i < b->count; i++) {
        struct event ev;

        memcpy(&ev, raw + i * sizeof(ev), sizeof(ev));
        if (ev.seq <= last || (i == 0 && ev.seq != b->first_seq))
            return false;
        last = ev.seq;
        min = ev.at_us < min ? ev.at_us : min;
        max = ev.at_us > max ? ev.at_us : max;
    }
    return last == b->last_seq && min == b->min_us && max == b->max_us;
}

/* The chain over all commits; false when the list of commits or the result is not right. */
static bool chain_fits(struct walk *w, const struct seg_element *el, const struct seg_block *b)
{
    struct seg_commits commits = seg_commits_of(el, b);
    uint8_t chain[SEG_HASH];
    const uint8_t *at = w->raw;
    uint64_t seq = b->first_seq;
    uint32_t records;
    uint32_t bytes;

    memcpy(chain, b->prev, SEG_HASH);
    while (seg_next_commit(&commits, &records, &bytes)) {
        if (el->content == SEG_EVENTS)
            memcpy(&seq, at, sizeof(seq));
        seg_chain(chain, el->content, records, seq, slice_of(at, bytes));
        walk_saw_head(w, chain);
        seq += records;
        at += bytes;
    }
    return commits.left == 0 && memcmp(chain, b->chain, SEG_HASH) == 0;
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

static void check_block(struct look *l, const struct seg_element *el, const struct seg_block *b, bool damaged)
{
    struct err why = { 0 };

    l->at.first_seq = b->first_seq;
    l->at.last_seq = b->last_seq;
    check_link(l, b);
    if (damaged)
        REPORT(l, FAULT_CHANGED, "the payload's checksum is wrong");
    else if (seg_unpack(el, b, l->w->raw, &why) < 0)
        REPORT(l, FAULT_CHANGED, "%.200s", why.text);
    else if (!chain_fits(l->w, el, b))
        REPORT(l, FAULT_CHANGED, "the payload is not what the chain says");
    else if (el->content == SEG_EVENTS && !events_fit(b, l->w->raw))
        REPORT(l, FAULT_CHANGED, "the payload is not what its head says");
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

static void check_seal(struct look *l, const struct seg_element *el, const struct seg_seal *s)
{
    bool signed_well = seal_is_signed(s);
    bool same = memcmp(s->head_hash, l->head_hash, SEG_HASH) == 0 &&
                memcmp(s->index_hash, l->index_hash, SEG_HASH) == 0 && s->index_at == l->index_at;
    bool sums = s->blocks == l->blocks && s->records == l->records && s->raw_bytes == l->raw_bytes &&
                (l->blocks == 0 || (s->first_seq == l->first_seq && s->last_seq == l->last_seq &&
                                    s->min_us == l->min_us && s->max_us == l->max_us));

    l->left = true;
    l->at.first_seq = s->first_seq;
    l->at.last_seq = s->last_seq;
    if (!signed_well)
        REPORT(l, FAULT_CHANGED, "the seal's signature is wrong");
    if (s->segment != l->segment)
        REPORT(l, FAULT_SWAPPED, "the seal is that of segment %llu", (unsigned long long)s->segment);
    if (!l->hurt && !same)
        REPORT(l, FAULT_CHANGED, "head or index is not the one that was sealed");
    if (!l->hurt && !sums)
        REPORT(l, FAULT_MISSING, "%llu blocks are here and %llu were sealed", (unsigned long long)l->blocks,
               (unsigned long long)s->blocks);
    if (!l->hurt && memcmp(s->chain, l->w->chain, SEG_HASH) != 0)
        REPORT(l, FAULT_CHANGED, "the chain does not end where the seal says");
    if (el->offset + el->size < l->bytes.len)
        REPORT(l, FAULT_CHANGED, "%llu bytes stand behind the seal",
               (unsigned long long)(l->bytes.len - el->offset - el->size));
    walk_leave(l->w, s, signed_well);
}

static void look_at(struct look *l, const struct seg_element *el, bool damaged)
{
    struct seg_head head;
    struct seg_block b;
    struct seg_seal s;

    l->at.offset = el->offset;
    if (seg_read_block(el, &b)) {
        report_bad(l, b.first_seq);
        check_block(l, el, &b, damaged);
        return;
    }
    report_bad(l, 0);
    if (el->type == SEG_HEAD && el->offset == 0 && seg_read_head(el, &head)) {
        seg_hash(l->head_hash, el->whole);
        enter(l, &head);
    } else if (el->type == SEG_INDEX && l->sealed) {
        seg_hash(l->index_hash, el->whole);
        l->index_at = el->offset;
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

void walk_segment(struct walk *w, const char *file, uint64_t segment, bool sealed, struct slice bytes)
{
    struct look l = { .w = w, .segment = segment, .sealed = sealed, .bytes = bytes };
    struct seg_scan scan;
    struct seg_element el;
    enum seg_got got;

    l.at = (struct place){ .file = file, .segment = segment };
    if (!seg_scan_start(&scan, bytes)) {
        walk_report(w, FAULT_CHANGED, &l.at, "there is not one whole element in its %zu bytes", bytes.len);
        w->segment = segment;
        w->known = w->promises = w->proven = false;
        return;
    }
    while ((got = seg_next(&scan, &el)) != SEG_END) {
        if (got == SEG_BAD) {
            l.bad_at = el.offset;
            l.bad_size = el.size;
            continue;
        }
        if (!l.entered && !(el.type == SEG_HEAD && el.offset == 0)) { /* its head is damaged: go on without */
            l.entered = true;
            w->known = w->promises = w->proven = false;
            w->segment = segment;
        }
        look_at(&l, &el, got == SEG_DAMAGED);
    }
    look_end(&l);
}
