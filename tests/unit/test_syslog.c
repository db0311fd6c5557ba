/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/syslog.h"

/* 2007-12-05T18:28:00Z */
static const int64_t story_us = (int64_t)1196879280 * 1000000;
static const int64_t second_us = 1000000;
static const int64_t day_us = (int64_t)86400 * 1000000;

static void assert_slice(struct slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.at ? s.at : (const uint8_t *)"", text, s.len);
}

static struct syslog read_text(const char *text, int64_t near_us)
{
    struct syslog s;

    syslog_read(slice_text(text), near_us, &s);
    return s;
}

static void an_old_message_tells_host_program_and_pid(void **state)
{
    struct syslog s = read_text("<34>Dec  5 18:28:00 vlnx1 postfix/smtpd[812]: connect from a.b.c", story_us);

    (void)state;
    assert_int_equal(s.facility, 4);
    assert_int_equal(s.severity, 2);
    assert_true(s.stamped && s.yearless && !s.zoned);
    assert_int_equal(s.stamp_us, story_us);
    assert_slice(s.host, "vlnx1");
    assert_slice(s.program, "postfix/smtpd");
    assert_slice(s.pid, "812");
    assert_slice(s.message, "connect from a.b.c");
}

static void a_program_of_this_host_leaves_the_host_out(void **state)
{
    struct syslog s = read_text("<13>Dec  5 18:28:00 su: failed", story_us);

    (void)state;
    assert_slice(s.host, "");
    assert_slice(s.program, "su");
    assert_slice(s.message, "failed");
}

static void what_routers_put_in_front_of_a_stamp_is_passed_over(void **state)
{
    static const char *const forms[] = { "<190>.Dec  5 2007 18:28:00: %PIX-6: up", "<190>*Dec  5 18:28:00: %PIX-6: up",
                                         "<190> Dec  5 18:28:00 2007 fw1 %PIX-6: up" };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct syslog s = read_text(forms[i], story_us);

        assert_int_equal(s.stamp_us, story_us);
        assert_slice(s.program, "%PIX-6");
        assert_slice(s.message, "up");
    }
    assert_slice(read_text("<15> openvpn[2499]: up", story_us).program, "openvpn");
}

static void a_new_message_has_all_its_parts(void **state)
{
    struct syslog s = read_text(
        "<165>1 2007-12-05T19:28:00.000123+01:00 web1 app 77 ID47 [a@1 k=\"v \\] x\"][b] \xef\xbb\xbfhello", story_us);

    (void)state;
    assert_true(s.is_5424 && s.stamped && s.zoned);
    assert_int_equal(s.stamp_us, story_us + 123);
    assert_slice(s.host, "web1");
    assert_slice(s.program, "app");
    assert_slice(s.pid, "77");
    assert_slice(s.msgid, "ID47");
    assert_slice(s.data, "[a@1 k=\"v \\] x\"][b]");
    assert_slice(s.message, "hello");
}

static void a_dash_says_nothing(void **state)
{
    struct syslog s = read_text("<13>1 - - - - - -", story_us);

    (void)state;
    assert_true(s.is_5424);
    assert_false(s.stamped);
    assert_slice(s.host, "");
    assert_slice(s.program, "");
    assert_slice(s.message, "");
}

static void a_priority_that_is_none_stays_text(void **state)
{
    static const char *const odd[] = { "<192>x", "<999>x", "<13", "<>x", "<-1>x", "plain", "<1 3>x" };

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct syslog s = read_text(odd[i], story_us);

        assert_int_equal(s.severity, SYSLOG_NO_PRI);
        assert_slice(s.message, odd[i]);
    }
}

static void the_year_is_the_one_that_brings_a_stamp_nearest(void **state)
{
    const int64_t new_year = (int64_t)1767225600 * second_us; /* 2026-01-01 */

    (void)state;
    assert_int_equal(read_text("<13>Dec 31 23:59:59 h p: x", new_year + second_us).stamp_us, new_year - second_us);
    assert_int_equal(read_text("<13>Jan  1 00:00:01 h p: x", new_year - second_us).stamp_us, new_year + second_us);
}

static void a_day_that_the_year_lacks_is_no_stamp(void **state)
{
    const int64_t march_2026 = (int64_t)1772323200 * second_us;
    struct syslog s = read_text("<13>Feb 29 12:00:00 h p: x", march_2026);

    (void)state;
    assert_false(s.stamped);
    assert_int_equal(s.stamp_us, 0);
    assert_slice(s.host, "h");
    assert_true(read_text("<13>Feb 29 12:00:00 h p: x", march_2026 + 2 * 365 * day_us).stamped); /* 2028 */
}

