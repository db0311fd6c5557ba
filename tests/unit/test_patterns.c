/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/log/logrules.h"
#include "sense/log/patterns.h"

/* Does this one expression match this one line? */
static bool matches(const char *expression, unsigned flags, const char *line)
{
    struct err e = { 0 };
    struct patterns *p = patterns_new(&e);
    struct patterns_scan *s;
    uint32_t id = 0;
    bool yes;

    assert_non_null(p);
    if (patterns_add(p, slice_text(expression), flags, 7, &e) < 0 || patterns_compile(p, &e) < 0)
        fail_msg("%s: %s", expression, e.text);
    s = patterns_scan_new(p, &e);
    assert_non_null(s);
    yes = patterns_line(s, slice_text(line), &id);
    assert_true(!yes || id == 7);
    patterns_scan_free(s);
    patterns_free(p);
    return yes;
}

static void an_expression_matches_as_egrep_says(void **state)
{
    (void)state;
    assert_true(matches("^sshd\\[[[:digit:]]+\\]: Accepted (rsa|password) for [^[:space:]]+$", PATTERN_ERE,
                        "sshd[12]: Accepted password for ann"));
    assert_false(matches("^sshd\\[[[:digit:]]+\\]: Accepted", PATTERN_ERE, "xsshd[12]: Accepted"));
    assert_true(matches("\\<cat\\>", PATTERN_ERE, "a cat sat"));
    assert_false(matches("\\<cat\\>", PATTERN_ERE, "concat"));
    assert_true(matches("a[\\]b", PATTERN_ERE, "a\\b"));
    assert_true(matches("a{x", PATTERN_ERE, "a{x"));
    assert_true(matches("[]x]y", PATTERN_ERE, "]y"));
    assert_true(matches("A.C", PATTERN_NOCASE, "xabcx"));
    assert_true(matches("a.c", PATTERN_LITERAL, "xa.cx"));
    assert_false(matches("a.c", PATTERN_LITERAL, "xabcx"));
    assert_true(matches("cat", PATTERN_LITERAL | PATTERN_WORD, "the cat."));
    assert_false(matches("cat", PATTERN_LITERAL | PATTERN_WORD, "cats"));
}

static void what_the_scanner_refuses_is_decided_by_the_other(void **state)
{
    (void)state;
    assert_true(matches("(ab)c\\1", 0, "xabcabx"));
    assert_false(matches("(ab)c\\1", 0, "xabcacx"));
    assert_true(matches("foo(?!bar)", 0, "foobaz"));
    assert_false(matches("foo(?!bar)", 0, "foobar"));
}

static void what_is_no_expression_is_refused_with_its_place(void **state)
{
    struct err e = { 0 };
    struct patterns *p = patterns_new(&e);

    (void)state;
    assert_int_equal(patterns_add(p, SLICE("a(b"), 0, 1, &e), -1);
    assert_non_null(strstr(e.text, "byte 3"));
    assert_int_equal(patterns_add(p, SLICE("a[b"), 0, 1, &e), -1);
    patterns_free(p);
}

struct hits {
    char words[512];
};
static bool note_hit(void *own, uint32_t id, struct slice line)
{
    struct hits *h = own;
    size_t n = strlen(h->words);

    (void)snprintf(h->words + n, sizeof(h->words) - n, "%u=%.*s;", id, (int)(line.len < 100 ? line.len : 100),
                   (const char *)line.at);
    return false;
}

static void no_expression_leaves_its_line(void **state)
{
    static const char *const greedy[] = {
        "a[^x]*b", "a\\s*b", "a\\W*b", "a\\D*b", "(?s)a.*b", "a[\\s]*b", "a(.|\\n)*b"
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof(greedy) / sizeof(greedy[0]); i++) {
        struct patterns *p = patterns_new(&e);
        struct patterns_scan *s;
        struct hits h = { "" };

        assert_int_equal(patterns_add(p, slice_text(greedy[i]), 0, 1, &e), 0);
        assert_int_equal(patterns_compile(p, &e), 0);
        s = patterns_scan_new(p, &e);
        assert_int_equal(patterns_block(s, SLICE("a\nb\na b\n\n"), note_hit, &h, &e), 0);
        if (strcmp(h.words, "1=a b;") != 0)
            fail_msg("%s: %s", greedy[i], h.words);
        patterns_scan_free(s);
        patterns_free(p);
    }
}

