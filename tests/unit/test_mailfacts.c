/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "part/link.h"
#include "sense/log/mailfacts.h"

#define MINUTE_US ((int64_t)60000000)

struct world {
    struct mailfacts *facts;
    char told[4096]; /* "message ana 192.0.2.7 1; " and so on */
    int64_t now_us;
};

static void on_fact(void *own, const struct mail_fact *f)
{
    static const char *const names[] = { "message", "recipients", "sent", "deferred", "bounced", "login", "failed" };
    struct world *w = own;
    size_t len = strlen(w->told);

    (void)snprintf(w->told + len, sizeof(w->told) - len, "%s %.*s %s %u; ", names[f->what], (int)f->account.len,
                   f->account.len > 0 ? (const char *)f->account.at : "",
                   f->client.family ? addr_ip_text(f->client).text : "-", f->count);
}

static void open_world(struct world *w)
{
    struct err e = { 0 };

    memset(w, 0, sizeof(*w));
    w->now_us = 1000 * MINUTE_US;
    w->facts = mailfacts_new(64, 7, on_fact, w, &e);
    assert_non_null(w->facts);
}

static void logs(struct world *w, uint64_t host, const char *program, const char *text)
{
    struct maillog m;

    if (maillog_read(slice_text(program), slice_text(text), &m))
        mailfacts_take(w->facts, host, &m, w->now_us);
}

static void assert_told(struct world *w, const char *what)
{
    if (strcmp(w->told, what) != 0)
        fail_msg("told: %s", w->told);
    w->told[0] = '\0';
}

static void postfix_says_it_in_four_lines(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    logs(&w, 1, "postfix/submission/smtpd",
         "4104E3D: client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username=ana@example.com");
    assert_told(&w, "message ana@example.com 203.0.113.9 1; ");
    logs(&w, 1, "postfix/qmgr", "4104E3D: from=<ana@example.com>, size=500, nrcpt=30 (queue active)");
    assert_told(&w, "recipients ana@example.com - 30; ");
    logs(&w, 1, "postfix/qmgr", "4104E3D: from=<ana@example.com>, size=500, nrcpt=29 (queue active)"); /* a retry */
    logs(&w, 2, "postfix/smtp", /* another host's */
         "4104E3D: to=<x@a.test>, relay=a.test[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)");
    assert_told(&w, "");
    logs(&w, 1, "postfix/smtp",
         "4104E3D: to=<x@a.test>, relay=a.test[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)");
    logs(&w, 1, "postfix/smtp", "4104E3D: to=<y@a.test>, relay=none, delay=1, dsn=4.4.1, status=deferred (timeout)");
    logs(&w, 1, "postfix/smtp",
         "4104E3D: to=<z@a.test>, relay=a.test[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (550 no)");
    assert_told(&w, "sent ana@example.com - 1; deferred ana@example.com - 1; bounced ana@example.com - 1; ");
    logs(&w, 1, "postfix/qmgr", "4104E3D: removed");
    logs(&w, 1, "postfix/smtp",
         "4104E3D: to=<z@a.test>, relay=a.test[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (550 no)");
    logs(&w, 1, "postfix/smtpd", "5104E3D: client=mx.a.test[192.0.2.1]"); /* nobody logged in */
    assert_told(&w, "");
    mailfacts_free(w.facts);
}

static void exim_says_how_many_only_as_they_go(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    logs(&w, 1, "exim", "1abcde-0000fg-hi <= ana@example.com H=(pc) [203.0.113.9] P=esmtpsa A=plain_server:ana S=500");
    logs(&w, 1, "exim", "1abcde-0000fg-hi => x@a.test R=dns T=smtp H=a.test [192.0.2.1] C=\"250 ok\"");
    logs(&w, 1, "exim", "1abcde-0000fg-hi == y@a.test R=dns T=smtp defer (110): Connection timed out");
    logs(&w, 1, "exim", "1abcde-0000fg-hi ** z@a.test R=dns T=smtp H=a.test [192.0.2.1]: 550 no");
    assert_told(&w, "message ana 203.0.113.9 1; recipients ana - 1; sent ana - 1; deferred ana - 1; "
                    "recipients ana - 1; bounced ana - 1; ");
    mailfacts_free(w.facts);
}

