/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void a_text_gains_context_as_it_rises(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(err_set(&e, EADDRINUSE, "bind"), -1);
    assert_int_equal(err_wrap(&e, "%s port %d", "192.0.2.1", 25), -1);
    assert_int_equal(err_wrap(&e, "gate"), -1);
    assert_string_equal(e.text, "gate: 192.0.2.1 port 25: bind: Address already in use");
    assert_int_equal(e.code, EADDRINUSE);
}

static void words_of_our_own_need_no_errno(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(err_set(&e, 0, "no key %s", "lisen"), -1);
    assert_string_equal(e.text, "no key lisen");
    assert_int_equal(e.code, 0);
}

static void an_unknown_errno_is_not_the_end(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(err_set(&e, 99999, "ioctl"), -1);
    assert_string_equal(e.text, "ioctl: error 99999");
}

static void who_does_not_want_to_know_passes_null(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, EIO, "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void a_long_story_is_cut_and_still_ends(void **state)
{
    struct err e;
    char long_text[2000];

    (void)state;
    memset(long_text, 'a', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    (void)err_set(&e, EIO, "%s", long_text);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    for (int i = 0; i < 100; i++)
        (void)err_wrap(&e, "deeper %d", i);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    assert_int_equal(strncmp(e.text, "deeper 99: deeper 98: ", 22), 0);
}

static void the_text_may_be_wrapped_with_itself(void **state)
{
    struct err e;

    (void)state;
    (void)err_set(&e, 0, "inner");
    (void)err_wrap(&e, "%s again", e.text);
    assert_string_equal(e.text, "inner again: inner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_gains_context_as_it_rises),   cmocka_unit_test(words_of_our_own_need_no_errno),
        cmocka_unit_test(an_unknown_errno_is_not_the_end),    cmocka_unit_test(who_does_not_want_to_know_passes_null),
        cmocka_unit_test(a_long_story_is_cut_and_still_ends), cmocka_unit_test(the_text_may_be_wrapped_with_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
