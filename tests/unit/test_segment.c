/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>
#include <zstd.h>

#include "journal/crc32c.h"
#include "journal/index.h"
#include "journal/pack.h"
#include "journal/seal.h"
#include "journal/segment.h"
#include "journal/writer.h"

enum { BLOCKS = 40, MARK = 0x1234567 };

/* An active segment of BLOCKS commits; block i has i % 5 + 1 events.  `raw` takes the payload. */
static struct seg_out make_wal(struct seg_head *head, struct seg_out *raw)
{
    const struct slice none = { 0 };
    struct seg_out wal = { 0 };
    uint8_t chain[SEG_HASH] = { 0 };
    uint64_t seq = 0;

    *head = (struct seg_head){ .segment = 1, .first_seq = 1 };
    assert_int_equal(seg_put(&wal, MARK, SEG_HEAD, SEG_EVENTS, slice_of(head, sizeof(*head)), none, none, NULL), 0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct event events[5];
        unsigned n = i % 5 + 1;
        struct slice payload = slice_of(events, n * sizeof(events[0]));
        struct seg_block b = { .first_seq = seq + 1, .last_seq = seq + n, .count = n, .commits = 1 };

        for (unsigned k = 0; k < n; k++) {
            events[k] = event_new(EV_HUNT_MAIL_SEEN);
            events[k].seq = ++seq;
            events[k].at_us = (int64_t)seq;
            events[k].src = addr_v4(0x0a000000u + i, 25);
        }
        b.min_us = (int64_t)b.first_seq;
        b.max_us = (int64_t)b.last_seq;
        b.raw_len = (uint32_t)payload.len;
        memcpy(b.prev, chain, SEG_HASH);
        seg_chain(chain, SEG_EVENTS, n, b.first_seq, payload);
        memcpy(b.chain, chain, SEG_HASH);
        assert_int_equal(seg_put_raw(&wal, MARK, SEG_EVENTS, &b, payload, NULL), 0);
        assert_int_equal(seg_out_room(raw, payload.len, NULL), 0);
        memcpy(raw->at + raw->len, payload.at, payload.len);
        raw->len += payload.len;
    }
    return wal;
}

static void the_checksum_is_that_of_the_rfc(void **state)
{
    static uint8_t bytes[9000];

    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n < sizeof(bytes); n += n < 300 ? 1 : 97) {
        assert_int_equal(crc32c(0, bytes, n), crc32c_portable(0, bytes, n));
        assert_int_equal(crc32c(crc32c(0, bytes, n / 2), bytes + n / 2, n - n / 2), crc32c(0, bytes, n));
    }
}

/* As zstdcat reads it: one frame after the other, skippable ones give nothing. */
static void expect_zstd_reads(struct slice file, const struct seg_out *raw)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    uint8_t *out = malloc(raw->len + 1);
    size_t n = ZSTD_decompressDCtx(d, out, raw->len + 1, file.at, file.len);

    assert_false(ZSTD_isError(n));
    assert_int_equal(n, raw->len);
    assert_memory_equal(out, raw->at, n);
    free(out);
    ZSTD_freeDCtx(d);
}

static void zstdcat_reads_both_forms(void **state)
{
    struct seg_out raw = { 0 };
    struct seg_out packed = { 0 };
    struct seal_keys keys = { 0 };
    struct pack_result result;
    struct seg_head head;
    struct seg_out wal = make_wal(&head, &raw);
    struct seg_scan from = { .file = slice_of(wal.at, wal.len), .mark = MARK };

    (void)state;
    expect_zstd_reads(slice_of(wal.at, wal.len), &raw);
    seal_keys_make(&keys, 1);
    assert_int_equal(pack_segment(&from, &head, &keys, 1, &packed, &result, NULL), 0);
    expect_zstd_reads(slice_of(packed.at, packed.len), &raw);
    assert_true(packed.len < wal.len / 3);
    assert_int_equal(result.seal.records, raw.len / sizeof(struct event));
    assert_true(seal_is_signed(&result.seal));
    seg_out_free(&raw);
    seg_out_free(&packed);
    seg_out_free(&wal);
}

