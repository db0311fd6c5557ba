/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal_world.h"

#include "journal/folder.h"
#include "journal/seal.h"
#include "journal/segment.h"

enum { SEGMENTS = 4, EACH = 2000, TOTAL = SEGMENTS * EACH + 50 };

static int make_filled(void **state)
{
    struct world *w;

    if (world_make(state) < 0)
        return -1;
    w = *state;
    for (int i = 0; i < SEGMENTS; i++) {
        world_fill(w, EACH / 50, 50);
        world_rotate(w);
    }
    world_fill(w, 10, 5);
    return 0;
}

static void a_whole_journal_has_no_findings(void **state)
{
    struct world *w = *state;
    struct world_findings all = world_verify(w, journal_id(w->j), NULL);

    assert_int_equal(all.count, 0);
    assert_int_equal(all.verdict.segments, SEGMENTS + 1);
    assert_int_equal(all.verdict.events, TOTAL);
    assert_int_equal(all.verdict.first_seq, 1);
    assert_int_equal(all.verdict.last_seq, TOTAL);
    assert_true(all.verdict.id_proven);
    assert_true(all.verdict.tip_proven);
}

static void another_id_is_not_this_journal(void **state)
{
    struct world *w = *state;
    uint8_t id[32] = { 1 };
    struct world_findings all = world_verify(w, id, NULL);

    assert_int_equal(all.verdict.faults, 1);
    assert_non_null(world_fault(&all, FAULT_UNTRUSTED));
    assert_false(all.verdict.id_proven);
}

/* Every 389th byte of a sealed file: whichever it is, verify sees it, names the file and reads the rest. */
static void each_changed_byte_is_seen(void **state)
{
    struct world *w = *state;
    off_t size = world_size(w, "0000000002.zst");

    for (off_t at = 0; at < size; at += 389) {
        struct world_findings all;

        world_flip(w, "0000000002.zst", at);
        all = world_verify(w, NULL, NULL);
        if (all.verdict.faults == 0)
            fail_msg("byte %lld of %lld was changed and nobody saw it", (long long)at, (long long)size);
        assert_string_equal(all.at[0].file, "0000000002.zst");
        assert_int_equal(all.at[0].segment, 2);
        assert_true(all.verdict.events >= TOTAL - EACH);
        world_flip(w, "0000000002.zst", at);
    }
    world_expect_whole(w);
}

static void a_segment_cut_anywhere_is_seen(void **state)
{
    struct world *w = *state;
    off_t size = world_size(w, "0000000004.zst");

    for (off_t cut = 1; cut < size; cut += 4093) {
        struct world_findings all;

        world_cut(w, "0000000004.zst", size - cut);
        all = world_verify(w, NULL, NULL);
        assert_true(all.verdict.faults > 0);
        assert_int_equal(all.at[0].segment, 4);
    }
}

static void a_missing_segment_is_named_with_its_events(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    world_rename(w, "0000000002.zst", "elsewhere");
    all = world_verify(w, NULL, NULL);
    assert_int_equal(all.verdict.faults, 1);
    assert_int_equal(all.at[0].fault, FAULT_MISSING);
    assert_int_equal(all.at[0].segment, 2);
    assert_int_equal(all.at[0].first_seq, EACH + 1);
    assert_int_equal(all.at[0].last_seq, 2 * EACH);
    assert_string_equal(all.at[0].text, "segment 2 is missing");
    assert_int_equal(all.verdict.events, TOTAL - EACH);
}

static void the_first_segments_cannot_just_go(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    world_rename(w, "0000000001.zst", "a");
    world_rename(w, "0000000002.zst", "b");
    all = world_verify(w, journal_id(w->j), NULL);
    assert_int_equal(all.at[0].fault, FAULT_MISSING);
    assert_string_equal(all.at[0].text, "segments 1 to 2 are missing");
    assert_false(all.verdict.id_proven);
}

