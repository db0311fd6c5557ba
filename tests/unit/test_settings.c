/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    settings_for_hand(h, &(struct found){ 0 }, &hand);
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
    settings_for_hand(h, &(struct found){ .resolvers = &resolver, .resolvers_count = 1 }, &hand);
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
    const struct found found = { 0 };
    static char room[sizeof(struct house_settings) + sizeof(struct hand_settings) + sizeof(struct papers)];

    (void)state;
    for (uint32_t i = 0; i < roster_count; i++) {
        size_t n = roster_settings(&roster[i], h, &found, room, sizeof(room));

        assert_int_equal(n, roster[i].part ? roster[i].part->settings_size : sizeof(struct hand_settings));
        if (n > 0)
            assert_int_equal(roster_settings(&roster[i], h, &found, room, n - 1), 0);
    }
    free(h);
}

static struct house_settings *with(const char *file_text)
{
    struct house_settings *h = calloc(1, sizeof(*h));
    struct conf_faults faults;
    char path[] = "/tmp/test_settings.XXXXXX";
    int fd = mkstemp(path);

    assert_true(h && fd >= 0);
    assert_int_equal(write(fd, file_text, strlen(file_text)), strlen(file_text));
    assert_int_equal(close(fd), 0);
    if (settings_read(path, h, &faults) < 0)
        fail_msg("%s", faults.at[0].text);
    assert_int_equal(unlink(path), 0);
    return h;
}

static const char two_listeners[] =
    "gate: { token: fig, listeners: { mx: { listen: [0.0.0.0, \"[::]:25\"], to: 127.0.0.1:2525 },\n"
    "  box: { kind: submission, identity: transparent, listen: 192.0.2.9, to: 192.0.2.10 } } }\n";

static void the_hand_opens_what_the_listeners_name_and_nothing_else(void **state)
{
    struct house_settings *h = with(two_listeners);
    struct hand_settings hand;

    (void)state;
    settings_for_hand(h, &(struct found){ 0 }, &hand);
    assert_int_equal(hand.listens_count, 3);
    assert_string_equal(addr_socket_text(hand.listens[0].at).text, "0.0.0.0:25");
    assert_string_equal(addr_socket_text(hand.listens[1].at).text, "[::]:25");
    assert_int_equal(hand.listens[1].v6only, 1);
    assert_string_equal(addr_socket_text(hand.listens[2].at).text, "192.0.2.9:587");
    assert_int_equal(hand.listens[0].transparent, 0);
    assert_int_equal(hand.listens[2].transparent, 1);
    assert_int_equal(hand.borrow, 1);
    assert_string_equal(addr_socket_text(h->gate.listeners[1].to).text, "192.0.2.10:587");
    free(h);
}

/* `words` stand in the first fault, `place` where it is. */
static void expect_fault(const char *yaml, unsigned line, const char *words)
{
    struct house_settings *h = calloc(1, sizeof(*h));
    struct conf_faults faults = { .count = 0 };
    char path[] = "/tmp/test_settings.XXXXXX";
    int fd = mkstemp(path);

    assert_non_null(h);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
    assert_int_equal(settings_read(path, h, &faults), -1);
    (void)unlink(path);
    (void)close(fd);
    assert_int_equal(faults.at[0].line, line);
    if (!strstr(faults.at[0].text, words))
        fail_msg("%s", faults.at[0].text);
    free(h);
}

static void an_address_that_needs_an_interface_is_told_with_a_way_out(void **state)
{
    (void)state;
    expect_fault("gate:\n  listeners:\n    mx: { listen: \"[fe80::1%eth0]:25\", to: 127.0.0.1:2525 }\n", 3,
                 "gate.listeners.mx.listen: \"[fe80::1%eth0]:25\" names an interface");
    expect_fault("gate:\n  listeners:\n    mx: { listen: [\"[::]:25\", \"fe80::1%eth0\"], to: 127.0.0.1:2525 }\n", 3,
                 "such as fd00::1");
    expect_fault("gate:\n  listeners:\n    mx:\n      listen: \"[::]:25\"\n      to: \"[fe80::1%eth0]:2525\"\n", 5,
                 "gate.listeners.mx.to: \"[fe80::1%eth0]:2525\" names an interface");
    expect_fault("gate:\n  listeners:\n    mx: { listen: \"[::]:25\", to: \"[fe80::1]:2525\" }\n", 0,
                 "`to` is fe80::1, which is somebody else on each cable");
    expect_fault("gate:\n  listeners:\n    mx: { listen: \"[fe80::1]:25\", to: \"[fd00::1]:2525\" }\n", 0,
                 "write [::], or an address");
}

static void the_guard_closes_the_front_door_to_local_programs_but_not_the_back_one(void **state)
{
    struct house_settings *h = with(two_listeners);
    struct hand_settings hand;

    (void)state;
    settings_for_hand(h, &(struct found){ .gate_uid = 77 }, &hand);
    assert_int_equal(hand.acts, 1);
    assert_int_equal(hand.gate_only, 1);
    assert_int_equal(hand.doors_count, 2);
    assert_int_equal(hand.guard_uid, 77);
    assert_int_equal(hand.guard_count, 2);
    assert_int_equal(hand.guard[0], 25);
    assert_int_equal(hand.guard[1], 587);
    assert_int_equal(hand.guard_open_count, 1);
    assert_string_equal(addr_socket_text(hand.guard_open[0]).text, "127.0.0.1:2525");
    assert_int_equal(hand.servers.count, 2);
    h->gate.listeners[1].outside = GATE_OUTSIDE_NO; /* then it is there for local mail */
    h->gate.listeners[1].listen.at[0] = addr_v4(0, 25);
    settings_for_hand(h, &(struct found){ 0 }, &hand);
    assert_int_equal(hand.guard_count, 0);
    h->gate.outbound_guard = h->gate.blocks = false;
    settings_for_hand(h, &(struct found){ 0 }, &hand);
    assert_int_equal(hand.acts, 0);
    free(h);
}

static void the_gates_secrets_go_to_the_gate_alone(void **state)
{
    struct house_settings *h = with(two_listeners);
    struct house_settings *core = defaults();
    struct gate_settings *gate = calloc(1, sizeof(*gate));
    struct addr resolver = addr_v4(0x0a000035, 0);
    struct found found = { &resolver, 1, SLICE("certificate"), SLICE("secret key"), 77, NULL };

    (void)state;
    assert_non_null(gate);
    settings_for_core(h, core);
    assert_string_equal(core->gate.token, "");
    assert_int_equal(core->gate.key_len, 0);
    assert_int_equal(core->gate.listeners_count, 2);
    settings_for_gate(h, &found, gate);
    assert_string_equal(gate->token, "fig");
    assert_memory_equal(gate->key_pem, "secret key", gate->key_len);
    assert_int_equal(gate->key_len, 10);
    assert_int_equal(gate->certificate_len, 11);
    assert_int_equal(gate->resolvers.count, 1);
    free(gate);
    free(core);
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
        cmocka_unit_test(the_hand_opens_what_the_listeners_name_and_nothing_else),
        cmocka_unit_test(an_address_that_needs_an_interface_is_told_with_a_way_out),
        cmocka_unit_test(the_guard_closes_the_front_door_to_local_programs_but_not_the_back_one),
        cmocka_unit_test(the_gates_secrets_go_to_the_gate_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
