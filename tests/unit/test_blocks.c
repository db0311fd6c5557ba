/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/blocks.h"

static const int64_t hour_us = 3600000000;

static struct addr host(uint32_t n)
{
    return addr_v4(0x0a010000 + n, 0);
}

/* A wall clock that goes as the boot clock does. */
static struct instant at(int64_t us)
{
    return (struct instant){ .wall_us = us, .boot_us = us };
}

static struct event blocked(uint32_t n, uint64_t seq, int64_t at_us, int64_t until_us)
{
    struct event ev = event_new(EV_ACT_BLOCKED);

    ev.seq = seq;
    ev.cause = seq - 1;
    ev.at_us = at_us;
    ev.src = host(n);
    event_add_number(&ev, F_UNTIL, (uint64_t)until_us);
    event_add_words(&ev, F_RULE, "worm");
    return ev;
}

static struct blocks *with_one(int64_t until_us)
{
    struct blocks *b = blocks_new(4, 1, NULL);
    struct event ev = blocked(1, 812, 1000, until_us);

    assert_non_null(b);
    assert_true(blocks_fold(b, &ev, at(2000)));
    return b;
}

static void a_block_from_the_journal_stands_with_its_remaining_time(void **state)
{
    struct blocks *b = with_one(hour_us);
    const struct block *x = blocks_find(b, host(1));

    (void)state;
    assert_non_null(x);
    assert_int_equal(x->state, BLOCK_STANDS);
    assert_int_equal(x->seq, 812);
    assert_int_equal(x->cause, 811);
    assert_int_equal(x->since_us, 1000);
    assert_int_equal(x->until_us, hour_us);
    assert_string_equal(x->rule, "worm");
    blocks_free(b);
}

static void a_block_that_is_over_is_not_brought_back(void **state)
{
    struct blocks *b = with_one(1999);

    (void)state;
    assert_null(blocks_find(b, host(1)));
    blocks_free(b);
}

static void what_was_lifted_stays_lifted(void **state)
{
    struct blocks *b = with_one(hour_us);
    struct event ev = event_new(EV_ACT_UNBLOCKED);

    (void)state;
    ev.src = host(1);
    assert_true(blocks_fold(b, &ev, at(3000)));
    assert_null(blocks_find(b, host(1)));
    blocks_free(b);
}

static void a_checkpoint_forgets_and_repeats_with_the_first_origin(void **state)
{
    struct blocks *b = with_one(hour_us);
    struct event mark = event_new(EV_JOURNAL_CHECKPOINT);
    struct event kept = event_new(EV_ACT_BLOCK_KEPT);

    (void)state;
    assert_true(blocks_fold(b, &mark, at(3000)));
    assert_null(blocks_find(b, host(1)));
    kept.seq = 900;
    kept.cause = 899;
    kept.src = host(1);
    event_add_number(&kept, F_UNTIL, (uint64_t)hour_us);
    event_add_number(&kept, F_SINCE, 1000);
    event_add_number(&kept, F_ORIGIN, 812);
    assert_true(blocks_fold(b, &kept, at(3000)));
    assert_int_equal(blocks_find(b, host(1))->seq, 812);
    assert_int_equal(blocks_find(b, host(1))->since_us, 1000);
    blocks_free(b);
}

static void other_events_say_nothing_about_blocks(void **state)
{
    struct blocks *b = blocks_new(4, 1, NULL);
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);

    (void)state;
    ev.src = host(1);
    assert_false(blocks_fold(b, &ev, at(0)));
    assert_null(blocks_find(b, host(1)));
    blocks_free(b);
}

static void a_full_table_of_blocked_hosts_takes_no_other(void **state)
{
    struct blocks *b = blocks_new(2, 1, NULL);

    (void)state;
    blocks_add(b, host(1))->state = BLOCK_STANDS;
    blocks_add(b, host(2))->state = BLOCK_STANDS;
    assert_null(blocks_add(b, host(3)));
    assert_int_equal(blocks_count(b, BLOCK_STANDS), 2);
    blocks_free(b);
}

