/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments that were packed again: who did it has signed what they are now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "journal/crc32c.h"
#include "journal/feed.h"
#include "journal/folder.h"
#include "journal/verify.h"
#include "sense/log/payload.h"
#include "sense/log/shelf.h"

enum { SEGMENTS = 3, LINES = 3000 };
static const int64_t now_us = 1700000000000000;
static char folder[64];
static char faults[2000];

static int gone(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static void put_lines(struct journal *j)
{
    static uint8_t room[SEG_RAW_MAX];
    struct payload p = { .at = room, .cap = sizeof(room) };
    struct feed_block block = {
        .first_seq = journal_last(j) + 1, .records = LINES, .min_us = now_us, .max_us = now_us
    };
    struct err e;

    for (uint64_t n = 0; n < LINES; n++) {
        char text[64];
        struct log_line line = { .peer = SLICE("10.1.0.2:514"), .way = LOG_TCP, .at_us = now_us, .near_us = now_us };

        (void)snprintf(text, sizeof(text), "<13>app[7]: message %llu", (unsigned long long)(block.first_seq + n));
        line.raw = slice_text(text);
        assert_true(payload_put(&p, &line, NULL));
    }
    block.payload = slice_of(room, p.len);
    assert_int_equal(feed_append(j, &block, 1, &e), 0);
}

/* Three sealed segments, of which the first is packed again. */
static int set_up(void **state)
{
    static struct shelf_how how = { .level = 1 };
    const struct feed_kind kind = {
        .content = SEG_LINES, .pack = shelf_pack, .pack_again = shelf_pack_again, .own = &how
    };
    const struct journal_limits limits = journal_default_limits();
    struct journal_opened found;
    struct journal_sealed sealed;
    struct journal *j;
    uint64_t segment = 0;
    struct err e;

    (void)state;
    strcpy(folder, "/tmp/serviola-vouch-XXXXXX");
    assert_non_null(mkdtemp(folder));
    j = feed_open(folder, &limits, &kind, now_us, &found, &e);
    assert_non_null(j);
    for (int i = 0; i < SEGMENTS; i++) {
        for (int part = 0; part < 4; part++)
            put_lines(j);
        assert_int_equal(feed_begin(j, now_us, &e), 0);
        assert_int_equal(feed_pack(j, now_us, &sealed, &e), 0);
    }
    assert_int_equal(feed_pack_again(j, &segment, now_us, now_us + 1, &e), 1);
    assert_int_equal(segment, 1);
    journal_close(j);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(folder, gone, 8, FTW_DEPTH | FTW_PHYS);
}

static void note(void *own, const struct finding *f)
{
    struct text t = text_in(faults + strlen(faults), sizeof(faults) - strlen(faults));

    (void)own;
    if (f->fault != FAULT_NONE)
        text_addf(&t, "%s: %s\n", f->file, f->text);
}

static struct verdict verified(bool quick)
{
    const struct verify_wish wish = { .quick = quick };
    struct verdict v;
    struct err e;

    faults[0] = 0;
    assert_int_equal(journal_verify_as(folder, &wish, note, NULL, &v, &e), 0);
    return v;
}

enum forgery {
    FORGED_INDEX,         /* another index, and ANEW speaks of that one */
    FORGED_BLOCK,         /* the same with a block in which one byte is another, and PROOF speaks of that one */
    SIGNED_BY_A_STRANGER, /* the same, signed with a fresh key in the name of the true one's segment */
    SIGNED_BY_NOBODY,
};

/* One byte of a block's payload, under a head with right checksums. */
static void put_changed_block(struct seg_out *out, uint64_t mark, const struct seg_element *el, uint8_t hash[SEG_HASH])
{
    uint8_t body[sizeof(struct seg_block) + 20000];
    uint8_t stored[200000];
    const size_t from = out->len;
    struct seg_block b;
    struct err e;

    assert_true(seg_read_block(el, &b) && el->body.len <= sizeof(body) && el->stored.len <= sizeof(stored));
    memcpy(stored, el->stored.at, el->stored.len);
    stored[el->stored.len / 2] ^= 1;
    b.stored_crc = crc32c(0, stored, el->stored.len);
    memcpy(body, el->body.at, el->body.len);
    memcpy(body, &b, sizeof(b));
    assert_int_equal(seg_put(out, mark, el->type, el->content, slice_of(body, el->body.len), slice_of(NULL, 0),
                             slice_of(stored, el->stored.len), &e),
                     0);
    seg_digest(hash, slice_of(out->at + from, out->len - from));
}

static void put(struct seg_out *out, uint64_t mark, enum seg_type type, const void *at, size_t len)
{
    struct err e;

    assert_int_equal(seg_put(out, mark, type, SEG_LINES, slice_of(at, len), slice_of(NULL, 0), slice_of(NULL, 0), &e),
                     0);
}

static void forge(enum forgery how)
{
    static uint8_t index[1 << 20];
    uint8_t proof[SEG_HASH * 64];
    struct seg_out out = { 0 };
    struct seg_scan scan;
    struct seg_element el;
    struct seg_vouch vouch;
    struct seg_anew anew;
    struct seg_seal seal;
    size_t proof_at = 0;
    bool changed = false;
    uint8_t *at;
    size_t len;
    struct err e;
    const int dir = folder_open(folder, &e);

    assert_int_equal(folder_read(dir, "0000000001.zst", 1 << 30, &at, &len, &e), 0);
    assert_true(seg_scan_start(&scan, slice_of(at, len)));
    assert_int_equal(seal_read_of(dir, 1, &seal, &e), 0);
    while (seg_next(&scan, &el) == SEG_GOT) {
        const bool whole = how == SIGNED_BY_NOBODY;
        struct seg_block b;

        if (el.type == SEG_PROOF) {
            assert_true(el.body.len <= sizeof(proof));
            if (changed)
                memcpy(proof + SEG_HASH, el.body.at + SEG_HASH, el.body.len - SEG_HASH);
            else
                memcpy(proof, el.body.at, el.body.len);
            proof_at = out.len;
            put(&out, scan.mark, SEG_PROOF, proof, el.body.len);
        } else if (el.type == SEG_INDEX) {
            memcpy(index, el.body.at, el.body.len);
            index[el.body.len - 1] ^= !whole;
            anew.index_at = out.len;
            put(&out, scan.mark, SEG_INDEX, index, el.body.len);
        } else if (el.type == SEG_ANEW) {
            const uint64_t index_at = anew.index_at;

            assert_true(seg_read_anew(&el, &anew));
            anew.index_at = index_at;
            seg_hash(anew.index_hash, slice_of(out.at + proof_at, out.len - proof_at));
            if (how == SIGNED_BY_A_STRANGER) {
                struct seal_keys keys = { 0 };

                seal_keys_make(&keys, vouch.segment);
                seal_vouch(&keys, &seal, &anew, &vouch);
            }
            if (how != SIGNED_BY_NOBODY)
                put(&out, scan.mark, SEG_VOUCH, &vouch, sizeof(vouch));
            put(&out, scan.mark, SEG_ANEW, &anew, sizeof(anew));
        } else if (el.type == SEG_VOUCH) {
            assert_true(seg_read_vouch(&el, &vouch));
        } else if (seg_read_block(&el, &b) && !changed && how != FORGED_INDEX && !whole) {
            put_changed_block(&out, scan.mark, &el, proof);
            changed = true;
        } else {
            assert_int_equal(seg_put(&out, scan.mark, el.type, el.content, el.body, slice_of(NULL, 0), el.stored, &e),
                             0);
        }
    }
    assert_int_equal(folder_replace(dir, "0000000001.zst", 0640, slice_of(out.at, out.len), &e), 0);
    seg_out_free(&out);
    free(at);
    close(dir);
}

static void it_is_signed_by_who_packed_it_again(void **state)
{
    struct verdict v = verified(false);

    (void)state;
    assert_string_equal(faults, "");
    assert_int_equal(v.events, SEGMENTS * 4 * LINES);
    assert_int_equal(v.unvouched, 0);
    assert_int_equal(v.vouched, 0);
    v = verified(true);
    assert_string_equal(faults, "");
    assert_int_equal(v.vouched, 1);
    assert_int_equal(v.events, SEGMENTS * 4 * LINES);
}

static void another_index_is_noticed(void **state)
{
    (void)state;
    forge(FORGED_INDEX);
    (void)verified(false);
    assert_string_equal(faults, "0000000001.zst: the signature of who packed it again is wrong\n");
    (void)verified(true);
    assert_non_null(strstr(faults, "the signature of who packed it again is wrong"));
}

static void another_block_is_noticed(void **state)
{
    (void)state;
    forge(FORGED_BLOCK);
    assert_true(verified(false).faults > 0);
    assert_non_null(strstr(faults, "0000000001.zst: the payload"));
    assert_true(verified(true).faults > 0);
}

static void the_signature_of_a_stranger_is_worth_nothing(void **state)
{
    (void)state;
    forge(SIGNED_BY_A_STRANGER);
    assert_int_equal(verified(true).faults, 1);
    assert_non_null(strstr(faults, "0000000001.zst: it was packed again, and that is signed in the name of segment 4, "
                                   "whose key is another one"));
    assert_true(verified(false).faults > 1); /* and the payload is not what the chain says */
}

static void what_an_older_program_packed_again_is_proven_by_the_chain(void **state)
{
    struct verdict v;

    (void)state;
    forge(SIGNED_BY_NOBODY);
    v = verified(false);
    assert_string_equal(faults, "");
    assert_int_equal(v.unvouched, 1);
    v = verified(true);
    assert_string_equal(faults, "");
    assert_int_equal(v.vouched, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_signed_by_who_packed_it_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_index_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_block_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_signature_of_a_stranger_is_worth_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_older_program_packed_again_is_proven_by_the_chain, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
