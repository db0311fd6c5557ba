/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"

static char room[256];

static const char *visible(struct slice s)
{
    struct text t = TEXT_IN(room);

    text_visible(&t, s);
    return room;
}

static const char *json(struct slice s)
{
    struct text t = TEXT_IN(room);

    text_json(&t, s);
    return room;
}

static const char *duration(int64_t us)
{
    struct text t = TEXT_IN(room);

    text_duration(&t, us);
    return room;
}

static const char *at(int64_t us, int digits)
{
    struct text t = TEXT_IN(room);

    text_time(&t, us, digits);
    return room;
}

static void what_does_not_fit_is_cut_and_says_so(void **state)
{
    char small[6];
    struct text t = TEXT_IN(small);

    (void)state;
    text_word(&t, "abc");
    assert_false(t.cut);
    text_word(&t, "de");
    assert_false(t.cut);
    assert_string_equal(small, "abcde");
    text_word(&t, "f");
    assert_true(t.cut);
    assert_string_equal(small, "abcde");
    text_addf(&t, "%d", 7); /* nothing is added behind a cut, though it might fit elsewhere */
    assert_int_equal(t.len, 5);
}

static void a_buffer_of_one_byte_holds_the_end_alone(void **state)
{
    char one[1];
    struct text t = TEXT_IN(one);

    (void)state;
    text_word(&t, "");
    assert_false(t.cut);
    text_visible(&t, SLICE("x"));
    assert_true(t.cut);
    assert_string_equal(one, "");
}

static void a_formatted_text_is_cut_at_the_end(void **state)
{
    char small[6];
    struct text t = TEXT_IN(small);

    (void)state;
    text_addf(&t, "%d", 123456789);
    assert_true(t.cut);
    assert_string_equal(small, "12345");
}

static void an_escape_is_whole_or_not_there(void **state)
{
    for (size_t size = 1; size < 12; size++) {
        struct text t = text_in(room, size);

        text_visible(&t, SLICE("a\x01\x02"));
        assert_true(t.len == 0 || t.len == 1 || t.len == 5 || t.len == 9);
        assert_true(t.cut == (size < 10));
    }
    (void)state;
}

static void nothing_from_outside_moves_the_cursor(void **state)
{
    (void)state;
    assert_string_equal(visible(SLICE("\x1b[2J")), "\\x1b[2J");
    assert_string_equal(visible(SLICE("a\r\nb\tc\0d\x7f")), "a\\x0d\\x0ab\\x09c\\x00d\\x7f");
    assert_string_equal(visible(SLICE("\x9b"
                                      "2J")),
                        "\\x9b2J"); /* a C1 control as one byte */
    assert_string_equal(visible(SLICE("\xc2\x9b"
                                      "2J")),
                        "\\xc2\\x9b2J"); /* and as UTF-8 */
    assert_string_equal(visible(SLICE("\xe2\x80\xae"
                                      "gpj")),
                        "\\xe2\\x80\\xaegpj");                                       /* right-to-left override */
    assert_string_equal(visible(SLICE("\xe2\x80\xa8")), "\\xe2\\x80\\xa8");          /* line separator */
    assert_string_equal(visible(SLICE("\xd8\x9c")), "\\xd8\\x9c");                   /* Arabic letter mark */
    assert_string_equal(visible(SLICE("\xf3\xa0\x81\x81")), "\\xf3\\xa0\\x81\\x81"); /* tag characters hide text */
}

static void people_s_names_stay_readable(void **state)
{
    (void)state;
    assert_string_equal(visible(SLICE("Jos\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80")),
                        "Jos\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80");
    assert_string_equal(visible(SLICE("C:\\x")), "C:\\\\x"); /* an escape can't be forged */
}

static void broken_utf8_is_shown_byte_by_byte(void **state)
{
    (void)state;
    assert_string_equal(visible(SLICE("\xc3")), "\\xc3");
    assert_string_equal(visible(SLICE("\xc0\xaf")), "\\xc0\\xaf"); /* overlong */
    assert_string_equal(visible(SLICE("\xe0\x80\xaf")), "\\xe0\\x80\\xaf");
    assert_string_equal(visible(SLICE("\xed\xa0\x80")), "\\xed\\xa0\\x80");          /* a surrogate */
    assert_string_equal(visible(SLICE("\xf4\x90\x80\x80")), "\\xf4\\x90\\x80\\x80"); /* over U+10FFFF */
    assert_string_equal(visible(SLICE("\xff\x41")), "\\xffA");
}

