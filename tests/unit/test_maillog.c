/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/logline.h"
#include "wire/maillog.h"

static struct maillog read_line(const char *program, const char *text)
{
    struct maillog m;

    assert_true(maillog_read(slice_text(program), slice_text(text), &m));
    return m;
}

#define assert_slice(s, words) assert_true(slice_eq((s), slice_text(words)))
#define assert_ip(a, words)    assert_string_equal(addr_ip_text(a).text, (words))

static void postfix_says_who_logged_in(void **state)
{
    struct maillog m = read_line("postfix/smtpd", "4BC1D2F003A: client=unknown[192.0.2.7], sasl_method=LOGIN, "
                                                  "sasl_username=m.rossi@cliente.example");

    (void)state;
    assert_int_equal(m.what, MAILLOG_ACCEPTED);
    assert_slice(m.id, "4BC1D2F003A");
    assert_slice(m.account, "m.rossi@cliente.example");
    assert_ip(m.client, "192.0.2.7");
    m = read_line("postfix/submission/smtpd",
                  "warning: unknown[2001:db8::9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=ann");
    assert_int_equal(m.what, MAILLOG_LOGIN_FAILED);
    assert_slice(m.account, "ann");
    assert_ip(m.client, "2001:db8::9");
}

static void postfix_says_what_became_of_it(void **state)
{
    struct maillog m =
        read_line("postfix/qmgr", "3Pt2mN2VXxznjll: from=<a@b.example>, size=1234, nrcpt=5 (queue active)");

    (void)state;
    assert_int_equal(m.what, MAILLOG_QUEUED);
    assert_int_equal(m.recipients, 5);
    assert_int_equal(m.size, 1234);
    m = read_line("postfix/smtp", "0D9633D: to=<jos@example.com>, orig_to=<b@example.com>, relay=mail1.example.net"
                                  "[10.74.103.11]:25, delay=11.5, delays=5.4/0.06/5.1/0.03, dsn=4.4.1, status=deferred "
                                  "(connect to mail1.example.net[10.74.103.11]:25: Connection timed out)");
    assert_int_equal(m.what, MAILLOG_DEFERRED);
    assert_slice(m.to, "jos@example.com");
    assert_slice(m.relay, "mail1.example.net");
    assert_slice(m.status, "4.4.1");
    assert_int_equal(m.delay_us, 11500000);
    assert_ip(m.server_at, "10.74.103.11");
    assert_int_equal(read_line("postfix/qmgr", "0D9633D: removed").what, MAILLOG_REMOVED);
    m = read_line("postfix/smtpd",
                  "NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 Service unavailable; Client "
                  "host [192.0.2.9] blocked using zen.example.org; from=<x@y.example> to=<z@w.example> "
                  "proto=ESMTP helo=<friend>");
    assert_int_equal(m.what, MAILLOG_REJECTED);
    assert_slice(m.status, "5.7.1");
    assert_slice(m.helo, "friend");
    assert_slice(m.from, "x@y.example");
}

static void exim_is_understood(void **state)
{
    struct maillog m =
        read_line("exim", "1rXabc-0000000abcd-wxyz <= a@b.example H=([192.0.2.5]) [192.0.2.5]:4711 P=esmtpa "
                          "A=dovecot_login:ann@b.example S=900 id=x@y");

    (void)state;
    assert_int_equal(m.what, MAILLOG_ACCEPTED);
    assert_slice(m.account, "ann@b.example");
    assert_ip(m.client, "192.0.2.5");
    assert_int_equal(m.size, 900);
    m = read_line("exim4",
                  "1HmaYx-000001-Qq ** c@d.example R=dnslookup T=remote_smtp H=mx.d.example [198.51.100.1]: SMTP "
                  "error from remote mail server after RCPT TO:<c@d.example>: 550 5.1.1 no such user");
    assert_int_equal(m.what, MAILLOG_BOUNCED);
    assert_slice(m.to, "c@d.example");
    assert_slice(m.status, "5.1.1");
    assert_ip(m.server_at, "198.51.100.1");
    m = read_line("exim",
                  "dovecot_login authenticator failed for (friend) [192.0.2.66]: 535 Incorrect authentication data "
                  "(set_id=ann)");
    assert_int_equal(m.what, MAILLOG_LOGIN_FAILED);
    assert_slice(m.account, "ann");
    assert_ip(m.client, "192.0.2.66");
    assert_int_equal(read_line("exim", "1HmaYx-000001-Qq Completed").what, MAILLOG_REMOVED);
}

