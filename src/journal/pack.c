/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/crc32c.h"
#include "journal/event.h"
#include "journal/index.h"

enum { LEVEL = 3 };

struct packer {
    struct seg_out *out;
    uint64_t mark;
    enum seg_content content;
    struct seg_block block;            /* the one that grows; count 0: none */
    struct seg_out raw;                /* its payload */
    struct seg_out list;               /* its commits but the last ... */
    uint32_t last_records, last_bytes; /* ... which is this */
    uint8_t *unpacked;                 /* payload of a source block */
    struct seg_out frame;
    struct index_builder index;
    ZSTD_CCtx *zstd;
    struct seg_seal seal;
};

static struct slice written(const struct seg_out *out)
{
    return slice_of(out->at, out->len);
}

static int compress(struct packer *p, struct err *e)
{
    size_t n;

    p->frame.len = 0;
    if (seg_out_room(&p->frame, ZSTD_compressBound(p->raw.len), e) < 0)
        return -1;
    n = ZSTD_compressCCtx(p->zstd, p->frame.at, p->frame.cap, p->raw.at, p->raw.len, LEVEL);
    if (ZSTD_isError(n))
        return err_set(e, 0, "zstd: %s", ZSTD_getErrorName(n));
    p->frame.len = n;
    return 0;
}

/* The block that has grown becomes an element and an entry of the index. */
static int flush(struct packer *p, struct err *e)
{
    struct seg_block *b = &p->block;
    size_t at = p->out->len;

    if (b->count == 0)
        return 0;
    if (compress(p, e) < 0)
        return -1;
    b->raw_len = (uint32_t)p->raw.len;
    b->stored_crc = crc32c(0, p->frame.at, p->frame.len);
    if (seg_put(p->out, p->mark, SEG_BLOCK, p->content, slice_of(b, sizeof(*b)), written(&p->list), written(&p->frame),
                e) < 0 ||
        index_add(&p->index, p->content, b, at, (uint32_t)(p->out->len - at), written(&p->raw), e) < 0)
        return -1;
    if (p->seal.blocks++ == 0) {
        p->seal.first_seq = b->first_seq;
        p->seal.min_us = b->min_us;
        p->seal.max_us = b->max_us;
    }
    p->seal.last_seq = b->last_seq;
    p->seal.min_us = b->min_us < p->seal.min_us ? b->min_us : p->seal.min_us;
    p->seal.max_us = b->max_us > p->seal.max_us ? b->max_us : p->seal.max_us;
    p->seal.records += b->count;
    p->seal.raw_bytes += b->raw_len;
    memcpy(p->seal.chain, b->chain, SEG_HASH);
    *b = (struct seg_block){ 0 };
    p->raw.len = 0;
    p->list.len = 0;
    return 0;
}

/* A whole source block joins the one that grows, commit by commit. */
static int join(struct packer *p, const struct seg_element *el, const struct seg_block *from, struct err *e)
{
    struct seg_commits commits = seg_commits_of(el, from);
    struct seg_block *b = &p->block;
    uint32_t records;
    uint32_t bytes;

    if (b->count == 0) {
        *b = *from;
        b->count = b->commits = 0;
    }
    while (seg_next_commit(&commits, &records, &bytes)) {
        if (b->commits > 0 &&
            (seg_put_number(&p->list, p->last_records, e) < 0 || seg_put_number(&p->list, p->last_bytes, e) < 0))
            return -1;
        p->last_records = records;
        p->last_bytes = bytes;
        b->commits++;
    }
    b->count += from->count;
    b->last_seq = from->last_seq;
    b->min_us = from->min_us < b->min_us ? from->min_us : b->min_us;
    b->max_us = from->max_us > b->max_us ? from->max_us : b->max_us;
    memcpy(b->chain, from->chain, SEG_HASH);
    if (seg_out_room(&p->raw, from->raw_len, e) < 0)
        return -1;
    memcpy(p->raw.at + p->raw.len, p->unpacked, from->raw_len);
    p->raw.len += from->raw_len;
    return 0;
}

static int take(struct packer *p, const struct seg_element *el, struct pack_result *r, struct err *e)
{
    struct seg_block from;

    if (!seg_read_block(el, &from) || !seg_commits_fit(el, &from) || seg_unpack(el, &from, p->unpacked, NULL) < 0) {
        r->damaged_bytes += el->size;
        return 0;
    }
    if (p->block.count > 0 &&
        (p->raw.len + from.raw_len > SEG_RAW_GOAL || p->block.commits + from.commits > SEG_COMMITS_MAX ||
         el->content != p->content || from.first_seq <= p->block.last_seq ||
         memcmp(from.prev, p->block.chain, SEG_HASH) != 0) &&
        flush(p, e) < 0)
        return -1;
    p->content = el->content;
    return join(p, el, &from, e);
}

static int put_part(struct packer *p, enum seg_type type, struct slice body, uint8_t hash[SEG_HASH], struct err *e)
{
    const struct slice none = { 0 };
    size_t at = p->out->len;

    if (seg_put(p->out, p->mark, type, p->content, body, none, none, e) < 0)
        return -1;
    if (hash)
        seg_hash(hash, slice_of(p->out->at + at, p->out->len - at));
    return 0;
}

static int put_index(struct packer *p, struct err *e)
{
    struct seg_out body = { 0 };
    int result = index_body(&p->index, &body, e);

    p->seal.index_at = p->out->len;
    if (result == 0)
        result = put_part(p, SEG_INDEX, written(&body), p->seal.index_hash, e);
    seg_out_free(&body);
    return result;
}

static int put_blocks(struct packer *p, struct seg_scan *wal, struct pack_result *r, struct err *e)
{
    struct seg_element el;
    enum seg_got got;

    while ((got = seg_next(wal, &el)) != SEG_END) {
        if (got != SEG_GOT)
            r->damaged_bytes += el.size;
        else if (el.type == SEG_BLOCK && take(p, &el, r, e) < 0)
            return -1;
    }
    return flush(p, e);
}

int pack_segment(struct seg_scan *wal, const struct seg_head *head, const struct seal_keys *keys, int64_t now_us,
                 struct seg_out *out, struct pack_result *r, struct err *e)
{
    struct packer p = { .out = out, .mark = wal->mark, .content = SEG_EVENTS, .zstd = ZSTD_createCCtx() };
    int result = -1;

    *r = (struct pack_result){ 0 };
    p.unpacked = malloc(SEG_RAW_MAX);
    if (!p.zstd || !p.unpacked) {
        err_set(e, ENOMEM, "pack");
        goto done;
    }
    p.seal.segment = head->segment;
    p.seal.first_seq = head->first_seq;
    p.seal.last_seq = head->first_seq - 1;
    p.seal.sealed_us = now_us;
    memcpy(p.seal.prev, head->prev, SEG_HASH);
    memcpy(p.seal.chain, head->prev, SEG_HASH);
    if (put_part(&p, SEG_HEAD, slice_of(head, sizeof(*head)), p.seal.head_hash, e) < 0 ||
        put_blocks(&p, wal, r, e) < 0 || put_index(&p, e) < 0)
        goto done;
    seal_sign(keys, &p.seal);
    result = put_part(&p, SEG_SEAL, slice_of(&p.seal, sizeof(p.seal)), NULL, e);
    r->seal = p.seal;
done:
    ZSTD_freeCCtx(p.zstd);
    index_done(&p.index);
    seg_out_free(&p.raw);
    seg_out_free(&p.list);
    seg_out_free(&p.frame);
    free(p.unpacked);
    return result;
}
