/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/hash.h"

static struct addr ip(const char *words)
{
    struct addr a = { 0 };

    if (!addr_read(slice_text(words), &a))
        fail_msg("%s is no address", words);
    return a;
}

static bool reads(const char *words)
{
    struct addr a;

    return addr_read(slice_text(words), &a);
}

static struct prefix net(const char *words)
{
    struct prefix p = { 0 };

    if (!prefix_read(slice_text(words), &p))
        fail_msg("%s is no network", words);
    return p;
}

static bool net_reads(const char *words)
{
    struct prefix p;

    return prefix_read(slice_text(words), &p);
}

static void one_host_has_one_spelling(void **state)
{
    (void)state;
    assert_true(addr_eq(ip("192.0.2.1"), ip("::ffff:192.0.2.1")));
    assert_true(addr_eq(ip("192.0.2.1"), ip("::FFFF:c000:201")));
    assert_true(addr_eq(ip("192.0.2.1"), addr_v4(0xc0000201, 0)));
    assert_false(addr_eq(ip("::192.0.2.1"), ip("192.0.2.1"))); /* the old compatible form is another address */
    assert_string_equal(addr_ip_text(ip("2001:DB8:0:0::0001")).text, "2001:db8::1");
}

static void only_an_address_is_an_address(void **state)
{
    static const char *const not_one[] = { "",         "1",          "1.2.3",        "1.2.3.4.5", "1.2.3.256",
                                           "01.2.3.4", "1.2.3.4 ",   " 1.2.3.4",     "0x1.2.3.4", "localhost",
                                           ":",        ":::",        "fe80::1%eth0", "[::1]",     "1::2::3",
                                           "12345::",  "1.2.3.4/32", "1.2.3.4:25" };
    struct addr a;

    (void)state;
    for (size_t i = 0; i < sizeof(not_one) / sizeof(not_one[0]); i++)
        if (reads(not_one[i]))
            fail_msg("%s was read as an address", not_one[i]);
    assert_false(addr_read(SLICE("1.2.3.4\0"), &a));
    assert_false(addr_read(SLICE("1111:2222:3333:4444:5555:6666:111.111.111.1111"), &a));
}

static void a_port_stands_behind_a_colon(void **state)
{
    struct addr a;

    (void)state;
    assert_true(addr_read_port(SLICE("192.0.2.1:25"), &a));
    assert_int_equal(a.port, 25);
    assert_true(addr_read_port(SLICE("[2001:db8::1]:587"), &a));
    assert_int_equal(a.port, 587);
    assert_true(addr_read_port(SLICE("2001:db8::1"), &a));
    assert_int_equal(a.port, 0);
    assert_true(addr_read_port(SLICE("[2001:db8::1]"), &a));
    assert_true(addr_read_port(SLICE("192.0.2.1"), &a));
    assert_false(addr_read_port(SLICE("192.0.2.1:"), &a));
    assert_false(addr_read_port(SLICE("192.0.2.1:0"), &a));
    assert_false(addr_read_port(SLICE("192.0.2.1:65536"), &a));
    assert_false(addr_read_port(SLICE("[2001:db8::1]25"), &a));
    assert_false(addr_read_port(SLICE("[2001:db8::1]:"), &a));
    assert_false(addr_read_port(SLICE("[2001:db8::1"), &a));
    assert_false(addr_read_port(SLICE("["), &a));
    assert_false(addr_read_port(SLICE(""), &a));
}

static void a_network_has_nothing_behind_its_bits(void **state)
{
    (void)state;
    assert_true(net_reads("10.0.0.0/8"));
    assert_false(net_reads("10.0.0.1/8"));
    assert_true(net_reads("0.0.0.0/0"));
    assert_true(net_reads("::/0"));
    assert_true(net_reads("10.1.2.3"));
    assert_int_equal(net("10.1.2.3").bits, 32);
    assert_int_equal(net("2001:db8::1").bits, 128);
    assert_false(net_reads("10.0.0.0/33"));
    assert_false(net_reads("10.0.0.0/"));
    assert_false(net_reads("10.0.0.0/8/8"));
    assert_false(net_reads("2001:db8::/129"));
    assert_false(net_reads("10.0.0.0/-1"));
}

static void a_mapped_network_is_an_ipv4_one(void **state)
{
    struct prefix p = net("::ffff:10.0.0.0/104");

    (void)state;
    assert_int_equal(p.net.family, 4);
    assert_int_equal(p.bits, 8);
    assert_true(prefix_has(p, ip("10.9.9.9")));
    assert_false(net_reads("::ffff:10.0.0.0/95"));
    assert_string_equal(prefix_text(p).text, "10.0.0.0/8");
}

static void a_network_holds_its_hosts_and_no_others(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 32; bits++) {
        struct prefix p = prefix_of(ip("203.0.113.77"), bits);
        uint32_t flip = bits ? 1u << (32 - bits) : 0;
        uint32_t host = 0xcb00714d;

        assert_true(prefix_has(p, addr_v4(host, 99)));
        assert_true(bits == 32 || prefix_has(p, addr_v4(host ^ 1, 0)));
        assert_true(bits == 0 || !prefix_has(p, addr_v4(host ^ flip, 0)));
    }
    assert_true(prefix_has(net("2001:db8::/33"), ip("2001:db8:7fff::1")));
    assert_false(prefix_has(net("2001:db8::/33"), ip("2001:db8:8000::1")));
    assert_false(prefix_has(net("0.0.0.0/0"), ip("::1")));
    assert_false(prefix_has((struct prefix){ 0 }, (struct addr){ 0 }));
    assert_false(prefix_has((struct prefix){ .net = ip("::1"), .bits = 255 }, ip("::1"))); /* a damaged message */
    assert_false(prefix_has((struct prefix){ .net = { .family = 9 } }, (struct addr){ .family = 9 }));
}