static void packing_keeps_every_commit_of_the_chain(void **state)
{
    struct seg_out raw = { 0 };
    struct seg_out packed = { 0 };
    struct seal_keys keys = { 0 };
    struct pack_result result;
    struct seg_head head;
    struct seg_out wal = make_wal(&head, &raw);
    struct seg_scan from = { .file = slice_of(wal.at, wal.len), .mark = MARK };
    uint8_t *unpacked = malloc(SEG_RAW_MAX);
    struct seg_scan scan;
    struct seg_element el;
    struct seg_block b;
    unsigned blocks = 0;

    (void)state;
    seal_keys_make(&keys, 1);
    assert_int_equal(pack_segment(&from, &head, &keys, 1, &packed, &result, NULL), 0);
    assert_true(seg_scan_start(&scan, slice_of(packed.at, packed.len)));
    while (seg_next(&scan, &el) == SEG_GOT) {
        struct seg_commits commits;
        uint8_t chain[SEG_HASH];
        const uint8_t *at = unpacked;
        uint64_t seq;
        uint32_t records;
        uint32_t bytes;
        unsigned count = 0;

        if (!seg_read_block(&el, &b))
            continue;
        blocks++;
        seq = b.first_seq;
        assert_int_equal(seg_unpack(&el, &b, unpacked, NULL), 0);
        memcpy(chain, b.prev, SEG_HASH);
        for (commits = seg_commits_of(&el, &b); seg_next_commit(&commits, &records, &bytes); count++) {
            assert_int_equal(records, count % 5 + 1);
            seg_chain(chain, SEG_EVENTS, records, seq, slice_of(at, bytes));
            seq += records;
            at += bytes;
        }
        assert_int_equal(count, BLOCKS);
        assert_memory_equal(chain, b.chain, SEG_HASH);
    }
    assert_int_equal(blocks, 1);
    free(unpacked);
    seg_out_free(&raw);
    seg_out_free(&packed);
    seg_out_free(&wal);
}

static void cut_anywhere_every_whole_block_before_it_is_read(void **state)
{
    struct seg_out raw = { 0 };
    struct seg_head head;
    struct seg_out wal = make_wal(&head, &raw);
    uint64_t ends[BLOCKS];
    struct seg_scan scan;
    struct seg_element el;
    unsigned n = 0;

    (void)state;
    assert_true(seg_scan_start(&scan, slice_of(wal.at, wal.len)));
    while (seg_next(&scan, &el) == SEG_GOT)
        if (el.type == SEG_BLOCK)
            ends[n++] = el.offset + el.size;
    for (size_t cut = wal.len - 4096; cut <= wal.len; cut++) {
        struct wal_scan w;
        unsigned whole = 0;

        while (whole < BLOCKS && ends[whole] <= cut)
            whole++;
        wal_look(slice_of(wal.at, cut), &w);
        assert_int_equal(w.blocks, whole);
        assert_int_equal(w.good_end, ends[whole - 1]);
        assert_int_equal(w.damaged, 0);
    }
    seg_out_free(&raw);
    seg_out_free(&wal);
}

static void a_flipped_bit_costs_one_block(void **state)
{
    struct seg_out raw = { 0 };
    struct seg_head head;
    struct seg_out wal = make_wal(&head, &raw);

    (void)state;
    for (size_t at = 200; at < wal.len; at += 7) {
        struct wal_scan w;

        wal.at[at] ^= 4;
        wal_look(slice_of(wal.at, wal.len), &w);
        assert_int_equal(w.blocks, BLOCKS - 1);
        wal.at[at] ^= 4;
    }
    seg_out_free(&raw);
    seg_out_free(&wal);
}

