/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "talk.h"

static struct talk t;

static int start(void **state)
{
    (void)state;
    talk_init(&t);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    talk_done(&t);
    return 0;
}

static void a_worm_is_found_with_its_first_mail(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_send(&c, 0, TCP_ACK, SLICE("mail from:john.doe@mail.com\r\n"));
    assert_string_equal(t.rows, "MAIL john.doe@mail.com;");
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
    assert_true(t.verdict.found && t.verdict.confirmed && !t.verdict.allowed);
}

static void one_source_is_told_once_a_window(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        struct peer c = peer_new(&t, 2, 4000 + i);

        peer_greet(&c);
        peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
        peer_bye(&c);
    }
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
    t.now_us += 61000000;
    struct peer c = peer_new(&t, 2, 5000);

    peer_greet(&c);
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_int_equal(t.events_count, 2);
}

static void nobody_is_found_who_is_allowed_or_outside(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct peer out = peer_new(&t, 3, 4001);

    (void)state;
    assert_true(prefix_read(SLICE("10.1.0.2"), &t.settings.allow.at[0]));
    t.settings.allow.count = 1;
    engine_set(t.engine, &t.settings);
    peer_greet(&c);
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.events, "");
    assert_true(t.verdict.allowed && !t.verdict.found);
    out.ip[0][0] = 203;
    peer_greet(&out);
    peer_says(&out, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.events, "hunt.inbound_seen 203.1.0.3;");
}

static void commands_may_come_byte_by_byte(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    const char *all = "MaIl fRoM:<a@b>\r\nrcpt TO: c@d\r\n";

    (void)state;
    peer_greet(&c);
    for (size_t i = 0; all[i]; i++)
        peer_send(&c, 0, TCP_ACK, slice_of(all + i, 1));
    assert_string_equal(t.rows, "MAIL a@b;RCPT c@d;");
}

static void a_forged_packet_proves_nothing(void **state)
{
    struct peer one = peer_new(&t, 2, 4000);
    struct peer two = peer_new(&t, 3, 4001);
    struct peer three = peer_new(&t, 4, 4002);

    (void)state;
    peer_send_at(&one, 0, 5, 5, TCP_ACK, SLICE("MAIL FROM:<a@b>\r\n"));
    peer_send(&two, 0, TCP_SYN, slice_of(NULL, 0));
    peer_send_at(&two, 0, two.next[0], 99, TCP_ACK, SLICE("MAIL FROM:<a@b>\r\n"));
    peer_send(&three, 0, TCP_SYN, slice_of(NULL, 0));
    peer_send(&three, 1, TCP_SYN | TCP_ACK, slice_of(NULL, 0));
    peer_send_at(&three, 0, three.next[0], 99, TCP_ACK, slice_of(NULL, 0));
    peer_send_at(&three, 0, three.next[0], 99, TCP_ACK, SLICE("MAIL FROM:<a@b>\r\n"));
    engine_tick(t.engine, INT64_MAX / 2);
    assert_string_equal(t.rows, "");
    assert_string_equal(t.events, "hunt.unconfirmed 10.1.0.2;hunt.unconfirmed 10.1.0.3;");
}

static void a_flow_that_the_server_never_acknowledged_is_unconfirmed(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_open(&c);
    peer_send(&c, 0, TCP_ACK, SLICE("EHLO x\r\nMAIL FROM:<a@b>\r\n"));
    assert_string_equal(t.events, "");
    peer_send(&c, 1, TCP_ACK, slice_of(NULL, 0));
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
}

static void replies_that_come_the_client_s_way_prove_nothing(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    c.way[0] = c.way[1] = WAY_IN;
    peer_greet(&c);
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_false(t.verdict.confirmed);
    engine_tick(t.engine, INT64_MAX / 2);
    assert_string_equal(t.events, "hunt.unconfirmed 10.1.0.2;");
}

static void at_the_valve_the_handshake_is_proof(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_open(&c);
    c.held = true;
    peer_send(&c, 0, TCP_ACK, SLICE("EHLO x\r\nMAIL FROM:<a@b>\r\n"));
    assert_true(t.verdict.found);
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
}

