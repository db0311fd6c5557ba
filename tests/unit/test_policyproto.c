/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/policyproto.h"

static void assert_slice(struct slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    if (s.len > 0)
        assert_memory_equal(s.at, text, s.len);
}

/* As Postfix 3.7 sends it, shortened. */
static const char asked[] = "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
                            "client_address=192.0.2.7\nclient_name=mail.example.org\nclient_port=40000\n"
                            "reverse_client_name=mail.example.org\nserver_address=198.51.100.1\nserver_port=25\n"
                            "helo_name=mail.example.org\nsender=a=b@example.org\nrecipient=c@example.com\n"
                            "recipient_count=0\nqueue_id=\ninstance=1f2.65.0\nsize=1234\netrn_domain=\nstress=\n"
                            "sasl_method=plain\nsasl_username=ana\nencryption_protocol=TLSv1.3\npolicy_context=\n\n";

static void a_request_is_read(void **state)
{
    struct policy_request r;

    (void)state;
    assert_int_equal(policy_request_read(slice_text(asked), &r), POLICY_OK);
    assert_int_equal(r.used, sizeof asked - 1);
    assert_int_equal(r.state, POLICY_AT_RCPT);
    assert_slice(r.client_address, "192.0.2.7");
    assert_slice(r.client_port, "40000");
    assert_slice(r.server_address, "198.51.100.1");
    assert_slice(r.helo, "mail.example.org");
    assert_slice(r.sender, "a=b@example.org");
    assert_slice(r.recipient, "c@example.com");
    assert_slice(r.instance, "1f2.65.0");
    assert_slice(r.user, "ana");
    assert_slice(r.queue_id, "");
    assert_int_equal(r.size, 1234);
}

static void half_a_request_waits(void **state)
{
    struct policy_request r;

    (void)state;
    for (size_t n = 0; n < sizeof asked - 1; n++)
        assert_int_equal(policy_request_read(slice_first(slice_text(asked), n), &r), POLICY_MORE);
}

static void assert_bad(struct slice in)
{
    struct policy_request r;

    assert_int_equal(policy_request_read(in, &r), POLICY_BAD);
}

static void what_is_no_request_is_bad(void **state)
{
    static char many[POLICY_BYTES + 16];
    size_t len = 0;

    (void)state;
    assert_bad(SLICE("\n"));
    assert_bad(SLICE("sender\n\n"));
    assert_bad(SLICE("=x\n\n"));
    assert_bad(SLICE("size=-1\n\n"));
    assert_bad(SLICE("request=other\n\n"));
    assert_bad(SLICE("sender=a\0b\n\n"));
    for (int i = 0; i < POLICY_LINES; i++)
        len += (size_t)snprintf(many + len, sizeof many - len, "a=b\n");
    many[len++] = '\n';
    assert_bad(slice_of(many, len));
    memset(many, 'x', sizeof many);
    memcpy(many, "sender=", 7);
    assert_bad(slice_of(many, POLICY_BYTES));
}

static void an_answer_stays_one_line(void **state)
{
    char buffer[128];
    struct text t = TEXT_IN(buffer);
    struct slice action;
    size_t used;

    (void)state;
    policy_answer_write(SLICE("REJECT 5.7.1 no\nsender=evil"), &t);
    assert_string_equal(buffer, "action=REJECT 5.7.1 no?sender=evil\n\n");
    assert_int_equal(policy_answer_read(slice_of(buffer, t.len), &action, &used), POLICY_OK);
    assert_slice(action, "REJECT 5.7.1 no?sender=evil");
    assert_int_equal(used, t.len);
    assert_int_equal(policy_answer_read(slice_of(buffer, t.len - 1), &action, &used), POLICY_MORE);
    assert_int_equal(policy_answer_read(SLICE("\n"), &action, &used), POLICY_BAD);
}

static void what_is_asked_is_read_the_same(void **state)
{
    char buffer[256];
    struct text t = TEXT_IN(buffer);
    struct policy_request r;

    (void)state;
    policy_request_add(&t, "request", SLICE("smtpd_access_policy"));
    policy_request_add(&t, "protocol_state", SLICE("EHLO"));
    policy_request_add(&t, "helo_name", SLICE("a\n\nb"));
    policy_request_end(&t);
    assert_int_equal(policy_request_read(slice_of(buffer, t.len), &r), POLICY_OK);
    assert_int_equal(r.state, POLICY_AT_HELO);
    assert_slice(r.helo, "a??b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(half_a_request_waits),
        cmocka_unit_test(what_is_no_request_is_bad),
        cmocka_unit_test(an_answer_stays_one_line),
        cmocka_unit_test(what_is_asked_is_read_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