/* Somebody who mails us the bytes of a block does not put a block into the journal. */
static void a_payload_that_looks_like_a_block_is_none(void **state)
{
    struct seg_out raw = { 0 };
    struct seg_head head;
    struct seg_out wal = make_wal(&head, &raw);
    struct seg_out forged = { 0 };
    struct seg_out file = { 0 };
    struct seg_scan scan;
    struct seg_element el;
    struct wal_scan w;

    (void)state;
    assert_true(seg_scan_start(&scan, slice_of(wal.at, wal.len)));
    (void)seg_next(&scan, &el);
    (void)seg_next(&scan, &el);
    assert_int_equal(seg_put(&forged, MARK + 1, SEG_BLOCK, SEG_EVENTS, el.body, slice_of(NULL, 0), el.stored, NULL), 0);
    assert_int_equal(seg_out_room(&file, wal.len + forged.len + 10, NULL), 0);
    memcpy(file.at, wal.at, wal.len);
    memcpy(file.at + wal.len, forged.at, forged.len);
    wal_look(slice_of(file.at, wal.len + forged.len), &w);
    assert_int_equal(w.blocks, BLOCKS);
    assert_int_equal(w.good_end, wal.len);
    seg_out_free(&raw);
    seg_out_free(&wal);
    seg_out_free(&forged);
    seg_out_free(&file);
}

static void a_filter_never_says_no_to_what_is_there(void **state)
{
    struct index_builder builder = { 0 };
    struct event events[512];
    struct seg_block b = { .count = 512 };
    struct seg_out body = { 0 };
    struct index_view v;
    struct index_entry entry;
    unsigned wrong = 0;

    (void)state;
    for (unsigned i = 0; i < 512; i++) {
        events[i] = event_new(EV_HUNT_MAIL_SEEN);
        events[i].src = addr_v4(0x0a000000u + i * 77, 1);
        events[i].cause = i * 3;
    }
    assert_int_equal(index_add(&builder, SEG_EVENTS, &b, 0, 1, slice_of(events, sizeof(events)), NULL), 0);
    assert_int_equal(index_body(&builder, &body, NULL), 0);
    assert_true(index_read(slice_of(body.at, body.len), &v));
    entry = index_at(&v, 0);
    for (unsigned i = 1; i < 512; i++) {
        assert_true(index_may_hold(&v, &entry, index_key_addr(INDEX_SRC, events[i].src)));
        assert_true(index_may_hold(&v, &entry, index_key(INDEX_CAUSE, &events[i].cause, 8)));
        wrong += index_may_hold(&v, &entry, index_key_addr(INDEX_DST, events[i].src));
    }
    assert_true(wrong < 512 / 20);
    index_done(&builder);
    seg_out_free(&body);
}

static void a_seal_speaks_for_one_segment_alone(void **state)
{
    struct seal_keys keys = { 0 };
    struct seg_seal s = { .segment = 1 };
    uint8_t next[SEG_HASH];

    (void)state;
    seal_keys_make(&keys, 1);
    seal_sign(&keys, &s);
    assert_true(seal_is_signed(&s));
    assert_memory_equal(s.key, keys.id, SEG_HASH);
    seal_public(keys.next_seed, next);
    assert_memory_equal(s.next_key, next, SEG_HASH);
    s.last_seq++;
    assert_false(seal_is_signed(&s));
    seal_keys_advance(&keys);
    s = (struct seg_seal){ .segment = 2 };
    seal_sign(&keys, &s);
    assert_memory_equal(s.key, next, SEG_HASH);
}

static int start(void **state)
{
    (void)state;
    return seal_start(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_that_of_the_rfc),
        cmocka_unit_test(zstdcat_reads_both_forms),
        cmocka_unit_test(packing_keeps_every_commit_of_the_chain),
        cmocka_unit_test(cut_anywhere_every_whole_block_before_it_is_read),
        cmocka_unit_test(a_flipped_bit_costs_one_block),
        cmocka_unit_test(a_payload_that_looks_like_a_block_is_none),
        cmocka_unit_test(a_filter_never_says_no_to_what_is_there),
        cmocka_unit_test(a_seal_speaks_for_one_segment_alone),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
