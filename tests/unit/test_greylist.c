/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nameserver.h"
#include "sense/gate/book.h"
#include "sense/gate/dns.h"
#include "sense/gate/listcompile.h"
#include "sense/gate/lists.h"
#include "sense/gate/verdict.h"

#define S 1000000LL

static struct world {
    struct loop *loop;
    struct ns *ns;
    struct gate_settings *set;
    struct gate_means means;
    int64_t wall_us;
    struct verdict verdict;
    bool over;
    struct event told; /* the last one */
    unsigned greylisted, passed, known;
} w;

static int64_t wall(void *ctx)
{
    (void)ctx;
    return w.wall_us;
}

static int64_t boot(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static void on_tell(void *ctx, struct event *ev, const struct visit *v)
{
    (void)ctx;
    (void)v;
    w.told = *ev;
    w.greylisted += ev->kind == EV_GATE_GREYLISTED;
    w.passed += ev->kind == EV_GATE_GREYLIST_PASSED;
    w.known += ev->kind == EV_GATE_CLIENT_KNOWN;
}

static int set_up(void **state)
{
    (void)state;
    w = (struct world){ .wall_us = 1700000000 * S };
    w.loop = loop_new(NULL);
    w.ns = ns_new(w.loop);
    w.set = ns_settings(w.ns);
    w.set->listeners_count = 1;
    w.set->listeners[0].outside = GATE_OUTSIDE_NO;
    w.set->listeners[0].checks.greylist = GATE_GREY_ALL;
    w.set->greylist = (struct gate_greylist){
        .delay_us = 120 * S, .window_us = 172800 * S, .good_us = 3110400 * S, .passes = 3, .entries = 1000, .spf = true
    };
    w.means = (struct gate_means){
        .set = w.set, .loop = w.loop, .name = "mx.house.example", .now_us = boot, .wall_us = wall, .tell = on_tell
    };
    w.means.dns = dns_new(w.loop, w.set, NULL, NULL, NULL);
    w.means.book = book_new(-1, 1000, NULL);
    assert_true(w.means.dns && w.means.book);
    book_set(w.means.book, &w.set->greylist, &w.set->callback);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    book_free(w.means.book);
    dns_free(w.means.dns);
    ns_free(w.ns);
    loop_free(w.loop);
    free(w.set);
    return 0;
}

static void on_verdict(struct visit *v, const struct verdict *r)
{
    (void)v;
    w.verdict = *r;
    w.over = true;
}

static struct visit *visitor(const char *from, const char *organisation)
{
    struct addr peer = { 0 };
    struct visit *v;

    assert_true(addr_read(slice_text(from), &peer));
    v = visit_new(&w.means, &w.set->listeners[0], peer, addr_v4(0xc6120001, 25));
    v->done |= 1 << CHECK_RDNS | 1 << CHECK_CONFIRMED; /* what they find out is told here */
    if (organisation) {
        v->rdns = RDNS_CONFIRMED;
        v->rdns_name = strdup("mx.example.net");
        v->organisation = strdup(organisation);
    }
    return v;
}

static enum verdict_act judge(struct visit *v)
{
    w.over = false;
    verdict_ask(v, STAGE_RCPT, on_verdict);
    ns_run_until(w.loop, &w.over);
    return w.verdict.act;
}

/* One client that brings one message to one recipient. */
static enum verdict_act comes(const char *from, const char *organisation, const char *sender, const char *recipient)
{
    struct visit *v = visitor(from, organisation);
    enum verdict_act act;

    v->sender = strdup(sender);
    v->recipient = strdup(recipient);
    act = judge(v);
    visit_free(v);
    return act;
}

static enum verdict_act again(void)
{
    return comes("192.0.2.7", NULL, "", "me@house.example");
}

/* Acceptance case 20, line by line. */
static void a_pair_waits_then_passes_and_is_remembered(void **state)
{
    uint64_t until;

    (void)state;
    assert_int_equal(comes("192.0.2.7", NULL, "", "me@house.example"), VERDICT_DEFER);
    assert_int_equal(w.verdict.code, 451);
    assert_non_null(strstr(w.verdict.text, "in 120 seconds"));
    assert_int_equal(w.greylisted, 1);
    assert_true(event_get_number(&w.told, F_UNTIL, &until));
    assert_int_equal(until, w.wall_us + 120 * S);
    w.wall_us += 90 * S;
    assert_int_equal(again(), VERDICT_DEFER);
    assert_non_null(strstr(w.verdict.text, "in 30 seconds"));
    assert_int_equal(w.greylisted, 1); /* said once */
    w.wall_us += 30 * S;
    assert_int_equal(again(), VERDICT_PASS);
    assert_int_equal(w.passed, 1);
    w.wall_us += 36 * 86400 * S;
    assert_int_equal(again(), VERDICT_PASS);
    w.wall_us += 37 * 86400 * S;
    assert_int_equal(again(), VERDICT_DEFER);
}

static void a_retry_after_the_window_waits_anew(void **state)
{
    (void)state;
    assert_int_equal(again(), VERDICT_DEFER);
    w.wall_us += 172801 * S;
    assert_int_equal(again(), VERDICT_DEFER);
    assert_int_equal(w.greylisted, 2);
}

static void a_retry_from_the_same_network_passes(void **state)
{
    (void)state;
    assert_int_equal(comes("192.0.2.7", NULL, "a@b.example", "me@house.example"), VERDICT_DEFER);
    assert_int_equal(comes("2001:db8::7", NULL, "a@b.example", "me@house.example"), VERDICT_DEFER);
    w.wall_us += 120 * S;
    assert_int_equal(comes("192.0.2.200", NULL, "A@B.EXAMPLE", "Me@House.example"), VERDICT_PASS);
    assert_int_equal(comes("2001:db8::ffff:ffff:ffff:ffff", NULL, "a@b.example", "me@house.example"), VERDICT_PASS);
    assert_int_equal(comes("192.0.3.7", NULL, "a@b.example", "me@house.example"), VERDICT_DEFER);
    assert_int_equal(comes("192.0.2.7", NULL, "c@b.example", "me@house.example"), VERDICT_DEFER);
    assert_int_equal(comes("192.0.2.7", NULL, "a@b.example", "you@house.example"), VERDICT_DEFER);
}

static void a_big_sender_comes_again_from_anywhere_in_its_pool(void **state)
{
    (void)state;
    assert_int_equal(comes("192.0.2.7", "big.example", "a@b.example", "me@house.example"), VERDICT_DEFER);
    w.wall_us += 121 * S;
    assert_int_equal(comes("2001:db8:77::1", "big.example", "a@b.example", "me@house.example"), VERDICT_PASS);
    assert_int_equal(comes("192.0.2.7", "other.example", "a@b.example", "me@house.example"), VERDICT_DEFER);
}

static void home_lines_do_not_stand_for_their_provider(void **state)
{
    struct visit *v = visitor("192.0.2.7", "isp.example");

    (void)state;
    v->found[CHECK_GENERIC] = FOUND_HIT;
    v->sender = strdup("");
    v->recipient = strdup("me@house.example");
    assert_int_equal(judge(v), VERDICT_DEFER);
    assert_non_null(strstr(w.verdict.text, "192.0.2.0/24"));
    visit_free(v);
}

static void spf_lets_the_senders_domain_stand_for_the_client(void **state)
{
    (void)state;
    ns_add(w.ns, "pool.example", DNS_TXT, "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 -all");
    assert_int_equal(comes("192.0.2.7", NULL, "a@Pool.example", "me@house.example"), VERDICT_DEFER);
    assert_non_null(strstr(w.verdict.text, "pool.example"));
    w.wall_us += 121 * S;
    assert_int_equal(comes("198.51.100.9", NULL, "a@pool.example", "me@house.example"), VERDICT_PASS);
    assert_int_equal(comes("203.0.113.9", NULL, "a@pool.example", "me@house.example"), VERDICT_DEFER);
    assert_non_null(strstr(w.verdict.text, "203.0.113.0/24"));
}

static void a_client_that_left_while_spf_was_asked_is_forgotten(void **state)
{
    struct visit *v = visitor("192.0.2.7", NULL);

    (void)state;
    ns_add(w.ns, "pool.example", DNS_TXT, "v=spf1 -all");
    v->sender = strdup("a@pool.example");
    v->recipient = strdup("me@house.example");
    verdict_ask(v, STAGE_RCPT, on_verdict);
    visit_free(v);
    assert_int_equal(book_count(w.means.book), 0);
}

static void three_passes_make_a_known_client_that_waits_no_more(void **state)
{
    static const char *const recipients[] = { "a@h.example", "b@h.example", "c@h.example" };
    struct visit *v;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(comes("192.0.2.7", "big.example", "", recipients[i]), VERDICT_DEFER);
        w.wall_us += 121 * S;
        assert_int_equal(comes("192.0.2.7", "big.example", "", recipients[i]), VERDICT_PASS);
    }
    assert_int_equal(w.known, 1);
    assert_int_equal(comes("198.51.100.1", "big.example", "new@x.example", "new@h.example"), VERDICT_PASS);
    v = visitor("198.51.100.1", "big.example");
    assert_true(greylist_knows(v));
    visit_free(v);
    v = visitor("192.0.2.7", NULL);
    assert_false(greylist_knows(v));
    visit_free(v);
    w.wall_us += 37 * 86400 * S;
    v = visitor("198.51.100.1", "big.example");
    assert_false(greylist_knows(v));
    visit_free(v);
}