static void stamps_of_many_makes_are_read(void **state)
{
    static const char *const forms[] = {
        "Dec  5 18:28:00",          "Dec 5 18:28:00",
        "Dec  5 2007 18:28:00",     "2007-12-05T18:28:00Z",
        "2007-12-05 18:28:00",      "2007-12-05T16:28:00-02:00",
        "2007-12-05T20:28:00+0200", "@400000004756edba00000000",
    };
    struct syslog s;

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        memset(&s, 0, sizeof(s));
        assert_int_equal(syslog_stamp(slice_text(forms[i]), story_us, &s), strlen(forms[i]));
        if (s.stamp_us != story_us)
            fail_msg("%s: %lld", forms[i], (long long)s.stamp_us);
    }
}

static void a_stamp_is_written_as_it_is_read(void **state)
{
    char text[SYSLOG_STAMP_BYTES];
    struct syslog s;

    (void)state;
    for (int64_t at = -day_us; at < (int64_t)4102444800 * second_us; at += 86399 * 777 * second_us + 123457) {
        syslog_stamp_write(at, text);
        assert_int_equal(syslog_stamp(slice_of(text, sizeof(text)), 0, &s), sizeof(text));
        assert_int_equal(s.stamp_us, at);
    }
}

static void frames_with_a_count_and_with_a_newline_share_a_stream(void **state)
{
    struct slice stream = SLICE("<13>one\n12 <13>two\nmore<13>three\n2007 apples\n9 <13>four\n");
    static const char *const expected[] = { "<13>one", "<13>two\nmore", "<13>three", "2007 apples" };
    struct slice message;
    size_t used;
    uint64_t left;

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(syslog_frame_read(stream, 1000, &message, &used, &left), SYSLOG_FRAME_WHOLE);
        assert_slice(message, expected[i]);
        stream = slice_skip(stream, used);
    }
}

static void a_frame_is_the_same_byte_by_byte(void **state)
{
    struct slice all = SLICE("15 <13>1 - - - - -x");
    struct slice message;
    size_t used;
    uint64_t left;

    (void)state;
    for (size_t n = 0; n < all.len - 1; n++)
        assert_int_equal(syslog_frame_read(slice_first(all, n), 1000, &message, &used, &left), SYSLOG_FRAME_MORE);
    assert_int_equal(syslog_frame_read(slice_first(all, all.len - 1), 1000, &message, &used, &left),
                     SYSLOG_FRAME_WHOLE);
    assert_slice(message, "<13>1 - - - - -");
}

static void what_is_too_long_is_cut_and_says_how_much_is_left(void **state)
{
    struct slice message;
    size_t used;
    uint64_t left;

    (void)state;
    assert_int_equal(syslog_frame_read(SLICE("20 <13>5678901234567890"), 10, &message, &used, &left),
                     SYSLOG_FRAME_LONG);
    assert_slice(message, "<13>567890");
    assert_int_equal(used, 13);
    assert_int_equal(left, 10);
    assert_int_equal(syslog_frame_read(SLICE("abcdefghijklmno"), 10, &message, &used, &left), SYSLOG_FRAME_LONG);
    assert_int_equal(left, SYSLOG_LINE);
    assert_int_equal(used, 10);
}

static void counts_that_no_message_has_are_lines(void **state)
{
    static const char *const odd[] = { "0 <13>x\n", "-5 <13>x\n", "1234567890123456789012345678901234567890 <13>x\n" };
    struct slice message;
    size_t used;
    uint64_t left;

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        assert_int_equal(syslog_frame_read(slice_text(odd[i]), 1000, &message, &used, &left), SYSLOG_FRAME_WHOLE);
        assert_int_equal(used, strlen(odd[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_message_tells_host_program_and_pid),
        cmocka_unit_test(a_program_of_this_host_leaves_the_host_out),
        cmocka_unit_test(what_routers_put_in_front_of_a_stamp_is_passed_over),
        cmocka_unit_test(a_new_message_has_all_its_parts),
        cmocka_unit_test(a_dash_says_nothing),
        cmocka_unit_test(a_priority_that_is_none_stays_text),
        cmocka_unit_test(the_year_is_the_one_that_brings_a_stamp_nearest),
        cmocka_unit_test(a_day_that_the_year_lacks_is_no_stamp),
        cmocka_unit_test(stamps_of_many_makes_are_read),
        cmocka_unit_test(a_stamp_is_written_as_it_is_read),
        cmocka_unit_test(frames_with_a_count_and_with_a_newline_share_a_stream),
        cmocka_unit_test(a_frame_is_the_same_byte_by_byte),
        cmocka_unit_test(what_is_too_long_is_cut_and_says_how_much_is_left),
        cmocka_unit_test(counts_that_no_message_has_are_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
