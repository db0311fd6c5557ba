/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal_world.h"

#include <pthread.h>

enum { SEGMENTS = 4, ACTIVE = 200, TOTAL = SEGMENTS * 2000 + ACTIVE };

/* Four sealed segments of 2,000 events and an active one of 200. */
static int make_filled(void **state)
{
    struct world *w;

    if (world_make(state) < 0)
        return -1;
    w = *state;
    for (int i = 0; i < SEGMENTS; i++) {
        world_fill(w, 20, 100);
        world_rotate(w);
    }
    world_fill(w, 40, 5);
    return 0;
}

/* What the same question finds by asking each event. */
static uint64_t by_hand(const struct query *q)
{
    uint64_t n = 0;

    for (uint64_t seq = 1; seq <= TOTAL; seq++) {
        struct event ev = world_event(seq);

        n += query_matches(q, &ev);
    }
    return n;
}

static struct prefix net(const char *words)
{
    struct prefix p;

    assert_true(prefix_read(slice_text(words), &p));
    return p;
}

static void the_index_changes_no_answer(void **state)
{
    static const enum event_kind rare[] = { EV_HUNT_HELO_CHANGED, EV_ACT_BLOCKED };
    static const enum event_kind none[] = { EV_ACT_TABLE_LOST };
    const struct query questions[] = {
        { 0 },
        { .kinds = rare, .kinds_count = 2 },
        { .kinds = none, .kinds_count = 1 },
        { .src = net("10.1.0.7") },
        { .src = net("10.1.0.0/24") },
        { .src = net("10.1.1.128/25") },
        { .src = net("10.0.0.0/8") },
        { .dst = net("192.0.2.3") },
        { .dst = net("2001:db8::/32") },
        { .either = net("10.1.0.9") },
        { .either = net("203.0.113.9") },
        { .src = net("10.1.0.7"), .dst = net("192.0.2.3") },
        { .cause = 4711 },
        { .cause = TOTAL },
        { .from_seq = 1999, .to_seq = 2001 },
        { .since_us = start_us + 1000000, .until_us = start_us + 1010000 },
        { .grade = GRADE_ALARM },
        { .grade = GRADE_WARN },
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        struct query back = questions[i];
        struct query_told told;

        assert_int_equal(world_query(w, &questions[i], &told).count, by_hand(&questions[i]));
        assert_int_equal(told.damaged, 0);
        back.reverse = true;
        assert_int_equal(world_query(w, &back, NULL).count, by_hand(&questions[i]));
    }
}

static void blocks_that_cannot_match_are_not_read(void **state)
{
    static const enum event_kind none[] = { EV_ACT_TABLE_LOST };
    struct world *w = *state;
    struct query_told told;

    (void)world_query(w, &(struct query){ .from_seq = 3100, .to_seq = 3101 }, &told);
    assert_int_equal(told.segments_skipped, SEGMENTS - 1);
    assert_int_equal(told.blocks - told.blocks_skipped, 1);
    (void)world_query(w, &(struct query){ .kinds = none, .kinds_count = 1 }, &told);
    assert_int_equal(told.blocks - told.blocks_skipped, 40); /* the active segment has no index */
    (void)world_query(w, &(struct query){ .src = net("198.51.100.1") }, &told);
    assert_true(told.blocks - told.blocks_skipped < 40 + 3);
}

static void newest_first_and_no_more_than_asked(void **state)
{
    struct world *w = *state;
    struct world_seen seen = world_query(w, &(struct query){ .reverse = true, .limit = 300 }, NULL);

    assert_int_equal(seen.count, 300);
    assert_int_equal(seen.first, TOTAL);
    assert_int_equal(seen.last, TOTAL - 299);
    seen = world_query(w, &(struct query){ .limit = 1 }, NULL);
    assert_int_equal(seen.first, 1);
}

static void every_number_is_found(void **state)
{
    struct world *w = *state;
    struct reader *r = reader_open(w->folder, NULL);
    uint64_t first;
    uint64_t last;
    struct event ev;

    for (uint64_t seq = 1; seq <= TOTAL; seq += 37) {
        struct event expected = world_event(seq);

        assert_int_equal(reader_find(r, seq, &ev, NULL), 1);
        assert_memory_equal(&ev, &expected, sizeof(ev));
    }
    assert_int_equal(reader_find(r, TOTAL + 1, &ev, NULL), 0);
    assert_int_equal(reader_find(r, 0, &ev, NULL), 0);
    assert_int_equal(reader_range(r, &first, &last, NULL), 0);
    assert_int_equal(first, 1);
    assert_int_equal(last, TOTAL);
    reader_close(r);
}

