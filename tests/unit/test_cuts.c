/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hand/cuts.h"

static struct cuts cuts;

static int none(void **state)
{
    (void)state;
    memset(&cuts, 0, sizeof(cuts));
    return 0;
}

static bool add(uint32_t id, int64_t now_us)
{
    struct cut one = { .who = addr_v4(0x0a010000 + id, 0), .id = id };

    return cuts_add(&cuts, &one, now_us);
}

static void a_walk_waits_until_no_more_hosts_come(void **state)
{
    (void)state;
    assert_int_equal(cuts_due_us(&cuts), CUTS_NEVER);
    assert_true(add(1, 1000000));
    assert_int_equal(cuts_due_us(&cuts), 1005000);
    assert_true(add(2, 1004000));
    assert_int_equal(cuts_due_us(&cuts), 1009000);
    assert_int_equal(cuts_take(&cuts, 100), 2);
    assert_int_equal(cuts_due_us(&cuts), CUTS_NEVER);
}

static void who_never_ends_to_come_does_not_put_it_off_for_ever(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        assert_true(add(i, 1000000 + i * 1000));
    assert_int_equal(cuts_due_us(&cuts), 1020000);
}

static void dear_walks_are_rare(void **state)
{
    (void)state;
    assert_true(add(1, 1000000));
    assert_int_equal(cuts_take(&cuts, 100), 1);
    cuts_back(&cuts, 1030000, 20000);
    assert_true(add(2, 1031000));
    assert_int_equal(cuts_due_us(&cuts), 1430000); /* a twentieth of the time at most */
    assert_true(add(3, 1400000));
    assert_int_equal(cuts_due_us(&cuts), 1445000); /* two walks of quiet */
    for (int64_t now_us = 1400000; now_us < 2000000; now_us += 10000)
        assert_true(add(4, now_us));
    assert_int_equal(cuts_due_us(&cuts), 1451000);
}

static void who_comes_during_a_walk_is_in_the_next_one(void **state)
{
    (void)state;
    assert_true(add(1, 1000000));
    assert_true(add(2, 1000000));
    assert_int_equal(cuts_take(&cuts, 100), 2);
    assert_true(add(3, 1008000));
    assert_int_equal(cuts_due_us(&cuts), CUTS_NEVER);
    assert_int_equal(cuts.at[0].id, 1);
    assert_int_equal(cuts.at[1].id, 2);
    cuts_back(&cuts, 1009000, 1000);
    assert_int_equal(cuts.count, 1);
    assert_int_equal(cuts.at[0].id, 3);
    assert_int_equal(cuts_due_us(&cuts), 1029000);
}

static void a_full_queue_refuses_until_some_are_done(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CUTS_MOST; i++)
        assert_true(add(i, 1000000));
    assert_false(add(1, 1000000));
    assert_int_equal(cuts_take(&cuts, 2000), 2000);
    assert_false(add(1, 1000000));
    cuts_back(&cuts, 1100000, 100);
    assert_int_equal(cuts.at[0].id, 2000);
    assert_true(add(1, 1100000));
}

static void nothing_is_ordered_before_the_cutter_has_begun(void **state)
{
    (void)state;
    cuts.busy = true;
    assert_true(add(1, 1000000));
    assert_int_equal(cuts_due_us(&cuts), CUTS_NEVER);
    cuts_back(&cuts, 1001000, 100);
    assert_int_equal(cuts.count, 1);
    assert_int_equal(cuts_due_us(&cuts), 1005200);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup(test, none)
    const struct CMUnitTest tests[] = {
        TEST(a_walk_waits_until_no_more_hosts_come),
        TEST(who_never_ends_to_come_does_not_put_it_off_for_ever),
        TEST(dear_walks_are_rare),
        TEST(who_comes_during_a_walk_is_in_the_next_one),
        TEST(nothing_is_ordered_before_the_cutter_has_begun),
        TEST(a_full_queue_refuses_until_some_are_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