static void two_swapped_segments_are_seen(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    world_rename(w, "0000000002.zst", "elsewhere");
    world_rename(w, "0000000003.zst", "0000000002.zst");
    world_rename(w, "elsewhere", "0000000003.zst");
    all = world_verify(w, NULL, NULL);
    assert_int_equal(all.at[0].fault, FAULT_SWAPPED);
    assert_string_equal(all.at[0].file, "0000000002.zst");
    assert_string_equal(all.at[0].text, "the file holds segment 3");
}

static void the_newest_segments_cannot_be_cut_off(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    world_rename(w, "0000000005.wal", "a");
    world_rename(w, "0000000004.zst", "b");
    all = world_verify(w, NULL, NULL);
    assert_int_equal(all.verdict.faults, 2);
    assert_int_equal(all.at[0].fault, FAULT_CUT);
    assert_string_equal(all.at[1].text, "the key is that of segment 5: the newest segments are gone");
    assert_false(all.verdict.tip_proven);
}

static void a_head_kept_elsewhere_must_occur(void **state)
{
    struct world *w = *state;
    struct world_findings all = world_verify(w, NULL, NULL);
    uint8_t head[32];

    memcpy(head, all.verdict.head, sizeof(head));
    world_fill(w, 3, 20);
    world_rotate(w); /* packed, merged with its neighbours, and still provable */
    assert_int_equal(world_verify(w, NULL, head).verdict.faults, 0);
    head[0] ^= 1;
    assert_int_equal(world_verify(w, NULL, head).verdict.faults, 1);
}

/* Reads a segment, takes one block out (skip) or puts two in the other order (swap), repairs nothing else. */
static void rearrange(const struct world *w, const char *name, unsigned nth, bool swap)
{
    off_t size = world_size(w, name);
    uint8_t *bytes = malloc((size_t)size);
    uint8_t *out = malloc((size_t)size);
    size_t len = 0;
    int fd = world_file(w, name, O_RDWR);
    struct seg_scan scan;
    struct seg_element el;
    struct seg_element held = { 0 };
    unsigned n = 0;

    assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
    assert_true(seg_scan_start(&scan, slice_of(bytes, (size_t)size)));
    while (seg_next(&scan, &el) == SEG_GOT) {
        if (el.type == SEG_BLOCK && n++ == nth) {
            held = el;
            continue;
        }
        memcpy(out + len, bytes + el.offset, el.size);
        len += el.size;
        if (swap && held.size > 0) {
            memcpy(out + len, bytes + held.offset, held.size);
            len += held.size;
            held.size = 0;
        }
    }
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, out, len, 0), (ssize_t)len);
    close(fd);
    free(bytes);
    free(out);
}

static void a_block_taken_out_is_missing(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    rearrange(w, "0000000003.zst", 1, false);
    all = world_verify(w, NULL, NULL);
    assert_int_equal(all.at[0].fault, FAULT_MISSING);
    assert_int_equal(all.at[0].first_seq, 2 * EACH + 501);
    assert_int_equal(all.at[0].last_seq, 2 * EACH + 1000);
}

static void a_block_taken_out_of_the_active_segment_is_missing(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    rearrange(w, "0000000005.wal", 4, false);
    all = world_verify(w, NULL, NULL);
    assert_int_equal(all.verdict.faults, 1);
    assert_int_equal(all.at[0].fault, FAULT_MISSING);
    assert_int_equal(all.at[0].first_seq, SEGMENTS * EACH + 21);
    assert_int_equal(all.at[0].last_seq, SEGMENTS * EACH + 25);
}

static void two_swapped_blocks_are_seen(void **state)
{
    struct world *w = *state;
    struct world_findings all;

    rearrange(w, "0000000003.zst", 1, true);
    all = world_verify(w, NULL, NULL);
    assert_non_null(world_fault(&all, FAULT_SWAPPED));
}

/*
 * Who owns the machine rewrites the journal with all tools of ours: other
 * events, right checksums, right chain, well sealed.  It is a journal; it is not this one.
 */
