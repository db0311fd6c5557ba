/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/sitting.h"

enum { SECOND = 1000000 };

static const int64_t noon_us = 1000000000000;

static struct sitter person(uint32_t number)
{
    return (struct sitter){ .number = number, .id = 1 };
}

static enum sitting_answer ask(struct sitting *s, uint32_t number, int64_t now_us)
{
    const struct sitter who = person(number);

    return sitting_ask(s, &who, now_us);
}

/* The picture is shown, and its taker goes: how many got it. */
static size_t is_taken(struct sitting *s, int64_t now_us)
{
    struct sitter waited[SITTING_WAITERS];
    size_t got;
    size_t left;

    (void)sitting_show(s, waited, &got);
    assert_false(sitting_end(s, waited, &left, now_us));
    assert_int_equal(left, 0);
    return got;
}

static void the_first_begins_and_the_second_gets_the_same(void **state)
{
    struct sitting s = { 0 };
    struct sitter waited[SITTING_WAITERS];
    size_t count;

    (void)state;
    assert_int_equal(ask(&s, 7, noon_us), SITTING_BEGINS);
    assert_int_equal(ask(&s, 8, noon_us + 1), SITTING_JOINS);
    (void)sitting_show(&s, waited, &count);
    assert_int_equal(count, 2);
    assert_int_equal(waited[0].number, 7);
    assert_int_equal(waited[1].number, 8);
}

static void who_asks_during_a_triggers_picture_gets_that_one(void **state)
{
    struct sitting s = { 0 };

    (void)state;
    assert_true(sitting_begin(&s, noon_us));
    assert_int_equal(ask(&s, 7, noon_us), SITTING_JOINS);
    assert_int_equal(is_taken(&s, noon_us), 1);
}

static void a_trigger_during_somebodys_picture_takes_none_but_has_it_kept(void **state)
{
    struct sitting s = { 0 };
    struct sitter waited[SITTING_WAITERS];
    size_t count;

    (void)state;
    assert_int_equal(ask(&s, 7, noon_us), SITTING_BEGINS);
    assert_false(sitting_begin(&s, noon_us));
    assert_true(sitting_show(&s, waited, &count));
}

static void a_picture_is_kept_when_one_of_those_who_asked_wants_it(void **state)
{
    struct sitting s = { 0 };
    struct sitter waited[SITTING_WAITERS];
    const struct sitter keeper = { .number = 8, .id = 1, .keep = true };
    size_t count;

    (void)state;
    (void)ask(&s, 7, noon_us);
    assert_false(sitting_show(&s, waited, &count));
    assert_false(sitting_end(&s, waited, &count, noon_us));
    (void)ask(&s, 7, noon_us);
    (void)sitting_ask(&s, &keeper, noon_us);
    assert_true(sitting_show(&s, waited, &count));
}

static void who_comes_when_it_was_shown_gets_the_next(void **state)
{
    struct sitting s = { 0 };
    struct sitter waited[SITTING_WAITERS];
    size_t count;

    (void)state;
    (void)ask(&s, 7, noon_us);
    (void)sitting_show(&s, waited, &count);
    assert_int_equal(ask(&s, 8, noon_us), SITTING_NEXT);
    assert_int_equal(ask(&s, 9, noon_us), SITTING_NEXT);
    assert_true(sitting_end(&s, waited, &count, noon_us)); /* the next begins now */
    assert_int_equal(count, 0);
    assert_int_equal(is_taken(&s, noon_us), 2);
}

static void who_waits_for_a_picture_that_fails_hears_of_it(void **state)
{
    struct sitting s = { 0 };
    struct sitter waited[SITTING_WAITERS];
    size_t count;

    (void)state;
    (void)ask(&s, 7, noon_us);
    (void)ask(&s, 8, noon_us);
    assert_false(sitting_end(&s, waited, &count, noon_us));
    assert_int_equal(count, 2);
    assert_int_equal(ask(&s, 9, noon_us), SITTING_BEGINS);
}

static void no_more_than_some_begin_within_a_minute(void **state)
{
    struct sitting s = { 0 };

    (void)state;
    for (uint32_t i = 0; i < SITTING_A_MINUTE; i++) {
        assert_int_equal(ask(&s, i, noon_us + i), SITTING_BEGINS);
        assert_int_equal(is_taken(&s, noon_us + i), 1);
    }
    assert_int_equal(ask(&s, 99, noon_us + 40 * SECOND), SITTING_TOO_OFTEN);
    assert_true(sitting_begin(&s, noon_us + 40 * SECOND)); /* a trigger may */
    assert_int_equal(ask(&s, 99, noon_us + 41 * SECOND), SITTING_JOINS);
    assert_int_equal(is_taken(&s, noon_us + 42 * SECOND), 1);
    assert_int_equal(ask(&s, 99, noon_us + 61 * SECOND), SITTING_BEGINS);
}

static void nor_does_the_next_one_slip_past_that(void **state)
{
    struct sitting s = { 0 };
    struct sitter waited[SITTING_WAITERS];
    size_t count;

    (void)state;
    (void)ask(&s, 1, noon_us);
    for (uint32_t i = 1; i < SITTING_A_MINUTE; i++) {
        (void)sitting_show(&s, waited, &count);
        assert_int_equal(ask(&s, i, noon_us), SITTING_NEXT);
        assert_true(sitting_end(&s, waited, &count, noon_us));
    }
    (void)sitting_show(&s, waited, &count);
    assert_int_equal(ask(&s, 99, noon_us), SITTING_TOO_OFTEN);
    assert_false(sitting_end(&s, waited, &count, noon_us));
}

static void no_more_wait_than_there_are_places(void **state)
{
    struct sitting s = { 0 };

    (void)state;
    for (uint32_t i = 0; i < SITTING_WAITERS; i++)
        assert_int_equal(ask(&s, i, noon_us), i == 0 ? SITTING_BEGINS : SITTING_JOINS);
    assert_int_equal(ask(&s, 99, noon_us), SITTING_CROWDED);
    assert_int_equal(is_taken(&s, noon_us), SITTING_WAITERS);
}

static void whoever_never_came_back_stands_in_nobodys_way(void **state)
{
    struct sitting s = { 0 };

    (void)state;
    (void)ask(&s, 7, noon_us);
    assert_int_equal(ask(&s, 8, noon_us + SITTING_MOST_US), SITTING_JOINS);
    assert_int_equal(ask(&s, 9, noon_us + SITTING_MOST_US + 1), SITTING_BEGINS);
    assert_int_equal(is_taken(&s, noon_us + SITTING_MOST_US + 1), 1); /* the others gave up long ago */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_begins_and_the_second_gets_the_same),
        cmocka_unit_test(who_asks_during_a_triggers_picture_gets_that_one),
        cmocka_unit_test(a_trigger_during_somebodys_picture_takes_none_but_has_it_kept),
        cmocka_unit_test(a_picture_is_kept_when_one_of_those_who_asked_wants_it),
        cmocka_unit_test(who_comes_when_it_was_shown_gets_the_next),
        cmocka_unit_test(who_waits_for_a_picture_that_fails_hears_of_it),
        cmocka_unit_test(no_more_than_some_begin_within_a_minute),
        cmocka_unit_test(nor_does_the_next_one_slip_past_that),
        cmocka_unit_test(no_more_wait_than_there_are_places),
        cmocka_unit_test(whoever_never_came_back_stands_in_nobodys_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