static void a_flood_of_syns_blinds_nobody(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct engine_counts n;

    (void)state;
    peer_open(&c);
    for (unsigned i = 0; i < 100000; i++) {
        struct peer flood = peer_new(&t, i & 0xffff, 1024 + i / 7);

        peer_send(&flood, 0, TCP_SYN, slice_of(NULL, 0));
    }
    peer_says(&c, 1, "220 mx ESMTP\r\n");
    peer_says(&c, 0, "EHLO x\r\n");
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    engine_count(t.engine, &n);
    assert_string_equal(t.events, "hunt.mail_seen 10.1.0.2;");
    assert_true(n.half_open_now <= 4096 && n.evicted_half_open > 90000);
}

static void a_flood_of_unproven_flows_pushes_out_its_own_kind(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct engine_counts n;

    (void)state;
    peer_greet(&c);
    for (unsigned i = 0; i < 20000; i++) {
        struct peer flood = peer_new(&t, 256 + (i & 0xfff), 1024 + i / 7);

        peer_send_at(&flood, 0, 1, 1, TCP_ACK, SLICE("MAIL FROM:<x@y>\r\n"));
    }
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    engine_count(t.engine, &n);
    assert_non_null(strstr(t.events, "hunt.mail_seen 10.1.0.2;"));
    assert_string_equal(t.rows, "MAIL a@b;");
    assert_int_equal(n.flows_now, 1024);
    assert_true(t.events_count < 100);
}

static void decoys_are_not_read(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct slice decoy = SLICE("MAIL FROM:<fake@b>\r\n");

    (void)state;
    peer_greet(&c);
    c.bad_sum = true;
    peer_send_at(&c, 0, c.next[0], c.next[1], TCP_ACK, decoy);
    c.bad_sum = false;
    c.ttl = 1;
    peer_send_at(&c, 0, c.next[0], c.next[1], TCP_ACK, decoy);
    c.ttl = 64;
    peer_send_at(&c, 0, c.next[0] + 3000000, 0, TCP_RST, slice_of(NULL, 0));
    peer_send_at(&c, 0, c.next[0] + 3000000, c.next[1], TCP_FIN | TCP_ACK, slice_of(NULL, 0));
    peer_send_at(&c, 0, c.next[0] - 1, c.next[1], TCP_ACK, SLICE("Z"));
    peer_send_at(&c, 0, 4711, c.next[1], TCP_SYN, slice_of(NULL, 0));
    peer_says(&c, 0, "MAIL FROM:<real@b>\r\n");
    peer_send_at(&c, 0, c.next[0] - 20, c.next[1], TCP_ACK, decoy); /* received bytes never change */
    peer_says(&c, 0, "RCPT TO:<c@d>\r\n");
    assert_string_equal(t.rows, "MAIL real@b;RCPT c@d;");
}

static void a_fin_or_rst_that_never_arrived_ends_nothing(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_send_at(&c, 0, c.next[0], 0, TCP_RST, slice_of(NULL, 0));
    peer_send_at(&c, 0, c.next[0], c.next[1], TCP_FIN | TCP_ACK, slice_of(NULL, 0));
    peer_send(&c, 0, TCP_ACK, SLICE("MAIL FROM:<a@b>\r\n"));
    assert_string_equal(t.rows, "");
    peer_send(&c, 1, TCP_ACK, slice_of(NULL, 0));
    assert_string_equal(t.rows, "MAIL a@b;");
}

static void what_follows_a_fin_is_not_read(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_send(&c, 0, TCP_FIN | TCP_ACK, SLICE("MAIL FROM:<a@b>\r\n"));
    peer_send(&c, 1, TCP_ACK, slice_of(NULL, 0));
    peer_send(&c, 0, TCP_ACK, SLICE("RCPT TO:<c@d>\r\n"));
    peer_send(&c, 1, TCP_ACK, slice_of(NULL, 0));
    assert_string_equal(t.rows, "MAIL a@b;");
}

static void order_repetition_and_wrap_do_not_matter(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct slice a = SLICE("MAIL FROM:<a");
    struct slice b = SLICE("@b>\r\n");

    (void)state;
    c.next[0] = UINT32_MAX - 15;
    peer_greet(&c);
    for (int i = 0; i < 2; i++) {
        peer_send_at(&c, 0, c.next[0] + (uint32_t)a.len, c.next[1], TCP_ACK, b);
        peer_send_at(&c, 0, c.next[0], c.next[1], TCP_ACK, a);
    }
    assert_string_equal(t.rows, "MAIL a@b;");
    assert_null(strstr(t.events, "overlap"));
}

