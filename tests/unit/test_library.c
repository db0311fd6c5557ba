/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Libraries that are opened when they are wanted: all of their functions, or a message that says what to install. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sys/library.h"

static double (*cube_root)(double);
static double (*nothing)(double);
static const struct library_call both[] = { { "cbrt", &cube_root }, { "no_such_function", &nothing } };

static void its_functions_can_be_called(void **state)
{
    const struct library l = { "libm.so.6", "libc6", "numbers want libm" };
    struct err e;

    (void)state;
    assert_int_equal(library_open(&l, both, 1, &e), 0);
    assert_true(cube_root(27) > 2.99 && cube_root(27) < 3.01);
    assert_int_equal(library_open(&l, both, 1, &e), 0); /* again is fine */
}

static void one_that_is_missing_is_named_and_none_can_be_called(void **state)
{
    const struct library l = { "libm.so.6", "libc6", "numbers want libm" };
    struct err e;

    (void)state;
    assert_int_equal(library_open(&l, both, 2, &e), -1);
    assert_string_equal(e.text, "numbers want libm (apt install libc6): this libm.so.6 has no no_such_function");
    assert_null(cube_root);
    assert_null(nothing);
}

static void who_has_it_not_hears_what_to_install(void **state)
{
    const struct library l = { "libnosuchlibrary.so.1", "libnosuchlibrary1", "dreams want libnosuchlibrary" };
    struct err e;

    (void)state;
    assert_int_equal(library_open(&l, both, 1, &e), -1);
    assert_ptr_equal(strstr(e.text, "dreams want libnosuchlibrary (apt install libnosuchlibrary1): "), e.text);
    assert_non_null(strstr(e.text, "cannot open shared object file"));
    assert_null(cube_root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_functions_can_be_called),
        cmocka_unit_test(one_that_is_missing_is_named_and_none_can_be_called),
        cmocka_unit_test(who_has_it_not_hears_what_to_install),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
