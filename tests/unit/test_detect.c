/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "talk.h"

#include "sense/hunt/mouths.h"

static struct talk t;

static int start(void **state)
{
    (void)state;
    talk_init(&t);
    t.settings.limits.any_mail = false;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    talk_done(&t);
    return 0;
}

/* One connection with one message; `n` makes what differs. */
static void message(unsigned n, const char *helo, const char *from, const char *reply)
{
    struct peer c = peer_new(&t, 2, 3000 + n);
    char words[256];

    peer_open(&c);
    peer_says(&c, 1, "220 mx ESMTP\r\n");
    (void)snprintf(words, sizeof(words), "EHLO %s\r\n", helo);
    peer_says(&c, 0, words);
    peer_says(&c, 1, "250 mx\r\n");
    (void)snprintf(words, sizeof(words), "MAIL FROM:<%s>\r\n", from);
    peer_says(&c, 0, words);
    peer_says(&c, 1, "250 ok\r\n");
    peer_says(&c, 0, "RCPT TO:<c@d>\r\n");
    peer_says(&c, 1, reply);
    peer_bye(&c);
}

static void too_many_connections_fire_at_one_more(void **state)
{
    (void)state;
    t.settings.limits.connections = 20;
    for (unsigned i = 0; i < 20; i++)
        message(i, "pc", "a@b", "250 ok\r\n");
    assert_string_equal(t.events, "");
    message(20, "pc", "a@b", "250 ok\r\n");
    assert_string_equal(t.events, "hunt.rate_crossed 10.1.0.2;");
    message(21, "pc", "a@b", "250 ok\r\n");
    assert_int_equal(t.events_count, 1);
}

static void connections_of_different_windows_do_not_add_up(void **state)
{
    (void)state;
    t.settings.limits.connections = 20;
    for (unsigned i = 0; i < 200; i++) {
        message(i, "pc", "a@b", "250 ok\r\n");
        t.now_us += 3100000;
    }
    assert_string_equal(t.events, "");
}

static void too_many_senders_fire_at_one_more(void **state)
{
    (void)state;
    t.settings.limits.senders = 5;
    for (unsigned i = 0; i < 12; i++) {
        char from[32];

        (void)snprintf(from, sizeof(from), "u%u@b", i % 6 < 5 ? i % 5 : 0);
        message(i, "pc", from, "250 ok\r\n");
    }
    assert_string_equal(t.events, "");
    message(12, "pc", "u5@b", "250 ok\r\n");
    assert_string_equal(t.events, "hunt.senders_crossed 10.1.0.2;");
}

static void too_many_domains_fire_whatever_their_letters(void **state)
{
    (void)state;
    t.settings.limits.domains = 2;
    message(0, "pc", "a@b.example", "250 ok\r\n");
    message(1, "pc", "a@B.EXAMPLE.", "250 ok\r\n");
    message(2, "pc", "a@c.example", "250 ok\r\n");
    assert_string_equal(t.events, "");
    message(3, "pc", "a@d.example", "250 ok\r\n");
    assert_string_equal(t.events, "hunt.domains_crossed 10.1.0.2;");
}

static void a_helo_that_changes_fires(void **state)
{
    (void)state;
    t.settings.limits.helos = 1;
    message(0, "pc", "a@b", "250 ok\r\n");
    message(1, "PC", "a@b", "250 ok\r\n");
    assert_string_equal(t.events, "");
    message(2, "other", "a@b", "250 ok\r\n");
    assert_string_equal(t.events, "hunt.helo_changed 10.1.0.2;");
}

static void refused_recipients_fire_at_one_more(void **state)
{
    (void)state;
    t.settings.limits.refusals = 10;
    for (unsigned i = 0; i < 10; i++)
        message(i, "pc", "a@b", "550-5.1.1 no\r\n550 5.1.1 such user\r\n");
    message(10, "pc", "a@b", "450 later\r\n");
    assert_string_equal(t.events, "");
    message(11, "pc", "a@b", "550 no\r\n");
    assert_string_equal(t.events, "hunt.refusals_crossed 10.1.0.2;");
}

static void servers_are_counted_by_address(void **state)
{
    (void)state;
    t.settings.limits.servers = 10;
    for (unsigned i = 0; i < 11; i++) {
        struct peer c = peer_new(&t, 2, 3000 + i);

        assert_string_equal(t.events, "");
        c.ip[1][3] = (uint8_t)i;
        peer_greet(&c);
    }
    assert_string_equal(t.events, "hunt.servers_crossed 10.1.0.2;");
}