static void qmail_says_no_queue_id_at_the_login(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    logs(&w, 1, "vpopmail", "vchkpw-submission: (PLAIN) login success ana@example.com:203.0.113.9");
    assert_told(&w, "login ana@example.com 203.0.113.9 1; ");
    w.now_us += MINUTE_US;
    logs(&w, 1, "qmail", "info msg 4711: bytes 500 from <ana@example.com> qp 12 uid 64011");
    logs(&w, 1, "qmail", "starting delivery 9: msg 4711 to remote x@a.test");
    logs(&w, 1, "qmail", "delivery 9: failure: 192.0.2.1_does_not_like_recipient./");
    assert_told(&w, "message ana@example.com 203.0.113.9 1; recipients ana@example.com - 1; "
                    "bounced ana@example.com - 1; ");
    w.now_us += 30 * MINUTE_US; /* that login is long over */
    logs(&w, 1, "qmail", "info msg 4711: bytes 500 from <ana@example.com> qp 12 uid 64011");
    logs(&w, 1, "qmail", "starting delivery 10: msg 4711 to remote x@a.test");
    assert_told(&w, "");
    mailfacts_free(w.facts);
}

static void wrong_passwords_are_told_with_their_source(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    logs(&w, 1, "postfix/smtpd", "warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6");
    logs(&w, 1, "dovecot",
         "imap-login: Disconnected (auth failed, 3 attempts in 9 secs): user=<ana>, method=PLAIN, rip=2001:db8::9");
    logs(&w, 1, "dovecot", "imap-login: Login: user=<ana>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1");
    assert_told(&w, "failed  203.0.113.9 1; failed ana 2001:db8::9 3; login ana 192.0.2.7 1; ");
    mailfacts_free(w.facts);
}

static void a_message_between_parts_is_sound_or_not_taken(void **state)
{
    struct link_mail good = {
        .what = LINK_MAIL_MESSAGE, .count = 1, .at_us = 1, .client = { .family = 4 }, .account = "ana"
    };
    struct link_mail m;

    (void)state;
    assert_true(link_mail_is_sound(&good));
    m = good, m.what = LINK_MAILS;
    assert_false(link_mail_is_sound(&m));
    m = good, m.zero[3] = 1;
    assert_false(link_mail_is_sound(&m));
    m = good, m.count = 0;
    assert_false(link_mail_is_sound(&m));
    m = good, m.count = LINK_MAIL_MOST + 1;
    assert_false(link_mail_is_sound(&m));
    m = good, m.at_us = -1;
    assert_false(link_mail_is_sound(&m));
    m = good, m.client.family = 5;
    assert_false(link_mail_is_sound(&m));
    m = good, m.account[1] = '\n';
    assert_false(link_mail_is_sound(&m));
    m = good, m.account[9] = 'x';
    assert_false(link_mail_is_sound(&m));
    m = good, memset(m.account, 'a', sizeof(m.account));
    assert_false(link_mail_is_sound(&m));
    m = good, m.account[0] = m.account[1] = m.account[2] = '\0';
    assert_false(link_mail_is_sound(&m));
    m.what = LINK_MAIL_LOGIN_FAILED;
    assert_true(link_mail_is_sound(&m));
    m.client.family = 0;
    assert_false(link_mail_is_sound(&m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postfix_says_it_in_four_lines),
        cmocka_unit_test(exim_says_how_many_only_as_they_go),
        cmocka_unit_test(qmail_says_no_queue_id_at_the_login),
        cmocka_unit_test(wrong_passwords_are_told_with_their_source),
        cmocka_unit_test(a_message_between_parts_is_sound_or_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
