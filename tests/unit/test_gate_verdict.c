/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/gate/verdict.h"
#include "sys/clock.h"

/* A listener whose checks are all off but those that a test switches on, and which finds things by hand. */
struct world {
    struct gate_settings set;
    struct gate_means means;
    struct self self;
    struct visit *visit;
    struct verdict said;
    unsigned times;
};

static int64_t now(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static struct addr addr_of(const char *text)
{
    struct addr a = { 0 };

    assert_true(addr_read(slice_text(text), &a));
    return a;
}

static struct gate_policy *policy(struct world *w)
{
    return &w->set.listeners[0].checks;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->set.listeners_count = 1;
    w->set.listeners[0].listen = (struct key_addrs){ .count = 1, .at = { { .family = 4, .port = 25 } } };
    w->means =
        (struct gate_means){ .set = &w->set, .self = &w->self, .name = "mx.example", .now_us = now, .wall_us = now };
    w->visit = visit_new(&w->means, &w->set.listeners[0], addr_of("44.1.0.2"), addr_of("198.18.0.1"));
    assert_non_null(w->visit);
    w->visit->owner = w;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    visit_free(w->visit);
    free(w);
    return 0;
}

static enum verdict_act act_at(const struct world *w, enum stage stage)
{
    return verdict_now(w->visit, stage).act;
}

static void on_verdict(struct visit *v, const struct verdict *r)
{
    struct world *w = v->owner;

    w->said = *r;
    w->times++;
}

/* ---- what findings come to ---- */

static void a_finding_counts_as_the_policy_says(void **state)
{
    struct world *w = *state;

    policy(w)->helo = GATE_NOTE;
    visit_found(w->visit, CHECK_HELO, FOUND_HIT, "it lies");
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_PASS);
    assert_false(visit_is_flagged(w->visit));
    policy(w)->helo = GATE_GREYLIST;
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_PASS);
    assert_true(visit_is_flagged(w->visit));
    policy(w)->helo = GATE_REFUSE;
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_REFUSE);
    policy(w)->helo = GATE_OFF;
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_PASS);
}

static void a_refusal_names_its_check_and_its_reason(void **state)
{
    struct world *w = *state;
    struct verdict r;

    policy(w)->generic = GATE_REFUSE;
    visit_found(w->visit, CHECK_GENERIC, FOUND_HIT, "%s holds its address", "4-3-2-1.dsl.test");
    r = verdict_now(w->visit, STAGE_RCPT);
    assert_int_equal(r.by, CHECK_GENERIC);
    assert_int_equal(r.code, 550);
    assert_string_equal(r.enhanced, "5.7.1");
    assert_non_null(strstr(r.text, "4-3-2-1.dsl.test holds its address"));
}

static void what_could_not_be_found_out_refuses_nobody(void **state)
{
    struct world *w = *state;
    struct gate_policy all = { .list = GATE_REFUSE,
                               .early = GATE_REFUSE,
                               .pipelining = GATE_REFUSE,
                               .junk = GATE_REFUSE,
                               .helo = GATE_REFUSE,
                               .rdns = GATE_REFUSE,
                               .confirmed = GATE_REFUSE,
                               .generic = GATE_REFUSE,
                               .dnsbl = GATE_REFUSE,
                               .callback = GATE_REFUSE,
                               .bogus_mx = GATE_REFUSE,
                               .limits = GATE_REFUSE,
                               .greylist = GATE_GREY_ALL };

    *policy(w) = all;
    for (unsigned id = 0; id < CHECKS; id++) {
        w->visit->done = 0;
        memset(w->visit->found, 0, sizeof(w->visit->found));
        visit_found(w->visit, (enum check_id)id, FOUND_UNSURE, "no answer");
        for (enum stage stage = STAGE_CONNECT; stage < STAGES; stage++)
            assert_int_not_equal(act_at(w, stage), VERDICT_REFUSE);
        if (id != CHECK_GREYLIST && id != CHECK_LIMITS)
            assert_true(visit_is_flagged(w->visit));
    }
}