static void volume_fires(void **state)
{
    struct peer c = peer_new(&t, 2, 3000);
    char body[1400];

    (void)state;
    t.settings.limits.bytes = 100000;
    memset(body, 'x', sizeof(body));
    peer_greet(&c);
    peer_says(&c, 0, "DATA\r\n");
    peer_says(&c, 1, "354 go\r\n");
    for (unsigned i = 0; i < 60; i++)
        peer_send(&c, 0, TCP_ACK, slice_of(body, sizeof(body)));
    assert_string_equal(t.events, "");
    for (unsigned i = 0; i < 40; i++)
        peer_send(&c, 0, TCP_ACK, slice_of(body, sizeof(body)));
    assert_string_equal(t.events, "hunt.volume_crossed 10.1.0.2;");
}

static void a_network_may_have_its_own_limits(void **state)
{
    (void)state;
    t.settings.limits.senders = 1;
    t.settings.networks_count = 1;
    t.settings.networks[0].limits = t.settings.limits;
    t.settings.networks[0].limits.senders = 3;
    assert_true(prefix_read(SLICE("10.1.0.0/16"), &t.settings.networks[0].net.at[0]));
    t.settings.networks[0].net.count = 1;
    engine_set(t.engine, &t.settings);
    message(0, "pc", "a@b", "250 ok\r\n");
    message(1, "pc", "b@b", "250 ok\r\n");
    message(2, "pc", "c@b", "250 ok\r\n");
    assert_string_equal(t.events, "");
    message(3, "pc", "d@b", "250 ok\r\n");
    assert_string_equal(t.events, "hunt.senders_crossed 10.1.0.2;");
}

static void what_was_lifted_is_found_anew(void **state)
{
    struct engine_source s;

    (void)state;
    t.settings.limits.any_mail = true;
    message(0, "pc", "a@b", "250 ok\r\n");
    assert_true(engine_source(t.engine, addr_v4(0x0a010002, 0), &s));
    assert_true(s.found && s.inside && s.mails == 1 && s.recipients == 1);
    engine_forget(t.engine, addr_v4(0x0a010002, 0));
    message(1, "pc", "a@b", "250 ok\r\n");
    assert_int_equal(t.events_count, 2);
}

static void mail_under_tls_counts(void **state)
{
    static const char hello[] = "\x16\3\1\0\x3d\1\0\0\x39\3\3"
                                "0123456789abcdef0123456789abcdef"
                                "\0\0\2\0\x2f\1\0\0\x0e"
                                "\0\0\0\x0a\0\x08\0\0\5a.b.c";
    struct peer c = peer_new(&t, 2, 3000);

    (void)state;
    t.settings.limits.any_mail = true;
    peer_greet(&c);
    peer_says(&c, 0, "STARTTLS\r\n");
    peer_says(&c, 1, "220 go\r\n");
    peer_send(&c, 0, TCP_ACK, slice_of(hello, 20));
    peer_send(&c, 0, TCP_ACK, slice_of(hello + 20, sizeof(hello) - 21));
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "SNI a.b.c;");
    assert_string_equal(t.events, "hunt.tls_seen 10.1.0.2;");
}

static void count_events(const char *name, unsigned wanted)
{
    unsigned n = 0;

    for (const char *p = t.events; (p = strstr(p, name)); p++)
        n++;
    if (n != wanted)
        fail_msg("%s came %u times, not %u: %.200s", name, n, wanted, t.events);
}

static void worm(unsigned host, unsigned port, unsigned mails)
{
    struct peer c = peer_new(&t, host, port);

    peer_greet(&c);
    for (unsigned i = 0; i < mails; i++) {
        peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
        peer_says(&c, 1, "250 ok\r\n");
        peer_says(&c, 0, "RCPT TO:<c@d>\r\n");
        peer_says(&c, 1, "250 ok\r\n");
        peer_says(&c, 0, "RSET\r\n");
        peer_says(&c, 1, "250 ok\r\n");
    }
}

static void restart(uint64_t findings)
{
    talk_done(&t);
    talk_init(&t);
    t.settings.findings = findings;
    engine_set(t.engine, &t.settings);
}

static void every_host_of_an_outbreak_is_told(void **state)
{
    (void)state;
    restart(600);
    for (unsigned i = 0; i < 250; i++)
        worm(i + 1, 3000, 1);
    count_events("hunt.mail_seen", 250);
    count_events("hunt.findings_capped", 0);
}

