/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter runs in the kernel itself: attached to one end of a socket pair, frames are written to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/if_arp.h>

#include "base/slice.h"
#include "hand/filter.h"

static int ends[2];

static void with(enum filter_frame kind, const uint16_t *ports, size_t count)
{
    struct sock_filter steps[FILTER_STEPS];
    struct sock_fprog program = { .filter = steps };

    program.len = (unsigned short)filter_build(kind, ports, count, steps);
    assert_true(program.len > 0);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
}

static const uint16_t mail[] = { 25, 465, 587, 2525 };

static int open_pair(void **state)
{
    (void)state;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) < 0)
        return -1;
    with(FILTER_ETHERNET, mail, 4);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    (void)close(ends[0]);
    return close(ends[1]);
}

struct frame {
    uint8_t at[512];
    size_t len;
};

static void put(struct frame *f, const void *bytes, size_t len)
{
    assert_true(f->len + len <= sizeof(f->at));
    memcpy(f->at + f->len, bytes, len);
    f->len += len;
}
#define PUT(f, literal) put((f), (literal), sizeof(literal) - 1)

static bool passes(const struct frame *f)
{
    uint8_t got[600];
    ssize_t n;

    (void)send(ends[0], f->at, f->len, 0); /* EPERM when the filter says no */
    n = recv(ends[1], got, sizeof(got), 0);
    if (n < 0)
        return false;
    assert_int_equal(n, f->len); /* and uncut */
    return memcmp(got, f->at, f->len) == 0;
}

static struct frame ethernet(void)
{
    struct frame f = { .len = 0 };

    PUT(&f, "\1\2\3\4\5\6\6\5\4\3\2\1");
    return f;
}

static void put_tcp(struct frame *f, uint16_t from, uint16_t to)
{
    uint8_t h[20] = { (uint8_t)(from >> 8), (uint8_t)from, (uint8_t)(to >> 8), (uint8_t)to, [12] = 0x50 };

    put(f, h, sizeof(h));
    PUT(f, "MAIL FROM:<a@b>\r\n");
}

static void put_ip4(struct frame *f, uint8_t words, uint8_t proto, uint16_t fragment)
{
    uint8_t h[60] = { (uint8_t)(0x40 | words), [6] = (uint8_t)(fragment >> 8), (uint8_t)fragment, 64, proto };

    put(f, h, (size_t)words * 4);
}

static void put_ip6(struct frame *f, uint8_t next)
{
    uint8_t h[40] = { 0x60, [6] = next, 64 };

    put(f, h, sizeof(h));
}

static struct frame mail4(const char *types, size_t len)
{
    struct frame f = ethernet();

    put(&f, types, len);
    put_ip4(&f, 5, 6, 0);
    put_tcp(&f, 40000, 25);
    return f;
}
#define MAIL4(types) mail4((types), sizeof(types) - 1)

static void both_directions_and_every_port_pass(void **state)
{
    static const struct {
        uint16_t from, to;
        bool pass;
    } cases[] = { { 40000, 25, true },   { 25, 40000, true },   { 40000, 465, true },
                  { 587, 40000, true },  { 40000, 2525, true }, { 40000, 80, false },
                  { 443, 40000, false }, { 40000, 26, false },  { 0x1900, 0x1900, false } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame f = ethernet();

        PUT(&f, "\x08\x00");
        put_ip4(&f, 5, 6, 0);
        put_tcp(&f, cases[i].from, cases[i].to);
        assert_int_equal(passes(&f), cases[i].pass);
    }
}

static void sixteen_ports_fit_and_none_is_no_filter(void **state)
{
    uint16_t many[17];
    struct sock_filter steps[FILTER_STEPS];
    struct frame f = ethernet();

    (void)state;
    for (uint16_t i = 0; i < 17; i++)
        many[i] = (uint16_t)(5000 + i);
    with(FILTER_ETHERNET, many, 16);
    PUT(&f, "\x08\x00");
    put_ip4(&f, 15, 6, 0);
    put_tcp(&f, 5015, 1);
    assert_true(passes(&f));
    assert_int_equal(filter_build(FILTER_ETHERNET, many, 17, steps), 0);
    assert_int_equal(filter_build(FILTER_IP, many, 0, steps), 0);
}

static void tags_and_pppoe_are_looked_through(void **state)
{
    struct frame f;

    (void)state;
    f = MAIL4("\x08\x00");
    assert_true(passes(&f));
    f = MAIL4("\x81\x00\x00\x05\x08\x00");
    assert_true(passes(&f));
    f = MAIL4("\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00");
    assert_true(passes(&f));
    f = MAIL4("\x91\x00\x00\x05\x81\x00\x00\x06\x08\x00");
    assert_true(passes(&f));
    f = MAIL4("\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21");
    assert_true(passes(&f));
    f = MAIL4("\x88\xa8\x00\x05\x81\x00\x00\x06\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21");
    assert_true(passes(&f));
    f = MAIL4("\x81\x00\x00\x05\x81\x00\x00\x05\x81\x00\x00\x05\x08\x00"); /* three in the frame */
    assert_false(passes(&f));
    f = MAIL4("\x88\x64\x11\x00\x00\x01\x00\x40\xc0\x21"); /* LCP */
    assert_false(passes(&f));
    f = MAIL4("\x08\x06");
    assert_false(passes(&f));
}