static void a_loop_is_refused_whatever_the_lists_say(void **state)
{
    struct world *w = *state;

    policy(w)->list = GATE_REFUSE;
    visit_found(w->visit, CHECK_LIST, FOUND_GOOD, "a friend");
    assert_int_equal(act_at(w, STAGE_CONNECT), VERDICT_PASS);
    visit_found(w->visit, CHECK_SELF, FOUND_HIT, "our own");
    assert_int_equal(act_at(w, STAGE_CONNECT), VERDICT_REFUSE);
    assert_string_equal(verdict_now(w->visit, STAGE_CONNECT).enhanced, "5.4.6");
}

static void who_is_allowed_by_a_list_is_refused_for_nothing_else(void **state)
{
    struct world *w = *state;

    policy(w)->list = policy(w)->dnsbl = policy(w)->helo = GATE_REFUSE;
    visit_found(w->visit, CHECK_DNSBL, FOUND_HIT, "listed");
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_REFUSE);
    visit_found(w->visit, CHECK_LIST, FOUND_GOOD, "a friend");
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_PASS);
    assert_true(w->visit->known);
}

static void a_list_may_ask_for_less_than_the_policy_allows(void **state)
{
    struct world *w = *state;

    policy(w)->list = GATE_REFUSE;
    w->visit->listed = GATE_GREYLIST;
    assert_int_equal(visit_act(w->visit, CHECK_LIST), GATE_GREYLIST);
    w->visit->listed = GATE_REFUSE;
    assert_int_equal(visit_act(w->visit, CHECK_LIST), GATE_REFUSE);
    policy(w)->list = GATE_NOTE;
    assert_int_equal(visit_act(w->visit, CHECK_LIST), GATE_NOTE);
}

static void who_comes_too_often_is_asked_to_come_again(void **state)
{
    struct world *w = *state;
    struct verdict r;

    policy(w)->limits = GATE_REFUSE;
    visit_found(w->visit, CHECK_LIMITS, FOUND_HIT, "61 a minute");
    r = verdict_now(w->visit, STAGE_CONNECT);
    assert_int_equal(r.act, VERDICT_DEFER);
    assert_int_equal(r.code, 421);
}

static void a_sender_whose_place_is_not_known_now_waits(void **state)
{
    struct world *w = *state;
    struct verdict r;

    policy(w)->bogus_mx = GATE_REFUSE;
    visit_found(w->visit, CHECK_BOGUS_MX, FOUND_UNSURE, "no answer");
    r = verdict_now(w->visit, STAGE_RCPT);
    assert_int_equal(r.act, VERDICT_DEFER);
    assert_string_equal(r.enhanced, "4.4.3");
    assert_string_equal(r.text, "please come again: no answer"); /* not that it takes no mail */
    assert_int_equal(r.code, 451);
}

static void what_is_due_later_does_not_count_before(void **state)
{
    struct world *w = *state;

    policy(w)->callback = GATE_REFUSE;
    visit_found(w->visit, CHECK_CALLBACK, FOUND_HIT, "nobody there");
    assert_int_equal(act_at(w, STAGE_HELO), VERDICT_PASS);
    assert_int_equal(act_at(w, STAGE_MAIL), VERDICT_PASS);
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_REFUSE);
}

static void the_first_answer_of_a_check_counts(void **state)
{
    struct world *w = *state;

    policy(w)->rdns = GATE_REFUSE;
    visit_found(w->visit, CHECK_RDNS, FOUND_NOTHING, "%s", "");
    visit_found(w->visit, CHECK_RDNS, FOUND_HIT, "another");
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_PASS);
}

/* ---- reasons ---- */

static void reasons_are_visible_and_bounded(void **state)
{
    struct world *w = *state;
    char many[4096];

    memset(many, 'x', sizeof(many));
    many[sizeof(many) - 1] = '\0';
    visit_found(w->visit, CHECK_HELO, FOUND_HIT, "it says a\r\n250 ok\x1b[2J");
    assert_true(visit_reason(w->visit, CHECK_HELO).len > 0);
    assert_null(strpbrk(w->visit->reasons, "\r\x1b"));
    for (unsigned id = 0; id < CHECKS; id++)
        visit_found(w->visit, (enum check_id)id, FOUND_HIT, "%s", many);
    assert_true(strlen(w->visit->reasons) <= 1024);
    assert_true(slice_eq(slice_first(visit_reason(w->visit, CHECK_HELO), 7), SLICE("it says")));
    assert_int_equal(visit_reason(w->visit, CHECK_GREYLIST).len, 0);
}