static void qmail_and_vpopmail_are_understood(void **state)
{
    struct maillog m =
        read_line("qmail", "1190000000.123456 info msg 100222: bytes 5000 from <a@b.example> qp 77 uid 89");

    (void)state;
    assert_int_equal(m.what, MAILLOG_QUEUED);
    assert_slice(m.id, "100222");
    assert_slice(m.from, "a@b.example");
    m = read_line("qmail", "@40000000475aabbc1234567c starting delivery 9: msg 100222 to remote c@d.example");
    assert_int_equal(m.what, MAILLOG_STARTED);
    assert_slice(m.delivery, "9");
    m = read_line("qmail", "delivery 9: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/");
    assert_int_equal(m.what, MAILLOG_DEFERRED);
    assert_slice(m.status, "4.4.1");
    m = read_line("vpopmail", "vchkpw-smtp: (PLAIN) login success a@b.example:192.0.2.3");
    assert_int_equal(m.what, MAILLOG_LOGIN);
    assert_slice(m.account, "a@b.example");
    assert_slice(m.service, "smtp");
    assert_ip(m.client, "192.0.2.3");
    m = read_line("vpopmail", "vchkpw-smtp: password fail (pass: '********') a@b.example:192.0.2.3");
    assert_int_equal(m.what, MAILLOG_LOGIN_FAILED);
    assert_slice(m.account, "a@b.example");
}

static void dovecot_is_understood(void **state)
{
    struct maillog m =
        read_line("dovecot", "imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.3, lip=10.0.0.1, TLS");

    (void)state;
    assert_int_equal(m.what, MAILLOG_LOGIN);
    assert_slice(m.account, "ann");
    m = read_line("dovecot", "imap-login: Disconnected (auth failed, 3 attempts in 20 secs): user=<ann>, method=PLAIN, "
                             "rip=192.0.2.3, lip=10.0.0.1");
    assert_int_equal(m.what, MAILLOG_LOGIN_FAILED);
    assert_int_equal(m.attempts, 3);
    assert_int_equal(read_line("dovecot", "imap(ann): Logged out in=1 out=2").what, MAILLOG_LOGOUT);
}

static void other_programs_are_no_mail_server(void **state)
{
    struct maillog m;

    (void)state;
    assert_false(maillog_read(SLICE("sshd"), SLICE("4BC1D2F003A: removed"), &m));
    assert_false(maillog_read(SLICE(""), SLICE(""), &m));
    assert_int_equal(read_line("postfix/smtpd", "warning: hostname x does not resolve to address 1.2.3.4").what,
                     MAILLOG_OTHER);
}

static void words_about_a_black_list_are_known(void **state)
{
    struct slice list;
    struct addr host;

    (void)state;
    assert_true(
        maillog_is_listed(SLICE("host mx[198.51.100.1] said: 554 5.7.1 Service unavailable; Client host [192.0.2.1] "
                                "blocked using zen.example.org; see there"),
                          &list, &host));
    assert_slice(list, "zen.example.org");
    assert_false(maillog_is_listed(SLICE("550 5.1.1 <a@b>: Recipient address rejected: User unknown"), &list, &host));
    assert_true(maillog_is_listed(SLICE("550 your IP 192.0.2.1 is on our Blocklist"), &list, &host));
    assert_ip(host, "192.0.2.1");
}

/* --- the public cases: each line of them is a mail server's, and no outcome goes unread */

static const char *data_folder(void)
{
    const char *data = getenv("SERVIOLA_DATA");
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/../shared/data", getenv("SOURCE_ROOT") ? getenv("SOURCE_ROOT") : ".");
    return data ? data : path;
}

static void check_exim_line(const char *line, unsigned *outcomes)
{
    struct logline l;
    struct maillog m;
    size_t len = strcspn(line, "\n");

    logline_read(slice_of(line, len), INT64_MAX / 2, 0, &l);
    if (!slice_eq(l.program, SLICE("exim")))
        return;
    assert_true(maillog_read(l.program, l.text, &m));
    if (len > 50 && strncmp(line + 20 + strcspn(line + 20, " "), " => ", 4) == 0) {
        assert_int_equal(m.what, MAILLOG_SENT);
        assert_true(m.to.len > 0);
        ++*outcomes;
    }
}

