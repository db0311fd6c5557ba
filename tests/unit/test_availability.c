/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a service was there, from events alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "view/availability.h"

#define SECOND 1000000LL
#define DAY    (86400 * SECOND)
#define NOON   (1763640000 * SECOND) /* 2025-11-20 12:00 UTC */
static struct availability *a;

static int begin(void **state)
{
    struct err e;

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    a = availability_new(NOON, NOON + 1000 * SECOND, &e);
    return a ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    availability_free(a);
    return 0;
}

/* In seconds behind noon; since -1: none. */
static void happens(enum event_kind kind, int64_t at, const char *name, int64_t since, int64_t span)
{
    struct event ev = event_new(kind);

    ev.at_us = NOON + at * SECOND;
    if (name)
        event_add_words(&ev, F_NAME, name);
    if (since > INT64_MIN)
        event_add_number(&ev, F_SINCE, (uint64_t)(NOON + since * SECOND));
    if (span > 0)
        event_add_number(&ev, F_SPAN, (uint64_t)(span * SECOND));
    event_add_words(&ev, F_WHY, "no answer");
    availability_take(a, &ev);
}

static void is(int64_t up, int64_t down, int64_t unknown)
{
    assert_true(a->count > 0);
    assert_int_equal(a->at[0]->all.up_us / SECOND, up);
    assert_int_equal(a->at[0]->all.down_us / SECOND, down);
    assert_int_equal(a->at[0]->all.unknown_us / SECOND, unknown);
}

static void a_loss_counts_from_its_first_missed_probe_to_the_first_good_one(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICE_LOST, 102, "web", 100, 0);
    happens(EV_WATCH_SERVICE_BACK, 151, "web", 150, 50);
    availability_end(a, true);
    is(950, 50, 0);
    assert_int_equal(a->at[0]->losses_count, 1);
    assert_true(a->at[0]->losses[0].since_us == NOON + 100 * SECOND);
    assert_true(a->at[0]->losses[0].until_us == NOON + 150 * SECOND);
    assert_string_equal(a->at[0]->losses[0].why, "no answer");
}

static void what_was_down_before_is_still_down_at_the_beginning(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, -900, "web", -900, 0);
    happens(EV_WATCH_SERVICE_LOST, -500, "web", -500, 0);
    happens(EV_WATCH_SERVICE_BACK, 10, "web", 10, 510);
    availability_end(a, true);
    is(990, 10, 0);
}

static void what_was_over_before_is_not_told(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, -900, "web", -900, 0);
    happens(EV_WATCH_SERVICE_LOST, -500, "web", -500, 0);
    happens(EV_WATCH_SERVICE_BACK, -400, "web", -400, 100);
    availability_end(a, true);
    is(1000, 0, 0);
    assert_int_equal(a->at[0]->losses_count, 0);
}

static void while_nobody_looks_nothing_is_known(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_SERVIOLA_STOPPED, 200, NULL, INT64_MIN, 0);
    happens(EV_SERVIOLA_STARTED, 500, NULL, INT64_MIN, 0);
    happens(EV_WATCH_SERVICE_SEEN, 501, "web", 501, 0);
    availability_end(a, true);
    is(699, 0, 301);
}

static void who_was_killed_knew_nothing_after_his_last_word(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICE_LOST, 52, "web", 50, 0);
    happens(EV_WATCH_SERVICES_STAND, 100, NULL, INT64_MIN, 0);
    happens(EV_SERVIOLA_STARTED, 500, NULL, INT64_MIN, 0);
    happens(EV_WATCH_SERVICE_SEEN, 501, "web", 501, 0);
    availability_end(a, true);
    is(549, 50, 401);
    assert_true(a->at[0]->losses[0].unsure);
}

/* The hand is there before serviola says that it runs: its beginning says nothing of what was before. */
static void what_begins_anew_was_not_there_before(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICES_STAND, 100, NULL, INT64_MIN, 0);
    happens(EV_ROLE_STARTED, 499, "hand", INT64_MIN, 0);
    happens(EV_ROLE_DIED, 499, "hand", INT64_MIN, 0);
    happens(EV_SERVIOLA_STARTED, 500, NULL, INT64_MIN, 0);
    happens(EV_WATCH_SERVICE_SEEN, 501, "web", 501, 0);
    availability_end(a, true);
    is(599, 0, 401);
}

