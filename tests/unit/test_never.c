/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hand/never.h"
#include "hand/ranges.h"
#include "hand/settings.h"

/*
 * The house: lan0 10.1.0.1/24 and fd00:1::1/64, wan0 192.0.2.2/24 with the default route via 192.0.2.1; a router
 * 10.1.0.254 and fd00:1::fe inside; resolver 10.1.0.53; admins on 10.1.0.64/28; the mail server 10.1.0.25 is allowed.
 */
static struct hand_settings set;
static struct never never;

static struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read(slice_text(text), &a));
    return a;
}

static struct prefix net(const char *text)
{
    struct prefix p;

    assert_true(prefix_read(slice_text(text), &p));
    return p;
}

static void add_net(const char *text, bool inside)
{
    never.facts.nets[never.facts.nets_count].net = net(text);
    never.facts.nets[never.facts.nets_count++].inside = inside;
}

static int house(void **state)
{
    (void)state;
    memset(&set, 0, sizeof(set));
    strcpy(set.table, "serviola");
    set.acts = 1;
    set.inside_auto = 1;
    set.per_minute = 3;
    set.total = 5;
    set.resolvers[set.resolvers_count++] = at("10.1.0.53");
    set.admin.at[set.admin.count++] = net("10.1.0.64/28");
    set.allow.at[set.allow.count++] = net("10.1.0.25");
    never_init(&never, &set);
    never.facts.known = true;
    never.facts.own[never.facts.own_count++] = at("192.0.2.2");
    never.facts.own[never.facts.own_count++] = at("127.0.0.1");
    never.facts.own[never.facts.own_count++] = at("fd00:1::1");
    never.facts.own[never.facts.own_count++] = at("10.1.0.1");
    never.facts.gateways[never.facts.gateways_count++] = at("192.0.2.1");
    never.facts.gateways[never.facts.gateways_count++] = at("10.1.0.254");
    never.facts.gateways[never.facts.gateways_count++] = at("fd00:1::fe");
    add_net("10.1.0.0/24", true);
    add_net("fd00:1::/64", true);
    add_net("192.0.2.0/24", false);
    never_sort(&never);
    return 0;
}

static void a_host_of_the_lan_may_be_blocked(void **state)
{
    (void)state;
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_OK);
    assert_int_equal(never_who(&never, at("fd00:1::7"), false), HAND_OK);
}

static void each_refusal_has_its_own_code(void **state)
{
    static const struct {
        const char *who;
        enum hand_code code;
    } cases[] = {
        { "10.1.0.1", HAND_NEVER_OWN },
        { "192.0.2.2", HAND_NEVER_OWN },
        { "fd00:1::1", HAND_NEVER_OWN },
        { "10.1.0.254", HAND_NEVER_GATEWAY },
        { "192.0.2.1", HAND_NEVER_GATEWAY },
        { "fd00:1::fe", HAND_NEVER_GATEWAY },
        { "10.1.0.53", HAND_NEVER_RESOLVER },
        { "10.1.0.64", HAND_NEVER_ADMIN },
        { "10.1.0.79", HAND_NEVER_ADMIN },
        { "10.1.0.25", HAND_NEVER_ALLOWED },
        { "192.0.2.9", HAND_NEVER_OUTSIDE },
        { "8.8.8.8", HAND_NEVER_OUTSIDE },
        { "2001:db8::1", HAND_NEVER_OUTSIDE },
        { "10.1.1.7", HAND_NEVER_OUTSIDE },
        { "127.0.0.1", HAND_NEVER_SPECIAL },
        { "127.8.9.1", HAND_NEVER_SPECIAL },
        { "::1", HAND_NEVER_SPECIAL },
        { "0.0.0.0", HAND_NEVER_SPECIAL },
        { "::", HAND_NEVER_SPECIAL },
        { "224.0.0.1", HAND_NEVER_SPECIAL },
        { "255.255.255.255", HAND_NEVER_SPECIAL },
        { "240.0.0.1", HAND_NEVER_SPECIAL },
        { "ff02::1", HAND_NEVER_SPECIAL },
        { "fe80::7", HAND_NEVER_SPECIAL },
        { "169.254.1.1", HAND_NEVER_SPECIAL },
        { "10.1.0.255", HAND_NEVER_SPECIAL },
        { "10.1.0.0", HAND_NEVER_SPECIAL },
        { "192.0.2.255", HAND_NEVER_SPECIAL },
        { "10.1.0.80", HAND_OK },
        { "10.1.0.63", HAND_OK },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (never_who(&never, at(cases[i].who), false) != cases[i].code)
            fail_msg("%s: %s", cases[i].who, hand_code_words(never_who(&never, at(cases[i].who), false)));
}

static void a_second_spelling_of_an_address_is_refused(void **state)
{
    struct addr with_port = at("10.1.0.7");
    struct addr with_rest = at("10.1.0.1");
    struct addr mapped = { .family = 6, .ip = { [10] = 0xff, [11] = 0xff, 10, 1, 0, 1 } };

    (void)state;
    with_port.port = 25;
    with_rest.ip[15] = 1;
    assert_int_equal(never_who(&never, with_port, false), HAND_WRONG);
    assert_int_equal(never_who(&never, with_rest, false), HAND_WRONG);
    assert_int_equal(never_who(&never, mapped, false), HAND_WRONG);
    assert_int_equal(never_who(&never, (struct addr){ 0 }, false), HAND_WRONG);
    assert_int_equal(never_who(&never, (struct addr){ .family = 5 }, false), HAND_WRONG);
}

static void nobody_is_blocked_before_the_kernel_has_told_who_we_are(void **state)
{
    (void)state;
    never.facts.known = false;
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_NEVER_OUTSIDE);
    never.facts.known = true;
    never.facts.cut = true; /* one of our addresses did not fit: it might be this one */
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_NEVER_OUTSIDE);
}

