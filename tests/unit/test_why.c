/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "view/mode.h"
#include "view/why.h"
#include "view/why_account.h"

#define SECOND 1000000LL
#define NOW    (1795372083LL * SECOND) /* 2026-11-22T18:28:03Z */

/* A made-up journal: events in the order they were told. */
static struct {
    struct event at[64];
    size_t count;
} journal;

static struct addr worm(void)
{
    return addr_v4(0x0a010002, 0);
}

static struct event *happens(enum event_kind kind, uint64_t cause)
{
    struct event *ev = &journal.at[journal.count++];

    assert_true(journal.count <= 64);
    *ev = event_new(kind);
    ev->seq = 800 + journal.count;
    ev->cause = cause;
    ev->at_us = NOW - (int64_t)(64 - journal.count) * SECOND;
    ev->src = worm();
    return ev;
}

static bool get(void *ctx, uint64_t seq, struct event *ev)
{
    (void)ctx;
    for (size_t i = 0; i < journal.count; i++)
        if (journal.at[i].seq == seq) {
            *ev = journal.at[i];
            return true;
        }
    return false;
}

static uint64_t a_mail(void)
{
    struct event *ev = happens(EV_HUNT_MAIL_SEEN, 0);

    ev->src.port = 40312;
    ev->dst = addr_v4(0xcb00711f, 25);
    event_add_words(ev, F_PATH, "john.doe@mail.com");
    event_add_words(ev, F_PROOF, "the handshake was complete and the server acknowledged the data");
    return ev->seq;
}

static struct event *a_block(uint64_t cause)
{
    struct event *ev = happens(EV_ACT_BLOCKED, cause);

    event_add_number(ev, F_UNTIL, (uint64_t)(NOW + 3420 * SECOND));
    event_add_words(ev, F_RULE, "mail");
    return ev;
}

static struct why_case a_case(void)
{
    return (struct why_case){
        .who = worm(), .about = journal.at, .count = journal.count, .get = get, .now_us = NOW, .mode = MODE_BLOCK
    };
}

static const char *answer_to(const struct why_case *c)
{
    static char words[4096];
    struct text t = TEXT_IN(words);
    struct why_verdict v = why_judge(c);

    why_answer(&t, c, &v);
    assert_false(t.cut);
    return words;
}

static void holds(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in: %s", words, text);
}

static void page_holds(const struct why_case *c, const char *words)
{
    char *page = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&page, &size);

    assert_non_null(f);
    why_print(c, f, 0, false);
    (void)fclose(f);
    holds(page, words);
    free(page);
}

static void a_blocked_host_is_told_until_when_why_and_the_way_out(void **state)
{
    struct ctl_entry standing = { .who = worm(), .until_us = NOW + 3420 * SECOND, .packets = 12 };
    struct why_case c;

    (void)state;
    (void)a_block(a_mail());
    c = a_case();
    c.block = &standing;
    assert_string_equal(
        answer_to(&c),
        "10.1.0.2 is blocked until 19:25:03 (57 min left) because at 18:27:00 it spoke SMTP to 203.0.113.31 port 25 "
        "with MAIL FROM:<john.doe@mail.com>; it is not on the allow list. Proof: the handshake was complete and the "
        "server acknowledged the data. 12 packets have been dropped since. To lift it: serviola unblock 10.1.0.2; to "
        "allow it for good: serviola allow 10.1.0.2.");
    page_holds(&c, "<- #801");
    page_holds(&c, "<- nothing in the journal led to this: it came from outside");
}

static void without_a_core_the_journal_alone_is_told(void **state)
{
    struct why_case c;

    (void)state;
    (void)a_block(a_mail());
    c = a_case();
    c.silent = "serviola is not running";
    assert_int_equal(why_judge(&c).state, WHY_BLOCKED);
    holds(answer_to(&c), "(This is what the journal says; serviola is not running.)");
    c.now_us = NOW + 3421 * SECOND;
    assert_int_equal(why_judge(&c).state, WHY_EXPIRED);
    holds(answer_to(&c),
          "its block ended by itself at 19:25:03. It had been blocked at 18:27:01 because at 18:27:00 it "
          "spoke SMTP");
}

static void a_block_by_command_is_told_with_who_and_why(void **state)
{
    struct ctl_entry standing = { .who = worm(), .until_us = NOW + SECOND };
    struct event *asked;
    struct why_case c;

    (void)state;
    asked = happens(EV_ACT_BLOCK_ASKED, 0);
    event_add_words(asked, F_WHO, "root, pid 77");
    event_add_words(asked, F_WHY, "asked by phone");
    (void)a_block(asked->seq);
    c = a_case();
    c.block = &standing;
    holds(answer_to(&c),
          "because it was asked for by command at 18:27:00 (root, pid 77), with the words: asked by phone.");
}

