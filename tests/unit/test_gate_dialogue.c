/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gate_world.h"

static int client = -1;
static char heard[65536];

static int set_up(void **state)
{
    (void)state;
    if (!g)
        gate_world_open();
    gate_world_limits();
    g->backends[0].offer.can = SMTP_CAN_PIPELINING | SMTP_CAN_8BITMIME;
    g->stopping = false;
    gate_server.to_rcpt = "250 ok\r\n";
    gate_server.to_dot = "250 queued\r\n";
    client = gate_world_come();
    assert_true(client >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gate_world_leave(client);
    return 0;
}

/* What is answered to these bytes. */
static const char *says(const char *bytes)
{
    size_t len = 0;
    ssize_t n;

    (void)!send(client, bytes, strlen(bytes), MSG_NOSIGNAL);
    gate_world_turn();
    while (len + 1 < sizeof(heard) && (n = recv(client, heard + len, sizeof(heard) - 1 - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    heard[len] = '\0';
    return heard;
}

static void expect(const char *bytes, const char *codes) /* of the last lines of the replies: "250 354" */
{
    char found[512];
    struct text t = TEXT_IN(found);
    struct slice rest = slice_text(says(bytes));

    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);

        if (line.len < 4 || line.at[3] == '-')
            continue;
        text_add(&t, slice_text(t.len > 0 ? " " : ""));
        text_add(&t, slice_first(line, 3));
    }
    if (strcmp(found, codes) != 0)
        print_message("to `%s`: %s\n", bytes, heard);
    assert_string_equal(found, codes);
}

static bool hung_up(void)
{
    char byte;

    for (int i = 0; i < 500; i++) {
        if (recv(client, &byte, 1, MSG_DONTWAIT) == 0)
            return true;
        gate_world_turn();
    }
    return false;
}

static void expect_end(const char *bytes, const char *code)
{
    expect(bytes, code);
    (void)shutdown(client, SHUT_WR);
    assert_true(hung_up());
}

#define HELLO "EHLO client.test\r\n"
#define MAIL  "MAIL FROM:<a@client.test>\r\n"
#define RCPT  "RCPT TO:<b@example.com>\r\n"

static void begin_mail(void)
{
    expect("", "220");
    expect(HELLO, "250");
    expect(MAIL, "250");
    expect(RCPT, "250");
}

/* ---- commands ---- */

static void commands_have_their_order(void **state)
{
    (void)state;
    expect("", "220");
    expect(MAIL, "503");
    expect(HELLO, "250");
    expect(RCPT, "503");
    expect("DATA\r\n", "503");
    expect(MAIL, "250");
    expect(MAIL, "503");
    expect_end("QUIT\r\n", "221");
}

static void half_a_command_waits_for_its_other_half(void **state)
{
    (void)state;
    expect("", "220");
    expect("EH", "");
    expect("LO client.test\r", "");
    expect("\n", "250");
}

static void too_many_bad_commands_end_it(void **state)
{
    (void)state;
    expect("", "220");
    for (unsigned i = 1; i < g->set.limits.errors; i++)
        expect("WHAT\r\n", "500");
    expect_end("WHAT\r\n", "500 421");
}

static void commands_without_mail_end_it(void **state)
{
    (void)state;
    expect("", "220");
    for (unsigned i = 0; i < g->set.limits.idle_commands; i++)
        expect("NOOP\r\n", "250");
    expect_end("RSET\r\n", "421");
}

static void a_line_has_a_length(void **state)
{
    char line[3000];

    (void)state;
    memset(line, 'E', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    expect("", "220");
    expect_end(line, "500");
}

static void a_command_ends_with_cr_lf_and_holds_no_other(void **state)
{
    (void)state;
    expect("", "220");
    expect("EHLO client.test\n", "500");
    expect("EHLO cl\rient.test\r\n", "500");
    expect("EHLO cl\xc3\xa9.test\r\n", "500");
    (void)!send(client, "EHLO a\0b\r\n", 10, MSG_NOSIGNAL);
    expect("", "500");
}

static void eight_bit_addresses_need_a_server_that_knows_them(void **state)
{
    (void)state;
    expect("", "220");
    expect(HELLO, "250");
    expect("MAIL FROM:<\xc3\xa9@client.test>\r\n", "500");
    g->backends[0].offer.can |= SMTP_CAN_SMTPUTF8;
    expect(HELLO, "250");
    expect("MAIL FROM:<\xc3\xa9@client.test> SMTPUTF8\r\n", "250");
}

static void other_protocols_end_at_once(void **state)
{
    (void)state;
    expect("", "220");
    expect_end("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "521");
}

static void tls_on_a_plain_port_ends_at_once(void **state)
{
    (void)state;
    expect("", "220");
    expect_end("\x16\x03\x01\x02", "521");
}

static void a_chunk_that_was_not_offered_is_not_read_as_commands(void **state)
{
    (void)state;
    begin_mail();
    expect_end("BDAT 6 LAST\r\n", "521");
}

static void words_among_servers_are_not_for_clients(void **state)
{
    (void)state;
    expect("", "220");
    assert_null(strstr(says(HELLO), "XCLIENT"));
    assert_non_null(strstr(heard, "PIPELINING"));
    assert_null(strstr(heard, "AUTH"));
    assert_null(strstr(heard, "STARTTLS"));
    expect("XCLIENT ADDR=127.0.0.1\r\n", "502");
    expect("AUTH PLAIN AGEAYg==\r\n", "503");
    expect("STARTTLS\r\n", "502");
}

static void who_talks_before_the_greeting_is_ended(void **state)
{
    (void)state;
    gate_world_leave(client);
    g->set.listeners[0].greet_us = 60000000;
    client = gate_world_come();
    expect("", "");
    expect_end(HELLO, "554");
    g->set.listeners[0].greet_us = 0;
}

static void a_new_client_is_greeted_after_a_while(void **state)
{
    int64_t began_us = gate_now_us(g);

    (void)state;
    gate_world_leave(client);
    g->set.listeners[0].greet_us = 30000;
    client = gate_world_come();
    while (says("")[0] == '\0')
        (void)0;
    assert_memory_equal(heard, "220 ", 4);
    assert_true(gate_now_us(g) - began_us >= 30000);
    g->set.listeners[0].greet_us = 0;
}

/* ---- pipelining ---- */

static void commands_wait_for_their_answer_unless_pipelining_was_offered(void **state)
{
    (void)state;
    expect("", "220");
    expect_end(HELLO MAIL, "554");
}

static void what_was_offered_may_be_used(void **state)
{
    (void)state;
    expect("", "220");
    expect(HELLO, "250");
    expect(MAIL RCPT "DATA\r\n", "250 250 354");
    expect("x\r\n.\r\nQUIT\r\n", "250 221");
}

static void nothing_may_follow_data_before_its_answer(void **state)
{
    (void)state;
    begin_mail();
    expect_end("DATA\r\nx\r\n.\r\n", "554");
}

static void commands_behind_the_message_are_none_for_who_was_offered_no_pipelining(void **state)
{
    (void)state;
    expect("", "220");
    expect("HELO client.test\r\n", "250");
    expect(MAIL, "250");
    expect(RCPT, "250");
    expect("DATA\r\n", "354");
    expect_end("x\r\n.\r\n" MAIL, "250 554");
}

/* ---- mail ---- */

static void a_message_reaches_the_server_as_it_is_and_its_answer_the_client(void **state)
{
    uint64_t passed = g->passed;

    (void)state;
    begin_mail();
    expect("DATA\r\n", "354");
    expect("Subject: x\r\n\r\n..a dot\r\n", "");
    expect(".\r\n", "250");
    assert_non_null(strstr(gate_server.heard, "DATA\r\nSubject: x\r\n\r\n..a dot\r\n.\r\n"));
    assert_non_null(strstr(heard, "queued"));
    expect_end("QUIT\r\n", "221");
    gate_world_turn();
    assert_int_equal(g->passed, passed + 1);
}

static void the_servers_refusal_is_the_clients(void **state)
{
    uint64_t refused = g->refused;

    (void)state;
    begin_mail();
    gate_server.to_dot = "554 5.7.1 no such thing here\r\n";
    expect("DATA\r\n", "354");
    expect("x\r\n.\r\n", "554");
    assert_non_null(strstr(heard, "no such thing here"));
    expect_end("QUIT\r\n", "221");
    gate_world_turn();
    assert_int_equal(g->refused, refused + 1);
}

static void a_server_that_is_gone_before_its_answer_took_nothing(void **state)
{
    uint64_t deferred = g->deferred;

    (void)state;
    begin_mail();
    gate_server.to_dot = NULL;
    expect("DATA\r\n", "354");
    expect("x\r\n.\r\n", "451");
    expect_end("QUIT\r\n", "221");
    gate_world_turn();
    assert_int_equal(g->deferred, deferred + 1);
}

static void a_message_with_other_line_ends_is_read_to_its_end_and_refused(void **state)
{
    (void)state;
    begin_mail();
    expect("DATA\r\n", "354");
    expect("x\n.\n" MAIL RCPT "DATA\r\nhidden\r\n", "");
    expect(".\r\n", "550");
    assert_null(strstr(gate_server.heard, "hidden"));
    assert_null(strstr(gate_server.heard, "\r\n.\r\n"));
    expect(MAIL, "250");
}

static void rset_and_another_hello_forget_the_mail(void **state)
{
    (void)state;
    begin_mail();
    expect("RSET\r\n", "250");
    expect(RCPT, "503");
    expect(MAIL, "250");
    expect(HELLO, "250");
    expect(RCPT, "503");
    expect(MAIL, "250");
    expect(RCPT, "250");
}

static void recipients_have_a_number(void **state)
{
    (void)state;
    begin_mail();
    for (unsigned i = 1; i < g->set.limits.recipients; i++)
        expect(RCPT, "250");
    expect(RCPT, "452");
    expect("DATA\r\n", "354");
    expect("x\r\n.\r\n", "250");
    expect(MAIL, "250");
    expect(RCPT, "250");
}

static void who_guesses_recipients_is_ended(void **state)
{
    (void)state;
    expect("", "220");
    expect(HELLO, "250");
    expect(MAIL, "250");
    gate_server.to_rcpt = "550 5.1.1 nobody\r\n";
    for (unsigned i = 1; i < g->set.limits.unknown_recipients; i++)
        expect(RCPT, "550");
    expect_end(RCPT, "550 421");
}

/* ---- time, and the end ---- */

static void who_says_nothing_is_told_and_ended(void **state)
{
    (void)state;
    g->set.limits.command_us = 20000;
    expect("", "220");
    expect("EHLO client.test\r\n", "250");
    while (says("")[0] == '\0')
        (void)0;
    assert_memory_equal(heard, "421 4.4.2", 9);
    (void)shutdown(client, SHUT_WR);
    assert_true(hung_up());
}

static void a_gate_that_stops_lets_a_message_under_way_through(void **state)
{
    (void)state;
    begin_mail();
    g->stopping = true;
    session_end_all(g);
    expect("DATA\r\n", "354");
    expect("x\r\n.\r\n", "250");
    expect_end(MAIL, "421");
}

static void a_gate_that_stops_tells_who_only_waits(void **state)
{
    (void)state;
    expect("", "220");
    g->stopping = true;
    session_end_all(g);
    expect_end("", "421");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(commands_have_their_order),
        TEST(half_a_command_waits_for_its_other_half),
        TEST(too_many_bad_commands_end_it),
        TEST(commands_without_mail_end_it),
        TEST(a_line_has_a_length),
        TEST(a_command_ends_with_cr_lf_and_holds_no_other),
        TEST(eight_bit_addresses_need_a_server_that_knows_them),
        TEST(other_protocols_end_at_once),
        TEST(tls_on_a_plain_port_ends_at_once),
        TEST(a_chunk_that_was_not_offered_is_not_read_as_commands),
        TEST(words_among_servers_are_not_for_clients),
        TEST(who_talks_before_the_greeting_is_ended),
        TEST(a_new_client_is_greeted_after_a_while),
        TEST(commands_wait_for_their_answer_unless_pipelining_was_offered),
        TEST(what_was_offered_may_be_used),
        TEST(nothing_may_follow_data_before_its_answer),
        TEST(commands_behind_the_message_are_none_for_who_was_offered_no_pipelining),
        TEST(a_message_reaches_the_server_as_it_is_and_its_answer_the_client),
        TEST(the_servers_refusal_is_the_clients),
        TEST(a_server_that_is_gone_before_its_answer_took_nothing),
        TEST(a_message_with_other_line_ends_is_read_to_its_end_and_refused),
        TEST(rset_and_another_hello_forget_the_mail),
        TEST(recipients_have_a_number),
        TEST(who_guesses_recipients_is_ended),
        TEST(who_says_nothing_is_told_and_ended),
        TEST(a_gate_that_stops_lets_a_message_under_way_through),
        TEST(a_gate_that_stops_tells_who_only_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
