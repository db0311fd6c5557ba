/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "sense/hunt/twins.h"
#include "wire/tcp.h"

enum { LAN, WAN, DMZ };
#define SECOND INT64_C(1000000)

static struct twins *fresh(void)
{
    struct err e;
    struct twins *t = twins_new(42, &e);

    assert_non_null(t);
    return t;
}

static void put16(uint8_t *at, uint16_t n)
{
    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

/* 10.0.0.FROM:PORT -> 10.0.0.TO:25, or back; read as raw IP. */
static struct twins_frame segment(const struct twins *t, uint8_t from, uint16_t sport, uint8_t to, uint16_t dport,
                                  uint8_t flags, uint32_t seq)
{
    uint8_t p[40] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, from, 10, 0, 0, to };
    struct twins_frame f;

    put16(p + 20, sport);
    put16(p + 22, dport);
    put16(p + 24, (uint16_t)(seq >> 16));
    put16(p + 26, (uint16_t)seq);
    p[32] = 0x50;
    p[33] = flags;
    assert_true(twins_read(t, LINK_RAW, slice_of(p, sizeof(p)), &f));
    return f;
}

static void a_forwarded_flow_is_read_inside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame answer = segment(t, 9, 25, 2, 4000, TCP_SYN | TCP_ACK, 5);

    (void)state;
    assert_int_equal(syn.flow, answer.flow);
    assert_true(twins_mine(t, LAN, true, &syn, 0));
    assert_false(twins_mine(t, WAN, false, &syn, 10));
    assert_false(twins_mine(t, WAN, false, &answer, 20));
    assert_true(twins_mine(t, LAN, true, &answer, 30));
    twins_free(t);
}

static void a_translated_copy_is_known_by_its_server_and_number(void **state)
{
    struct twins *t = fresh();
    struct twins_frame in = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame out = segment(t, 1, 61000, 9, 25, TCP_SYN, 77);
    struct twins_frame data = segment(t, 1, 61000, 9, 25, TCP_ACK, 78);

    (void)state;
    assert_true(twins_mine(t, LAN, true, &in, 0));
    assert_false(twins_mine(t, WAN, false, &out, 10));
    assert_false(twins_mine(t, WAN, false, &data, 300 * SECOND));
    twins_free(t);
}

static void what_the_host_itself_sends_is_read_outside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame other = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame own = segment(t, 1, 61000, 9, 25, TCP_SYN, 1234);
    struct twins_frame data = segment(t, 1, 61000, 9, 25, TCP_ACK, 1235);

    (void)state;
    assert_true(twins_mine(t, LAN, true, &other, 0));
    assert_true(twins_mine(t, WAN, false, &own, 10));
    assert_true(twins_mine(t, WAN, false, &data, 20));
    twins_free(t);
}

static void a_port_that_was_a_copy_s_may_be_the_host_s_own_later(void **state)
{
    struct twins *t = fresh();
    struct twins_frame in = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame out = segment(t, 1, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame own = segment(t, 1, 4000, 9, 25, TCP_SYN, 99999);

    (void)state;
    assert_true(twins_mine(t, LAN, true, &in, 0));
    assert_false(twins_mine(t, WAN, false, &out, 10));
    assert_true(twins_mine(t, WAN, false, &own, 100 * SECOND));
    twins_free(t);
}

static void forged_frames_outside_hide_nothing_inside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame forged = segment(t, 2, 4000, 9, 25, TCP_SYN, 1);
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);

    (void)state;
    assert_true(twins_mine(t, WAN, false, &forged, 0));
    assert_true(twins_mine(t, LAN, true, &syn, 10));
    assert_false(twins_mine(t, WAN, false, &forged, 20));
    assert_true(twins_mine(t, LAN, true, &syn, 30));
    twins_free(t);
}

static void between_two_inner_interfaces_the_first_reads_it(void **state)
{
    struct twins *t = fresh();
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);

    (void)state;
    assert_true(twins_mine(t, DMZ, true, &syn, 0));
    assert_false(twins_mine(t, LAN, true, &syn, 10));
    assert_true(twins_mine(t, DMZ, true, &syn, 20));
    twins_free(t);
}

static void a_flow_whose_route_changed_is_read_where_it_is_now(void **state)
{
    struct twins *t = fresh();
    struct twins_frame data = segment(t, 2, 4000, 9, 25, TCP_ACK, 77);

    (void)state;
    assert_true(twins_mine(t, DMZ, true, &data, 0));
    assert_false(twins_mine(t, LAN, true, &data, 4 * SECOND));
    assert_true(twins_mine(t, LAN, true, &data, 6 * SECOND));
    twins_free(t);
}

static void what_has_no_tcp_header_has_no_twin(void **state)
{
    struct twins *t = fresh();
    struct twins_frame f;

    (void)state;
    assert_false(twins_read(t, LINK_RAW, SLICE(""), &f));
    assert_false(twins_read(t, LINK_RAW, SLICE("\x45 is no packet at all, however long"), &f));
    twins_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forwarded_flow_is_read_inside),
        cmocka_unit_test(a_translated_copy_is_known_by_its_server_and_number),
        cmocka_unit_test(what_the_host_itself_sends_is_read_outside),
        cmocka_unit_test(a_port_that_was_a_copy_s_may_be_the_host_s_own_later),
        cmocka_unit_test(forged_frames_outside_hide_nothing_inside),
        cmocka_unit_test(between_two_inner_interfaces_the_first_reads_it),
        cmocka_unit_test(a_flow_whose_route_changed_is_read_where_it_is_now),
        cmocka_unit_test(what_has_no_tcp_header_has_no_twin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
