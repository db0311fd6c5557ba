/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sense/log/claims.h"

static const int64_t second_us = 1000000;
static const int64_t begin_us = (int64_t)1196879280 * 1000000;

static int set_up(void **state)
{
    struct err e;

    *state = claims_new(64, 1, &e);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    claims_free(*state);
    return 0;
}

/* `count` lines of a host, one a second, its clock `off_s` ahead; how often a clock was told. */
static int lines(struct claims *c, const char *host, int from, int count, int64_t off_s, bool zoned,
                 struct claims_told *last)
{
    int told = 0;

    for (int i = from; i < from + count; i++) {
        struct claims_told now;
        struct log_line l = { .host = slice_text(host), .source = 7, .zoned = zoned };

        l.at_us = l.near_us = begin_us + i * second_us;
        l.stamp_us = l.at_us + off_s * second_us;
        if (claims_see(c, &l, &now) && now.clock) {
            *last = now;
            told++;
        }
    }
    return told;
}

static void a_clock_that_is_ahead_is_told_once(void **state)
{
    struct claims_told t = { 0 };

    assert_int_equal(lines(*state, "fast", 0, 200, 420, true, &t), 1);
    assert_int_equal(t.offset_us / second_us, 420);
    assert_string_equal(t.clock_of, "fast");
}

static void a_clock_that_jumps_back_and_forth_is_told_each_time(void **state)
{
    struct claims_told t = { 0 };

    assert_int_equal(lines(*state, "fw02", 0, 100, 0, true, &t), 0);
    assert_int_equal(lines(*state, "fw02", 100, 1800, -3600, true, &t), 1);
    assert_int_equal(t.offset_us / second_us, -3600);
    assert_int_equal(lines(*state, "fw02", 1900, 100, 0, true, &t), 1);
    assert_int_equal(t.offset_us, 0);
}

static void a_zone_is_no_fault(void **state)
{
    struct claims_told t;

    assert_int_equal(lines(*state, "madrid", 0, 100, 3600, false, &t), 0);
    assert_int_equal(lines(*state, "india", 0, 100, 19800, false, &t), 0);
    assert_int_equal(lines(*state, "exact", 0, 100, 3600, true, &t), 1);
}

static void old_lines_sent_again_are_no_jump(void **state)
{
    struct claims_told t;
    int told = 0;

    for (int i = 0; i < 300; i++)
        told += lines(*state, "late", i, 1, -10000 + 60 * i, true, &t);
    assert_int_equal(told, 0);
}

static void a_second_name_of_a_source_is_told_once(void **state)
{
    struct log_line l = { .source = 9 };
    struct claims_told t;

    l.host = SLICE("web1");
    assert_false(claims_see(*state, &l, &t));
    l.host = SLICE("web2");
    assert_true(claims_see(*state, &l, &t) && t.name);
    assert_string_equal(t.host, "web2");
    assert_string_equal(t.host_before, "web1");
    l.host = SLICE("web3");
    assert_false(claims_see(*state, &l, &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_clock_that_is_ahead_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_back_and_forth_is_told_each_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zone_is_no_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_lines_sent_again_are_no_jump, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_name_of_a_source_is_told_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