static void in_observe_mode_it_says_how_to_block(void **state)
{
    struct why_case c;

    (void)state;
    (void)happens(EV_RULE_WOULD_BLOCK, a_mail());
    c = a_case();
    c.mode = MODE_OBSERVE;
    assert_int_equal(why_judge(&c).state, WHY_WOULD);
    holds(answer_to(&c), "would be blocked, but is not, because this is observe mode: at 18:27:00 it spoke SMTP");
    holds(answer_to(&c), "serviola run --mode block");
    c.mode = MODE_BLOCK;
    holds(answer_to(&c), "10.1.0.2 is not blocked: serviola only observed when at 18:27:00 it spoke SMTP");
    holds(answer_to(&c), "The mode is block by now");
}

static void a_refused_block_says_the_reason(void **state)
{
    struct event *ev;
    struct why_case c;

    (void)state;
    ev = happens(EV_ACT_BLOCK_REFUSED, a_mail());
    event_add_words(ev, F_WHY, "it is an address of an admin network");
    c = a_case();
    assert_int_equal(why_judge(&c).state, WHY_REFUSED);
    holds(answer_to(&c), "is not blocked: a block was asked for at 18:27:01 and refused: it is an address of an admin "
                         "network. It was asked for because at 18:27:00 it spoke SMTP");
}

static void a_lifted_block_says_who_lifted_it(void **state)
{
    struct event *ev;
    struct why_case c;

    (void)state;
    ev = happens(EV_ACT_UNBLOCKED, a_block(a_mail())->seq);
    event_add_words(ev, F_WHO, "root");
    event_add_words(ev, F_WHY, "cleaned");
    c = a_case();
    assert_int_equal(why_judge(&c).state, WHY_LIFTED);
    holds(answer_to(&c), "is not blocked: its block was lifted at 18:27:02 by root (cleaned). It had been blocked at");
}

static void a_block_that_the_core_does_not_know_is_not_called_a_block(void **state)
{
    struct why_case c;

    (void)state;
    (void)a_block(a_mail());
    c = a_case();
    assert_int_equal(why_judge(&c).state, WHY_GONE);
    c.mode = MODE_OBSERVE;
    holds(answer_to(&c), "now runs in a mode that blocks nobody");
}

static void a_checkpoint_leads_back_to_the_block_it_repeats(void **state)
{
    struct ctl_entry standing = { .who = worm(), .until_us = NOW + SECOND };
    struct event *kept;
    uint64_t blocked;
    struct why_case c;

    (void)state;
    blocked = a_block(a_mail())->seq;
    kept = happens(EV_ACT_BLOCK_KEPT, 0);
    event_add_number(kept, F_ORIGIN, blocked);
    c = a_case();
    c.about = kept;
    c.count = 1;
    c.block = &standing;
    holds(answer_to(&c), "because at 18:27:00 it spoke SMTP");
}

static void a_cause_that_has_left_the_journal_is_named(void **state)
{
    struct ctl_entry standing = { .who = worm(), .until_us = NOW + SECOND };
    struct why_case c;

    (void)state;
    (void)a_block(17);
    c = a_case();
    c.block = &standing;
    holds(answer_to(&c), "because the rule mail said so (event #17, which the journal no longer holds).");
    page_holds(&c, "<- #17, which the journal does not hold any more");
}

static void an_unknown_host_is_told_what_was_looked_at(void **state)
{
    struct why_case c;

    (void)state;
    c = a_case();
    c.looked_at = "812 events since yesterday in /var/lib/serviola/journal";
    assert_int_equal(why_judge(&c).state, WHY_UNKNOWN);
    holds(answer_to(&c), "nothing is known about it. Looked at: 812 events since yesterday in /var/lib");
}

static void a_finding_that_nobody_acted_on_is_only_noticed(void **state)
{
    struct why_case c;

    (void)state;
    (void)a_mail();
    c = a_case();
    c.mode = MODE_LEARN;
    c.standing = "It is in an admin network.";
    assert_int_equal(why_judge(&c).state, WHY_NOTICED);
    holds(answer_to(&c), "is not blocked, but was noticed: at 18:27:00 it spoke SMTP");
    holds(answer_to(&c), "It is in an admin network.");
}

static void a_server_that_a_worm_spoke_to_is_not_the_worm(void **state)
{
    struct why_case c;

    (void)state;
    (void)a_block(a_mail());
    c = a_case();
    c.who = addr_v4(0xcb00711f, 0);
    assert_int_equal(why_judge(&c).state, WHY_SEEN);
    assert_null(why_judge(&c).decision);
    holds(answer_to(&c), "203.0.113.31 is not blocked, and nothing speaks against it.");
}

