/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What servers answer to a probe: HTTP, IMAP, POP3, ping, and the question for a name server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "wire/dnsask.h"
#include "wire/echo.h"
#include "wire/httpreply.h"
#include "wire/mailbox.h"

static struct httpreply reply;

/* In pieces of so many bytes: it must not matter how it comes in. */
static enum httpreply_got feed(const char *text, const char *wanted, size_t piece)
{
    struct slice in = slice_text(text);
    enum httpreply_got got = HTTPREPLY_MORE;

    httpreply_init(&reply, slice_text(wanted));
    while (in.len > 0 && got == HTTPREPLY_MORE) {
        got = httpreply_feed(&reply, slice_first(in, piece));
        in = slice_skip(in, piece);
    }
    return got;
}

static void a_page_of_known_length_ends_there(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 80; piece++) {
        assert_int_equal(feed("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nall is ok at", "is ok", piece),
                         HTTPREPLY_WHOLE);
        assert_int_equal(reply.status, 200);
        assert_true(reply.found);
        assert_int_equal(reply.bytes, 12);
    }
}

static void a_text_is_found_across_chunks(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 80; piece++) {
        assert_int_equal(feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5;x=y\r\nababa\r\nD\r\nbac, and on..\r\n0\r\nX: y\r\n\r\n",
                              "ababac", piece),
                         HTTPREPLY_WHOLE);
        assert_true(reply.found);
        assert_int_equal(reply.bytes, 18);
    }
}

static void a_text_in_the_head_is_not_in_the_page(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nX: all is ok\r\nContent-Length: 3\r\n\r\nbad", "is ok", 7),
                     HTTPREPLY_WHOLE);
    assert_false(reply.found);
}

static void a_page_without_a_length_ends_with_the_connection(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.0 404 Not here\n\nsorry", "", 100), HTTPREPLY_MORE);
    assert_int_equal(reply.status, 404);
    assert_true(httpreply_ends(&reply));
}

static void an_interim_answer_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n", "", 3), HTTPREPLY_WHOLE);
    assert_int_equal(reply.status, 204);
}

static void what_is_no_answer_is_refused(void **state)
{
    static char endless[3 * HTTPREPLY_LINE];

    (void)state;
    assert_int_equal(feed("220 mail.example.org ESMTP\r\n", "", 100), HTTPREPLY_BAD);
    assert_int_equal(feed("HTTP/1.1 2x0 OK\r\n", "", 100), HTTPREPLY_BAD);
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "", 100), HTTPREPLY_BAD);
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "", 100), HTTPREPLY_BAD);
    memset(endless, 'x', sizeof(endless) - 1);
    memcpy(endless, "HTTP/1.1 200 OK\r\nX: ", 20);
    assert_int_equal(feed(endless, "", 1000), HTTPREPLY_BAD);
}

static void imap_and_pop3_greet_and_refuse(void **state)
{
    struct slice line;
    size_t used;

    (void)state;
    assert_int_equal(mailbox_imap(SLICE("* OK [CAPABILITY IMAP4rev1] ready"), SLICE("")), MAILBOX_OK);
    assert_int_equal(mailbox_imap(SLICE("* BYE too many"), SLICE("")), MAILBOX_BYE);
    assert_int_equal(mailbox_imap(SLICE("* CAPABILITY x"), SLICE("a")), MAILBOX_OTHER);
    assert_int_equal(mailbox_imap(SLICE("a OK begin TLS"), SLICE("a")), MAILBOX_OK);
    assert_int_equal(mailbox_imap(SLICE("a BAD no"), SLICE("a")), MAILBOX_NO);
    assert_int_equal(mailbox_imap(SLICE("+OK ready"), SLICE("")), MAILBOX_NONSENSE);
    assert_int_equal(mailbox_pop3(SLICE("+OK ready")), MAILBOX_OK);
    assert_int_equal(mailbox_pop3(SLICE("-ERR in use")), MAILBOX_NO);
    assert_int_equal(mailbox_pop3(SLICE("* OK")), MAILBOX_NONSENSE);
    assert_false(mailbox_line(SLICE("no end"), &line, &used));
    assert_true(mailbox_line(SLICE("one\r\ntwo"), &line, &used));
    assert_int_equal(used, 5);
    assert_true(slice_eq(line, SLICE("one")));
}