static void an_own_address_named_as_a_local_sender_may_be_blocked(void **state)
{
    (void)state;
    set.own_blockable.at[set.own_blockable.count++] = net("192.0.2.2");
    set.own_blockable.at[set.own_blockable.count++] = net("127.0.0.0/8");
    assert_int_equal(never_who(&never, at("192.0.2.2"), false), HAND_OK);
    assert_int_equal(never_who(&never, at("10.1.0.1"), false), HAND_NEVER_OWN);
    assert_int_equal(never_who(&never, at("127.0.0.1"), false), HAND_NEVER_SPECIAL);
    set.admin.at[set.admin.count++] = net("192.0.2.0/24");
    assert_int_equal(never_who(&never, at("192.0.2.2"), false), HAND_NEVER_ADMIN);
}

static void inside_can_be_said_instead_of_found(void **state)
{
    (void)state;
    set.inside_auto = 0;
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_NEVER_OUTSIDE);
    set.inside.at[set.inside.count++] = net("172.16.0.0/12");
    assert_int_equal(never_who(&never, at("172.16.0.9"), false), HAND_OK);
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_NEVER_OUTSIDE);
}

static void allowing_while_running_protects_and_can_be_taken_off(void **state)
{
    struct prefix bad = net("10.1.0.0/24");

    (void)state;
    assert_int_equal(never_allow(&never, net("10.1.0.0/28"), true), HAND_OK);
    assert_int_equal(never_allow(&never, net("10.1.0.0/28"), true), HAND_ALREADY);
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_NEVER_ALLOWED);
    assert_int_equal(never_allow(&never, net("10.1.0.0/28"), false), HAND_OK);
    assert_int_equal(never_allow(&never, net("10.1.0.0/28"), false), HAND_NOT_THERE);
    assert_int_equal(never_who(&never, at("10.1.0.7"), false), HAND_OK);
    assert_int_equal(never_allow(&never, net("10.1.0.25"), false), HAND_NOT_THERE); /* the configuration's own */
    bad.bits = 200;
    assert_int_equal(never_allow(&never, bad, true), HAND_WRONG);
    bad.bits = 8; /* bits behind the length */
    assert_int_equal(never_allow(&never, bad, true), HAND_WRONG);
    for (int i = 0; i < NEVER_ALLOWED; i++)
        (void)never_allow(&never, prefix_of(addr_v4(0x0b000000u + (uint32_t)i, 0), 32), true);
    assert_int_equal(never_allow(&never, net("10.1.0.7"), true), HAND_CAP_TOTAL);
}

static enum hand_code cap(size_t blocked, bool unasked, int64_t now_us)
{
    return never_cap(&never, blocked, &(struct hand_block){ .unasked = unasked }, now_us);
}

static void new_blocks_are_capped_in_any_sixty_seconds(void **state)
{
    int64_t now = 1000000000;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cap(0, false, now), HAND_OK);
        never_count(&never, now);
        now += 10000000;
    }
    assert_int_equal(cap(0, false, now), HAND_CAP_MINUTE);
    assert_int_equal(cap(0, true, now), HAND_OK); /* restored from the journal */
    assert_int_equal(cap(0, false, now + 29000000), HAND_CAP_MINUTE);
    assert_int_equal(cap(0, false, now + 31000000), HAND_OK);
    assert_int_equal(cap(0, false, now - 60000000), HAND_OK); /* a clock that goes back opens nothing: */
    never_count(&never, now);
    assert_int_equal(cap(0, false, now), HAND_CAP_MINUTE);
}

static void the_total_is_capped_whoever_asks(void **state)
{
    (void)state;
    assert_int_equal(cap(4, true, 1), HAND_OK);
    assert_int_equal(cap(5, true, 1), HAND_CAP_TOTAL);
    assert_int_equal(cap(6, false, 1), HAND_CAP_TOTAL);
}

