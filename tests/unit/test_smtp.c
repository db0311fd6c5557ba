/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/smtp.h"

static void assert_path(const char *line, const char *path)
{
    struct smtp_command c;

    assert_true(smtp_command_read(slice_text(line), &c));
    assert_true(c.verb == SMTP_MAIL || c.verb == SMTP_RCPT);
    assert_int_equal(c.path.len, strlen(path));
    if (c.path.len > 0)
        assert_memory_equal(c.path.at, path, c.path.len);
}

static void an_address_is_read_however_it_is_written(void **state)
{
    (void)state;
    assert_path("MAIL FROM:<a@b>\r\n", "a@b");
    assert_path("mail from:john.doe@mail.com", "john.doe@mail.com");
    assert_path("  mAiL \t From :  <a@b>  SIZE=10\n", "a@b");
    assert_path("MAIL FROM: a@b SIZE=10\r\n", "a@b");
    assert_path("MAIL FROM:<>\r\n", "");
    assert_path("MAIL FROM <a@b>\r\n", "a@b");
    assert_path("MAIL FROM:<a@b\r\n", "<a@b");
    assert_path("RCPT TO:<\"x>y\"@odd.example>\r\n", "\"x>y\"@odd.example");
    assert_path("RCPT TO:<\"x\\\">y\"@odd.example>\r\n", "\"x\\\">y\"@odd.example");
    assert_path("RCPT TO:<\"x>\r\n", "\"x");
    assert_path("RCPT TO:<@relay.example,@b.example:real@odd.example>\r\n",
                "@relay.example,@b.example:real@odd.example");
}

static void a_malformed_bdat_carries_nothing(void **state)
{
    static const struct {
        const char *line;
        uint64_t chunk;
    } cases[] = {
        { "BDAT 100\r\n", 100 },   { "bdat 5 last\r\n", 5 },   { "BDAT 0 LAST\r\n", 0 },      { "BDAT\r\n", 0 },
        { "BDAT -5 LAST\r\n", 0 }, { "BDAT 5 LAST x\r\n", 0 }, { "BDAT 99999999999\r\n", 0 }, { "BDAT 5x\r\n", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct smtp_command c;

        assert_true(smtp_command_read(slice_text(cases[i].line), &c));
        assert_int_equal(c.verb, SMTP_BDAT);
        assert_int_equal(c.chunk, cases[i].chunk);
    }
}

static void text_is_no_command(void **state)
{
    struct smtp_command c;

    (void)state;
    assert_false(smtp_command_read(SLICE("mailing list\r\n"), &c));
    assert_false(smtp_command_read(SLICE("\r\n"), &c));
    assert_false(smtp_command_read(SLICE("X MAIL FROM:<a@b>\r\n"), &c));
}

static void a_secret_begins_behind_the_mechanism(void **state)
{
    (void)state;
    assert_int_equal(smtp_secret_at(SLICE("AUTH PLAIN AGJv\r\n")), 11);
    assert_int_equal(smtp_secret_at(SLICE(" auth\tLOGIN  x")), 13);
    assert_int_equal(smtp_secret_at(SLICE("AUTH LOGIN")), 10);
    assert_int_equal(smtp_secret_at(SLICE("MAIL FROM:<a@b>")), 15);
    assert_true(smtp_is_harmless_start(SLICE("MA")));
    assert_true(smtp_is_harmless_start(SLICE("AUTH PLAIN x")));
    assert_false(smtp_is_harmless_start(SLICE("UzNjcmV0")));
}

static void replies_have_a_code_and_an_end(void **state)
{
    unsigned code;
    bool last;

    (void)state;
    assert_true(smtp_reply_read(SLICE("250-m"), &code, &last) && code == 250 && !last);
    assert_true(smtp_reply_read(SLICE("354\r"), &code, &last) && code == 354 && last);
    assert_false(smtp_reply_read(SLICE("2500"), &code, &last));
    assert_false(smtp_reply_read(SLICE("25"), &code, &last));
}

static void base64_is_bounded(void **state)
{
    uint8_t out[4];
    size_t len;

    (void)state;
    assert_true(smtp_base64(SLICE("Ym9i"), out, sizeof(out), &len) && len == 3 && memcmp(out, "bob", 3) == 0);
    assert_true(smtp_base64(SLICE("AA=="), out, sizeof(out), &len) && len == 1);
    assert_false(smtp_base64(SLICE("Ym9iYm9i"), out, sizeof(out), &len));
    assert_false(smtp_base64(SLICE("Y*=="), out, sizeof(out), &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_however_it_is_written),
        cmocka_unit_test(a_malformed_bdat_carries_nothing),
        cmocka_unit_test(text_is_no_command),
        cmocka_unit_test(a_secret_begins_behind_the_mechanism),
        cmocka_unit_test(replies_have_a_code_and_an_end),
        cmocka_unit_test(base64_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