static void ip6_is_found_in_every_wrapping(void **state)
{
    static const char *const types[] = { "\x86\xdd", "\x81\x00\x00\x05\x86\xdd",
                                         "\x88\x64\x11\x11\x11\x11\x11\x40\x11\x57" };
    static const size_t lens[] = { 2, 6, 10 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct frame f = ethernet();

        put(&f, types[i], lens[i]);
        if (i == 2)
            memcpy(f.at + f.len - 2, "\x00\x57", 2);
        put_ip6(&f, 6);
        put_tcp(&f, 25, 40000);
        assert_true(passes(&f));
        f.at[f.len - 37] = 0x1a; /* port 26 and so on */
        f.at[f.len - 36] = 0x1a;
        assert_false(passes(&f));
    }
}

static void extension_headers_are_followed(void **state)
{
    static const char options[] = "\x00\x00\0\0\0\0\0\0";
    struct frame f = ethernet();
    uint8_t chain[] = { 43, 60, 51, 6 };

    (void)state;
    PUT(&f, "\x86\xdd");
    put_ip6(&f, 0);
    for (size_t i = 0; i < 4; i++) {
        put(&f, options, 8);
        f.at[f.len - 8] = chain[i];
        if (i == 1) { /* 16 bytes of routing header */
            f.at[f.len - 7] = 1;
            put(&f, options, 8);
        }
    }
    put_tcp(&f, 40000, 587);
    assert_true(passes(&f)); /* hop-by-hop, routing, options, AH (8 bytes: length 0) */
    f.at[f.len - 37 + 3] = 80;
    f.at[f.len - 37 + 2] = 0;
    assert_false(passes(&f));
}

static void a_longer_chain_is_left_to_the_hunt(void **state)
{
    struct frame f = ethernet();

    (void)state;
    PUT(&f, "\x86\xdd");
    put_ip6(&f, 60);
    for (int i = 0; i < 6; i++)
        PUT(&f, "\x3c\x00\0\0\0\0\0\0");
    assert_true(passes(&f));
}

static void fragments_pass_but_only_of_tcp(void **state)
{
    struct frame f = ethernet();

    (void)state;
    PUT(&f, "\x08\x00");
    put_ip4(&f, 5, 6, 185);
    PUT(&f, "nothing that looks like a port");
    assert_true(passes(&f));
    f.at[14 + 9] = 17;
    assert_false(passes(&f));
    f = ethernet();
    PUT(&f, "\x08\x00");
    put_ip4(&f, 5, 6, 0x2000); /* the first of several has ports */
    put_tcp(&f, 40000, 80);
    assert_false(passes(&f));
    f = ethernet();
    PUT(&f, "\x86\xdd");
    put_ip6(&f, 44);
    PUT(&f, "\x06\x00\x05\x01\0\0\0\1 the rest of a segment");
    assert_true(passes(&f));
    f.at[14 + 40 + 2] = 0; /* the first */
    f.at[14 + 40 + 3] = 1;
    assert_false(passes(&f));
    f = ethernet();
    PUT(&f, "\x86\xdd");
    put_ip6(&f, 44);
    PUT(&f, "\x06\x00\x00\x01\0\0\0\1");
    put_tcp(&f, 40000, 25);
    assert_true(passes(&f));
}

static void bare_ip_links_have_no_header(void **state)
{
    struct frame f = { .len = 0 };

    (void)state;
    with(FILTER_IP, mail, 4);
    put_ip4(&f, 6, 6, 0);
    put_tcp(&f, 465, 40000);
    assert_true(passes(&f));
    f.len = 0;
    put_ip6(&f, 6);
    put_tcp(&f, 465, 40000);
    assert_true(passes(&f));
    f.len = 0;
    put_ip4(&f, 5, 17, 0);
    put_tcp(&f, 465, 40000);
    assert_false(passes(&f));
    f.at[0] = 0x55;
    assert_false(passes(&f));
    assert_int_equal(filter_frame_of(ARPHRD_ETHER), FILTER_ETHERNET);
    assert_int_equal(filter_frame_of(ARPHRD_LOOPBACK), FILTER_ETHERNET);
    assert_int_equal(filter_frame_of(ARPHRD_PPP), FILTER_IP);
    assert_int_equal(filter_frame_of(ARPHRD_NONE), FILTER_IP);
}

static void a_frame_cut_anywhere_is_dropped_quietly(void **state)
{
    struct frame f = MAIL4("\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00");
    size_t whole = f.len;

    (void)state;
    for (f.len = 1; f.len < whole - 33; f.len++)
        assert_false(passes(&f));
    f.len = whole;
    assert_true(passes(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_directions_and_every_port_pass, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(sixteen_ports_fit_and_none_is_no_filter, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(tags_and_pppoe_are_looked_through, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(ip6_is_found_in_every_wrapping, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(extension_headers_are_followed, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_longer_chain_is_left_to_the_hunt, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(fragments_pass_but_only_of_tcp, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(bare_ip_links_have_no_header, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_frame_cut_anywhere_is_dropped_quietly, open_pair, close_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