static void an_8_bit_column_shows_what_is_printable(void **state)
{
    struct text t = TEXT_IN(room);

    (void)state;
    text_ascii(&t, SLICE("a\\b\xc3\xa9\n"));
    assert_string_equal(room, "a\\b\\xc3\\xa9\\x0a");
}

static void json_is_valid_whatever_came(void **state)
{
    (void)state;
    assert_string_equal(json(SLICE("a\"b\\c\n")), "a\\\"b\\\\c\\u000a");
    assert_string_equal(json(SLICE("\xff\xc3\xa9\x7f")), "\\u00ff\xc3\xa9\\u007f");
    assert_string_equal(json(SLICE("\xed\xa0\x80")), "\\u00ed\\u00a0\\u0080");
    assert_string_equal(json(SLICE("\xe2\x80\xae\xf3\xa0\x81\x81\xf0\x9f\x98\x80")),
                        "\\u202e\\udb40\\udc41\xf0\x9f\x98\x80");
}

static void a_duration_is_its_two_largest_units(void **state)
{
    (void)state;
    assert_string_equal(duration(0), "0 us");
    assert_string_equal(duration(999), "999 us");
    assert_string_equal(duration(250000), "250 ms");
    assert_string_equal(duration(3720000000), "1 h 2 min");
    assert_string_equal(duration(273600000000), "3 d 4 h");
    assert_string_equal(duration(3600000000), "1 h");
    assert_string_equal(duration(3600000001), "1 h");
    assert_string_equal(duration(-1500), "-1 ms");
    assert_non_null(strstr(duration(INT64_MIN), "-106751991 d"));
}

static void a_time_is_rfc_3339(void **state)
{
    (void)state;
    assert_string_equal(at(0, 0), "1970-01-01T00:00:00Z");
    assert_string_equal(at(1795372083123456, 6), "2026-11-22T18:28:03.123456Z");
    assert_string_equal(at(1795372083123456, 3), "2026-11-22T18:28:03.123Z");
    assert_string_equal(at(-1, 6), "1969-12-31T23:59:59.999999Z");
    assert_string_equal(at(951782400000000, 0), "2000-02-29T00:00:00Z");
    assert_string_equal(at(4107542399000000, 0), "2100-02-28T23:59:59Z");
    assert_string_equal(at(4107542400000000, 0), "2100-03-01T00:00:00Z"); /* no leap year */
    assert_string_equal(at(INT64_MAX, 6), "294247-01-10T04:00:54.775807Z");
    assert_string_equal(at(INT64_MIN, 6), "-290308-12-21T19:59:05.224192Z");
}

static void every_day_is_the_one_that_libc_says(void **state)
{
    (void)state;
    for (int64_t day = -800000; day < 800000; day += 7) {
        time_t seconds = (time_t)day * 86400;
        char expected[64];
        struct tm tm;

        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(expected, sizeof(expected), "%m-%dT%H:%M:%SZ", &tm) > 0);
        assert_non_null(strstr(at(day * 86400000000, 0), expected));
    }
}

static void only_a_text_without_nul_reaches_a_system_call(void **state)
{
    char path[4];

    (void)state;
    assert_true(text_cstr(path, sizeof(path), SLICE("abc")));
    assert_string_equal(path, "abc");
    assert_false(text_cstr(path, sizeof(path), SLICE("abcd")));
    assert_false(text_cstr(path, sizeof(path), SLICE("a\0b")));
    assert_true(text_cstr(path, sizeof(path), slice_of(NULL, 0)));
    assert_string_equal(path, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_cut_and_says_so),
        cmocka_unit_test(a_buffer_of_one_byte_holds_the_end_alone),
        cmocka_unit_test(a_formatted_text_is_cut_at_the_end),
        cmocka_unit_test(an_escape_is_whole_or_not_there),
        cmocka_unit_test(nothing_from_outside_moves_the_cursor),
        cmocka_unit_test(people_s_names_stay_readable),
        cmocka_unit_test(broken_utf8_is_shown_byte_by_byte),
        cmocka_unit_test(an_8_bit_column_shows_what_is_printable),
        cmocka_unit_test(json_is_valid_whatever_came),
        cmocka_unit_test(a_duration_is_its_two_largest_units),
        cmocka_unit_test(a_time_is_rfc_3339),
        cmocka_unit_test(every_day_is_the_one_that_libc_says),
        cmocka_unit_test(only_a_text_without_nul_reaches_a_system_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
