/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "view/when.h"

#define SECOND 1000000LL
/* 2026-11-22T18:28:03.5Z */
#define NOW    (1795372083LL * SECOND + 500000)

static void in_zone(const char *zone)
{
    (void)setenv("TZ", zone, 1);
    tzset();
}

static int64_t reads(const char *typed)
{
    int64_t at_us = -1;

    assert_true(when_read(slice_text(typed), NOW, &at_us));
    return at_us;
}

static void is_no_time(const char *typed)
{
    int64_t at_us = 4711;

    if (when_read(slice_text(typed), NOW, &at_us))
        fail_msg("%s was read as a time", typed);
    assert_int_equal(at_us, 4711);
}

static void an_rfc3339_time_says_its_own_zone(void **state)
{
    (void)state;
    in_zone("EST5");
    assert_int_equal(reads("2026-11-22T18:28:03Z"), NOW - 500000);
    assert_int_equal(reads("2026-11-22T18:28:03.5Z"), NOW);
    assert_int_equal(reads("2026-11-22t18:28:03.500000999z"), NOW);
    assert_int_equal(reads("2026-11-22T20:28:03+02:00"), NOW - 500000);
    assert_int_equal(reads("2026-11-22T13:58:03-0430"), NOW - 500000);
}

static void a_time_without_a_zone_is_the_machines(void **state)
{
    (void)state;
    in_zone("EST5");
    assert_int_equal(reads("2026-11-22 13:28:03"), NOW - 500000);
    assert_int_equal(reads("2026-11-22T13:28"), NOW - 3500000);
    assert_int_equal(reads("13:28:03"), NOW - 500000);
    assert_int_equal(reads("13:28"), NOW - 3500000);
}

static void days_begin_at_local_midnight(void **state)
{
    (void)state;
    in_zone("EST5");
    assert_int_equal(reads("today"), reads("2026-11-22T05:00:00Z"));
    assert_int_equal(reads("2026-11-22"), reads("today"));
    assert_int_equal(reads("yesterday"), reads("today") - 86400 * SECOND);
    assert_int_equal(reads("now"), NOW);
}

static void yesterday_of_a_day_with_25_hours_is_a_day_and_an_hour_ago(void **state)
{
    int64_t at_us = 0;
    int64_t after_us = 1793026800LL * SECOND; /* 2026-10-26 in Central Europe: the clocks went back the night before */

    (void)state;
    in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(when_read(SLICE("today"), after_us + 1, &at_us));
    assert_int_equal(at_us, 1792969200LL * SECOND);
    assert_true(when_read(SLICE("yesterday"), after_us + 1, &at_us));
    assert_int_equal(at_us, (1792969200LL - 25 * 3600) * SECOND);
}

static void a_span_is_that_long_ago(void **state)
{
    (void)state;
    assert_int_equal(reads("30s"), NOW - 30 * SECOND);
    assert_int_equal(reads("1h30min"), NOW - 5400 * SECOND);
    assert_int_equal(reads(" 3d "), NOW - 3 * 86400 * SECOND);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    in_zone("UTC0");
    is_no_time("");
    is_no_time("soon");
    is_no_time("0s");
    is_no_time("24:00");
    is_no_time("12:60");
    is_no_time("1:30");
    is_no_time("2026-02-30");
    is_no_time("2026-13-01");
    is_no_time("2026-00-10");
    is_no_time("2026-11-22T");
    is_no_time("2026-11-22T18:28:03Zulu");
    is_no_time("2026-11-22T18:28:03.Z");
    is_no_time("2026-11-22T18:28:03+25:00");
    is_no_time("20000000000d");
}

static void times_of_today_need_no_date(void **state)
{
    (void)state;
    in_zone("UTC0");
    assert_string_equal(when_near(NOW, NOW).text, "18:28:03");
    assert_string_equal(when_near(NOW - 86400 * SECOND, NOW).text, "2026-11-21 18:28:03");
    assert_string_equal(when_clock(NOW).text, "18:28:03.500");
    assert_string_equal(when_full(NOW).text, "2026-11-22 18:28:03.500");
}

static void impossible_times_are_written_as_numbers(void **state)
{
    (void)state;
    assert_string_equal(when_full(INT64_MAX).text, "9223372036854775807 us");
    assert_string_equal(when_full(INT64_MIN).text, "-9223372036854775808 us");
    assert_string_equal(when_long(3).text, "less than a second");
    assert_string_equal(when_long(3720 * SECOND).text, "1 h 2 min");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_rfc3339_time_says_its_own_zone),
        cmocka_unit_test(a_time_without_a_zone_is_the_machines),
        cmocka_unit_test(days_begin_at_local_midnight),
        cmocka_unit_test(yesterday_of_a_day_with_25_hours_is_a_day_and_an_hour_ago),
        cmocka_unit_test(a_span_is_that_long_ago),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_of_today_need_no_date),
        cmocka_unit_test(impossible_times_are_written_as_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
