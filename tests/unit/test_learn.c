/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sense/hunt/learn.h"

#define START_US  INT64_C(1795372083000000)
#define MINUTE_US INT64_C(60000000)
#define DAY_US    INT64_C(86400000000)

static const struct engine_source inside = { .inside = true };

static struct learn *fresh(void)
{
    struct err e;
    struct learn *l = learn_new(&e);

    assert_non_null(l);
    return l;
}

static void mail_from(struct learn *l, uint32_t host, const char *path, int64_t at_us)
{
    struct mail_row row = {
        .at_us = at_us, .client = addr_v4(host, 40000), .verb = MAIL_FROM, .text = slice_text(path), .confirmed = true
    };

    learn_mail(l, &row, &inside);
}

static void twenty_mails(struct learn *l, uint32_t host, const char *path)
{
    for (int i = 0; i < 20; i++)
        mail_from(l, host, path, START_US + i * MINUTE_US);
}

static bool keep(void *ctx, struct learn_host *h)
{
    *(struct learn_host **)ctx = h;
    return true;
}

static struct learn_host *only_host(struct learn *l)
{
    struct learn_host *h = NULL;

    learn_each(l, keep, &h);
    return h;
}

static void a_steady_server_is_proposed(void **state)
{
    struct learn *l = fresh();
    struct engine_source s = {
        .who = addr_v4(0x0a010005, 0), .inside = true, .recipients = 40, .refusals = 1, .helos = 1, .servers = 9
    };
    struct learn_host *h;
    struct event ev;
    uint64_t n;
    struct slice text;

    (void)state;
    twenty_mails(l, 0x0a010005, "Post@Example.ORG");
    mail_from(l, 0x0a010005, "\"odd@local\"@two.example", START_US + DAY_US);
    mail_from(l, 0x0a010005, "", START_US + DAY_US); /* a bounce */
    learn_source(l, &s);
    h = only_host(l);
    assert_int_equal(learn_judge(h), LEARN_SERVER);
    assert_int_equal(learn_days(h), 2);
    ev = learn_event(h);
    assert_int_equal(ev.kind, EV_HUNT_ALLOW_PROPOSED);
    assert_true(event_get_number(&ev, F_COUNT, &n));
    assert_int_equal(n, 22);
    assert_true(event_get(&ev, F_DOMAIN, &text));
    assert_true(slice_eq(text, SLICE("example.org two.example")));
    assert_true(event_get(&ev, F_PREFIX, &text));
    assert_true(slice_eq(text, SLICE("10.1.0.5/32")));
    learn_free(l);
}

