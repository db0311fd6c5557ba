/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads that another host has cosigned: what it signs, what it refuses, and what verify finds with them. */
#include "feed_world.h"
#include "sense/log/offers.h"
#include "sense/log/witness.h"

static char top[64], store[80], before[80], vault[80];
static struct witness *w;
static struct offers o;
static int dir = -1;
static int64_t mono_us;

/* Through the shell: a folder as it is. */
static void copy(const char *from, const char *to)
{
    char command[300];

    (void)snprintf(command, sizeof(command), "cp -a %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void open_offers(void)
{
    struct seg_seal s;
    struct err e;

    if (dir >= 0)
        close(dir);
    dir = folder_open(store, &e);
    assert_int_equal(seal_read_of(dir, 1, &s, &e), 0);
    o = (struct offers){ .dir = dir, .name = "vault" };
    memcpy(o.id, s.id, SEG_HASH);
    offers_begin(&o);
}

static void open_witness(void)
{
    struct err e;

    witness_close(w);
    w = witness_open(vault, &e);
    if (!w)
        fail_msg("%s", e.text);
}

/* Three sealed segments, and how it was when there were two. */
static int set_up(void **state)
{
    (void)state;
    strcpy(top, "/tmp/serviola-witness-XXXXXX");
    assert_non_null(mkdtemp(top));
    (void)snprintf(store, sizeof(store), "%s/store", top);
    (void)snprintf(before, sizeof(before), "%s/before", top);
    (void)snprintf(vault, sizeof(vault), "%s/vault", top);
    assert_int_equal(mkdir(vault, 0750), 0);
    world_fill(store, 2, "message");
    copy(store, before);
    mono_us = 1000000000;
    open_witness();
    open_offers();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    witness_close(w);
    w = NULL;
    close(dir);
    dir = -1;
    world_remove(top);
    return 0;
}

/* More lines that are not sealed yet; what is offered of them from now on. */
static void more_lines(const char *folder, int commits, const char *word)
{
    struct journal *j = world_store(folder);
    struct err e;

    for (int i = 0; i < commits; i++)
        world_put(j, word);
    assert_int_equal(journal_sync(j, &e), 0);
    assert_true(feed_open_head(j, now_us, &o.open));
    journal_close(j);
}

/* One offer and its answer as they go over the wire; LATER too when there was nothing to offer. */
static enum witness_word exchange(void)
{
    uint8_t said[32 + sizeof(((struct witness_answer *)NULL)->at)];
    struct seg_seal seals[OFFERS_SEALS];
    struct witness_answer a;
    enum witness_word word;
    size_t count;
    size_t len;

    mono_us += 2000000;
    count = offers_make(&o, UINT64_MAX, mono_us, seals);
    if (count == 0)
        return WITNESS_LATER;
    word = witness_judge(w, slice_of(seals, count * sizeof(seals[0])), UINT64_MAX, now_us, mono_us, &a);
    len = (size_t)snprintf((char *)said, sizeof(said), "%s\n", witness_word_text(word));
    memcpy(said + len, a.at, a.count * sizeof(a.at[0]));
    offers_take(&o, slice_of(said, len + a.count * sizeof(a.at[0])));
    return word;
}

static struct verdict verified(const char *folder)
{
    const struct verify_wish wish = { .witness = vault };

    return world_verify(folder, &wish, true);
}

static void move(const char *from, const char *to)
{
    char a[128];
    char b[128];

    (void)snprintf(a, sizeof(a), "%s/%s", store, from);
    (void)snprintf(b, sizeof(b), "%s/%s", store, to);
    assert_int_equal(rename(a, b), 0);
}

static void cosign_three(void)
{
    assert_int_equal(exchange(), WITNESS_FINE); /* the newest: 2 */
    world_fill(store, 1, "attack");
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(o.kept, 3);
}

static void each_head_is_signed_once_and_both_keep_it(void **state)
{
    struct verdict v;

    (void)state;
    cosign_three();
    assert_int_equal(exchange(), WITNESS_LATER); /* there is nothing new */
    v = verified(store);
    assert_int_equal(v.faults, 0);
    assert_int_equal(v.cosigned, 4); /* 2 and 3, by both copies */
    assert_int_equal(v.cosigned_segment, 3);
    assert_non_null(strstr(faults, "the head of segment 3 is cosigned by "));
    open_witness(); /* it remembers over a restart, and a sender that lost its copy gets it again */
    open_offers();
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(o.differs, 0);
}

static void a_pinned_key_is_told_as_such(void **state)
{
    const struct verify_wish none = { 0 };
    const uint8_t other[SEG_HASH] = { 1 };
    const struct verify_wish wrong = { .witness_key = other };

    (void)state;
    cosign_three();
    assert_int_equal(world_verify(store, &none, true).faults, 0);
    assert_non_null(strstr(faults, "as good as this host is"));
    assert_int_equal(world_verify(store, &wrong, true).cosigned, 0);
    assert_non_null(strstr(faults, "2 cosigned heads are signed with a key that is not known"));
}

static void a_removed_segment_is_named(void **state)
{
    (void)state;
    cosign_three();
    world_fill(store, 1, "later");
    move("0000000003.zst", "../gone");
    assert_true(verified(store).faults > 0);
    assert_non_null(strstr(faults, "0000000003.zst: segment 3, up to 36000, whose head "));
}

static void two_swapped_segments_are_named(void **state)
{
    (void)state;
    cosign_three();
    move("0000000002.zst", "aside");
    move("0000000003.zst", "0000000002.zst");
    move("aside", "0000000003.zst");
    assert_true(verified(store).faults > 0);
    assert_non_null(strstr(faults, "0000000003.zst"));
    assert_non_null(strstr(faults, "0000000002.zst"));
}

static void a_tail_that_was_cut_is_named(void **state)
{
    const struct verify_wish none = { 0 };

    (void)state;
    cosign_three();
    assert_int_equal(world_verify(before, &none, false).faults, 0); /* by itself it is whole */
    assert_int_equal(verified(before).faults, 1);
    assert_non_null(strstr(faults, "0000000003.zst: segment 3, up to 36000, whose head "));
}

static void a_tail_signed_again_with_the_true_keys_is_named_and_not_cosigned(void **state)
{
    const struct verify_wish none = { 0 };

    (void)state;
    cosign_three();
    world_remove(store);
    copy(before, store);
    open_offers();
    assert_int_equal(exchange(), WITNESS_FINE); /* of 2; and we hear of 3, which is not here */
    assert_int_equal(o.differs, 3);
    assert_non_null(strstr(o.why, "no such segment is here"));
    world_fill(store, 1, "nothing");
    assert_int_equal(world_verify(store, &none, false).faults, 0);
    assert_int_equal(verified(store).faults, 1);
    assert_non_null(strstr(faults, "0000000003.zst: the head of segment 3 is not the one that "));
    assert_int_equal(exchange(), WITNESS_AGAINST);
    assert_non_null(strstr(o.why, "ours ends otherwise"));
    world_fill(store, 1, "nothing"); /* 4 leads nowhere, too */
    open_offers();
    assert_int_equal(exchange(), WITNESS_AGAINST);
}

static void what_was_sealed_while_the_witness_was_away_is_made_up_for(void **state)
{
    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    world_fill(store, 3, "message");
    open_offers();
    assert_int_equal(exchange(), WITNESS_FROM);
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(o.differs, 0);
    assert_int_equal(o.kept, 5);
    assert_int_equal(verified(store).faults, 0);
}

static void what_is_missing_on_the_way_is_told_by_the_sender(void **state)
{
    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    world_fill(store, 3, "message");
    move("0000000003.zst", "../gone");
    open_offers();
    assert_int_equal(exchange(), WITNESS_FROM);
    assert_int_equal(exchange(), WITNESS_FINE); /* of 2 */
    assert_int_equal(exchange(), WITNESS_LATER);
    assert_int_equal(o.differs, 3);
    assert_string_equal(o.why, "it is missing here, and later ones are not");
}

static void nothing_is_signed_of_lines_that_are_not_here(void **state)
{
    struct witness_answer a;
    struct seg_seal s;
    struct err e;

    (void)state;
    assert_int_equal(seal_read_of(dir, 1, &s, &e), 0);
    assert_int_equal(witness_judge(w, slice_of(&s, sizeof(s)), 11999, now_us, mono_us, &a), WITNESS_LATER);
    assert_int_equal(a.count, 0);
    mono_us += 2000000;
    assert_int_equal(witness_judge(w, slice_of(&s, sizeof(s)), 12000, now_us, mono_us, &a), WITNESS_FINE);
    assert_int_equal(a.count, 1);
}

static void nobody_speaks_for_a_store_whose_key_he_has_not(void **state)
{
    struct seal_keys keys = { 0 };
    struct witness_answer a;
    struct seg_seal s;
    struct err e;

    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE); /* 2 */
    assert_int_equal(seal_read_of(dir, 2, &s, &e), 0);
    seal_keys_make(&keys, 3);
    memcpy(keys.id, s.id, SEG_HASH);
    memcpy(s.prev, s.chain, SEG_HASH);
    s.segment = 3;
    seal_sign(&keys, &s);
    mono_us += 2000000;
    assert_int_equal(witness_judge(w, slice_of(&s, sizeof(s)), UINT64_MAX, now_us, mono_us, &a), WITNESS_AGAINST);
    assert_true(a.news);
    assert_int_equal(a.segment, 3);
    s.signature[0] ^= 1;
    assert_int_equal(witness_judge(w, slice_of(&s, sizeof(s)), UINT64_MAX, now_us, mono_us, &a), WITNESS_BAD);
    assert_int_equal(witness_judge(w, slice_of(&s, 7), UINT64_MAX, now_us, mono_us, &a), WITNESS_BAD);
}

static void another_key_than_the_first_one_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    world_remove(vault);
    assert_int_equal(mkdir(vault, 0750), 0);
    open_witness();
    open_offers();
    (void)exchange();
    assert_int_equal(o.differs, 2);
    assert_true(o.stopped);
}

