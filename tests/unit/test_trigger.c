/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "sense/watch/condition.h"
#include "sense/watch/trigger.h"

enum { SECOND = 1000000 };

static struct values values;

static enum truth judged(const char *text, int64_t mono_us)
{
    struct err e = { 0 };
    struct condition *c = condition_read(slice_text(text), &e);
    enum truth t;

    if (!c)
        fail_msg("%s: %s", text, e.text);
    t = condition_judge(c, &values, mono_us, NULL);
    condition_free(c);
    return t;
}

static void refused(const char *text, const char *words)
{
    struct err e = { 0 };

    assert_null(condition_read(slice_text(text), &e));
    if (!strstr(e.text, words))
        fail_msg("\"%s\" instead of \"%s\"", e.text, words);
}

static void numbers_have_the_units_that_people_write(void **state)
{
    (void)state;
    values_forget(&values);
    values_set(&values, "disk.latency", 2.5);
    values_set(&values, "mem.available_bytes", 3 * 1048576);
    assert_int_equal(judged("disk.latency > 2s", 0), TRUTH_YES);
    assert_int_equal(judged("disk.latency > 2600ms", 0), TRUTH_NO);
    assert_int_equal(judged("disk.latency >= 2.5", 0), TRUTH_YES);
    assert_int_equal(judged("disk.latency < 1min and disk.latency != 0", 0), TRUTH_YES);
    assert_int_equal(judged("mem.available_bytes == 3MiB", 0), TRUTH_YES);
    assert_int_equal(judged("disk.latency > -1", 0), TRUTH_YES);
}

static void and_binds_closer_than_or_and_not_closest(void **state)
{
    (void)state;
    values_forget(&values);
    values_set(&values, "a", 1);
    values_set(&values, "b", 0);
    assert_int_equal(judged("a or b and b", 0), TRUTH_YES);
    assert_int_equal(judged("(a or b) and b", 0), TRUTH_NO);
    assert_int_equal(judged("not b and a", 0), TRUTH_YES);
    assert_int_equal(judged("not (a and b)", 0), TRUTH_YES);
}

static void what_is_not_known_is_neither_true_nor_false(void **state)
{
    (void)state;
    values_forget(&values);
    values_set(&values, "a", 1);
    values_set(&values, "gone", (double)NAN);
    assert_int_equal(judged("gone > 1", 0), TRUTH_UNKNOWN);
    assert_int_equal(judged("never.seen > 1", 0), TRUTH_UNKNOWN);
    assert_int_equal(judged("not gone", 0), TRUTH_UNKNOWN);
    assert_int_equal(judged("a or gone", 0), TRUTH_YES);
    assert_int_equal(judged("gone and a < 1", 0), TRUTH_NO);
    assert_int_equal(judged("gone and a", 0), TRUTH_UNKNOWN);
}

static void a_star_stands_for_any_that_fits(void **state)
{
    (void)state;
    values_forget(&values);
    values_set(&values, "probe.web.up", 1);
    values_set(&values, "probe.mail.up", 0);
    values_set(&values, "probe.mail.s", 9);
    assert_int_equal(judged("probe.*.up == 0", 0), TRUTH_YES);
    assert_int_equal(judged("probe.*.up > 1", 0), TRUTH_NO);
    assert_int_equal(judged("probe.*.down > 1", 0), TRUTH_UNKNOWN);
    assert_int_equal(judged("*", 0), TRUTH_YES);
}

static void faults_are_named_with_their_place(void **state)
{
    (void)state;
    refused("", "the name of a value was expected, at letter 1");
    refused("a >", "a number was expected, at letter 4");
    refused("a > 2x", "there is no such unit");
    refused("a > 2s b", "this was not expected, at letter 8: \"b\"");
    refused("(a > 2", "a ) was expected");
    refused("a and", "the name of a value was expected");
    refused("a > 1 for -3s", "up to a year");
    refused("((((((((((((((((((((a))))))))))))))))))))", "too deep");
    refused("a\033[2J", "\\x1b[2J");
}

static void a_time_runs_only_while_it_is_so(void **state)
{
    struct err e;
    struct condition *c = condition_read(SLICE("x > 2 for 3s"), &e);
    struct reason why;

    (void)state;
    values_forget(&values);
    values_set(&values, "x", 3);
    assert_int_equal(condition_judge(c, &values, 10 * SECOND, NULL), TRUTH_NO);
    assert_int_equal(condition_judge(c, &values, 12 * SECOND, NULL), TRUTH_NO);
    values_set(&values, "x", 1);
    assert_int_equal(condition_judge(c, &values, 13 * SECOND, NULL), TRUTH_NO);
    values_set(&values, "x", 4);
    assert_int_equal(condition_judge(c, &values, 14 * SECOND, NULL), TRUTH_NO);
    values_set(&values, "x", (double)NAN); /* not known: it neither ends */
    assert_int_equal(condition_judge(c, &values, 15 * SECOND, NULL), TRUTH_UNKNOWN);
    values_set(&values, "x", 5);
    assert_int_equal(condition_judge(c, &values, 17 * SECOND, &why), TRUTH_YES);
    assert_string_equal(why.name, "x");
    assert_string_equal(why.words, "x is 5 (> 2)");
    assert_int_equal(why.since_us, 14 * SECOND);
    condition_free(c);
}

/* ---- triggers ---- */

static struct trigger *trigger_of(const char *when, const char *needs, const char *clear, int64_t calm_us,
                                  int64_t again_us)
{
    struct watch_trigger row = { .calm_us = calm_us, .again_us = again_us };
    struct err e;
    struct trigger *t;

    strcpy(row.when, when);
    strcpy(row.needs, needs);
    strcpy(row.clear, clear);
    t = trigger_new(&row, &e);
    if (!t)
        fail_msg("%s", e.text);
    return t;
}