static void a_worm_is_not(void **state)
{
    static const struct {
        struct engine_source s;
        enum learn_verdict verdict;
    } worms[] = {
        { { .helos = 3, .domains = 1, .recipients = 20 }, LEARN_MANY_NAMES },
        { { .helos = 1, .domains = 1, .recipients = 20, .refusals = 3 }, LEARN_REFUSED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(worms) / sizeof(worms[0]); i++) {
        struct learn *l = fresh();
        struct engine_source s = worms[i].s;

        s.inside = true;
        s.who = addr_v4(0x0a010002, 0);
        twenty_mails(l, 0x0a010002, "a@b.example");
        learn_source(l, &s);
        assert_int_equal(learn_judge(only_host(l)), worms[i].verdict);
        learn_free(l);
    }
}

static void who_was_seen_too_little_is_not_judged(void **state)
{
    struct learn *l = fresh();

    (void)state;
    for (int i = 0; i < LEARN_MAILS - 1; i++)
        mail_from(l, 1, "a@b.example", START_US + i * DAY_US);
    assert_int_equal(learn_judge(only_host(l)), LEARN_TOO_FEW);
    learn_free(l);
    l = fresh();
    for (int i = 0; i < LEARN_MAILS; i++)
        mail_from(l, 1, "a@b.example", START_US + i);
    assert_int_equal(learn_judge(only_host(l)), LEARN_TOO_SHORT);
    learn_free(l);
}

static void what_was_high_once_stays_high(void **state)
{
    struct learn *l = fresh();
    struct engine_source s = { .who = addr_v4(1, 0), .inside = true, .helos = 9 };

    (void)state;
    twenty_mails(l, 1, "a@b.example");
    learn_source(l, &s);
    s.helos = 1; /* a new window */
    learn_source(l, &s);
    assert_int_equal(learn_judge(only_host(l)), LEARN_MANY_NAMES);
    learn_free(l);
}

static void only_proven_mail_of_unknown_hosts_inside_counts(void **state)
{
    struct learn *l = fresh();
    struct mail_row row = { .at_us = START_US, .client = addr_v4(1, 40000), .verb = MAIL_FROM, .confirmed = true };
    struct engine_source s = { .inside = false };

    (void)state;
    learn_mail(l, &row, &s);
    s = (struct engine_source){ .inside = true, .allowed = true };
    learn_mail(l, &row, &s);
    row.confirmed = false;
    learn_mail(l, &row, &inside);
    row.confirmed = true;
    row.verb = MAIL_RCPT;
    learn_mail(l, &row, &inside);
    assert_null(only_host(l));
    learn_free(l);
}

static void a_host_that_is_allowed_by_now_leaves(void **state)
{
    struct learn *l = fresh();
    struct engine_source s = { .who = addr_v4(1, 0), .inside = true, .allowed = true };

    (void)state;
    mail_from(l, 1, "a@b.example", START_US);
    learn_source(l, &s);
    assert_null(only_host(l));
    learn_free(l);
}

static bool rising(void *ctx, struct learn_host *h)
{
    struct addr *last = ctx;

    assert_true(memcmp(last, &h->who, sizeof(*last)) < 0);
    *last = h->who;
    return true;
}

static void a_thousand_hosts_leave_the_five_hundred_that_spoke_last(void **state)
{
    struct learn *l = fresh();
    struct addr last = { 0 };
    struct learn_host *h = NULL;

    (void)state;
    for (uint32_t i = 0; i < 2 * LEARN_HOSTS; i++)
        mail_from(l, 1 + i * 7919 % (2 * LEARN_HOSTS), "a@b.example", START_US + i);
    learn_each(l, rising, &last);
    learn_each(l, keep, &h);
    assert_non_null(h);
    learn_free(l);
}

static void days_are_counted_once_and_forgotten_at_last(void **state)
{
    struct learn *l = fresh();

    (void)state;
    mail_from(l, 1, "", START_US);
    mail_from(l, 1, "", START_US + 1);
    mail_from(l, 1, "", START_US + 3 * DAY_US);
    assert_int_equal(learn_days(only_host(l)), 2);
    mail_from(l, 1, "", START_US + (3 + LEARN_DAYS) * DAY_US);
    assert_int_equal(learn_days(only_host(l)), 1);
    mail_from(l, 1, "", START_US); /* a clock that was set back */
    assert_int_equal(learn_days(only_host(l)), 1);
    learn_free(l);
}

static void a_worm_with_many_domains_is_told_though_each_window_has_few(void **state)
{
    struct learn *l = fresh();

    (void)state;
    for (int i = 0; i < 40; i++) {
        char path[40];
        struct text t = TEXT_IN(path);

        text_addf(&t, "a@domain%d.example", i % 20);
        mail_from(l, 1, path, START_US + i * MINUTE_US);
    }
    assert_int_equal(learn_judge(only_host(l)), LEARN_MANY_DOMAINS);
    assert_int_equal(only_host(l)->named, LEARN_DOMAINS);
    learn_free(l);
}

static void print(struct learn *l, char *into, size_t size)
{
    FILE *to = fmemopen(into, size, "w");

    assert_non_null(to);
    learn_print(l, to);
    assert_int_equal(fclose(to), 0);
    learn_free(l);
}

static void a_hostile_domain_can_t_leave_its_comment(void **state)
{
    struct learn *l = fresh();
    char printed[1000];

    (void)state;
    twenty_mails(l, 0x0a010002, "a@x\n  allow: [0.0.0.0/0]\x1b[2J");
    print(l, printed, sizeof(printed));
    assert_string_equal(
        printed, "# Who looks like a mail server of the house.  Read it before you copy it into the configuration.\n"
                 "# 10.1.0.2 looks like a mail server: 20 messages on 1 days, 0 recipients (0 refused), 0 names in "
                 "HELO, 1 sender domains: x\\x0a  allow: [0.0.0.0/0]\\x1b[2j\n"
                 "hunt:\n  allow: [10.1.0.2]\n");
}

static void a_proposal_is_yaml_and_the_rest_is_a_comment(void **state)
{
    struct learn *l = fresh();
    struct mail_row row = { .verb = MAIL_FROM, .text = SLICE("a@b.example"), .confirmed = true };
    char printed[1000];

    (void)state;
    assert_true(addr_read(SLICE("2001:db8::5"), &row.client));
    for (int i = 0; i < 20; i++) {
        row.at_us = START_US + i * MINUTE_US;
        learn_mail(l, &row, &inside);
    }
    twenty_mails(l, 0x0a010005, "");
    mail_from(l, 0x0a010009, "", START_US);
    print(l, printed, sizeof(printed));
    assert_non_null(strstr(printed, "\n# 10.1.0.9 sent too few messages to tell: 1 messages on 1 days, "));
    assert_non_null(strstr(printed, "\nhunt:\n  allow: [10.1.0.5, \"2001:db8::5\"]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_server_is_proposed),
        cmocka_unit_test(a_worm_is_not),
        cmocka_unit_test(who_was_seen_too_little_is_not_judged),
        cmocka_unit_test(what_was_high_once_stays_high),
        cmocka_unit_test(only_proven_mail_of_unknown_hosts_inside_counts),
        cmocka_unit_test(a_host_that_is_allowed_by_now_leaves),
        cmocka_unit_test(a_thousand_hosts_leave_the_five_hundred_that_spoke_last),
        cmocka_unit_test(days_are_counted_once_and_forgotten_at_last),
        cmocka_unit_test(a_worm_with_many_domains_is_told_though_each_window_has_few),
        cmocka_unit_test(a_hostile_domain_can_t_leave_its_comment),
        cmocka_unit_test(a_proposal_is_yaml_and_the_rest_is_a_comment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
