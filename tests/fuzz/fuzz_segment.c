/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A segment file as a disk or an enemy may hand it over: every byte is accounted for, nothing outside is touched. */
#include <stdlib.h>
#include <string.h>

#include "journal/crc32c.h"
#include "journal/index.h"
#include "journal/pack.h"
#include "journal/segment.h"
#include "journal/writer.h"

#define MUST(x)                                                                                                        \
    do                                                                                                                 \
        if (!(x))                                                                                                      \
            abort();                                                                                                   \
    while (0)

/* Right checksums, so that what is behind them is reached too. */
static void repair(uint8_t *at, size_t len)
{
    static const char magic[4] = { 'S', 'V', 'L', 'A' };

    for (size_t i = 0; i + sizeof(struct seg_prefix) <= len; i++) {
        struct seg_prefix p;
        size_t frame;

        memcpy(&p, at + i, sizeof(p));
        frame = 8 + (size_t)p.zstd_len;
        if (memcmp(p.magic, magic, 4) != 0 || frame < sizeof(p) || frame > len - i || p.stored_len > len - i - frame)
            continue;
        if ((p.type == SEG_BLOCK || p.type == SEG_COLUMNS) && frame >= sizeof(p) + sizeof(struct seg_block)) {
            uint32_t crc = crc32c(0, at + i + frame, p.stored_len);

            memcpy(at + i + sizeof(p) + offsetof(struct seg_block, stored_crc), &crc, 4);
        }
        p.crc = 0;
        memcpy(at + i, &p, sizeof(p));
        p.crc = crc32c(0, at + i, offsetof(struct seg_prefix, crc));
        p.crc = crc32c(p.crc, "\0\0\0", 4);
        p.crc = crc32c(p.crc, at + i + sizeof(p), frame - sizeof(p));
        memcpy(at + i, &p, sizeof(p));
        i += frame + p.stored_len - 1;
    }
}

static void look_at_block(const struct seg_element *el, const struct seg_block *b, uint8_t *raw)
{
    struct seg_commits commits = seg_commits_of(el, b);
    uint64_t records = 0;
    uint64_t bytes = 0;
    uint32_t r;
    uint32_t n;

    while (seg_next_commit(&commits, &r, &n)) {
        records += r;
        bytes += n;
    }
    MUST(records <= b->count && bytes <= b->raw_len);
    MUST(commits.left > 0 || (records == b->count && bytes == b->raw_len));
    (void)seg_unpack(el, b, raw, NULL);
}

static void look_at_index(struct slice body)
{
    struct index_view v;

    if (!index_read(body, &v))
        return;
    for (size_t i = 0; i < v.count; i++) {
        struct index_entry entry = index_at(&v, i);

        (void)index_may_hold(&v, &entry, 0x123456789abcdefu * i);
    }
}

/* Packed again, all of it is sound, and holds each whole block's records once. */
static void pack(struct slice file, const struct wal_scan *w)
{
    struct seg_scan from = { .file = file, .mark = w->mark };
    struct seal_keys keys = { .segment = 1 };
    struct seg_head head = { .segment = 1, .first_seq = 1 };
    struct seg_out out = { 0 };
    struct pack_result r;
    struct seg_scan scan;
    struct seg_element el;
    struct seg_block b;
    uint64_t records = 0;
    enum seg_got got;

    MUST(pack_segment(&from, &head, &keys, 1, &out, &r, NULL) == 0);
    MUST(seg_scan_start(&scan, slice_of(out.at, out.len)));
    while ((got = seg_next(&scan, &el)) == SEG_GOT)
        if (seg_read_block(&el, &b))
            records += b.count;
    MUST(got == SEG_END && records == r.seal.records && seal_is_signed(&r.seal));
    seg_out_free(&out);
}

static void look(struct slice file, uint8_t *raw)
{
    struct seg_scan scan;
    struct seg_element el;
    struct seg_block b;
    struct seg_head head;
    struct seg_seal seal;
    struct wal_scan w;
    uint64_t at = 0;
    enum seg_got got;

    wal_look(file, &w);
    MUST(w.good_end <= file.len && w.damaged <= w.good_end);
    if (!seg_scan_start(&scan, file))
        return;
    while ((got = seg_next(&scan, &el)) != SEG_END) {
        MUST(el.offset == at && el.size > 0 && el.size <= file.len - at);
        at += el.size;
        if (got != SEG_GOT)
            continue;
        if (seg_read_block(&el, &b))
            look_at_block(&el, &b, raw);
        (void)seg_read_head(&el, &head);
        if (seg_read_seal(&el, &seal))
            (void)seal_is_signed(&seal);
        look_at_index(el.body);
    }
    MUST(at == file.len);
    pack(file, &w);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static uint8_t raw[SEG_RAW_MAX];
    uint8_t *copy;

    if (len > 1 << 20 || seal_start(NULL) < 0)
        return 0;
    look(slice_of(at, len), raw);
    copy = malloc(len + 1);
    memcpy(copy, at, len);
    repair(copy, len);
    look(slice_of(copy, len), raw);
    free(copy);
    return 0;
}