static void a_ping_is_known_by_its_token(void **state)
{
    uint8_t token[ECHO_TOKEN] = "0123456789abcde";
    uint8_t packet[20 + ECHO_BYTES] = { 0x45, [9] = 1 };
    struct slice got;
    uint32_t sum = 0;

    (void)state;
    echo_write(packet + 20, 4, 7, 1, token);
    for (size_t i = 0; i < ECHO_BYTES; i += 2)
        sum += (uint32_t)(packet[20 + i] << 8 | packet[21 + i]);
    assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);              /* RFC 1071 */
    assert_false(echo_read(slice_of(packet + 20, ECHO_BYTES), 4, &got)); /* our own request */
    packet[20] = 0;
    assert_true(echo_read(slice_of(packet + 20, ECHO_BYTES), 4, &got));
    assert_memory_equal(got.at, token, ECHO_TOKEN);
    assert_true(echo_read(slice_of(packet, sizeof(packet)), 4, &got)); /* from a raw socket */
    assert_false(echo_read(slice_of(packet, sizeof(packet) - 1), 4, &got));
    packet[0] = 0x4f;
    assert_false(echo_read(slice_of(packet, sizeof(packet)), 4, &got));
}

static void a_question_is_what_name_servers_take(void **state)
{
    static const uint8_t wanted[] = { 0x12, 0x34, 1, 0,  0, 1, 0, 0, 0,  0, 0,    1, 3, 'w', 'w', 'w', 2, 'x',
                                      'y',  0,    0, 15, 0, 1, 0, 0, 41, 4, 0xd0, 0, 0, 0,   0,   0,   0 };
    uint8_t at[DNSASK_BYTES];
    size_t n = dnsask_write(at, 0x1234, DNS_MX, SLICE("www.xy."));

    (void)state;
    assert_int_equal(n, sizeof(wanted));
    assert_memory_equal(at, wanted, n);
    assert_false(dnsask_is_for(slice_of(at, n), 0x1234)); /* a question is no answer */
    at[2] |= 0x80;
    at[3] = 3;
    assert_true(dnsask_is_for(slice_of(at, n), 0x1234));
    assert_false(dnsask_is_for(slice_of(at, n), 0x1235));
    assert_int_equal(dnsask_code(slice_of(at, n)), 3);
    assert_int_equal(dnsask_write(at, 1, DNS_A, SLICE("a..b")), 0);
}

static void a_page_is_kept_as_far_as_there_is_room(void **state)
{
    static const char text[] = "HTTP/1.1 302 Found\r\nLocation: https://b.test/x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n";
    uint8_t page[8];

    (void)state;
    for (size_t room = 0; room <= sizeof(page); room++)
        for (size_t piece = 1; piece < 20; piece++) {
            struct slice in = slice_text(text);

            memset(page, '-', sizeof(page));
            httpreply_init(&reply, SLICE(""));
            reply.page = page;
            reply.page_room = room;
            for (; in.len > 0; in = slice_skip(in, piece))
                (void)httpreply_feed(&reply, slice_first(in, piece));
            assert_int_equal(reply.bytes, 8);
            assert_string_equal(reply.location, "https://b.test/x");
            assert_memory_equal(page, "abcdefgh", room);
            for (size_t i = room; i < sizeof(page); i++)
                assert_int_equal(page[i], '-');
        }
}

static void a_place_that_is_too_long_or_holds_a_zero_is_none(void **state)
{
    char text[600] = "HTTP/1.1 301 Moved\r\nLocation: https://";
    struct slice zero = SLICE("HTTP/1.1 301 Moved\r\nLocation: https://a\0b\r\n\r\n");

    (void)state;
    memset(text + strlen(text), 'a', HTTPREPLY_LOCATION);
    strcat(text, "\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(feed(text, "", 600), HTTPREPLY_WHOLE);
    assert_string_equal(reply.location, "");
    httpreply_init(&reply, SLICE(""));
    (void)httpreply_feed(&reply, zero);
    assert_string_equal(reply.location, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_kept_as_far_as_there_is_room),
        cmocka_unit_test(a_place_that_is_too_long_or_holds_a_zero_is_none),
        cmocka_unit_test(a_page_of_known_length_ends_there),
        cmocka_unit_test(a_text_is_found_across_chunks),
        cmocka_unit_test(a_text_in_the_head_is_not_in_the_page),
        cmocka_unit_test(a_page_without_a_length_ends_with_the_connection),
        cmocka_unit_test(an_interim_answer_is_passed_over),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(imap_and_pop3_greet_and_refuse),
        cmocka_unit_test(a_ping_is_known_by_its_token),
        cmocka_unit_test(a_question_is_what_name_servers_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
