/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PROXY protocol as its specification has it; where others are lenient (a bare LF, leading zeros) it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/proxyproto.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct proxyproto p;

static const char *ends(void)
{
    static char words[160];

    (void)snprintf(words, sizeof(words), "%s %s", addr_socket_text(p.src).text, addr_socket_text(p.dst).text);
    return words;
}

static void assert_read(struct slice in, const char *expected)
{
    if (proxyproto_read(in, &p) != PROXYPROTO_OK)
        fail_msg("refused: %s", expected);
    assert_string_equal(ends(), expected);
    assert_false(p.local);
}

static void a_line_names_both_ends(void **state)
{
    (void)state;
    assert_read(SLICE("PROXY TCP4 1.2.3.4 4.3.2.1 123 321\r\nEHLO x\r\n"), "1.2.3.4:123 4.3.2.1:321");
    assert_int_equal(p.used, 36);
    assert_read(SLICE("PROXY TCP6 fc:00:00:00:1:2:3:4 fc:00:00:00:4:3:2:1 123 321\r\n"),
                "[fc::1:2:3:4]:123 [fc::4:3:2:1]:321");
    assert_read(SLICE("PROXY TCP6 ::ffff:127.0.1.50 2001:db8::1 65535 25\r\n"), "127.0.1.50:65535 [2001:db8::1]:25");
    assert_read(SLICE("PROXY TCP4 255.255.255.255 0.0.0.0 0 65535\r\n"), "255.255.255.255 0.0.0.0:65535");
}

