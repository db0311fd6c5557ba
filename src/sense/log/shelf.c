/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/columns.h"
#include "journal/crc32c.h"
#include "journal/seal.h"
#include "sense/log/lines.h"
#include "sense/log/tokens.h"

struct packer {
    struct seg_out *out;
    uint64_t mark;
    int level;
    size_t goal;
    bool columns;
    const struct shelf_how *how; /* asked whether to make way; NULL: not */
    bool made_way;
    struct seg_block block; /* the one that grows; count 0: none */
    uint8_t *raw;           /* its payload: room for the goal, one whole block more, and TOKENS_BEHIND */
    size_t raw_len;
    struct seg_out list;               /* its commits but the last ... */
    uint32_t last_records, last_bytes; /* ... which is this */
    struct seg_out frame, apart;       /* its payload by zstd alone, in columns */
    struct shelf_entry *entries;
    size_t count, cap;
    struct seg_out filters;
    struct seg_out proof;
    struct token_set tokens;
    ZSTD_CCtx *zstd;
    ZSTD_DCtx *unzstd;
    struct seg_seal seal;
};

static struct slice written(const struct seg_out *out)
{
    return slice_of(out->at, out->len);
}

/* ---- facts ---- */

static void set_bit(uint64_t set[4], struct slice name, struct slice *last)
{
    unsigned bit;

    if (slice_eq(name, *last))
        return;
    *last = name;
    bit = lines_bit(name);

    set[bit / 64] |= (uint64_t)1 << bit % 64;
}

static void look_at(struct packer *p, struct shelf_entry *entry)
{
    struct lines_walk w = lines_walk(slice_of(p->raw, p->raw_len), p->block.first_seq);
    struct slice text = slice_of(p->raw, 0); /* lines that stand behind each other, with what parts them */
    struct slice last_host = SLICE("\n");    /* no name */
    struct slice last_program = SLICE("\n");
    struct log_line line;
    bool first = true;

    while (lines_next(&w, &line)) {
        int64_t at_us;

        log_line_read(&line);
        at_us = log_line_time(&line);
        entry->time_min_us = first || at_us < entry->time_min_us ? at_us : entry->time_min_us;
        entry->time_max_us = first || at_us > entry->time_max_us ? at_us : entry->time_max_us;
        first = false;
        set_bit(entry->hosts, line.host, &last_host);
        set_bit(entry->programs, line.program, &last_program);
        if (line.severity < 8)
            entry->severities = (uint8_t)(entry->severities | 1u << line.severity);
        if (line.raw.at != text.at + text.len + 1) {
            token_set_add(&p->tokens, text);
            text = slice_of(line.raw.at, 0);
        }
        text.len = (size_t)(line.raw.at - text.at) + line.raw.len;
    }
    token_set_add(&p->tokens, text);
    token_set_end(&p->tokens);
}

static int add_filter(struct packer *p, struct shelf_entry *entry, struct err *e)
{
    size_t len = p->tokens.failed ? 0 : filter_bytes(p->tokens.count);

    if (seg_out_room(&p->filters, len, e) < 0)
        return -1;
    if (len > 0)
        filter_make(p->filters.at + p->filters.len, len, p->tokens.keys, p->tokens.count);
    entry->filter_at = (uint32_t)p->filters.len;
    entry->filter_len = (uint32_t)len;
    entry->filter_crc = crc32c(0, p->filters.at + p->filters.len, len);
    p->filters.len += len;
    return 0;
}

static int add_entry(struct packer *p, uint64_t offset, uint32_t size, struct err *e)
{
    struct shelf_entry entry = { .offset = offset,
                                 .size = size,
                                 .count = p->block.count,
                                 .first_seq = p->block.first_seq,
                                 .last_seq = p->block.last_seq,
                                 .min_us = p->block.min_us,
                                 .max_us = p->block.max_us };

    if (p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 256;
        struct shelf_entry *entries = realloc(p->entries, cap * sizeof(*entries));

        if (!entries)
            return err_set(e, errno, "index");
        p->entries = entries;
        p->cap = cap;
    }
    token_set_clear(&p->tokens);
    look_at(p, &entry);
    if (add_filter(p, &entry, e) < 0)
        return -1;
    p->entries[p->count++] = entry;
    return 0;
}

/* ---- blocks ---- */

static int compress(struct packer *p, struct err *e)
{
    size_t n;

    p->frame.len = 0;
    if (seg_out_room(&p->frame, ZSTD_compressBound(p->raw_len), e) < 0)
        return -1;
    n = ZSTD_compress2(p->zstd, p->frame.at, p->frame.cap, p->raw, p->raw_len);
    if (ZSTD_isError(n))
        return err_set(e, 0, "zstd: %s", ZSTD_getErrorName(n));
    p->frame.len = n;
    return 0;
}

static void count_block(struct seg_seal *seal, const struct seg_block *b)
{
    if (seal->blocks++ == 0) {
        seal->first_seq = b->first_seq;
        seal->min_us = b->min_us;
        seal->max_us = b->max_us;
    }
    seal->last_seq = b->last_seq;
    seal->min_us = b->min_us < seal->min_us ? b->min_us : seal->min_us;
    seal->max_us = b->max_us > seal->max_us ? b->max_us : seal->max_us;
    seal->records += b->count;
    seal->raw_bytes += b->raw_len;
    memcpy(seal->chain, b->chain, SEG_HASH);
}