static void who_owns_the_machine_today_cannot_rewrite_yesterday(void **state)
{
    static const char *const gone[] = { "0000000002.zst", "0000000003.zst", "0000000004.zst", "0000000005.wal", "key" };
    struct world *w = *state;
    struct world_findings all;
    const struct finding *mixed;
    char spare[32];
    uint8_t id[32];

    memcpy(id, journal_id(w->j), sizeof(id));
    world_close(w);
    world_rename(w, "0000000001.zst", "spare");
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        (void)snprintf(spare, sizeof(spare), "spare%zu", i);
        world_rename(w, gone[i], spare);
    }
    world_open(w);
    for (int i = 0; i < SEGMENTS; i++) {
        world_fill(w, EACH / 25, 25);
        world_rotate(w);
    }
    world_expect_whole(w);
    all = world_verify(w, id, NULL);
    assert_non_null(world_fault(&all, FAULT_UNTRUSTED));
    assert_false(all.verdict.id_proven);

    world_rename(w, "spare", "0000000001.zst"); /* with the true first segment in front of it */
    all = world_verify(w, id, NULL);
    mixed = world_fault(&all, FAULT_UNTRUSTED);
    if (!mixed)
        fail_msg("nobody saw that the rest is not ours");
    else
        assert_int_equal(mixed->segment, 2);
    assert_false(all.verdict.id_proven);
}

/* The last seal is signed anew with a key of one's own, all else in it stays: head, blocks, and the key it promises. */
static void a_seal_by_another_key_than_the_promised_one_is_no_seal(void **state)
{
    static const char name[] = "0000000004.zst";
    struct world *w = *state;
    struct seal_keys real;
    struct seal_keys own;
    struct seg_seal seal;
    struct seg_out out = { 0 };
    struct world_findings all;
    const struct finding *found;
    struct err e;
    uint64_t mark;
    uint8_t id[32];
    int dir = folder_open(w->folder, &e);
    int fd = world_file(w, name, O_RDWR);

    memcpy(id, journal_id(w->j), sizeof(id));
    assert_int_equal(seal_keys_load(dir, &real, &e), 0);
    assert_int_equal(seal_read(fd, &seal, &mark, &e), 0);
    own = real;
    seal_keys_make(&own, SEGMENTS);
    memcpy(own.id, id, sizeof(id));
    memcpy(own.next_seed, real.seed, sizeof(real.seed));
    seal_sign(&own, &seal);
    assert_int_equal(seg_put(&out, mark, SEG_SEAL, SEG_EVENTS, slice_of(&seal, sizeof(seal)), slice_of(NULL, 0),
                             slice_of(NULL, 0), &e),
                     0);
    assert_int_equal(pwrite(fd, out.at, out.len, world_size(w, name) - (off_t)out.len), (ssize_t)out.len);
    seg_out_free(&out);
    close(fd);
    close(dir);
    all = world_verify(w, id, NULL);
    found = world_fault(&all, FAULT_UNTRUSTED);
    if (!found)
        fail_msg("nobody saw whose seal it is");
    else
        assert_int_equal(found->segment, SEGMENTS);
    assert_false(all.verdict.id_proven);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_filled, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_whole_journal_has_no_findings),
        IN_A_WORLD(another_id_is_not_this_journal),
        IN_A_WORLD(each_changed_byte_is_seen),
        IN_A_WORLD(a_segment_cut_anywhere_is_seen),
        IN_A_WORLD(a_missing_segment_is_named_with_its_events),
        IN_A_WORLD(the_first_segments_cannot_just_go),
        IN_A_WORLD(two_swapped_segments_are_seen),
        IN_A_WORLD(the_newest_segments_cannot_be_cut_off),
        IN_A_WORLD(a_head_kept_elsewhere_must_occur),
        IN_A_WORLD(a_block_taken_out_is_missing),
        IN_A_WORLD(a_block_taken_out_of_the_active_segment_is_missing),
        IN_A_WORLD(two_swapped_blocks_are_seen),
        IN_A_WORLD(who_owns_the_machine_today_cannot_rewrite_yesterday),
        IN_A_WORLD(a_seal_by_another_key_than_the_promised_one_is_no_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