static void a_gate_blocks_hosts_outside_too_but_never_who_must_not_be(void **state)
{
    (void)state;
    assert_int_equal(never_who(&never, at("198.51.100.7"), true), HAND_NEVER_OUTSIDE); /* no gate */
    set.doors_count = 1;
    set.servers.count = 1;
    set.servers.at[0] = net("198.51.100.25");
    assert_int_equal(never_who(&never, at("198.51.100.7"), true), HAND_OK);
    assert_int_equal(never_who(&never, at("198.51.100.7"), false), HAND_NEVER_OUTSIDE);
    assert_int_equal(never_who(&never, at("10.1.0.7"), true), HAND_OK);
    assert_int_equal(never_who(&never, at("198.51.100.25"), true), HAND_NEVER_SERVER);
    assert_int_equal(never_who(&never, at("10.1.0.1"), true), HAND_NEVER_OWN);
    assert_int_equal(never_who(&never, at("192.0.2.1"), true), HAND_NEVER_GATEWAY);
    assert_int_equal(never_who(&never, at("127.0.1.50"), true), HAND_NEVER_SPECIAL);
    assert_int_equal(never_allow(&never, net("198.51.100.0/24"), true), HAND_OK);
    assert_int_equal(never_who(&never, at("198.51.100.7"), true), HAND_NEVER_ALLOWED);
    never.facts.known = false;
    assert_int_equal(never_who(&never, at("203.0.113.7"), true), HAND_NEVER_OUTSIDE);
}

static void strangers_leave_half_of_each_cap_to_hosts_inside(void **state)
{
    const struct hand_block stranger = { .outside = 1 };

    (void)state;
    assert_int_equal(never_cap(&never, 2, &stranger, 1), HAND_OK);
    assert_int_equal(never_cap(&never, 3, &stranger, 1), HAND_CAP_TOTAL); /* of 5 */
    assert_int_equal(cap(3, false, 1), HAND_OK);
    for (int i = 0; i < 2; i++)
        never_count(&never, 1000000);
    assert_int_equal(never_cap(&never, 0, &stranger, 1000000), HAND_CAP_MINUTE); /* of 3 */
    assert_int_equal(cap(0, false, 1000000), HAND_OK);
}

static void settings_that_make_no_sense_are_named(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(settings_check(&set, &e), 0);
    set.admin.at[0].bits = 129;
    assert_int_equal(settings_check(&set, &e), -1);
    assert_non_null(strstr(e.text, "admin"));
    set.admin.count = HAND_NETS + 1;
    assert_int_equal(settings_check(&set, &e), -1);
    set.admin.count = 0;
    memset(set.table, 'x', sizeof(set.table));
    assert_int_equal(settings_check(&set, &e), -1);
    strcpy(set.table, "a b");
    assert_int_equal(settings_check(&set, &e), -1);
    strcpy(set.table, "serviola");
    set.total = HAND_TOTAL_MAX + 1;
    assert_int_equal(settings_check(&set, &e), -1);
}

static void every_code_has_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HAND_CODES; i++)
        assert_true(strlen(hand_code_words((enum hand_code)i)) > 0);
    assert_non_null(hand_code_words((enum hand_code)999));
}

static void networks_become_ranges_that_neither_overlap_nor_touch(void **state)
{
    struct prefix nets[] = { net("10.2.0.0/16"), net("10.1.0.0/16"),      net("10.1.7.0/24"), net("0.0.0.0/32"),
                             net("fd00::/8"),    net("255.255.255.0/24"), net("10.9.0.1"),    net("10.9.0.3") };
    struct range r[8];

    (void)state;
    assert_int_equal(ranges_of(nets, 8, 4, r), 5);
    assert_memory_equal(r[0].behind, "\0\0\0\1", 4);
    assert_memory_equal(r[1].first, "\12\1\0\0", 4);
    assert_memory_equal(r[1].behind, "\12\3\0\0", 4);
    assert_memory_equal(r[2].first, "\12\11\0\1", 4);
    assert_memory_equal(r[3].first, "\12\11\0\3", 4);
    assert_true(r[4].to_the_end);
    assert_int_equal(ranges_of(nets, 8, 6, r), 1);
    assert_memory_equal(r[0].behind, "\376\0", 2);
    nets[0] = net("0.0.0.0/0");
    assert_int_equal(ranges_of(nets, 8, 4, r), 1);
    assert_true(r[0].to_the_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_host_of_the_lan_may_be_blocked, house),
        cmocka_unit_test_setup(each_refusal_has_its_own_code, house),
        cmocka_unit_test_setup(a_second_spelling_of_an_address_is_refused, house),
        cmocka_unit_test_setup(nobody_is_blocked_before_the_kernel_has_told_who_we_are, house),
        cmocka_unit_test_setup(an_own_address_named_as_a_local_sender_may_be_blocked, house),
        cmocka_unit_test_setup(inside_can_be_said_instead_of_found, house),
        cmocka_unit_test_setup(allowing_while_running_protects_and_can_be_taken_off, house),
        cmocka_unit_test_setup(new_blocks_are_capped_in_any_sixty_seconds, house),
        cmocka_unit_test_setup(the_total_is_capped_whoever_asks, house),
        cmocka_unit_test_setup(strangers_leave_half_of_each_cap_to_hosts_inside, house),
        cmocka_unit_test_setup(a_gate_blocks_hosts_outside_too_but_never_who_must_not_be, house),
        cmocka_unit_test_setup(settings_that_make_no_sense_are_named, house),
        cmocka_unit_test(every_code_has_words),
        cmocka_unit_test(networks_become_ranges_that_neither_overlap_nor_touch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