static void overlaps_are_read_as_linux_does_and_told(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_send_at(&c, 0, c.next[0] + 11, c.next[1], TCP_ACK, SLICE("aaaa@"));
    peer_send(&c, 0, TCP_ACK, SLICE("MAIL FROM:<bbbb@"));
    peer_says(&c, 0, "x>\r\n");
    assert_string_equal(t.rows, "MAIL bbbb@x;");
    assert_non_null(strstr(t.events, "hunt.overlap 10.1.0.2;"));
}

static void a_gap_costs_only_what_was_in_it(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_send(&c, 0, TCP_ACK, SLICE("MAIL FROM:<half"));
    c.next[0] += 20;
    peer_send(&c, 1, TCP_ACK, slice_of(NULL, 0));
    peer_send(&c, 1, TCP_ACK, SLICE("250 ok\r\n"));
    peer_says(&c, 0, "RCPT TO:<c@d>\r\n");
    peer_says(&c, 1, "250 ok\r\n");
    c.next[0] += 6; /* DATA itself is lost */
    peer_says(&c, 1, "354 go\r\n");
    peer_says(&c, 0, "Subject: x\r\n\r\nMAIL FROM:<body@b>\r\n.\r\n");
    peer_says(&c, 1, "250 ok\r\n");
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "RCPT c@d;MAIL a@b;");
    assert_non_null(strstr(t.events, "hunt.gap"));
}

static void a_lost_end_of_a_body_is_seen_by_the_reply(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_says(&c, 0, "DATA\r\n");
    peer_says(&c, 1, "354 go\r\n");
    peer_says(&c, 0, "Subject: x\r\n\r\n");
    c.next[0] += 100;
    peer_send(&c, 0, TCP_ACK, SLICE("more\r\n"));
    c.next[0] += 5;
    peer_says(&c, 1, "250 queued\r\n");
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "MAIL a@b;");
}

static void a_tuple_may_be_used_again(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    for (int i = 0; i < 3; i++) {
        peer_greet(&c);
        peer_says(&c, 0, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
        c.next[0] += 1000000;
        c.next[1] += 1000000;
    }
    assert_string_equal(t.rows, "MAIL a@b;RCPT c@d;MAIL a@b;RCPT c@d;MAIL a@b;RCPT c@d;");
}

static void two_vlans_are_two_connections(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct peer d = peer_new(&t, 2, 4000);

    (void)state;
    c.vlan = 10;
    d.vlan = 20;
    d.next[0] += 50;
    peer_greet(&c);
    peer_greet(&d);
    peer_says(&c, 0, "MAIL FROM:<ten@b>\r\n");
    peer_says(&d, 0, "MAIL FROM:<twenty@b>\r\n");
    assert_string_equal(t.rows, "MAIL ten@b;MAIL twenty@b;");
}

static void midstream_is_read_but_proves_nothing(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "");
    peer_says(&c, 1, "250 ok\r\n");
    peer_says(&c, 0, "RCPT TO:<c@d>\r\n");
    assert_string_equal(t.rows, "MAIL a@b;RCPT c@d;");
    assert_string_equal(t.events, "hunt.unconfirmed 10.1.0.2;");
}

static void midstream_in_a_body_is_no_command(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_says(&c, 0, "hello\r\nMAIL FROM:<body@b>\r\n");
    peer_says(&c, 0, "bye\r\n.\r\n");
    peer_says(&c, 1, "250 queued\r\n");
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "MAIL a@b;");
}

static void other_ports_are_known_by_their_greeting(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    struct peer web = peer_new(&t, 3, 4001);

    (void)state;
    c.port[1] = 8025;
    peer_greet(&c);
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "MAIL a@b;");
    web.port[1] = 80;
    peer_open(&web);
    peer_says(&web, 0, "POST / HTTP/1.1\r\n\r\n");
    peer_says(&web, 0, "MAIL FROM:<x@y>\r\nRCPT TO:<x@y>\r\n");
    peer_says(&web, 1, "HTTP/1.1 200 OK\r\n\r\n");
    assert_string_equal(t.rows, "MAIL a@b;");
}

