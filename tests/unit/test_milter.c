/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/milter.h"

static struct milter_packet read_ok(struct slice in)
{
    struct milter_packet p;

    for (size_t n = 0; n < in.len; n++)
        assert_int_equal(milter_packet_read(slice_first(in, n), &p), MILTER_MORE);
    assert_int_equal(milter_packet_read(in, &p), MILTER_OK);
    assert_int_equal(p.used, in.len);
    return p;
}

static void a_client_is_known_by_its_address(void **state)
{
    struct milter_packet p = read_ok(SLICE("\0\0\0\x1a"
                                           "Cmail.test\0"
                                           "4\x9c\x40"
                                           "192.0.2.123\0"));
    struct addr a;

    (void)state;
    assert_int_equal(p.letter, 'C');
    assert_true(milter_connection(p.body, &a));
    assert_string_equal(addr_text(a).text, "192.0.2.123 port 40000");
    assert_true(milter_connection(SLICE("x\0006\0\031IPv6:2001:db8::1\0"), &a));
    assert_string_equal(addr_text(a).text, "2001:db8::1 port 25");
    assert_true(milter_connection(SLICE("localhost\0U"), &a));
    assert_int_equal(a.family, 0);
    assert_false(milter_connection(SLICE("x\0004\0\031nonsense\0"), &a));
    assert_false(milter_connection(SLICE("x\0004\0"), &a));
    assert_false(milter_connection(SLICE("x\0004\0\031192.0.2.1"), &a));
    assert_false(milter_connection(SLICE("x"), &a));
}

static void macros_come_in_pairs(void **state)
{
    struct slice rest, text;
    char command;

    (void)state;
    assert_true(milter_macros(SLICE("M{auth_authen}\0ana\0"), &command, &rest));
    assert_int_equal(command, 'M');
    assert_true(milter_text(&rest, &text));
    assert_true(slice_eq(text, SLICE("{auth_authen}")));
    assert_true(milter_text(&rest, &text));
    assert_true(slice_eq(text, SLICE("ana")));
    assert_false(milter_text(&rest, &text));
}

static void impossible_lengths_are_refused(void **state)
{
    struct milter_packet p;

    (void)state;
    assert_int_equal(milter_packet_read(SLICE("\0\0\0\0"), &p), MILTER_BAD);
    assert_int_equal(milter_packet_read(SLICE("\0\1\0\0"), &p), MILTER_BAD);
    assert_int_equal(milter_packet_read(SLICE("\xff\xff\xff\xff"), &p), MILTER_BAD);
}

static void only_the_envelope_is_asked_for(void **state)
{
    char room[64];
    struct text t = TEXT_IN(room);

    (void)state;
    assert_true(milter_options_write(SLICE("\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"), &t));
    assert_int_equal(t.len, 17);
    assert_memory_equal(room, "\0\0\0\015O\0\0\0\6\0\0\0\0\0\0\3\x70", 17);
    t = TEXT_IN(room);
    assert_true(milter_options_write(SLICE("\0\0\0\2\0\0\0\0\0\0\0\x7f"), &t));
    assert_memory_equal(room, "\0\0\0\015O\0\0\0\2\0\0\0\0\0\0\0\x70", 17);
    assert_false(milter_options_write(SLICE("\0\0\0\1\0\0\0\0\0\0\0\0"), &t));
    assert_false(milter_options_write(SLICE("\0\0\0\6"), &t));
}

static void a_reply_is_one_line_without_directives(void **state)
{
    char room[128];
    struct text t = TEXT_IN(room);

    (void)state;
    milter_reply_write(550, "5.7.1", "100% no\r\nway", &t);
    assert_int_equal(t.len, 28);
    assert_memory_equal(room, "\0\0\0\030y550 5.7.1 100? no??way\0", 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_known_by_its_address),       cmocka_unit_test(macros_come_in_pairs),
        cmocka_unit_test(impossible_lengths_are_refused),         cmocka_unit_test(only_the_envelope_is_asked_for),
        cmocka_unit_test(a_reply_is_one_line_without_directives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