static void lines_that_are_not_sealed_yet_are_cosigned_too(void **state)
{
    struct verdict v;

    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE); /* 2 */
    more_lines(store, 1, "message");
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(exchange(), WITNESS_LATER); /* once is enough */
    more_lines(store, 1, "message");
    assert_int_equal(exchange(), WITNESS_FINE);
    v = verified(store);
    assert_int_equal(v.faults, 0);
    assert_int_equal(v.cosigned, 6); /* the seal of 2, two heads of 3, by both copies */
    assert_non_null(strstr(faults, "the head of segment 3 up to 30000 is cosigned by "));
    world_fill(store, 1, "message"); /* what was open is sealed: commits stand together in larger blocks */
    assert_int_equal(exchange(), WITNESS_FINE);
    v = verified(store);
    assert_int_equal(v.faults, 0);
    assert_int_equal(v.cosigned, 8);
    assert_int_equal(v.cosigned_segment, 3);
    assert_int_equal(o.differs, 0);
}

static void a_head_within_a_segment_is_found_when_that_was_packed_again(void **state)
{
    const struct verify_wish quick = { .witness = vault, .quick = true };
    uint64_t segment = 2;
    struct journal *j;
    struct verdict v;
    struct err e;

    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    more_lines(store, 3, "message");
    assert_int_equal(exchange(), WITNESS_FINE);
    world_fill(store, 1, "message");
    j = world_store(store);
    assert_int_equal(feed_pack_again(j, &segment, now_us + 1, now_us, &e), 1);
    assert_int_equal(segment, 3);
    journal_close(j);
    v = world_verify(store, &quick, true);
    assert_int_equal(v.faults, 0);
    assert_int_equal(v.cosigned, 4); /* the seal of 2, the head within 3, by both copies */
    assert_int_equal(verified(store).cosigned, 4);
}

