/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/roster.h"
#include "core/settings.h"

static void every_table_of_keys_fits_its_struct(void **state)
{
    struct err e = { 0 };

    (void)state;
    if (schema_check(house_sections, &e) < 0)
        fail_msg("%s", e.text);
}

static struct house_settings *defaults(void)
{
    struct house_settings *h = calloc(1, sizeof(*h));
    struct conf_faults faults;

    assert_non_null(h);
    assert_int_equal(settings_read(NULL, h, &faults), 0);
    return h;
}

static void without_a_file_the_house_watches_and_touches_nothing(void **state)
{
    struct house_settings *h = defaults();
    struct hand_settings hand;

    (void)state;
    assert_int_equal(h->hunt.mode, HUNT_OBSERVE);
    settings_for_hand(h, NULL, 0, &hand);
    assert_int_equal(hand.acts, 0);
    assert_int_equal(hand.hold, 0);
    assert_int_equal(hand.inside_auto, 1);
    assert_string_equal(hand.table, "serviola");
    free(h);
}

static void the_default_ports_are_those_that_mail_leaves_by(void **state)
{
    struct house_settings *h = defaults();

    (void)state;
    assert_int_equal(h->hunt.ports.count, 4);
    assert_int_equal(h->hunt.ports.at[0], 25);
    assert_int_equal(h->hunt.ports.at[1], 465);
    assert_int_equal(h->hunt.ports.at[2], 587);
    assert_int_equal(h->hunt.ports.at[3], 2525);
    free(h);
}

static void the_hand_learns_who_must_never_be_blocked(void **state)
{
    struct house_settings *h = defaults();
    struct addr resolver = addr_v4(0x0a000035, 53);
    struct hand_settings hand;

    (void)state;
    h->hunt.mode = HUNT_HOLD;
    h->hunt.allow.count = 1;
    h->hunt.allow.at[0] = prefix_of(addr_v4(0x0a000019, 0), 32);
    h->block.admin.count = 1;
    h->block.admin.at[0] = prefix_of(addr_v4(0x0a000900, 0), 24);
    settings_for_hand(h, &resolver, 1, &hand);
    assert_int_equal(hand.acts, 1);
    assert_int_equal(hand.hold, 1);
    assert_int_equal(hand.allow.count, 1);
    assert_int_equal(hand.admin.count, 1);
    assert_int_equal(hand.resolvers_count, 1);
    assert_int_equal(hand.resolvers[0].port, 0);
    free(h);
}

static void every_process_gets_settings_of_its_own_size(void **state)
{
    struct house_settings *h = defaults();
    static char room[sizeof(struct house_settings) + sizeof(struct hand_settings)];

    (void)state;
    for (uint32_t i = 0; i < roster_count; i++) {
        size_t n = roster_settings(&roster[i], h, NULL, 0, room, sizeof(room));

        assert_int_equal(n, roster[i].part ? roster[i].part->settings_size : sizeof(struct hand_settings));
        if (n > 0)
            assert_int_equal(roster_settings(&roster[i], h, NULL, 0, room, n - 1), 0);
    }
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_of_keys_fits_its_struct),
        cmocka_unit_test(without_a_file_the_house_watches_and_touches_nothing),
        cmocka_unit_test(the_default_ports_are_those_that_mail_leaves_by),
        cmocka_unit_test(the_hand_learns_who_must_never_be_blocked),
        cmocka_unit_test(every_process_gets_settings_of_its_own_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