static void one_pair_that_keeps_coming_makes_a_known_client_too_but_not_within_an_hour(void **state)
{
    (void)state;
    (void)again();
    w.wall_us += 121 * S;
    for (int i = 0; i < 10; i++)
        assert_int_equal(again(), VERDICT_PASS);
    assert_int_equal(w.known, 0);
    for (int i = 0; i < 2; i++) {
        w.wall_us += 3600 * S;
        assert_int_equal(again(), VERDICT_PASS);
    }
    assert_int_equal(w.known, 1);
}

/* Case 22: whatever sender is tried, it can be reached after one wait. */
static void postmaster_waits_for_the_client_alone(void **state)
{
    (void)state;
    assert_int_equal(comes("192.0.2.7", NULL, "", "PostMaster@house.example"), VERDICT_DEFER);
    w.wall_us += 121 * S;
    assert_int_equal(comes("192.0.2.7", NULL, "x@y.example", "postmaster@house.example"), VERDICT_PASS);
    assert_int_equal(comes("192.0.2.7", NULL, "", "postmaster"), VERDICT_DEFER); /* another recipient */
}

static void behind_tls_that_is_passed_on_the_client_alone_waits(void **state)
{
    struct visit *v = visitor("192.0.2.7", NULL);

    (void)state;
    assert_int_equal(judge(v), VERDICT_DEFER);
    visit_free(v);
    w.wall_us += 121 * S;
    v = visitor("192.0.2.8", NULL);
    assert_int_equal(judge(v), VERDICT_PASS);
    visit_free(v);
}