static void a_host_that_only_would_be_blocked_makes_room(void **state)
{
    struct blocks *b = blocks_new(2, 1, NULL);

    (void)state;
    blocks_add(b, host(1))->state = BLOCK_PRETEND;
    blocks_add(b, host(2))->state = BLOCK_STANDS;
    assert_non_null(blocks_add(b, host(3)));
    assert_null(blocks_find(b, host(1)));
    blocks_free(b);
}

static void a_host_is_there_once(void **state)
{
    struct blocks *b = blocks_new(2, 1, NULL);

    (void)state;
    assert_non_null(blocks_add(b, host(1)));
    assert_null(blocks_add(b, host(1)));
    blocks_free(b);
}

static void count_over(void *ctx, const struct block *x)
{
    (void)x;
    ++*(int *)ctx;
}

static void blocks_end_when_their_time_is_over_and_not_before(void **state)
{
    struct blocks *b = with_one(5000);
    int over = 0;

    (void)state;
    blocks_expire(b, 4999, count_over, &over);
    assert_int_equal(over, 0);
    blocks_expire(b, 5000, count_over, &over);
    assert_int_equal(over, 1);
    assert_null(blocks_find(b, host(1)));
    blocks_free(b);
}

static void a_wall_clock_that_jumps_ends_no_block_and_keeps_none(void **state)
{
    struct instant then = { .wall_us = 1000 * hour_us, .boot_us = hour_us };
    struct instant ahead = { .wall_us = 9000 * hour_us, .boot_us = hour_us + 1 };
    struct instant back = { .wall_us = 0, .boot_us = 2 * hour_us };
    struct blocks *b = blocks_new(4, 1, NULL);
    struct block *x = blocks_add(b, host(1));
    int over = 0;

    (void)state;
    x->state = BLOCK_STANDS;
    block_time(x, then, hour_us);
    blocks_expire(b, ahead.boot_us, count_over, &over);
    assert_int_equal(over, 0);
    blocks_tell_ends(b, ahead);
    assert_int_equal(x->until_us, ahead.wall_us + hour_us - 1);
    assert_int_equal(x->since_us, then.wall_us);
    blocks_expire(b, back.boot_us - 1, count_over, &over);
    assert_int_equal(over, 0);
    blocks_expire(b, back.boot_us, count_over, &over);
    assert_int_equal(over, 1);
    blocks_free(b);
}

static void after_a_boot_the_journals_time_is_what_is_left(void **state)
{
    struct instant booted = { .wall_us = hour_us / 2, .boot_us = 5000000 };
    struct blocks *b = blocks_new(4, 1, NULL);
    struct event ev = blocked(1, 812, 1000, hour_us);

    (void)state;
    assert_true(blocks_fold(b, &ev, booted));
    assert_int_equal(blocks_find(b, host(1))->over_us, 5000000 + hour_us / 2);
    blocks_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_from_the_journal_stands_with_its_remaining_time),
        cmocka_unit_test(a_block_that_is_over_is_not_brought_back),
        cmocka_unit_test(what_was_lifted_stays_lifted),
        cmocka_unit_test(a_checkpoint_forgets_and_repeats_with_the_first_origin),
        cmocka_unit_test(other_events_say_nothing_about_blocks),
        cmocka_unit_test(a_full_table_of_blocked_hosts_takes_no_other),
        cmocka_unit_test(a_host_that_only_would_be_blocked_makes_room),
        cmocka_unit_test(a_host_is_there_once),
        cmocka_unit_test(blocks_end_when_their_time_is_over_and_not_before),
        cmocka_unit_test(a_wall_clock_that_jumps_ends_no_block_and_keeps_none),
        cmocka_unit_test(after_a_boot_the_journals_time_is_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
