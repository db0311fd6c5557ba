/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rate.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };

static void what_happened_within_the_window_counts(void **state)
{
    struct rate_window w = { 0 };
    int64_t now = 1795372083123456;

    (void)state;
    for (uint64_t i = 1; i <= 31; i++)
        assert_true(rate_add(&w, MINUTE, now + (int64_t)i * SECOND, 1) == i);
    assert_true(rate_count(&w, MINUTE, now + 31 * SECOND) == 31);
    assert_true(rate_count(&w, MINUTE, now + 1000 * SECOND) == 0);
    assert_true(rate_count(&w, MINUTE, now + 31 * SECOND) == 31); /* asking changes nothing */
}

static void nothing_older_than_the_window_is_ever_counted(void **state)
{
    (void)state;
    for (int64_t offset = 0; offset < 2 * MINUTE; offset += 777777) {
        struct rate_window w = { 0 };

        (void)rate_add(&w, MINUTE, offset, 5);
        assert_true(rate_count(&w, MINUTE, offset + MINUTE) == 0);
        assert_true(rate_count(&w, MINUTE, offset + MINUTE * 7 / 8 - 1) == 5);
    }
}

static void a_count_stops_at_its_largest(void **state)
{
    struct rate_window w = { 0 };

    (void)state;
    (void)rate_add(&w, MINUTE, 1, UINT32_MAX);
    assert_true(rate_add(&w, MINUTE, 1, 7) == UINT32_MAX);
}

static void a_clock_that_jumps_breaks_nothing(void **state)
{
    struct rate_window w = { 0 };

    (void)state;
    assert_true(rate_add(&w, MINUTE, INT64_MAX, 1) == 1);
    assert_true(rate_add(&w, MINUTE, INT64_MIN, 1) == 2); /* as of the newest time seen */
    assert_true(rate_add(&w, MINUTE, 0, 1) == 3);
    memset(&w, 0, sizeof(w));
    assert_true(rate_add(&w, MINUTE, INT64_MIN, 1) == 1);
    assert_true(rate_add(&w, 1, 5, 1) > 0); /* a window too small for eight parts */
}

static void a_burst_passes_and_then_one_each_while(void **state)
{
    struct rate_bucket b = { 0 };
    int64_t now = 5 * SECOND;

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(rate_take(&b, 10, SECOND, now));
    assert_false(rate_take(&b, 10, SECOND, now));
    assert_false(rate_take(&b, 10, SECOND, now + SECOND - 1));
    assert_true(rate_take(&b, 10, SECOND, now + SECOND));
    assert_false(rate_take(&b, 10, SECOND, now + SECOND));
    for (int i = 0; i < 10; i++)
        assert_true(rate_take(&b, 10, SECOND, now + 100 * SECOND));
    assert_false(rate_take(&b, 10, SECOND, now + 100 * SECOND));
}

static void a_bucket_of_none_gives_none(void **state)
{
    struct rate_bucket b = { 0 };

    (void)state;
    assert_false(rate_take(&b, 0, SECOND, 1));
    assert_true(rate_take(&b, 1, SECOND, 1));
    assert_false(rate_take(&b, 1, SECOND, 2));
}

static void the_end_of_time_overflows_nothing(void **state)
{
    struct rate_bucket b = { 0 };

    (void)state;
    assert_true(rate_take(&b, 3, SECOND, INT64_MAX));
    assert_false(rate_take(&b, 3, SECOND, INT64_MIN));
    assert_true(b.full_at_us == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_within_the_window_counts),
        cmocka_unit_test(nothing_older_than_the_window_is_ever_counted),
        cmocka_unit_test(a_count_stops_at_its_largest),
        cmocka_unit_test(a_clock_that_jumps_breaks_nothing),
        cmocka_unit_test(a_burst_passes_and_then_one_each_while),
        cmocka_unit_test(a_bucket_of_none_gives_none),
        cmocka_unit_test(the_end_of_time_overflows_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