static enum trigger_news at(struct trigger *t, int64_t second, const char *name, double number)
{
    values_set(&values, name, number);
    return trigger_judge(t, &values, second * SECOND)->news;
}

static void it_tells_when_it_began_and_how_long_it_lasted(void **state)
{
    struct trigger *t = trigger_of("x > 2 for 2s", "", "", 3 * SECOND, 0);

    (void)state;
    values_forget(&values);
    assert_int_equal(at(t, 10, "x", 3), TRIGGER_SAME);
    assert_int_equal(at(t, 12, "x", 3), TRIGGER_FIRED);
    assert_int_equal(trigger_state(t)->since_us, 10 * SECOND);
    assert_int_equal(at(t, 13, "x", 1), TRIGGER_SAME);
    assert_int_equal(at(t, 14, "x", 3), TRIGGER_SAME); /* not calm for long enough */
    assert_int_equal(at(t, 20, "x", 1), TRIGGER_SAME);
    assert_int_equal(at(t, 22, "x", 1), TRIGGER_SAME);
    assert_int_equal(at(t, 23, "x", 1), TRIGGER_OVER);
    assert_int_equal(trigger_state(t)->span_us, 10 * SECOND); /* from 10 to 20 */
    trigger_free(t);
}

static void flapping_is_one_firing_and_acts_have_their_pause(void **state)
{
    struct trigger *t = trigger_of("x > 2", "", "", 1 * SECOND, 60 * SECOND);

    (void)state;
    values_forget(&values);
    assert_int_equal(at(t, 10, "x", 3), TRIGGER_FIRED);
    assert_true(trigger_state(t)->acts);
    assert_int_equal(at(t, 11, "x", 1), TRIGGER_SAME);
    assert_int_equal(at(t, 12, "x", 1), TRIGGER_OVER);
    assert_int_equal(at(t, 20, "x", 3), TRIGGER_FIRED);
    assert_false(trigger_state(t)->acts);
    assert_int_equal(at(t, 21, "x", 1), TRIGGER_SAME);
    assert_int_equal(at(t, 22, "x", 1), TRIGGER_OVER);
    assert_int_equal(at(t, 70, "x", 3), TRIGGER_FIRED);
    assert_true(trigger_state(t)->acts);
    trigger_free(t);
}

static void a_line_of_its_own_ends_it(void **state)
{
    struct trigger *t = trigger_of("used > 95", "", "used < 90", 0, 0);

    (void)state;
    values_forget(&values);
    assert_int_equal(at(t, 1, "used", 96), TRIGGER_FIRED);
    assert_int_equal(at(t, 2, "used", 93), TRIGGER_SAME);
    assert_int_equal(at(t, 3, "used", 96), TRIGGER_SAME);
    assert_int_equal(at(t, 4, "used", 89), TRIGGER_OVER);
    trigger_free(t);
}

static void a_dead_host_silences_its_services(void **state)
{
    struct trigger *t = trigger_of("web == 0 for 2s", "router", "", 0, 0);

    (void)state;
    values_forget(&values);
    values_set(&values, "router", 0);
    assert_int_equal(at(t, 1, "web", 0), TRIGGER_SAME);
    assert_int_equal(at(t, 9, "web", 0), TRIGGER_SAME);
    values_set(&values, "router", 1);
    assert_int_equal(at(t, 10, "web", 0), TRIGGER_SAME); /* its time begins now */
    assert_int_equal(at(t, 12, "web", 0), TRIGGER_FIRED);
    trigger_free(t);
}

static void what_is_not_known_ends_nothing(void **state)
{
    struct trigger *t = trigger_of("x > 2", "", "", 0, 0);

    (void)state;
    values_forget(&values);
    assert_int_equal(at(t, 1, "x", 3), TRIGGER_FIRED);
    assert_int_equal(at(t, 2, "x", (double)NAN), TRIGGER_SAME);
    assert_true(trigger_state(t)->active);
    assert_int_equal(at(t, 3, "x", 0), TRIGGER_OVER);
    trigger_free(t);
}

static void what_was_never_known_keeps_nothing_alive(void **state)
{
    struct trigger *t = trigger_of("disk.latency > 1 or x > 2", "", "", 0, 0);

    (void)state;
    values_forget(&values);
    values_set(&values, "disk.latency", (double)NAN); /* disks are not read here */
    assert_int_equal(at(t, 1, "x", 3), TRIGGER_FIRED);
    assert_int_equal(at(t, 2, "x", 1), TRIGGER_OVER);
    trigger_free(t);
    t = trigger_of("not probe.web.up", "", "", 0, 0);
    assert_int_equal(at(t, 1, "x", 3), TRIGGER_SAME); /* it has not answered yet: that is not "down" */
    trigger_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_units_that_people_write),
        cmocka_unit_test(and_binds_closer_than_or_and_not_closest),
        cmocka_unit_test(what_is_not_known_is_neither_true_nor_false),
        cmocka_unit_test(a_star_stands_for_any_that_fits),
        cmocka_unit_test(faults_are_named_with_their_place),
        cmocka_unit_test(a_time_runs_only_while_it_is_so),
        cmocka_unit_test(it_tells_when_it_began_and_how_long_it_lasted),
        cmocka_unit_test(flapping_is_one_firing_and_acts_have_their_pause),
        cmocka_unit_test(a_line_of_its_own_ends_it),
        cmocka_unit_test(a_dead_host_silences_its_services),
        cmocka_unit_test(what_is_not_known_ends_nothing),
        cmocka_unit_test(what_was_never_known_keeps_nothing_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
