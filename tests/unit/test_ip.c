/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/ip.h"
#include "wire/link.h"
#include "wire/tcp.h"
#include "wire/tls.h"

#define MACS "\2\0\0\0\0\1\2\0\0\0\0\2"
#define V4   "\x45\0\0\x15\0\1\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2x"

static void assert_ip(enum link_type type, struct slice frame, unsigned vlans)
{
    struct link_packet l;
    struct ip_packet p;

    assert_true(link_read(type, frame, &l));
    assert_int_equal(l.vlans, vlans);
    assert_true(ip_read(l.ip, &p));
    assert_int_equal(p.proto, IP_PROTO_TCP);
    assert_int_equal(p.payload.len, 1);
}

static void every_way_down_to_ip_is_walked(void **state)
{
    (void)state;
    assert_ip(LINK_ETHERNET, SLICE(MACS "\x08\0" V4 "padding"), 0);
    assert_ip(LINK_ETHERNET, SLICE(MACS "\x81\0\0\x05\x08\0" V4), 1);
    assert_ip(LINK_ETHERNET, SLICE(MACS "\x88\xa8\0\5\x91\0\0\6\x81\0\0\7\x08\0" V4), 3);
    assert_ip(LINK_ETHERNET, SLICE(MACS "\x88\x64\x11\0\0\1\0\x17\0\x21" V4), 0);
    assert_ip(LINK_ETHERNET, SLICE(MACS "\x88\x47\0\1\0\x40\0\2\1\x40" V4), 0);
    assert_ip(LINK_ETHERNET, SLICE(MACS "\0\x1d\xaa\xaa\3\0\0\0\x08\0" V4), 0);
    assert_ip(LINK_COOKED, SLICE("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0" V4), 0);
    assert_ip(LINK_COOKED2, SLICE("\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0" V4), 0);
    assert_ip(LINK_NULL, SLICE("\2\0\0\0" V4), 0);
    assert_ip(LINK_LOOP, SLICE("\0\0\0\2" V4), 0);
    assert_ip(LINK_RAW, SLICE(V4), 0);
    assert_ip(LINK_PPP, SLICE("\xff\3\0\x21" V4), 0);
}

static void what_is_no_ip_is_left_alone(void **state)
{
    struct link_packet l;

    (void)state;
    assert_false(link_read(LINK_ETHERNET, SLICE(MACS "\x08\6" V4), &l));
    assert_false(link_read(LINK_ETHERNET, SLICE(MACS), &l));
    assert_false(link_read(LINK_ETHERNET, SLICE(MACS "\x81\0\0"), &l));
    assert_false(link_read(LINK_RAW, slice_of(NULL, 0), &l));
}

static void extension_headers_are_passed_and_bounded(void **state)
{
    static uint8_t endless[40 + 8 * 40];
    struct ip_packet p;
    uint8_t v6[40 + 8 + 8 + 1] = { 0x60, 0, 0, 0, 0, 17, 0, 64 };

    (void)state;
    v6[40] = 60; /* hop by hop, then destination options, then TCP */
    v6[48] = IP_PROTO_TCP;
    assert_true(ip_read(slice_of(v6, sizeof(v6)), &p));
    assert_int_equal(p.proto, IP_PROTO_TCP);
    assert_int_equal(p.payload.len, 1);
    v6[40] = 44; /* hop by hop, then the first of two fragments */
    v6[51] = 1;
    assert_true(ip_read(slice_of(v6, sizeof(v6)), &p));
    assert_true(p.fragment && p.more && p.offset == 0);
    endless[0] = 0x60;
    endless[4] = 1;
    endless[5] = 0x40;
    assert_false(ip_read(slice_of(endless, sizeof(endless)), &p));
}

static void the_server_name_of_a_hello_is_read_over_two_records(void **state)
{
    static const char body[] = "\1\0\0\x39\3\3"
                               "0123456789abcdef0123456789abcdef"
                               "\0\0\2\0\x2f\1\0\0\x0e"
                               "\0\0\0\x0a\0\x08\0\0\5a.b.c";
    static struct tls_hello h;
    uint8_t records[80];
    size_t n = sizeof(body) - 1;

    (void)state;
    memcpy(records, "\x16\3\1\0\x10", 5);
    memcpy(records + 5, body, 16);
    memcpy(records + 21, "\x16\3\1\0", 4);
    records[25] = (uint8_t)(n - 16);
    memcpy(records + 26, body + 16, n - 16);
    assert_int_equal(tls_hello_read(slice_of(records, n + 9), &h), TLS_MORE);
    assert_int_equal(tls_hello_read(slice_of(records, n + 10), &h), TLS_OK);
    assert_true(slice_eq(h.name, SLICE("a.b.c")));
    assert_int_equal(tls_hello_read(SLICE("\x16\3\1\0\4\2\0\0\0"), &h), TLS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_down_to_ip_is_walked),
        cmocka_unit_test(what_is_no_ip_is_left_alone),
        cmocka_unit_test(extension_headers_are_passed_and_bounded),
        cmocka_unit_test(the_server_name_of_a_hello_is_read_over_two_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