/* ---- stages ---- */

static void without_checks_the_verdict_comes_at_once(void **state)
{
    struct world *w = *state;

    for (enum stage stage = STAGE_CONNECT; stage < STAGES; stage++) {
        verdict_ask(w->visit, stage, on_verdict);
        assert_int_equal(w->times, (unsigned)stage + 1);
        assert_int_equal(w->said.act, VERDICT_PASS);
    }
}

static void our_own_address_is_seen_on_either_end(void **state)
{
    static const char *const ends[][2] = { { "127.0.1.50", "44.1.0.1" }, { "44.1.0.2", "127.0.1.50" },
                                           { "::1", "2a00::1" },         { "::ffff:127.0.1.50", "44.1.0.1" },
                                           { "0.0.0.0", "44.1.0.1" },    { "198.18.0.1", "198.18.0.1" } };
    struct world *w = *state;
    struct addr own = addr_of("198.18.0.1");

    w->self = (struct self){ .own = &own, .count = 1 };
    w->set.listeners[0].outside = GATE_OUTSIDE_YES;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        visit_free(w->visit);
        w->visit = visit_new(&w->means, &w->set.listeners[0], addr_of(ends[i][0]), addr_of(ends[i][1]));
        assert_non_null(w->visit);
        w->visit->owner = w;
        verdict_ask(w->visit, STAGE_CONNECT, on_verdict);
        assert_int_equal(w->said.act, VERDICT_REFUSE);
        assert_int_equal(w->said.by, CHECK_SELF);
    }
}

static void another_mail_forgets_what_was_found_about_the_last_one(void **state)
{
    struct world *w = *state;

    policy(w)->bogus_mx = policy(w)->rdns = GATE_REFUSE;
    w->visit->stage = STAGE_RCPT;
    w->visit->sender = strdup("x@evil.test");
    visit_found(w->visit, CHECK_BOGUS_MX, FOUND_HIT, "loopback");
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_REFUSE);
    visit_reset_mail(w->visit);
    assert_null(w->visit->sender);
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_PASS);
    visit_found(w->visit, CHECK_RDNS, FOUND_HIT, "no name");
    visit_reset_mail(w->visit);
    assert_int_equal(act_at(w, STAGE_RCPT), VERDICT_REFUSE); /* that was about the client */
}

static void another_hello_forgets_what_was_found_about_the_last_one(void **state)
{
    struct world *w = *state;

    policy(w)->helo = GATE_REFUSE;
    visit_found(w->visit, CHECK_HELO, FOUND_HIT, "our own name");
    visit_forget_helo(w->visit);
    assert_int_equal(act_at(w, STAGE_HELO), VERDICT_PASS);
}

static void who_logs_in_is_not_judged_by_the_name_of_a_home_line(void **state)
{
    struct world *w = *state;

    w->set.listeners[0].kind = GATE_SUBMISSION;
    policy(w)->rdns = policy(w)->generic = policy(w)->dnsbl = policy(w)->callback = GATE_REFUSE;
    policy(w)->greylist = GATE_GREY_ALL;
    verdict_ask(w->visit, STAGE_RCPT, on_verdict); /* there is no name server here: nothing was asked for */
    assert_int_equal(w->times, 1);
    assert_int_equal(w->said.act, VERDICT_PASS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_finding_counts_as_the_policy_says),
        TEST(a_refusal_names_its_check_and_its_reason),
        TEST(what_could_not_be_found_out_refuses_nobody),
        TEST(a_loop_is_refused_whatever_the_lists_say),
        TEST(who_is_allowed_by_a_list_is_refused_for_nothing_else),
        TEST(a_list_may_ask_for_less_than_the_policy_allows),
        TEST(who_comes_too_often_is_asked_to_come_again),
        TEST(a_sender_whose_place_is_not_known_now_waits),
        TEST(what_is_due_later_does_not_count_before),
        TEST(the_first_answer_of_a_check_counts),
        TEST(reasons_are_visible_and_bounded),
        TEST(without_checks_the_verdict_comes_at_once),
        TEST(our_own_address_is_seen_on_either_end),
        TEST(another_mail_forgets_what_was_found_about_the_last_one),
        TEST(another_hello_forgets_what_was_found_about_the_last_one),
        TEST(who_logs_in_is_not_judged_by_the_name_of_a_home_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
