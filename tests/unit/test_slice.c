/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

#define assert_slice(s, literal) assert_true(slice_eq((s), SLICE(literal)))

static void an_empty_slice_may_have_no_address(void **state)
{
    struct slice none = slice_text(NULL);
    struct slice after;

    (void)state;
    assert_true(slice_eq(none, SLICE("")));
    assert_true(slice_eq_nocase(none, none));
    assert_int_equal(slice_skip(none, 3).len, 0);
    assert_int_equal(slice_trim(none).len, 0);
    assert_int_equal(slice_until(none, ':', &after).len, 0);
    assert_int_equal(after.len, 0);
    assert_true(slice_starts_nocase(SLICE("x"), none));
}

static void case_is_ignored_for_ascii_letters_alone(void **state)
{
    (void)state;
    assert_true(slice_eq_nocase(SLICE("MaIl"), SLICE("mAiL")));
    assert_false(slice_eq_nocase(SLICE("MAIL\x00"), SLICE("mail@")));
    assert_false(slice_eq_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_eq_nocase(SLICE("\xc4"), SLICE("\xe4")));
    assert_false(slice_eq_nocase(SLICE("mail"), SLICE("mai")));
    assert_true(slice_starts_nocase(SLICE("rcpt to:"), SLICE("RCPT")));
    assert_false(slice_starts_nocase(SLICE("rc"), SLICE("RCPT")));
}

static void cutting_never_leaves_the_bytes(void **state)
{
    struct slice s = SLICE("abc");

    (void)state;
    assert_slice(slice_skip(s, 1), "bc");
    assert_int_equal(slice_skip(s, 99).len, 0);
    assert_ptr_equal(slice_skip(s, 99).at, s.at + 3);
    assert_slice(slice_first(s, 2), "ab");
    assert_slice(slice_first(s, SIZE_MAX), "abc");
}

static void blanks_leave_at_both_ends_and_stay_inside(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t a b\r\n")), "a b");
    assert_slice(slice_trim(SLICE(" \r\n\t")), "");
    assert_slice(slice_skip_blanks(SLICE(" \t\r a ")), "\r a ");
    assert_slice(slice_skip_blanks(SLICE("\t ")), "");
    assert_slice(slice_trim(SLICE("\0 x")), "\0 x");
}

static void a_stop_divides_and_belongs_to_neither_side(void **state)
{
    struct slice after;

    (void)state;
    assert_slice(slice_until(SLICE("a:b:c"), ':', &after), "a");
    assert_slice(after, "b:c");
    assert_slice(slice_until(SLICE("abc"), ':', &after), "abc");
    assert_slice(after, "");
    assert_slice(slice_until(SLICE("abc:"), ':', &after), "abc");
    assert_slice(after, "");
    assert_slice(slice_until(SLICE(":"), ':', &after), "");
}

static void the_rest_may_replace_its_own_source(void **state)
{
    struct slice rest = SLICE("a b");

    (void)state;
    assert_slice(slice_until(rest, ' ', &rest), "a");
    assert_slice(rest, "b");
}

static void numbers_are_digits_and_fit(void **state)
{
    uint64_t n = 7;

    (void)state;
    assert_true(slice_to_u64(SLICE("18446744073709551615"), &n));
    assert_true(n == UINT64_MAX);
    n = 7;
    assert_false(slice_to_u64(SLICE("18446744073709551616"), &n));
    assert_false(slice_to_u64(SLICE("99999999999999999999"), &n));
    assert_false(slice_to_u64(SLICE(""), &n));
    assert_false(slice_to_u64(SLICE("-1"), &n));
    assert_false(slice_to_u64(SLICE("+1"), &n));
    assert_false(slice_to_u64(SLICE("1 "), &n));
    assert_false(slice_to_u64(SLICE("0x1"), &n));
    assert_false(slice_to_u64(SLICE("1\x00"), &n));
    assert_true(n == 7);
    assert_true(slice_to_u64(SLICE("0000000000000000000000000012"), &n));
    assert_true(n == 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_slice_may_have_no_address),
        cmocka_unit_test(case_is_ignored_for_ascii_letters_alone),
        cmocka_unit_test(cutting_never_leaves_the_bytes),
        cmocka_unit_test(blanks_leave_at_both_ends_and_stay_inside),
        cmocka_unit_test(a_stop_divides_and_belongs_to_neither_side),
        cmocka_unit_test(the_rest_may_replace_its_own_source),
        cmocka_unit_test(numbers_are_digits_and_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
