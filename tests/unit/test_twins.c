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

static bool at(struct twins *t, uint8_t interface, bool leaves, const struct twins_frame *f, int64_t at_us)
{
    struct twins_place place = { .interface = interface, .inner = interface != WAN, .leaves = leaves };

    return twins_mine(t, place, f, at_us);
}

static bool comes(struct twins *t, uint8_t interface, const struct twins_frame *f, int64_t at_us)
{
    return at(t, interface, false, f, at_us);
}

static bool leaves(struct twins *t, uint8_t interface, const struct twins_frame *f, int64_t at_us)
{
    return at(t, interface, true, f, at_us);
}

static void a_forwarded_flow_is_read_inside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame answer = segment(t, 9, 25, 2, 4000, TCP_SYN | TCP_ACK, 5);

    (void)state;
    assert_int_equal(syn.flow, answer.flow);
    assert_true(comes(t, LAN, &syn, 0));
    assert_false(leaves(t, WAN, &syn, 10));
    assert_false(comes(t, WAN, &answer, 20));
    assert_true(leaves(t, LAN, &answer, 30));
    twins_free(t);
}

static void a_translated_copy_is_known_by_its_server_and_number(void **state)
{
    struct twins *t = fresh();
    struct twins_frame in = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame out = segment(t, 1, 61000, 9, 25, TCP_SYN, 77);
    struct twins_frame data = segment(t, 1, 61000, 9, 25, TCP_ACK, 78);

    (void)state;
    assert_true(comes(t, LAN, &in, 0));
    assert_false(comes(t, WAN, &out, 10));
    assert_false(comes(t, WAN, &data, 300 * SECOND));
    twins_free(t);
}

static void what_the_host_itself_sends_is_read_outside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame other = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame own = segment(t, 1, 61000, 9, 25, TCP_SYN, 1234);
    struct twins_frame data = segment(t, 1, 61000, 9, 25, TCP_ACK, 1235);

    (void)state;
    assert_true(comes(t, LAN, &other, 0));
    assert_true(comes(t, WAN, &own, 10));
    assert_true(comes(t, WAN, &data, 20));
    twins_free(t);
}

static void a_port_that_was_a_copy_s_may_be_the_host_s_own_later(void **state)
{
    struct twins *t = fresh();
    struct twins_frame in = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame out = segment(t, 1, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame own = segment(t, 1, 4000, 9, 25, TCP_SYN, 99999);

    (void)state;
    assert_true(comes(t, LAN, &in, 0));
    assert_false(comes(t, WAN, &out, 10));
    assert_true(comes(t, WAN, &own, 100 * SECOND));
    twins_free(t);
}

static void forged_frames_outside_hide_nothing_inside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame forged = segment(t, 2, 4000, 9, 25, TCP_SYN, 1);
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);

    (void)state;
    assert_true(comes(t, WAN, &forged, 0));
    assert_true(comes(t, LAN, &syn, 10));
    assert_false(comes(t, WAN, &forged, 20));
    assert_true(comes(t, LAN, &syn, 30));
    twins_free(t);
}

static void between_two_inner_interfaces_the_first_reads_both_ways(void **state)
{
    struct twins *t = fresh();
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame answer = segment(t, 9, 25, 2, 4000, TCP_SYN | TCP_ACK, 5);

    (void)state;
    assert_true(comes(t, DMZ, &syn, 0));
    assert_false(leaves(t, LAN, &syn, 10));
    assert_false(comes(t, LAN, &answer, 20));
    assert_true(leaves(t, DMZ, &answer, 30));
    assert_false(comes(t, LAN, &answer, 40));
    twins_free(t);
}

static void answers_that_leave_another_way_are_read_there(void **state)
{
    struct twins *t = fresh();
    struct twins_frame forged = segment(t, 3, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame answer = segment(t, 9, 25, 3, 4000, TCP_SYN | TCP_ACK, 5);

    (void)state;
    assert_true(comes(t, LAN, &forged, 0));
    assert_false(comes(t, WAN, &answer, 10));
    assert_true(leaves(t, DMZ, &answer, 20)); /* there the real one lives */
    assert_true(comes(t, LAN, &forged, 30));
    twins_free(t);
}

static void mail_that_comes_in_is_read_inside_both_ways(void **state)
{
    struct twins *t = fresh();
    struct twins_frame syn = segment(t, 9, 4000, 2, 25, TCP_SYN, 77);
    struct twins_frame answer = segment(t, 2, 25, 9, 4000, TCP_SYN | TCP_ACK, 5);

    (void)state;
    assert_true(comes(t, WAN, &syn, 0)); /* it may be for this host itself */
    assert_true(leaves(t, LAN, &syn, 10));
    assert_true(comes(t, LAN, &answer, 20));
    assert_false(leaves(t, WAN, &answer, 30));
    assert_false(comes(t, WAN, &syn, 40));
    twins_free(t);
}

static void a_flow_whose_route_changed_is_read_where_it_is_now(void **state)
{
    struct twins *t = fresh();
    struct twins_frame data = segment(t, 2, 4000, 9, 25, TCP_ACK, 77);

    (void)state;
    assert_true(comes(t, DMZ, &data, 1 * SECOND));
    assert_false(comes(t, LAN, &data, 2 * SECOND));
    assert_false(comes(t, LAN, &data, 6 * SECOND));
    assert_true(comes(t, LAN, &data, 8 * SECOND));
    assert_false(comes(t, DMZ, &data, 9 * SECOND));
    twins_free(t);
}

static void an_answer_after_a_long_pause_is_read_inside(void **state)
{
    struct twins *t = fresh();
    struct twins_frame syn = segment(t, 2, 4000, 9, 25, TCP_SYN, 77);
    struct twins_frame answer = segment(t, 9, 25, 2, 4000, TCP_ACK, 5);

    (void)state;
    assert_true(comes(t, LAN, &syn, 1 * SECOND));
    for (int i = 1; i < 5; i++) { /* the outer interface sees it first */
        assert_false(comes(t, WAN, &answer, i * 100 * SECOND));
        assert_true(leaves(t, LAN, &answer, i * 100 * SECOND + 50));
    }
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
        cmocka_unit_test(between_two_inner_interfaces_the_first_reads_both_ways),
        cmocka_unit_test(answers_that_leave_another_way_are_read_there),
        cmocka_unit_test(mail_that_comes_in_is_read_inside_both_ways),
        cmocka_unit_test(a_flow_whose_route_changed_is_read_where_it_is_now),
        cmocka_unit_test(an_answer_after_a_long_pause_is_read_inside),
        cmocka_unit_test(what_has_no_tcp_header_has_no_twin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