static void each_line_is_told_once_for_each_expression(void **state)
{
    struct err e;
    struct patterns *p = patterns_new(&e);
    struct patterns_scan *s;
    struct hits h = { "" };

    (void)state;
    assert_int_equal(patterns_add(p, SLICE("o+"), 0, 1, &e), 0);
    assert_int_equal(patterns_compile(p, &e), 0);
    s = patterns_scan_new(p, &e);
    assert_int_equal(patterns_block(s, SLICE("foo boo\nbar\nzoo"), note_hit, &h, &e), 0);
    assert_string_equal(h.words, "1=foo boo;1=zoo;");
    patterns_scan_free(s);
    patterns_free(p);
}

static void a_catastrophic_expression_ends(void **state)
{
    enum { LONG = 64 << 10 };
    struct err e;
    struct patterns *p = patterns_new(&e);
    struct patterns_scan *s;
    char *line = malloc(LONG + 1);
    uint32_t id;

    (void)state;
    memset(line, 'a', LONG);
    line[LONG] = '!';
    assert_int_equal(patterns_add(p, SLICE("^(a+)+\\1$"), 0, 1, &e), 0); /* the back-reference keeps the scanner out */
    assert_int_equal(patterns_compile(p, &e), 0);
    s = patterns_scan_new(p, &e);
    assert_false(patterns_line(s, slice_of(line, LONG + 1), &id));
    patterns_scan_free(s);
    patterns_free(p);
    free(line);
}

/* --- rules */

struct verdicts {
    char words[1024];
};
static void on_judged(void *own, enum logrules_verdict v, struct slice text)
{
    struct verdicts *to = own;
    size_t n = strlen(to->words);

    (void)snprintf(to->words + n, sizeof(to->words) - n, "%c:%.*s;", "hUVA"[v], (int)(text.len < 20 ? text.len : 20),
                   (const char *)text.at);
}

static void judge(struct logrules_scan *s, const char *program, unsigned pid, const char *text, const char *raw)
{
    struct log_line l = {
        .program = slice_text(program), .pid = pid, .text = slice_text(text), .raw = slice_text(raw)
    };
    struct err e;

    assert_int_equal(logrules_line(s, &l, &e), 0);
}