static void words_are_what_people_expect(void **state)
{
    struct addr a;

    (void)state;
    assert_true(addr_read_port(SLICE("[2001:db8::1]:25"), &a));
    assert_string_equal(addr_text(a).text, "2001:db8::1 port 25");
    assert_string_equal(addr_socket_text(a).text, "[2001:db8::1]:25");
    assert_string_equal(addr_text(addr_ip(a)).text, "2001:db8::1");
    assert_string_equal(addr_text((struct addr){ 0 }).text, "-");
    assert_string_equal(addr_socket_text(addr_v4(0xc0000201, 25)).text, "192.0.2.1:25");
    assert_string_equal(addr_text((struct addr){ .family = 9 }).text, "-"); /* a damaged record */
    assert_string_equal(addr_socket_text(ip("192.0.2.1")).text, "192.0.2.1");
}

static void special_addresses_are_known(void **state)
{
    (void)state;
    assert_true(addr_is_loopback(ip("127.0.1.50")) && addr_is_loopback(ip("::1")));
    assert_false(addr_is_loopback(ip("128.0.0.1")) || addr_is_loopback(ip("::2")));
    assert_true(addr_is_unspecified(ip("0.0.0.0")) && addr_is_unspecified(ip("::")));
    assert_true(addr_is_private(ip("10.0.0.1")) && addr_is_private(ip("172.31.255.255")) &&
                addr_is_private(ip("192.168.0.1")) && addr_is_private(ip("100.64.0.1")) &&
                addr_is_private(ip("fd00::1")));
    assert_false(addr_is_private(ip("172.32.0.1")) || addr_is_private(ip("fe00::1")));
    assert_true(addr_is_link_local(ip("169.254.1.1")) && addr_is_link_local(ip("febf::1")));
    assert_false(addr_is_link_local(ip("fec0::1")));
    assert_true(addr_is_multicast(ip("224.0.0.1")) && addr_is_multicast(ip("ff02::1")) &&
                addr_is_multicast(ip("255.255.255.255")));
    assert_false(addr_is_multicast(ip("240.0.0.1")));
    assert_true(addr_is_documentation(ip("192.0.2.1")) && addr_is_documentation(ip("198.51.100.1")) &&
                addr_is_documentation(ip("203.0.113.1")) && addr_is_documentation(ip("2001:db8::1")));
}

static void we_never_call_ourselves(void **state)
{
    struct addr own[2] = { ip("192.0.2.1"), ip("2001:db8::1") };
    struct self self = { own, 2 };
    struct addr called = ip("192.0.2.1");

    (void)state;
    called.port = 25;
    assert_true(addr_is_self(&self, called));
    assert_true(addr_is_self(&self, ip("::ffff:192.0.2.1")));
    assert_true(addr_is_self(&self, ip("2001:db8::1")));
    assert_true(addr_is_self(NULL, ip("127.0.1.50")));
    assert_true(addr_is_self(NULL, ip("0.0.0.0")));
    assert_false(addr_is_self(&self, ip("192.0.2.2")));
    assert_false(addr_is_self(NULL, ip("192.0.2.1")));
}

static void a_hash_depends_on_every_bit_and_on_the_seed(void **state)
{
    struct addr a = ip("2001:db8::1");
    uint64_t before = addr_hash(a, 1);

    (void)state;
    assert_true(before != addr_hash(a, 2));
    for (size_t bit = 0; bit < 128; bit++) {
        struct addr other = a;

        other.ip[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(addr_hash(other, 1) != before);
        assert_true(__builtin_popcountll(addr_hash(other, 1) ^ before) > 8);
    }
    a.port = 25;
    assert_true(addr_hash(a, 1) != before);
}

static void neighbours_spread_over_a_table(void **state)
{
    enum { BUCKETS = 4096 };
    static unsigned filled[BUCKETS];
    unsigned most = 0;

    (void)state;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        unsigned *bucket = &filled[addr_hash(addr_v4(0x0a000000 + i, 0), 0x5eed) % BUCKETS];

        if (++*bucket > most)
            most = *bucket;
    }
    assert_true(most < 12); /* 6 or 7 are likely */
}

static void bytes_of_any_length_are_hashed_within_their_bounds(void **state)
{
    (void)state;
    for (size_t len = 0; len < 70; len++) {
        uint8_t *exact = malloc(len ? len : 1); /* a sanitizer sees a step too far */
        uint64_t h;

        assert_non_null(exact);
        memset(exact, 0, len ? len : 1);
        h = hash_bytes(exact, len, 3);
        assert_true(h == hash_bytes(exact, len, 3));
        assert_true(len == 0 || h != hash_bytes(exact, len - 1, 3));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_host_has_one_spelling),
        cmocka_unit_test(only_an_address_is_an_address),
        cmocka_unit_test(a_port_stands_behind_a_colon),
        cmocka_unit_test(a_network_has_nothing_behind_its_bits),
        cmocka_unit_test(a_mapped_network_is_an_ipv4_one),
        cmocka_unit_test(a_network_holds_its_hosts_and_no_others),
        cmocka_unit_test(words_are_what_people_expect),
        cmocka_unit_test(special_addresses_are_known),
        cmocka_unit_test(we_never_call_ourselves),
        cmocka_unit_test(a_hash_depends_on_every_bit_and_on_the_seed),
        cmocka_unit_test(neighbours_spread_over_a_table),
        cmocka_unit_test(bytes_of_any_length_are_hashed_within_their_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