static void an_allowed_host_says_how_to_take_it_off(void **state)
{
    struct event *ev;
    struct why_case c;

    (void)state;
    (void)a_block(a_mail());
    ev = happens(EV_ACT_ALLOWED, 0);
    ev->src = (struct addr){ 0 };
    event_add_words(ev, F_PREFIX, "10.1.0.2/32");
    (void)happens(EV_ACT_UNBLOCKED, ev->seq);
    c = a_case();
    assert_int_equal(why_judge(&c).state, WHY_ALLOWED);
    holds(answer_to(&c), "10.1.0.2/32 was put on the allow list");
    holds(answer_to(&c), "serviola allow 10.1.0.2 --remove");
}

static void an_event_is_told_and_then_how_it_stands(void **state)
{
    struct why_case c;

    (void)state;
    (void)happens(EV_RULE_WOULD_BLOCK, a_mail());
    c = a_case();
    c.mode = MODE_OBSERVE;
    c.asked = &journal.at[0];
    holds(answer_to(&c), "Event #801, 18:27:00: 10.1.0.2 spoke SMTP to 203.0.113.31 port 25");
    holds(answer_to(&c), "By now: 10.1.0.2 would be blocked");
    page_holds(&c, "What followed from it:\n  -> #802");
}

static void a_silence_is_told_with_its_proof_what_to_do_and_its_end(void **state)
{
    struct event *ev = happens(EV_LOG_FOUND, 0);
    uint64_t found = ev->seq;
    struct why_case c;

    (void)state;
    event_add_words(ev, F_RULE, "silence");
    event_add_words(ev, F_NAME, "web1");
    event_add_words(ev, F_WHY, "web1 is silent since 18:28");
    event_add_words(happens(EV_LOG_PROOF, found), F_PROOF, "the last line: GET /1");
    c = a_case();
    assert_int_equal(why_judge(&c).state, WHY_SEEN);
    holds(answer_to(&c), "web1 is silent since 18:28");
    c.asked = &journal.at[0];
    holds(answer_to(&c), "Event #801");
    holds(answer_to(&c), "Proof: the last line: GET /1. Look at the host's console");
    assert_null(strstr(answer_to(&c), "blocked"));
    event_add_words(happens(EV_LOG_FOUND_OVER, found), F_WHY, "web1 was silent for 18 h");
    c = a_case();
    c.asked = &journal.at[0];
    holds(answer_to(&c), "It was over at 18:27:02: web1 was silent for 18 h.");
    assert_null(strstr(answer_to(&c), "console"));
    page_holds(&c, "What followed from it:\n  -> #802");
}

static void evidence_is_listed_with_its_file(void **state)
{
    struct event *ev;
    uint64_t mail;
    struct why_case c;

    (void)state;
    mail = a_mail();
    (void)a_block(mail);
    ev = happens(EV_HUNT_EVIDENCE_KEPT, mail);
    event_add_words(ev, F_NAME, "10.1.0.2-801.pcap");
    c = a_case();
    c.evidence = "/var/lib/serviola/journal/evidence";
    page_holds(&c, "/var/lib/serviola/journal/evidence/10.1.0.2-801.pcap\n");
}

static void causes_that_go_round_in_circles_come_to_an_end(void **state)
{
    struct event chain[WHY_DEPTH];
    struct event *ev;
    struct why_case c;

    (void)state;
    ev = happens(EV_ACT_BLOCKED, 0);
    ev->cause = ev->seq;
    c = a_case();
    assert_int_equal(why_chain(&c, ev, chain), 1);
    ev->cause = ev->seq + 1;
    (void)happens(EV_ACT_CUT, ev->seq);
    c = a_case();
    assert_int_equal(why_chain(&c, &journal.at[1], chain), 2);
}

static void a_very_long_chain_is_cut_and_says_so(void **state)
{
    struct event chain[WHY_DEPTH];
    struct why_case c;

    (void)state;
    (void)happens(EV_ACT_CUT, 0);
    for (int i = 0; i < 50; i++)
        (void)happens(EV_ACT_CUT, journal.at[journal.count - 1].seq);
    c = a_case();
    c.asked = &journal.at[journal.count - 1];
    assert_int_equal(why_chain(&c, c.asked, chain), WHY_DEPTH);
    page_holds(&c, "and so on: the chain is longer than 32");
}