/* What the block's element is to be: in columns when that makes it smaller by a sixteenth at least. */
static int store_payload(struct packer *p, enum seg_type *type, struct slice *stored, struct err *e)
{
    if (compress(p, e) < 0)
        return -1;
    *type = SEG_BLOCK;
    *stored = written(&p->frame);
    p->apart.len = 0;
    if (p->columns && columns_pack(slice_of(p->raw, p->raw_len), SHELF_LEVEL_COLUMNS, &p->apart, NULL) == 0 &&
        p->apart.len < p->frame.len - p->frame.len / 16) {
        *type = SEG_COLUMNS;
        *stored = written(&p->apart);
    }
    return 0;
}

/* The block that has grown becomes an element and an entry of the index. */
static int flush(struct packer *p, struct err *e)
{
    struct seg_block *b = &p->block;
    size_t at = p->out->len;
    enum seg_type type;
    struct slice stored;

    if (b->count == 0)
        return 0;
    if (store_payload(p, &type, &stored, e) < 0)
        return -1;
    b->raw_len = (uint32_t)p->raw_len;
    b->stored_crc = crc32c(0, stored.at, stored.len);
    if (seg_put(p->out, p->mark, type, SEG_LINES, slice_of(b, sizeof(*b)), written(&p->list), stored, e) < 0 ||
        seg_out_room(&p->proof, SEG_HASH, e) < 0 || add_entry(p, at, (uint32_t)(p->out->len - at), e) < 0)
        return -1;
    seg_digest(p->proof.at + p->proof.len, slice_of(p->out->at + at, p->out->len - at));
    p->proof.len += SEG_HASH;
    count_block(&p->seal, b);
    *b = (struct seg_block){ 0 };
    p->raw_len = 0;
    p->list.len = 0;
    return 0;
}

/* The commits of a source block, whose payload stands behind raw already, join the block that grows. */
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
    p->raw_len += from->raw_len;
    return 0;
}

static int take(struct packer *p, const struct seg_element *el, struct pack_result *r, struct err *e)
{
    struct seg_block from;

    if (!seg_read_block(el, &from) || el->content != SEG_LINES || !seg_commits_fit(el, &from)) {
        r->damaged_bytes += el->size;
        return 0;
    }
    if (p->block.count > 0 &&
        (p->raw_len + from.raw_len > p->goal || p->block.commits + from.commits > SEG_COMMITS_MAX ||
         from.first_seq <= p->block.last_seq || memcmp(from.prev, p->block.chain, SEG_HASH) != 0) &&
        flush(p, e) < 0)
        return -1;
    if (seg_unpack_by(p->unzstd, el, &from, p->raw + p->raw_len, NULL) < 0) {
        r->damaged_bytes += el->size;
        return 0;
    }
    return join(p, el, &from, e);
}

static int put_blocks(struct packer *p, struct seg_scan *from, struct pack_result *r, struct err *e)
{
    struct seg_element el;
    enum seg_got got;

    while (!p->made_way && (got = seg_next(from, &el)) != SEG_END) {
        p->made_way = p->how && p->how->busy && p->how->busy(p->how->ctx);
        if (got != SEG_GOT)
            r->damaged_bytes += el.size;
        else if (el.type == SEG_BLOCK && take(p, &el, r, e) < 0)
            return -1;
    }
    return flush(p, e);
}

static int put_part(struct packer *p, enum seg_type type, struct slice body, struct slice more, uint8_t hash[SEG_HASH],
                    struct err *e)
{
    const struct slice none = { 0 };
    size_t at = p->out->len;

    if (seg_put(p->out, p->mark, type, SEG_LINES, body, more, none, e) < 0)
        return -1;
    if (hash)
        seg_hash(hash, slice_of(p->out->at + at, p->out->len - at));
    return 0;
}

static int put_index(struct packer *p, struct err *e)
{
    struct shelf_index head = { .entries = (uint32_t)p->count, .filter_bytes = (uint32_t)p->filters.len };
    struct seg_out body = { 0 };
    size_t entries = p->count * sizeof(*p->entries);
    const size_t from = p->out->len;
    int result = seg_out_room(&body, sizeof(head) + entries, e);

    if (result == 0 && p->count > 0)
        result = put_part(p, SEG_PROOF, written(&p->proof), slice_of(NULL, 0), NULL, e);
    if (result == 0) {
        memcpy(body.at, &head, sizeof(head));
        if (entries > 0)
            memcpy(body.at + sizeof(head), p->entries, entries);
        body.len = sizeof(head) + entries;
        p->seal.index_at = p->out->len;
        result = put_part(p, SEG_INDEX, written(&body), written(&p->filters), NULL, e);
        seg_hash(p->seal.index_hash, slice_of(p->out->at + from, p->out->len - from));
    }
    seg_out_free(&body);
    return result;
}