static void the_main_logs_of_exims_own_tests_are_read(void **state)
{
    char path[1100];
    DIR *d;
    unsigned outcomes = 0;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/log/exim", data_folder());
    d = opendir(path);
    if (!d)
        skip();
    for (struct dirent *at = readdir(d); at; at = readdir(d)) {
        char line[65536];
        char file[1400];
        FILE *f;

        if (strncmp(at->d_name, "mainlog", 7) != 0)
            continue;
        (void)snprintf(file, sizeof(file), "%s/%s", path, at->d_name);
        f = fopen(file, "re");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f))
            check_exim_line(line, &outcomes);
        (void)fclose(f);
    }
    (void)closedir(d);
    assert_true(outcomes > 0);
}

/* --- lines of files */

static struct logline read_file_line(const char *line, int64_t newest_us)
{
    struct logline l;

    logline_read(slice_text(line), newest_us, 0, &l);
    return l;
}

enum { SECOND = 1000000 };
static int64_t at(int64_t year, unsigned month, unsigned day)
{
    int64_t days;

    assert_true(logline_day(year, month, day, &days));
    return days * 86400 * SECOND;
}

static void a_line_of_syslog_is_taken_apart(void **state)
{
    struct logline l = read_file_line("Dec  5 18:28:00 vlnx1 postfix/smtpd[1234]: connect from x", at(2007, 12, 31));

    (void)state;
    assert_slice(l.host, "vlnx1");
    assert_slice(l.program, "postfix/smtpd");
    assert_slice(l.text, "connect from x");
    assert_int_equal(l.pid, 1234);
    assert_int_equal(l.stamp_us, at(2007, 12, 5) + (18 * 3600 + 28 * 60) * (int64_t)SECOND);
    l = read_file_line("<4>2007-12-05T18:28:00.5+01:00 fw kernel: [   12.345678] DROP", 0);
    assert_int_equal(l.priority, 4);
    assert_int_equal(l.stamp_us, at(2007, 12, 5) + (17 * 3600 + 28 * 60) * (int64_t)SECOND + 500000);
    assert_int_equal(l.uptime_us, 12345678);
    assert_slice(l.text, "DROP");
    l = read_file_line("Dec  5 18:28:00 vlnx1 syslogd 1.4.1#17ubuntu7.1: restart.", at(2007, 12, 31));
    assert_slice(l.program, "syslogd");
    assert_slice(l.text, "restart.");
    l = read_file_line("[    1.000000] Linux version 6.1", 0);
    assert_slice(l.program, "kernel");
    l = read_file_line("a line of something else", 0);
    assert_int_equal(l.stamp_us, 0);
    assert_slice(l.text, "a line of something else");
}

static void a_stamp_without_a_year_rolls_right(void **state)
{
    (void)state;
    assert_int_equal(read_file_line("Dec 31 23:59:59 h p: t", at(2008, 1, 1) + SECOND).stamp_us,
                     at(2008, 1, 1) - SECOND);
    assert_int_equal(read_file_line("Jan  1 00:00:01 h p: t", at(2008, 1, 1) + 2 * (int64_t)SECOND).stamp_us,
                     at(2008, 1, 1) + SECOND);
    assert_int_equal(read_file_line("Feb 29 12:00:00 h p: t", at(2007, 6, 1)).stamp_us, 0);
    assert_int_equal(read_file_line("Feb 29 00:00:00 h p: t", at(2008, 6, 1)).stamp_us, at(2008, 2, 29));
    assert_int_equal(read_file_line("Feb 30 12:00:00 h p: t", at(2008, 6, 1)).stamp_us, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postfix_says_who_logged_in),
        cmocka_unit_test(postfix_says_what_became_of_it),
        cmocka_unit_test(exim_is_understood),
        cmocka_unit_test(qmail_and_vpopmail_are_understood),
        cmocka_unit_test(dovecot_is_understood),
        cmocka_unit_test(other_programs_are_no_mail_server),
        cmocka_unit_test(words_about_a_black_list_are_known),
        cmocka_unit_test(the_main_logs_of_exims_own_tests_are_read),
        cmocka_unit_test(a_line_of_syslog_is_taken_apart),
        cmocka_unit_test(a_stamp_without_a_year_rolls_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