static void lines_are_folded_between_words(void **state)
{
    struct why_case c;
    char *page = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&page, &size);

    (void)state;
    assert_non_null(f);
    (void)a_block(a_mail());
    c = a_case();
    c.silent = "serviola is not running";
    why_print(&c, f, 40, false);
    (void)fclose(f);
    holds(page, "FROM:<john.doe@mail.com>");
    *strchr(page, '\n') = '\0';
    assert_true(strlen(page) <= 40);
    free(page);
}

static int empty(void **state)
{
    (void)state;
    journal.count = 0;
    return 0;
}

static int in_utc(void **state)
{
    (void)state;
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    return 0;
}

static struct event of_account(enum event_kind kind, uint64_t seq, const char *user)
{
    struct event ev = event_new(kind);

    ev.seq = seq;
    ev.at_us = (int64_t)seq * 1000000;
    event_add_words(&ev, F_USER, user);
    if (kind == EV_GATE_ACCOUNT_STOPPED)
        event_add_number(&ev, F_UNTIL, 100000000);
    if (kind != EV_GATE_ACCOUNT_STOPPED)
        event_add_words(&ev, F_WHY, kind == EV_GATE_ACCOUNT_ABUSED ? "30 messages" : "by command");
    return ev;
}

static void an_account_is_stopped_until_its_time_or_its_release(void **state)
{
    struct event about[] = { of_account(EV_GATE_ACCOUNT_ABUSED, 10, "ana"),
                             of_account(EV_GATE_ACCOUNT_STOPPED, 11, "ana"),
                             of_account(EV_GATE_ACCOUNT_ABUSED, 12, "ana"),
                             of_account(EV_GATE_ACCOUNT_RELEASED, 13, "ana") };
    struct account_verdict v = account_judge(about, 3, 20000000);
    char words[1024];
    struct text t = TEXT_IN(words);

    (void)state;
    assert_true(account_is_meant(&about[0], SLICE("Ana")));
    assert_false(account_is_meant(&about[0], SLICE("anabel")));
    assert_int_equal(account_judge(about, 1, 20000000).state, ACCOUNT_SUSPECTED);
    assert_int_equal(v.state, ACCOUNT_STOPPED);
    assert_ptr_equal(v.abused, &about[2]);
    account_answer(&t, SLICE("ana"), &v, 20000000);
    assert_non_null(strstr(words, "The mail of the account ana is stopped until"));
    assert_non_null(strstr(words, "30 messages"));
    assert_int_equal(account_judge(about, 3, 200000000).state, ACCOUNT_OVER);
    assert_int_equal(account_judge(about, 4, 20000000).state, ACCOUNT_RELEASED);
    assert_int_equal(account_judge(about, 0, 20000000).state, ACCOUNT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_stopped_until_its_time_or_its_release),
        cmocka_unit_test_setup(a_blocked_host_is_told_until_when_why_and_the_way_out, empty),
        cmocka_unit_test_setup(without_a_core_the_journal_alone_is_told, empty),
        cmocka_unit_test_setup(a_block_by_command_is_told_with_who_and_why, empty),
        cmocka_unit_test_setup(in_observe_mode_it_says_how_to_block, empty),
        cmocka_unit_test_setup(a_refused_block_says_the_reason, empty),
        cmocka_unit_test_setup(a_lifted_block_says_who_lifted_it, empty),
        cmocka_unit_test_setup(a_block_that_the_core_does_not_know_is_not_called_a_block, empty),
        cmocka_unit_test_setup(a_checkpoint_leads_back_to_the_block_it_repeats, empty),
        cmocka_unit_test_setup(a_cause_that_has_left_the_journal_is_named, empty),
        cmocka_unit_test_setup(an_unknown_host_is_told_what_was_looked_at, empty),
        cmocka_unit_test_setup(a_finding_that_nobody_acted_on_is_only_noticed, empty),
        cmocka_unit_test_setup(a_server_that_a_worm_spoke_to_is_not_the_worm, empty),
        cmocka_unit_test_setup(an_allowed_host_says_how_to_take_it_off, empty),
        cmocka_unit_test_setup(an_event_is_told_and_then_how_it_stands, empty),
        cmocka_unit_test_setup(a_silence_is_told_with_its_proof_what_to_do_and_its_end, empty),
        cmocka_unit_test_setup(evidence_is_listed_with_its_file, empty),
        cmocka_unit_test_setup(causes_that_go_round_in_circles_come_to_an_end, empty),
        cmocka_unit_test_setup(a_very_long_chain_is_cut_and_says_so, empty),
        cmocka_unit_test_setup(lines_are_folded_between_words, empty),
    };

    return cmocka_run_group_tests(tests, in_utc, NULL);
}