static void lines_cut_off_before_they_were_sealed_are_named(void **state)
{
    const struct verify_wish none = { 0 };

    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    more_lines(store, 1, "attack");
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(world_verify(before, &none, false).faults, 0); /* by itself it is whole */
    assert_int_equal(verified(before).faults, 1);
    assert_non_null(strstr(faults, "segment 3, up to 27000, whose head "));
    assert_non_null(strstr(faults, "is not here as it was"));
}

static void other_lines_in_their_place_are_named_and_not_cosigned(void **state)
{
    const struct verify_wish none = { 0 };

    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    more_lines(store, 2, "attack");
    assert_int_equal(exchange(), WITNESS_FINE);
    world_remove(store);
    copy(before, store);
    open_offers();
    more_lines(store, 2, "nothing");
    assert_int_equal(exchange(), WITNESS_AGAINST);
    assert_int_equal(o.differs, 3);
    assert_non_null(strstr(o.why, "ours is another one there"));
    open_offers();
    more_lines(store, 1, "nothing"); /* further than what was signed: that it is not the same nobody can see yet */
    assert_int_equal(exchange(), WITNESS_FINE);
    world_fill(store, 1, "nothing");
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(world_verify(store, &none, false).faults, 0);
    assert_int_equal(verified(store).faults, 1);
    assert_non_null(strstr(faults, "0000000003.zst: the lines up to 30000 are not those whose head "));
}