static void secrets_reach_neither_rows_nor_evidence(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    peer_greet(&c);
    peer_says(&c, 0, "AUTH LOGIN\r\n");
    peer_says(&c, 1, "334 VXNlcm5hbWU6\r\n");
    peer_says(&c, 0, "Ym9i\r\n");
    peer_says(&c, 1, "334 UGFzc3dvcmQ6\r\n");
    peer_says(&c, 0, "UzNj");
    peer_says(&c, 0, "cmV0\r\n");
    peer_says(&c, 1, "235 ok\r\n");
    peer_says(&c, 0, "AU");
    peer_says(&c, 0, "TH PLAIN AGJv");
    peer_says(&c, 0, "YgBTM2NyZXQ=\r\n");
    peer_says(&c, 1, "235 ok\r\n");
    peer_says(&c, 0, "MAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "AUTH LOGIN as bob;AUTH PLAIN as bob;MAIL a@b;");
    assert_null(memmem(t.kept, t.kept_len, "UzNj", 4));
    assert_null(memmem(t.kept, t.kept_len, "cmV0", 4));
    assert_null(memmem(t.kept, t.kept_len, "AGJv", 4));
    assert_null(memmem(t.kept, t.kept_len, "BTM2", 4));
    assert_non_null(memmem(t.kept, t.kept_len, "AUTH LOGIN", 10));
    assert_non_null(memmem(t.kept, t.kept_len, "MAIL FROM:<a@b>", 15));
    assert_non_null(strstr(t.events, "hunt.auth_seen 10.1.0.2;"));
}

static void a_long_line_is_skipped_and_the_next_is_read(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);
    char noise[1400];

    (void)state;
    memset(noise, 'x', sizeof(noise));
    peer_greet(&c);
    for (int i = 0; i < 1000; i++) {
        peer_send(&c, 0, TCP_ACK, slice_of(noise, sizeof(noise)));
        peer_send(&c, 1, TCP_ACK, slice_of(NULL, 0));
    }
    peer_says(&c, 0, "\r\nMAIL FROM:<a@b>\r\n");
    assert_string_equal(t.rows, "MAIL a@b;");
    assert_non_null(strstr(t.events, "hunt.line_too_long"));
}

static void captures_at_the_sender_have_no_checksums(void **state)
{
    struct peer c = peer_new(&t, 2, 4000);

    (void)state;
    c.bad_sum = true;
    peer_greet(&c);
    peer_send(&c, 0, TCP_ACK, SLICE("MAIL FROM:<a@b>\r\n"));
    assert_string_equal(t.rows, "MAIL a@b;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
        T(a_worm_is_found_with_its_first_mail),
        T(one_source_is_told_once_a_window),
        T(nobody_is_found_who_is_allowed_or_outside),
        T(commands_may_come_byte_by_byte),
        T(a_forged_packet_proves_nothing),
        T(a_flow_that_the_server_never_acknowledged_is_unconfirmed),
        T(replies_that_come_the_client_s_way_prove_nothing),
        T(at_the_valve_the_handshake_is_proof),
        T(a_flood_of_syns_blinds_nobody),
        T(a_flood_of_unproven_flows_pushes_out_its_own_kind),
        T(decoys_are_not_read),
        T(a_fin_or_rst_that_never_arrived_ends_nothing),
        T(what_follows_a_fin_is_not_read),
        T(order_repetition_and_wrap_do_not_matter),
        T(overlaps_are_read_as_linux_does_and_told),
        T(a_gap_costs_only_what_was_in_it),
        T(a_lost_end_of_a_body_is_seen_by_the_reply),
        T(a_tuple_may_be_used_again),
        T(two_vlans_are_two_connections),
        T(midstream_is_read_but_proves_nothing),
        T(midstream_in_a_body_is_no_command),
        T(other_ports_are_known_by_their_greeting),
        T(secrets_reach_neither_rows_nor_evidence),
        T(a_long_line_is_skipped_and_the_next_is_read),
        T(captures_at_the_sender_have_no_checksums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
