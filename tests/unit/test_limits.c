/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MINUTE_US = 60000000, MOST = 3000 };

static struct gate_limits set = { .places = 1000,
                                  .reserve = 10,
                                  .per_address = 5,
                                  .per_network = 20,
                                  .per_organisation = 30,
                                  .rate_address = 100,
                                  .rate_network = 1000,
                                  .rate_organisation = 1000 };
static struct places taken[MOST];

static int begin(void **state)
{
    struct err e;

    *state = limits_new(&set, 7, &e);
    return *state ? 0 : -1;
}

static int end(void **state)
{
    limits_free(*state);
    return 0;
}

static struct addr v6(uint8_t network, uint8_t host)
{
    uint8_t ip[16] = { 0x2a, 0x00, 0, 1, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host };

    return addr_from_ip(6, ip, 4000);
}

static enum limit_over enter(struct limits *l, struct addr who, bool known, struct places *p)
{
    return limits_enter(l, who, known, 1, p).over;
}

static void an_address_has_its_share_and_its_neighbour_too(void **state)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c010002, (uint16_t)(4000 + i)), false, &taken[i]), LIMIT_NONE);
    assert_int_equal(enter(*state, addr_v4(0x2c010002, 5000), false, &taken[5]), LIMIT_ADDRESS);
    assert_int_equal(enter(*state, addr_v4(0x2c010003, 5000), false, &taken[6]), LIMIT_NONE);
    limits_leave(*state, &taken[0]);
    assert_int_equal(enter(*state, addr_v4(0x2c010002, 5001), false, &taken[0]), LIMIT_NONE);
    assert_int_equal(limits_taken(*state), 6);
}

static void a_network_is_a_24_or_a_64(void **state)
{
    for (uint8_t i = 0; i < 20; i++) {
        assert_int_equal(enter(*state, addr_v4(0x2c010000u + i, 4000), false, &taken[i]), LIMIT_NONE);
        assert_int_equal(enter(*state, v6(1, i), false, &taken[50 + i]), LIMIT_NONE);
    }
    assert_int_equal(enter(*state, addr_v4(0x2c0100c8, 4000), false, &taken[100]), LIMIT_NETWORK);
    assert_int_equal(enter(*state, addr_v4(0x2c0101c8, 4000), false, &taken[100]), LIMIT_NONE);
    assert_int_equal(enter(*state, v6(1, 200), false, &taken[101]), LIMIT_NETWORK);
    assert_int_equal(enter(*state, v6(2, 200), false, &taken[101]), LIMIT_NONE);
}

static void the_reserve_is_for_those_who_are_known(void **state)
{
    uint32_t i = 0;

    for (; i < 900; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c000000u + i * 256, 4000), false, &taken[i]), LIMIT_NONE);
    assert_int_equal(enter(*state, addr_v4(0x2d000000, 4000), false, &taken[i]), LIMIT_PLACES);
    for (; i < 1000; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c000000u + i * 256, 4000), true, &taken[i]), LIMIT_NONE);
    assert_int_equal(enter(*state, addr_v4(0x2d000000, 4000), true, &taken[i]), LIMIT_PLACES);
    while (i > 0)
        limits_leave(*state, &taken[--i]);
    assert_int_equal(limits_taken(*state), 0);
}

static void who_came_too_often_waits_for_the_next_minute(void **state)
{
    struct places p;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(limits_enter(*state, v6(9, 9), false, 10, &p).over, LIMIT_NONE);
        limits_leave(*state, &p);
    }
    assert_true(limits_enter(*state, v6(9, 9), false, 11, &p).rate);
    assert_int_equal(limits_enter(*state, v6(9, 9), false, 10 + 3LL * MINUTE_US, &p).over, LIMIT_NONE);
}

static void an_organisation_is_counted_once_a_session(void **state)
{
    uint32_t i = 0;

    for (; i < 31; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c000000u + i * 256, 4000), false, &taken[i]), LIMIT_NONE);
    for (i = 0; i < 30; i++) {
        assert_int_equal(limits_join(*state, SLICE("big.example"), 1, &taken[i]).over, LIMIT_NONE);
        assert_int_equal(limits_join(*state, SLICE("big.example"), 1, &taken[i]).over, LIMIT_NONE);
    }
    assert_int_equal(limits_join(*state, SLICE("big.example"), 1, &taken[30]).over, LIMIT_ORGANISATION);
    limits_leave(*state, &taken[0]);
    assert_int_equal(limits_join(*state, SLICE("big.example"), 1, &taken[30]).over, LIMIT_NONE);
}

static void those_who_hold_most_are_named_first(void **state)
{
    struct limit_holder top[2];

    for (int i = 0; i < 3; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c010002, 4000), false, &taken[i]), LIMIT_NONE);
    assert_int_equal(enter(*state, addr_v4(0x2c020002, 4000), false, &taken[3]), LIMIT_NONE);
    for (int i = 4; i < 9; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c030002, 4000), false, &taken[i]), LIMIT_NONE);
    assert_int_equal(limits_holders(*state, top, 2), 2);
    assert_int_equal(top[0].sessions, 5);
    assert_int_equal(top[1].sessions, 3);
    assert_true(addr_eq(top[0].who, addr_ip(addr_v4(0x2c030002, 0))));
}

/* More clients than are counted: the oldest are forgotten, and none of those that are here. */
static void a_flood_of_addresses_forgets_no_session(void **state)
{
    struct places p;

    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(enter(*state, addr_v4(0x2c010002, 4000), false, &taken[i]), LIMIT_NONE);
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(enter(*state, addr_v4(0x50000000u + i * 256, 4000), false, &p), LIMIT_NONE);
        limits_leave(*state, &p);
    }
    assert_int_equal(enter(*state, addr_v4(0x2c010002, 4000), false, &p), LIMIT_ADDRESS);
    assert_int_equal(limits_taken(*state), 5);
}

int main(void)
{
#define A_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        A_TEST(an_address_has_its_share_and_its_neighbour_too), A_TEST(a_network_is_a_24_or_a_64),
        A_TEST(the_reserve_is_for_those_who_are_known),         A_TEST(who_came_too_often_waits_for_the_next_minute),
        A_TEST(an_organisation_is_counted_once_a_session),      A_TEST(those_who_hold_most_are_named_first),
        A_TEST(a_flood_of_addresses_forgets_no_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
