/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/smtpreply.h"

static void assert_slice(struct slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    if (s.len > 0)
        assert_memory_equal(s.at, text, s.len);
}

static struct smtpreply read_ok(const char *text, size_t used)
{
    struct smtpreply r;

    assert_int_equal(smtpreply_read(slice_text(text), &r), SMTPREPLY_OK);
    assert_int_equal(r.all.len, used);
    return r;
}

static void assert_got(const char *text, enum smtpreply_got got)
{
    struct smtpreply r;

    assert_int_equal(smtpreply_read(slice_text(text), &r), got);
}

static void a_reply_is_read_with_its_code_and_words(void **state)
{
    struct smtpreply r = read_ok("220 mx.example.com ESMTP Postfix\r\n250 next\r\n", 34);

    (void)state;
    assert_int_equal(r.code, 220);
    assert_int_equal(r.lines, 1);
    assert_slice(r.first, "mx.example.com ESMTP Postfix");
    assert_slice(smtpreply_name(&r), "mx.example.com");
    r = read_ok("550 5.1.1 <x@y>: no such user\n", 30);
    assert_int_equal(r.enhanced[0], 5);
    assert_int_equal(r.enhanced[1], 1);
    assert_int_equal(r.enhanced[2], 1);
    assert_int_equal(read_ok("550 4.1.1 no\r\n", 14).enhanced[0], 0); /* class and code contradict */
    assert_int_equal(read_ok("250 2.0.0x\r\n", 12).enhanced[0], 0);
    assert_int_equal(read_ok("250\r\n", 5).code, 250);
    assert_int_equal(read_ok("250 \n", 5).first.len, 0);
    assert_int_equal(read_ok("421-\r\n421 \r\n", 12).lines, 2);
}

static void half_a_reply_waits(void **state)
{
    static const char whole[] = "250-mx\r\n250-SIZE 1\r\n250 DSN\r\n";

    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct smtpreply r;

        assert_int_equal(smtpreply_read(slice_first(slice_text(whole), n), &r), SMTPREPLY_MORE);
    }
    read_ok(whole, sizeof whole - 1);
}

static void what_means_two_things_is_no_reply(void **state)
{
    (void)state;
    assert_got("250-a\r\n550 b\r\n", SMTPREPLY_BAD);
    assert_got("25\r\n", SMTPREPLY_BAD);
    assert_got("SSH-2.0-OpenSSH\r\n", SMTPREPLY_BAD);
    assert_got("HT", SMTPREPLY_BAD);
    assert_got("2x", SMTPREPLY_BAD);
    assert_got("150 x\r\n", SMTPREPLY_BAD);
    assert_got("650 x\r\n", SMTPREPLY_BAD);
    assert_got("250x\r\n", SMTPREPLY_BAD);
    assert_got("250 a\rb\r\n", SMTPREPLY_BAD);
    assert_got("250 a\r\r\n", SMTPREPLY_BAD);
    assert_got("\r\n", SMTPREPLY_BAD);
}

static void a_reply_without_end_is_cut_off(void **state)
{
    static char many[SMTPREPLY_BYTES * 2];
    struct smtpreply r;
    size_t len = 0;

    (void)state;
    for (int i = 0; i <= SMTPREPLY_LINES; i++)
        len += (size_t)snprintf(many + len, sizeof many - len, "220-x\r\n");
    assert_int_equal(smtpreply_read(slice_first(slice_text(many), len - 7), &r), SMTPREPLY_MORE);
    assert_int_equal(smtpreply_read(slice_text(many), &r), SMTPREPLY_BAD);
    memset(many, 'x', sizeof many - 1);
    memcpy(many, "220 ", 4);
    assert_int_equal(smtpreply_read(slice_first(slice_text(many), SMTPREPLY_BYTES - 1), &r), SMTPREPLY_MORE);
    assert_int_equal(smtpreply_read(slice_first(slice_text(many), SMTPREPLY_BYTES), &r), SMTPREPLY_BAD);
    memcpy(many + SMTPREPLY_BYTES - 2, "\r\n", 2);
    assert_int_equal(smtpreply_read(slice_text(many), &r), SMTPREPLY_OK);
}

static void what_a_client_reads_is_clean(void **state)
{
    struct smtpreply r = read_ok("550-a\x1b[2J\tb\n550 c\x7f \xc3\xb1\n", 22);
    char buffer[128];
    struct text t = TEXT_IN(buffer);

    (void)state;
    smtpreply_write(&r, &t);
    assert_string_equal(buffer, "550-a?[2J\tb\r\n550 c? \xc3\xb1\r\n");
}

static void only_known_extensions_are_offered(void **state)
{
    static const char said[] = "250-mx.example.com Hello\r\n250-size 10240000\r\n250-AUTH=LOGIN\r\n"
                               "250-AUTH LOGIN PLAIN\x1b X\r\n250-X-EXPS GSSAPI\r\n250-XCLIENT NAME ADDR\r\n"
                               "250-CHUNKING\r\n250-Pipelining\r\n250 STARTTLS\r\n";
    struct smtpreply r = read_ok(said, sizeof said - 1);
    struct smtp_offer o;
    char buffer[256];
    struct text t = TEXT_IN(buffer);

    (void)state;
    assert_true(smtp_offer_read(&r, &o));
    assert_slice(o.name, "mx.example.com");
    assert_slice(o.xclient, "NAME ADDR");
    assert_true(o.can & SMTP_CAN_CHUNKING);
    assert_int_equal(o.size, 10240000);
    smtp_offer_write(&o, SMTP_CAN_FORWARD, SLICE("gate.example"), &t);
    assert_string_equal(buffer, "250-gate.example\r\n250-SIZE 10240000\r\n250 PIPELINING\r\n");
    t = TEXT_IN(buffer);
    smtp_offer_write(&o, SMTP_CAN_AUTH | SMTP_CAN_STARTTLS, o.name, &t);
    assert_string_equal(buffer, "250-mx.example.com\r\n250-AUTH LOGIN PLAIN\r\n250 STARTTLS\r\n");
    t = TEXT_IN(buffer);
    smtp_offer_write(&o, 0, o.name, &t);
    assert_string_equal(buffer, "250 mx.example.com\r\n");
}

static void a_refused_ehlo_offers_nothing(void **state)
{
    struct smtpreply r = read_ok("502 SIZE\r\n", 10);
    struct smtp_offer o;

    (void)state;
    assert_false(smtp_offer_read(&r, &o));
    assert_int_equal(o.can, 0);
    r = read_ok("250-mx\r\n250 SIZE\r\n", 18);
    assert_true(smtp_offer_read(&r, &o));
    assert_false(o.size_told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read_with_its_code_and_words),
        cmocka_unit_test(half_a_reply_waits),
        cmocka_unit_test(what_means_two_things_is_no_reply),
        cmocka_unit_test(a_reply_without_end_is_cut_off),
        cmocka_unit_test(what_a_client_reads_is_clean),
        cmocka_unit_test(only_known_extensions_are_offered),
        cmocka_unit_test(a_refused_ehlo_offers_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