static void who_can_not_be_named_is_the_balancer_itself(void **state)
{
    (void)state;
    assert_int_equal(proxyproto_read(SLICE("PROXY UNKNOWN\r\n"), &p), PROXYPROTO_OK);
    assert_true(p.local);
    assert_int_equal(p.src.family, 0);
    assert_int_equal(p.used, 15);
    assert_int_equal(proxyproto_read(SLICE("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), &p),
                     PROXYPROTO_OK);
    assert_true(p.local);
}

static void what_differs_from_the_specification_is_refused(void **state)
{
    static const char *const wrong[] = {
        "PROXY TCP4 1.2.3.4 4.3.2.1 123 321\n",     /* LF alone */
        "PROXY TCP4 1.2.3.4 4.3.2.1 123 321 \r\n",  /* a blank more */
        "PROXY TCP4 1.2.3.4  4.3.2.1 123 321\r\n",  /* two of them */
        "PROXY  TCP4 1.2.3.4 4.3.2.1 123 321\r\n",  /* early on */
        "PROXY TCP4 1.2.3.4 4.3.2.1 123\r\n",       /* a word less */
        "PROXY TCP4 1.2.3.4 4.3.2.1 123 321 5\r\n", /* a word more */
        "PROXY TCP4 1.2.3.4 4.3.2.1 0123 321\r\n",  /* leading zeros */
        "PROXY TCP4 1.2.3.4 4.3.2.1 123 00321\r\n", /* twice */
        "PROXY TCP4 01.2.3.4 4.3.2.1 123 321\r\n",  /* in an address */
        "PROXY TCP4 1.2.3.4 4.3.2.1 123 65536\r\n", /* no port */
        "PROXY TCP4 1.2.3.4 4.3.2.1 -1 321\r\n",    /* nor this */
        "PROXY TCP4 1.2.3.4 4.3.2.1 +1 321\r\n",    /* nor this */
        "PROXY TCP4 1.2.3.4 4.3.2.1 abc 321\r\n",   /* nor this */
        "PROXY TCP4 1.2.3 4.3.2.1 123 321\r\n",     /* no address */
        "PROXY TCP4 1.2.3.256 4.3.2.1 123 321\r\n", /* nor this */
        "PROXY TCP4 ::1 ::1 123 321\r\n",           /* of the other family */
        "PROXY TCP6 1.2.3.4 4.3.2.1 123 321\r\n",   /* the other way round */
        "PROXY TCP6 fe80::1%eth0 ::1 123 321\r\n",  /* with a scope */
        "PROXY TCP6 [::1] [::1] 123 321\r\n",       /* with brackets */
        "PROXY UDP4 1.2.3.4 4.3.2.1 123 321\r\n",   /* no TCP */
        "PROXY tcp4 1.2.3.4 4.3.2.1 123 321\r\n",   /* no such word */
        "PROXY UNKNOWNS\r\n",                       /* nor this */
        "PROXY \r\n",                               /* nothing */
        "proxy TCP4 1.2.3.4 4.3.2.1 123 321\r\n",   /* lower case */
        "PROXY TCP4 1.2.3.4 4.3.2.1 123\r321\r\n",  /* a CR inside */
        "PROXY\tTCP4 1.2.3.4 4.3.2.1 123 321\r\n",  /* a tab */
        "EHLO balancer\r\n",                        /* no header at all */
        "\r\nEHLO x\r\n",                           /* neither of both */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (proxyproto_read(slice_text(wrong[i]), &p) != PROXYPROTO_BAD)
            fail_msg("taken: %s", wrong[i]);
    assert_int_equal(proxyproto_read(SLICE("PROXY TCP4 1.2.3.4\0 4.3.2.1 123 321\r\n"), &p), PROXYPROTO_BAD);
    assert_int_equal(proxyproto_read(SLICE("PROXY UNKNOWN \0\r\n"), &p), PROXYPROTO_BAD);
}

static void a_line_has_107_bytes_at_most(void **state)
{
    char line[109];
    enum { HEAD = 14 };

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", HEAD);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(proxyproto_read(slice_of(line, 107), &p), PROXYPROTO_OK);
    assert_int_equal(p.used, 107);
    memcpy(line + 105, "xx", 2);
    assert_int_equal(proxyproto_read(slice_of(line, 106), &p), PROXYPROTO_MORE);
    assert_int_equal(proxyproto_read(slice_of(line, 107), &p), PROXYPROTO_BAD);
    memcpy(line + 106, "\r\n", 2);
    assert_int_equal(proxyproto_read(slice_of(line, 108), &p), PROXYPROTO_BAD);
}

static void it_may_come_byte_by_byte(void **state)
{
    static const struct slice whole[] = {
        { (const uint8_t *)"PROXY TCP4 1.2.3.4 4.3.2.1 123 321\r\n", 36 },
        { (const uint8_t *)SIGNATURE "\x21\x11\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 },
        { (const uint8_t *)SIGNATURE "\x20\0\0\0", 16 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        for (size_t n = 0; n < whole[i].len; n++)
            assert_int_equal(proxyproto_read(slice_first(whole[i], n), &p), PROXYPROTO_MORE);
        assert_int_equal(proxyproto_read(whole[i], &p), PROXYPROTO_OK);
        assert_int_equal(p.used, whole[i].len);
    }
}

static void a_binary_header_names_both_ends_and_its_extras_are_passed_over(void **state)
{
    (void)state;
    assert_read(SLICE(SIGNATURE "\x21\x11\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41"
                                "220 x"),
                "1.2.3.4:123 4.3.2.1:321");
    assert_int_equal(p.used, 28);
    assert_read(SLICE(SIGNATURE "\x21\x21\0\x24"
                                "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                                "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\1\x32"
                                "\xff\xff\0\x19"),
                "[2001:db8::1]:65535 127.0.1.50:25");
    /* As HAProxy's own test has it: a checksum, an empty TLV, and a NOOP up to the end. */
    assert_read(SLICE(SIGNATURE "\x21\x11\0\x19\1\2\3\4\4\3\2\1\0\x7b\1\x41"
                                "\3\0\4\xa9\xb8\x7e\x8f"
                                "\4\0\0"
                                "\4\0\0"),
                "1.2.3.4:123 4.3.2.1:321");
    assert_int_equal(p.used, 41);
}

static void a_balancer_may_look_in_for_itself(void **state)
{
    (void)state;
    assert_int_equal(proxyproto_read(SLICE(SIGNATURE "\x20\0\0\0"), &p), PROXYPROTO_OK);
    assert_true(p.local);
    assert_int_equal(proxyproto_read(SLICE(SIGNATURE "\x20\x11\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41"), &p), PROXYPROTO_OK);
    assert_true(p.local); /* its addresses are to be ignored */
    assert_int_equal(p.src.family, 0);
    assert_int_equal(p.used, 28);
    assert_int_equal(proxyproto_read(SLICE(SIGNATURE "\x21\0\0\2zz"), &p), PROXYPROTO_OK);
    assert_true(p.local);
    assert_int_equal(p.used, 18);
}

static void a_binary_header_that_does_not_fit_is_refused(void **state)
{
    static const struct slice wrong[] = {
        { (const uint8_t *)SIGNATURE "\x11\x11\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 }, /* version 1 in binary */
        { (const uint8_t *)SIGNATURE "\x22\x11\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 }, /* an unknown command */
        { (const uint8_t *)SIGNATURE "\x21\x12\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 }, /* UDP */
        { (const uint8_t *)SIGNATURE "\x21\x31\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 }, /* a unix socket */
        { (const uint8_t *)SIGNATURE "\x21\x41\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 }, /* nothing known */
        { (const uint8_t *)SIGNATURE "\x21\x11\0\x0b\1\2\3\4\4\3\2\1\0\x7b\1", 27 },     /* too short for its ends */
        { (const uint8_t *)SIGNATURE "\x21\x21\0\x0c\1\2\3\4\4\3\2\1\0\x7b\1\x41", 28 }, /* likewise */
        /* A TLV longer than the header, and half of one. */
        { (const uint8_t *)SIGNATURE "\x21\x11\0\x0f\1\2\3\4\4\3\2\1\0\x7b\1\x41\4\0\1", 31 },
        { (const uint8_t *)SIGNATURE "\x21\x11\0\x0e\1\2\3\4\4\3\2\1\0\x7b\1\x41\4\0", 30 },
        { (const uint8_t *)SIGNATURE "\x21\x11\xff\xff", 16 }, /* 64 KiB are announced: not waited for */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (proxyproto_read(wrong[i], &p) != PROXYPROTO_BAD)
            fail_msg("header %zu was taken", i);
}

static struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read_port(slice_text(text), &a));
    return a;
}

static void what_we_write_is_read_back(void **state)
{
    static const struct {
        const char *src, *dst, *line;
    } cases[] = {
        { "1.2.3.4:123", "4.3.2.1:25", "PROXY TCP4 1.2.3.4 4.3.2.1 123 25\r\n" },
        { "[2001:db8::1]:40000", "[2001:db8::2]:25", "PROXY TCP6 2001:db8::1 2001:db8::2 40000 25\r\n" },
        { "1.2.3.4:123", "[2001:db8::2]:25", "PROXY TCP6 ::ffff:1.2.3.4 2001:db8::2 123 25\r\n" },
        { "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535", NULL },
    };
    uint8_t out[PROXYPROTO_MOST];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct addr src = at(cases[i].src);
        struct addr dst = at(cases[i].dst);
        size_t n = proxyproto_write_v1(src, dst, out, sizeof(out));

        if (cases[i].line)
            assert_memory_equal(out, cases[i].line, strlen(cases[i].line));
        for (int version = 1; version <= 2; version++) {
            n = version == 1 ? n : proxyproto_write_v2(src, dst, out, sizeof(out));
            assert_int_equal(proxyproto_read(slice_of(out, n), &p), PROXYPROTO_OK);
            assert_int_equal(p.used, n);
            assert_true(addr_eq(p.src, src) && addr_eq(p.dst, dst));
        }
        assert_int_equal(proxyproto_write_v1(src, dst, out, 20), 0);
        assert_int_equal(proxyproto_write_v2(src, dst, out, 27), 0);
    }
}

static void nobody_is_written_as_unknown_or_local(void **state)
{
    uint8_t out[PROXYPROTO_MOST];
    size_t n = proxyproto_write_v1((struct addr){ 0 }, at("1.2.3.4:25"), out, sizeof(out));

    (void)state;
    assert_memory_equal(out, "PROXY UNKNOWN\r\n", n);
    n = proxyproto_write_v2((struct addr){ 0 }, at("1.2.3.4:25"), out, sizeof(out));
    assert_int_equal(proxyproto_read(slice_of(out, n), &p), PROXYPROTO_OK);
    assert_true(p.local);
}

/* Read as a socket gives it, never more than is asked for: nothing behind the header is taken. */
static void what_follows_the_header_is_left_to_others(void **state)
{
    static const char *const headers[] = {
        "PROXY UNKNOWN\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n",
    };
    struct addr a = { .family = 6, .ip = { 0x20, 1 }, .port = 4711 };
    uint8_t room[PROXYPROTO_MOST + 16];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        size_t len = i < 3  ? strlen(headers[i])
                   : i == 3 ? proxyproto_write_v2(a, a, room, sizeof(room))
                            : proxyproto_write_v2((struct addr){ 0 }, a, room, sizeof(room));
        size_t got = 0;

        if (i < 3)
            memcpy(room, headers[i], len);
        while (proxyproto_read(slice_of(room, got), &p) == PROXYPROTO_MORE) {
            size_t wants = proxyproto_wants(slice_of(room, got));

            assert_in_range(wants, 1, len - got);
            got += wants;
        }
        assert_int_equal(got, len);
        assert_int_equal(p.used, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_the_header_is_left_to_others),
        cmocka_unit_test(a_line_names_both_ends),
        cmocka_unit_test(who_can_not_be_named_is_the_balancer_itself),
        cmocka_unit_test(what_differs_from_the_specification_is_refused),
        cmocka_unit_test(a_line_has_107_bytes_at_most),
        cmocka_unit_test(it_may_come_byte_by_byte),
        cmocka_unit_test(a_binary_header_names_both_ends_and_its_extras_are_passed_over),
        cmocka_unit_test(a_balancer_may_look_in_for_itself),
        cmocka_unit_test(a_binary_header_that_does_not_fit_is_refused),
        cmocka_unit_test(what_we_write_is_read_back),
        cmocka_unit_test(nobody_is_written_as_unknown_or_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