static void only_the_flagged_wait_where_that_is_wanted(void **state)
{
    struct visit *v;

    (void)state;
    w.set->listeners[0].checks.greylist = GATE_GREY_FLAGGED;
    assert_int_equal(again(), VERDICT_PASS);
    w.set->listeners[0].checks.junk = GATE_GREYLIST;
    v = visitor("192.0.2.7", NULL);
    v->sender = strdup("");
    v->recipient = strdup("me@house.example");
    v->found[CHECK_JUNK] = FOUND_HIT;
    assert_int_equal(judge(v), VERDICT_DEFER);
    visit_free(v);
}

static void a_clock_that_is_set_back_makes_nobody_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(again(), VERDICT_DEFER);
    w.wall_us -= 86400 * S;
    assert_int_equal(again(), VERDICT_DEFER);
    assert_non_null(strstr(w.verdict.text, "in 120 seconds"));
}

static void without_a_book_everybody_is_asked_to_come_again(void **state)
{
    struct book *b = w.means.book;

    (void)state;
    w.means.book = NULL;
    assert_int_equal(again(), VERDICT_DEFER);
    w.means.book = b;
}

/* ---- own lists ---- */

static struct lists *make_lists(const char *addresses, enum gate_list_means means, const char *rdns, const char *helo)
{
    struct gate_list at[3] = { { .name = "nets", .file = "nets", .what = GATE_LIST_ADDRESSES, .means = (int)means },
                               { .name = "names", .file = "names", .what = GATE_LIST_RDNS, .means = (int)means },
                               { .name = "hellos", .file = "hellos", .what = GATE_LIST_HELO, .means = (int)means } };
    const char *texts[3] = { addresses, rdns, helo };
    struct listcompile *c = listcompile_new(NULL);
    struct lists *l;
    int fd;

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(listcompile_add(c, &at[i], slice_text(texts[i]), NULL), 0);
    fd = listcompile_finish(c, NULL);
    l = lists_map(fd, NULL);
    assert_non_null(l);
    (void)close(fd);
    listcompile_free(c);
    return l;
}