static void a_segment_that_ends_before_the_head_that_was_cosigned_is_refused(void **state)
{
    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    more_lines(store, 5, "attack");
    assert_int_equal(exchange(), WITNESS_FINE);
    world_remove(store);
    copy(before, store);
    world_fill(store, 1, "nothing");
    open_offers();
    assert_int_equal(exchange(), WITNESS_AGAINST);
    assert_true(o.differs > 0);
    open_witness(); /* it remembers over a restart */
    open_offers();
    assert_int_equal(exchange(), WITNESS_AGAINST);
}

static void an_open_head_stands_for_no_segment(void **state)
{
    struct seg_seal rows[2];
    struct witness_answer a;
    struct err e;

    (void)state;
    more_lines(store, 1, "message");
    rows[0] = o.open;
    assert_int_equal(witness_judge(w, slice_of(rows, sizeof(rows[0])), UINT64_MAX, now_us, mono_us, &a), WITNESS_LATER);
    assert_int_equal(a.count, 0); /* of the segment in front of it nothing is known */
    mono_us += 2000000;
    assert_int_equal(seal_read_of(dir, 2, &rows[1], &e), 0);
    assert_int_equal(witness_judge(w, slice_of(rows, sizeof(rows)), UINT64_MAX, now_us, mono_us, &a), WITNESS_BAD);
}

static void a_torn_file_of_heads_goes_on_at_a_whole_one(void **state)
{
    const struct file_name name = cosigned_name(o.id);
    char path[200];

    (void)state;
    assert_int_equal(exchange(), WITNESS_FINE);
    (void)snprintf(path, sizeof(path), "%s/%s", vault, name.text);
    assert_int_equal(truncate(path, 256 + 100), 0);
    open_witness();
    world_fill(store, 1, "message");
    assert_int_equal(exchange(), WITNESS_FINE);
    assert_int_equal(verified(store).faults, 0);
    assert_non_null(strstr(faults, "the head of segment 3 is cosigned by "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_head_is_signed_once_and_both_keep_it),
        TEST(a_pinned_key_is_told_as_such),
        TEST(a_removed_segment_is_named),
        TEST(two_swapped_segments_are_named),
        TEST(a_tail_that_was_cut_is_named),
        TEST(a_tail_signed_again_with_the_true_keys_is_named_and_not_cosigned),
        TEST(what_was_sealed_while_the_witness_was_away_is_made_up_for),
        TEST(what_is_missing_on_the_way_is_told_by_the_sender),
        TEST(nothing_is_signed_of_lines_that_are_not_here),
        TEST(nobody_speaks_for_a_store_whose_key_he_has_not),
        TEST(another_key_than_the_first_one_is_not_believed),
        TEST(lines_that_are_not_sealed_yet_are_cosigned_too),
        TEST(a_head_within_a_segment_is_found_when_that_was_packed_again),
        TEST(lines_cut_off_before_they_were_sealed_are_named),
        TEST(other_lines_in_their_place_are_named_and_not_cosigned),
        TEST(a_segment_that_ends_before_the_head_that_was_cosigned_is_refused),
        TEST(an_open_head_stands_for_no_segment),
        TEST(a_torn_file_of_heads_goes_on_at_a_whole_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
