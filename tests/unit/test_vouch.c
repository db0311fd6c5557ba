/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments that were packed again: who did it has signed what they are now. */
#include "feed_world.h"
#include "journal/crc32c.h"

enum { SEGMENTS = 3 };
static char folder[64];

/* Three sealed segments, of which the first is packed again. */
static int set_up(void **state)
{
    struct journal *j;
    uint64_t segment = 0;
    struct err e;

    (void)state;
    strcpy(folder, "/tmp/serviola-vouch-XXXXXX");
    assert_non_null(mkdtemp(folder));
    world_fill(folder, SEGMENTS, "message");
    j = world_store(folder);
    assert_int_equal(feed_pack_again(j, &segment, now_us, now_us + 1, &e), 1);
    assert_int_equal(segment, 1);
    journal_close(j);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_remove(folder);
    return 0;
}

static struct verdict verified(bool quick)
{
    const struct verify_wish wish = { .quick = quick };

    return world_verify(folder, &wish, false);
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