static void a_full_minute_is_said_and_ends(void **state)
{
    (void)state;
    restart(100);
    for (unsigned i = 0; i < 250; i++) /* one network */
        worm(i + 1, 3000, 2);
    count_events("hunt.mail_seen", 100);
    for (unsigned i = 0; i < 10; i++) /* the others are quiet: each has its share */
        worm(i * 256 + 1024, 3000, 1);
    count_events("hunt.mail_seen", 110);
    t.now_us += 60000000;
    engine_tick(t.engine, t.now_us);
    count_events("hunt.findings_capped", 1);
    worm(250, 3001, 1); /* was not told: is due now */
    count_events("hunt.mail_seen", 111);
}

static void a_finding_that_found_no_room_is_due_again_in_its_window(void **state)
{
    (void)state;
    restart(1);
    t.settings.limits.window_us = 3600000000;
    worm(1, 3000, 1);
    worm(2, 3000, 1);
    worm(3, 3000, 1);
    for (unsigned i = 4; i < 9; i++)
        worm(i, 3000, 1);
    count_events("hunt.mail_seen", 2); /* one, and one that is a quiet network's share */
    t.now_us += 61000000;
    worm(3, 3001, 1);
    count_events("hunt.mail_seen", 3);
    assert_non_null(strstr(t.events, "hunt.mail_seen 10.1.0.3;"));
}

static void a_card_is_one_whatever_its_addresses(void **state)
{
    static struct mouths m;
    const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
    struct addr a, b, c;

    (void)state;
    mouths_begin(&m, 1);
    assert_true(addr_read(SLICE("fd00::1"), &a));
    assert_true(addr_read(SLICE("fd00:0:0:1::1"), &b));
    assert_true(addr_read(SLICE("fd00::2"), &c));
    assert_ptr_equal(mouths_get(&m, mouth_name(mac, a), 1), mouths_get(&m, mouth_name(mac, b), 1));
    assert_ptr_not_equal(mouths_get(&m, mouth_name(NULL, a), 1), mouths_get(&m, mouth_name(NULL, b), 1));
    assert_ptr_equal(mouths_get(&m, mouth_name(NULL, a), 1), mouths_get(&m, mouth_name(NULL, c), 1));
    for (unsigned i = 0; i < 100 * MOUTHS; i++) /* never full */
        assert_non_null(mouths_get(&m, mouth_name(NULL, addr_v4(i << 8, 0)), 1));
    assert_false(mouths_over(&m, MOUTHS_MINUTE_US));
    assert_true(mouths_over(&m, MOUTHS_MINUTE_US + 1));
}

static void what_followed_a_finding_is_summed_up_once(void **state)
{
    (void)state;
    restart(600);
    worm(2, 3000, 20);
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
    engine_tick(t.engine, t.now_us + 500000);
    count_events("hunt.source_summed", 0);
    engine_tick(t.engine, t.now_us + 1500000);
    engine_tick(t.engine, t.now_us + 2500000);
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;hunt.source_summed 10.1.0.2;");
}

static void one_mail_needs_no_sum(void **state)
{
    (void)state;
    restart(600);
    worm(2, 3000, 1);
    engine_tick(t.engine, t.now_us + 1500000);
    engine_tick(t.engine, t.now_us + 70000000);
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
}

static void mail_to_this_host_is_inbound_wherever_it_comes_from(void **state)
{
    (void)state;
    restart(600);
    t.settings.own.count = 1;
    assert_true(prefix_read(SLICE("192.0.2.9"), &t.settings.own.at[0]));
    engine_set(t.engine, &t.settings);
    worm(2, 3000, 1);
    assert_string_equal(t.events, "hunt.inbound_seen 10.1.0.2;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
        T(too_many_connections_fire_at_one_more),
        T(connections_of_different_windows_do_not_add_up),
        T(too_many_senders_fire_at_one_more),
        T(too_many_domains_fire_whatever_their_letters),
        T(a_helo_that_changes_fires),
        T(refused_recipients_fire_at_one_more),
        T(servers_are_counted_by_address),
        T(volume_fires),
        T(a_network_may_have_its_own_limits),
        T(what_was_lifted_is_found_anew),
        T(mail_under_tls_counts),
        T(every_host_of_an_outbreak_is_told),
        T(a_full_minute_is_said_and_ends),
        T(a_finding_that_found_no_room_is_due_again_in_its_window),
        T(a_card_is_one_whatever_its_addresses),
        T(what_followed_a_finding_is_summed_up_once),
        T(one_mail_needs_no_sum),
        T(mail_to_this_host_is_inbound_wherever_it_comes_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