static struct visit *listed_visitor(struct lists *l, const char *from, const char *name, const char *helo)
{
    struct visit *v = visitor(from, name ? "example.net" : NULL);

    w.means.lists = l;
    w.set->listeners[0].checks.list = GATE_REFUSE;
    v->helo = strdup(helo);
    v->sender = strdup("");
    v->recipient = strdup("me@house.example");
    free(v->rdns_name);
    v->rdns_name = name ? strdup(name) : NULL;
    return v;
}

static void addresses_and_names_on_a_list_are_refused(void **state)
{
    static const struct {
        const char *from, *name, *helo;
        enum check_id by;
    } cases[] = { { "192.0.2.7", NULL, "a.example", CHECK_LIST },
                  { "198.51.100.1", "dyn1.bad.example", "a.example", CHECK_LIST_NAME },
                  { "198.51.100.1", NULL, "ylmf-pc", CHECK_LIST_NAME } };
    struct lists *l = make_lists("192.0.2.0/24\n", GATE_LIST_REFUSE, "bad.example\n", "/^ylmf-pc$/\n");

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct visit *v = listed_visitor(l, cases[i].from, cases[i].name, cases[i].helo);

        assert_int_equal(judge(v), VERDICT_REFUSE);
        assert_int_equal(w.verdict.by, cases[i].by);
        assert_int_equal(w.verdict.code, 554);
        visit_free(v);
    }
    lists_free(l);
}

static void who_is_allowed_waits_for_nothing(void **state)
{
    struct lists *l = make_lists("192.0.2.0/24\n", GATE_LIST_ALLOW, "good.example\n", "hello.example\n");
    struct visit *v = listed_visitor(l, "192.0.2.7", NULL, "x");

    (void)state;
    assert_int_equal(judge(v), VERDICT_PASS);
    visit_free(v);
    v = listed_visitor(l, "198.51.100.7", "mx.good.example", "x");
    assert_int_equal(judge(v), VERDICT_PASS);
    visit_free(v);
    v = listed_visitor(l, "198.51.100.7", NULL, "hello.example"); /* anybody could say so */
    assert_int_equal(judge(v), VERDICT_DEFER);
    visit_free(v);
    lists_free(l);
}

static void a_list_may_ask_for_the_greylist_alone(void **state)
{
    struct lists *l = make_lists("192.0.2.0/24\n", GATE_LIST_GREYLIST, "", "");
    struct visit *v = listed_visitor(l, "192.0.2.7", NULL, "x");

    (void)state;
    w.set->listeners[0].checks.greylist = GATE_GREY_FLAGGED;
    assert_int_equal(judge(v), VERDICT_DEFER);
    assert_int_equal(w.verdict.by, CHECK_GREYLIST);
    visit_free(v);
    lists_free(l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pair_waits_then_passes_and_is_remembered),
        TEST(a_retry_after_the_window_waits_anew),
        TEST(a_retry_from_the_same_network_passes),
        TEST(a_big_sender_comes_again_from_anywhere_in_its_pool),
        TEST(home_lines_do_not_stand_for_their_provider),
        TEST(spf_lets_the_senders_domain_stand_for_the_client),
        TEST(a_client_that_left_while_spf_was_asked_is_forgotten),
        TEST(three_passes_make_a_known_client_that_waits_no_more),
        TEST(one_pair_that_keeps_coming_makes_a_known_client_too_but_not_within_an_hour),
        TEST(postmaster_waits_for_the_client_alone),
        TEST(behind_tls_that_is_passed_on_the_client_alone_waits),
        TEST(only_the_flagged_wait_where_that_is_wanted),
        TEST(a_clock_that_is_set_back_makes_nobody_wait_for_ever),
        TEST(without_a_book_everybody_is_asked_to_come_again),
        TEST(addresses_and_names_on_a_list_are_refused),
        TEST(who_is_allowed_waits_for_nothing),
        TEST(a_list_may_ask_for_the_greylist_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