static void logchecks_header_fits_any_stamp(void **state)
{
    static const char head[] = "^(\\w{3} [ :[:digit:]]{11}|[0-9T:.+-]{32}) [._[:alnum:]-]+ ";
    static const char *const ignore[] = {
        "sshd\\[[[:digit:]]+\\]: Received disconnect from [:.[:xdigit:]]+: 11: Bye Bye$",
        "(openvpn|ovpn-[a-z]+)\\[[0-9]+\\]: ok$",
        "(/usr/sbin/)?cron\\[[0-9]+\\]: started$",
        "kernel: VFS: Disk change detected on device$",
        "postfix/[ls]mtpd?\\[[[:digit:]]+\\]: lost connection$",
        "a(|b)(c|de?)\\[[[:digit:]]+\\]: odd$",
        "kernel:( \\[ *[[:digit:]]+\\.[[:digit:]]+\\])? link up$"
    };
    struct err e = { 0 };
    struct logrules *r = logrules_new(&e);
    struct logrules_scan *s;
    struct verdicts v = { "" };
    char rule[400];

    (void)state;
    for (size_t i = 0; i < sizeof(ignore) / sizeof(ignore[0]); i++) {
        (void)snprintf(rule, sizeof(rule), "%s%s", head, ignore[i]);
        assert_int_equal(logrules_add(r, LOGRULES_IGNORE, slice_text(rule), PATTERN_ERE, &e), 0);
    }
    assert_int_equal(logrules_add(r, LOGRULES_VIOLATION, SLICE("DISK FAILURE"), PATTERN_ERE, &e), 0);
    assert_int_equal(logrules_add(r, LOGRULES_ATTACK, SLICE("ATTACK"), PATTERN_ERE, &e), 0);
    assert_int_equal(logrules_add(r, LOGRULES_ATTACK_NOT, SLICE("ATTACK of laughter"), PATTERN_ERE, &e), 0);
    assert_int_equal(
        logrules_add(r, LOGRULES_IGNORE, SLICE("^[-0-9]{10} [0-9:]{8} End queue run: pid=[0-9]+$"), PATTERN_ERE, &e),
        0);
    assert_int_equal(logrules_compile(r, &e), 0);
    s = logrules_scan_new(r, on_judged, &v, &e);
    assert_non_null(s);
    judge(s, "sshd", 1, "Received disconnect from 192.0.2.1: 11: Bye Bye", "");
    judge(s, "xsshd", 1, "Received disconnect from 192.0.2.1: 11: Bye Bye", "");
    judge(s, "ovpn-a", 2, "ok", "");
    judge(s, "/usr/sbin/cron", 3, "started", "");
    judge(s, "cron", 3, "started", "");
    judge(s, "kernel", 0, "VFS: Disk change detected on device", "");
    judge(s, "postfix/lmtp", 4, "lost connection", "");
    judge(s, "postfix/smtpd", 4, "lost connection", "");
    judge(s, "postfix/xmtpd", 4, "lost connection", "");
    judge(s, "ac", 5, "odd", "");
    judge(s, "abde", 5, "odd", "");
    judge(s, "ab", 5, "odd", "");
    judge(s, "kernel", 0, "link up", "");
    judge(s, "kernel", 0, "[   12.345678] link up", "");
    judge(s, "kernel", 0, "[12] link up", "");
    judge(s, "md", 0, "DISK FAILURE", "");
    judge(s, "x", 0, "ATTACK", "");
    judge(s, "x", 0, "ATTACK of laughter", "");
    judge(s, "exim", 0, "End queue run: pid=7", "2007-12-05 18:28:00 End queue run: pid=7");
    judge(s, "two", 0, "a line\nDISK", "");
    assert_int_equal(logrules_flush(s, &e), 0);
    assert_string_equal(
        v.words, "h:sshd[1]: Received di;U:xsshd[1]: Received d;h:ovpn-a[2]: ok;h:/usr/sbin/cron[3]: s;"
                 "h:cron[3]: started;h:kernel: VFS: Disk ch;h:postfix/lmtp[4]: los;h:postfix/smtpd[4]: "
                 "lo;U:postfix/xmtpd[4]: lo;h:ac[5]: odd;h:abde[5]: odd;U:ab[5]: odd;h:kernel: link "
                 "up;h:kernel: [   12.34567;U:kernel: [12] link up;V:md: DISK FAILURE;A:x: ATTACK;U:x: ATTACK of "
                 "laughte;h:exim: End queue run:;U:two: a line DISK;");
    logrules_scan_free(s);
    logrules_free(r);
}

static unsigned refused;
static void count_refused(void *own, const char *file, unsigned line, const char *why)
{
    (void)own;
    (void)file;
    (void)line;
    (void)why;
    refused++;
}

static void all_of_debians_rules_are_taken(void **state)
{
    struct err e = { 0 };
    struct logrules *r = logrules_new(&e);

    (void)state;
    if (access("/etc/logcheck/ignore.d.server", R_OK) != 0) {
        logrules_free(r);
        skip(); /* logcheck-database is not installed */
    }
    assert_int_equal(logrules_logcheck(r, "/etc/logcheck", LOGRULES_WORKSTATION, count_refused, NULL, &e), 0);
    assert_true(logrules_count(r) > 1000);
    assert_int_equal(refused, 0);
    logrules_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_matches_as_egrep_says),
        cmocka_unit_test(what_the_scanner_refuses_is_decided_by_the_other),
        cmocka_unit_test(what_is_no_expression_is_refused_with_its_place),
        cmocka_unit_test(no_expression_leaves_its_line),
        cmocka_unit_test(each_line_is_told_once_for_each_expression),
        cmocka_unit_test(a_catastrophic_expression_ends),
        cmocka_unit_test(logchecks_header_fits_any_stamp),
        cmocka_unit_test(all_of_debians_rules_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