static void an_open_reader_sees_what_comes_later(void **state)
{
    struct world *w = *state;
    struct reader *r = reader_open(w->folder, NULL);
    struct world_seen seen = { 0 };

    assert_int_equal(reader_query(r, &(struct query){ .from_seq = TOTAL }, world_see, &seen, NULL, NULL), 0);
    assert_int_equal(seen.count, 1);
    world_fill(w, 3, 5);
    seen = (struct world_seen){ 0 };
    assert_int_equal(reader_query(r, &(struct query){ .from_seq = TOTAL }, world_see, &seen, NULL, NULL), 0);
    assert_int_equal(seen.count, 16);
    world_rotate(w);
    world_fill(w, 1, 5);
    seen = (struct world_seen){ 0 };
    assert_int_equal(reader_query(r, &(struct query){ .from_seq = TOTAL }, world_see, &seen, NULL, NULL), 0);
    assert_int_equal(seen.count, 21);
    assert_true(seen.in_order && seen.as_written);
    reader_close(r);
}

static void a_damaged_block_is_named_and_the_rest_is_read(void **state)
{
    struct world *w = *state;
    struct query_told told;
    struct world_seen seen;

    world_flip(w, "0000000002.zst", world_size(w, "0000000002.zst") / 3);
    seen = world_query(w, &(struct query){ 0 }, &told);
    assert_int_equal(told.damaged, 1);
    assert_non_null(strstr(told.damage, "0000000002.zst: events "));
    assert_true(seen.count >= TOTAL - 512 && seen.count < TOTAL);
    assert_true(seen.in_order && seen.as_written);
}

static void without_its_index_a_segment_is_read_whole(void **state)
{
    struct world *w = *state;
    struct query_told told;

    world_cut(w, "0000000003.zst", world_size(w, "0000000003.zst") - 50);
    assert_int_equal(world_query(w, &(struct query){ 0 }, &told).count, TOTAL);
    assert_true(told.damaged > 0);
    assert_non_null(strstr(told.damage, "0000000003.zst: its seal or index is damaged"));
}

static void what_is_being_written_is_not_seen_and_is_no_damage(void **state)
{
    struct world *w = *state;
    struct query_told told;

    world_cut(w, "0000000005.wal", world_size(w, "0000000005.wal") - 100);
    assert_int_equal(world_query(w, &(struct query){ 0 }, &told).count, TOTAL - 5);
    assert_int_equal(told.damaged, 0);
}

static void *write_on(void *own)
{
    struct world *w = own;

    for (int i = 0; i < 40; i++) {
        world_fill(w, 25, 8);
        world_rotate(w);
    }
    return NULL;
}

/* The reader never misses an event that was there when it began, whatever the writer turns over meanwhile. */
static void a_reader_beside_the_writer_misses_nothing(void **state)
{
    struct world *w = *state;
    struct reader *r = reader_open(w->folder, NULL);
    uint64_t before = TOTAL;
    pthread_t writer;

    assert_int_equal(pthread_create(&writer, NULL, write_on, w), 0);
    while (before < TOTAL + 8000) {
        struct world_seen seen = { 0 };
        struct query_told told;

        assert_int_equal(reader_query(r, &(struct query){ .from_seq = 1 }, world_see, &seen, &told, NULL), 0);
        assert_int_equal(told.damaged, 0);
        assert_true(seen.in_order && seen.as_written);
        assert_int_equal(seen.count, seen.last);
        assert_true(seen.last >= before);
        before = seen.last;
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    reader_close(r);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_filled, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_index_changes_no_answer),
        IN_A_WORLD(blocks_that_cannot_match_are_not_read),
        IN_A_WORLD(newest_first_and_no_more_than_asked),
        IN_A_WORLD(every_number_is_found),
        IN_A_WORLD(an_open_reader_sees_what_comes_later),
        IN_A_WORLD(a_damaged_block_is_named_and_the_rest_is_read),
        IN_A_WORLD(without_its_index_a_segment_is_read_whole),
        IN_A_WORLD(what_is_being_written_is_not_seen_and_is_no_damage),
        IN_A_WORLD(a_reader_beside_the_writer_misses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