static void a_loss_that_lasts_over_a_restart_is_one_loss(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICE_LOST, 50, "web", 50, 0);
    happens(EV_SERVIOLA_STOPPED, 100, NULL, INT64_MIN, 0);
    happens(EV_SERVIOLA_STARTED, 110, NULL, INT64_MIN, 0);
    happens(EV_WATCH_SERVICE_LOST, 112, "web", 111, 0);
    happens(EV_WATCH_SERVICE_BACK, 200, "web", 200, 89);
    availability_end(a, true);
    is(850, 139, 11);
    assert_int_equal(a->at[0]->losses_count, 1);
    assert_false(a->at[0]->losses[0].unsure);
}

static void when_it_does_not_run_the_newest_event_is_the_end_of_what_is_known(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICES_STAND, 600, NULL, INT64_MIN, 0);
    availability_end(a, false);
    is(600, 0, 400);
}

static void a_host_that_slept_knows_nothing_of_it(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_PROBES_PAUSED, 500, NULL, INT64_MIN, 100);
    availability_end(a, true);
    is(900, 0, 100);
}

static void short_losses_of_what_comes_and_goes_count_too(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICE_BLINKED, 104, "web", 100, 3);
    happens(EV_WATCH_SERVICE_BLINKED, 114, "web", 110, 3);
    availability_end(a, true);
    is(994, 6, 0);
    assert_int_equal(a->at[0]->losses_count, 2);
}

static void behind_a_dead_host_is_down_and_behind_our_own_network_is_not_known(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICE_HIDDEN, 102, "web", 100, 0);
    happens(EV_WATCH_SERVICE_SHOWN, 201, "web", 200, 100);
    happens(EV_WATCH_NETWORK_LOST, 301, NULL, 300, 0);
    happens(EV_WATCH_SERVICE_HIDDEN, 301, "web", 300, 0);
    happens(EV_WATCH_NETWORK_BACK, 350, NULL, 350, 50);
    happens(EV_WATCH_SERVICE_SHOWN, 351, "web", 350, 50);
    availability_end(a, true);
    is(850, 100, 50);
}

static void a_service_that_is_dropped_does_not_count_any_more(void **state)
{
    (void)state;
    happens(EV_WATCH_SERVICE_SEEN, 100, "web", 100, 0);
    happens(EV_WATCH_SERVICE_DROPPED, 300, "web", INT64_MIN, 0);
    availability_end(a, true);
    is(200, 0, 0);
}

static void days_are_those_of_the_calendar(void **state)
{
    struct err e;

    (void)state;
    availability_free(a);
    a = availability_new(NOON, NOON + 2 * DAY, &e);
    assert_non_null(a);
    assert_int_equal(a->parts_count, 3);
    happens(EV_WATCH_SERVICE_SEEN, 0, "web", 0, 0);
    happens(EV_WATCH_SERVICE_LOST, 12 * 3600 - 60, "web", 12 * 3600 - 60, 0);
    happens(EV_WATCH_SERVICE_BACK, 12 * 3600 + 60, "web", 12 * 3600 + 60, 120);
    availability_end(a, true);
    assert_int_equal(a->at[0]->parts[0].down_us / SECOND, 60);
    assert_int_equal(a->at[0]->parts[1].down_us / SECOND, 60);
    assert_int_equal(a->at[0]->parts[1].up_us / SECOND, 86400 - 60);
    assert_int_equal(a->at[0]->parts[2].up_us / SECOND, 43200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_loss_counts_from_its_first_missed_probe_to_the_first_good_one, begin, end),
        cmocka_unit_test_setup_teardown(what_was_down_before_is_still_down_at_the_beginning, begin, end),
        cmocka_unit_test_setup_teardown(what_was_over_before_is_not_told, begin, end),
        cmocka_unit_test_setup_teardown(while_nobody_looks_nothing_is_known, begin, end),
        cmocka_unit_test_setup_teardown(who_was_killed_knew_nothing_after_his_last_word, begin, end),
        cmocka_unit_test_setup_teardown(what_begins_anew_was_not_there_before, begin, end),
        cmocka_unit_test_setup_teardown(a_loss_that_lasts_over_a_restart_is_one_loss, begin, end),
        cmocka_unit_test_setup_teardown(when_it_does_not_run_the_newest_event_is_the_end_of_what_is_known, begin, end),
        cmocka_unit_test_setup_teardown(a_host_that_slept_knows_nothing_of_it, begin, end),
        cmocka_unit_test_setup_teardown(short_losses_of_what_comes_and_goes_count_too, begin, end),
        cmocka_unit_test_setup_teardown(behind_a_dead_host_is_down_and_behind_our_own_network_is_not_known, begin, end),
        cmocka_unit_test_setup_teardown(a_service_that_is_dropped_does_not_count_any_more, begin, end),
        cmocka_unit_test_setup_teardown(days_are_those_of_the_calendar, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