static void packer_done(struct packer *p)
{
    ZSTD_freeCCtx(p->zstd);
    ZSTD_freeDCtx(p->unzstd);
    token_set_done(&p->tokens);
    seg_out_free(&p->list);
    seg_out_free(&p->frame);
    seg_out_free(&p->apart);
    seg_out_free(&p->filters);
    seg_out_free(&p->proof);
    free(p->entries);
    free(p->raw);
}

static int packer_init(struct packer *p, struct err *e)
{
    p->zstd = ZSTD_createCCtx();
    p->unzstd = ZSTD_createDCtx();
    p->raw = malloc(p->goal + SEG_RAW_MAX + TOKENS_BEHIND);
    if (!p->zstd || !p->unzstd || !p->raw)
        return err_set(e, ENOMEM, "pack");
    (void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, p->level);
    if (p->level == 1)
        (void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_hashLog, SHELF_HASH_LOG);
    return 0;
}

int shelf_pack(void *own, struct seg_scan *wal, const struct seg_head *head, const struct seal_keys *keys,
               int64_t now_us, struct seg_out *out, struct pack_result *r, struct err *e)
{
    const struct slice none = { 0 };
    const struct shelf_how *how = own;
    struct packer p = { .out = out, .mark = wal->mark, .level = how->level, .goal = SHELF_GOAL };
    int result = -1;

    *r = (struct pack_result){ 0 };
    if (packer_init(&p, e) < 0)
        goto done;
    p.seal.segment = head->segment;
    p.seal.first_seq = head->first_seq;
    p.seal.last_seq = head->first_seq - 1;
    p.seal.sealed_us = now_us;
    memcpy(p.seal.prev, head->prev, SEG_HASH);
    memcpy(p.seal.chain, head->prev, SEG_HASH);
    if (put_part(&p, SEG_HEAD, slice_of(head, sizeof(*head)), none, p.seal.head_hash, e) < 0 ||
        put_blocks(&p, wal, r, e) < 0 || put_index(&p, e) < 0)
        goto done;
    seal_sign(keys, &p.seal);
    result = put_part(&p, SEG_SEAL, slice_of(&p.seal, sizeof(p.seal)), none, NULL, e);
    r->seal = p.seal;
done:
    packer_done(&p);
    return result;
}

/* HEAD as it stands at the beginning of the file. */
static int copy_head(struct packer *p, struct slice file, struct err *e)
{
    struct seg_scan scan = { .file = file, .mark = p->mark };
    struct seg_element el;

    if (seg_next(&scan, &el) != SEG_GOT || el.type != SEG_HEAD)
        return err_set(e, 0, "its head is damaged");
    return put_part(p, SEG_HEAD, el.body, slice_of(NULL, 0), p->seal.head_hash, e);
}

/* Whether all is in here that was sealed. */
static bool is_complete(const struct packer *p, const struct seg_seal *seal)
{
    return p->seal.records == seal->records && p->seal.raw_bytes == seal->raw_bytes &&
           memcmp(p->seal.head_hash, seal->head_hash, SEG_HASH) == 0 &&
           memcmp(p->seal.chain, seal->chain, SEG_HASH) == 0;
}

int shelf_pack_again(void *own, struct slice file, uint64_t mark, const struct seg_seal *seal,
                     const struct seal_keys *keys, int64_t now_us, struct seg_out *out, struct err *e)
{
    const struct slice none = { 0 };
    struct packer p = { .out = out, .mark = mark, .level = SHELF_LEVEL_AGAIN, .goal = SHELF_GOAL_AGAIN, .how = own };
    const struct shelf_how *how = own;
    struct seg_scan scan = { .file = file, .mark = mark };
    struct pack_result r = { 0 };
    struct seg_anew anew = { .packed_us = now_us };
    struct seg_vouch vouch;
    int result = -1;

    p.columns = __atomic_load_n(&how->columns, __ATOMIC_RELAXED);
    memcpy(p.seal.chain, seal->prev, SEG_HASH);
    if (packer_init(&p, e) < 0 || copy_head(&p, file, e) < 0 || put_blocks(&p, &scan, &r, e) < 0)
        goto done;
    result = 0;
    if (p.made_way)
        goto done;
    result = 1;
    if (r.damaged_bytes > 0 || !is_complete(&p, seal)) { /* verify says what is wrong: nothing of it is touched */
        out->len = 0;
        goto done;
    }
    result = -1;
    if (put_index(&p, e) < 0)
        goto done;
    anew.index_at = p.seal.index_at;
    anew.blocks = p.count;
    memcpy(anew.index_hash, p.seal.index_hash, SEG_HASH);
    seal_vouch(keys, seal, &anew, &vouch);
    if (put_part(&p, SEG_VOUCH, slice_of(&vouch, sizeof(vouch)), none, NULL, e) == 0 &&
        put_part(&p, SEG_ANEW, slice_of(&anew, sizeof(anew)), none, NULL, e) == 0 &&
        put_part(&p, SEG_SEAL, slice_of(seal, sizeof(*seal)), none, NULL, e) == 0)
        result = 1;
done:
    packer_done(&p);
    return result;
}
