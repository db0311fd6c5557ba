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
#include "view/blocks.h"
#include "view/line.h"
#include "view/mode.h"
#include "view/number.h"
#include "view/status.h"
#include "view/tell.h"

#define NOW 1795372083500000LL /* 2026-11-22T18:28:03.5Z */

static struct event a_worm(void)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);

    ev.seq = 812;
    ev.cause = 811;
    ev.at_us = NOW;
    ev.src = addr_v4(0x0a010002, 40312);
    ev.dst = addr_v4(0xcb00711f, 25);
    event_add_words(&ev, F_PATH, "john.doe@mail.com");
    event_add_words(&ev, F_COMMAND, "mail from: john.doe@mail.com");
    return ev;
}

static const char *full(const struct event *ev)
{
    static char line[LINE_TEXT];
    struct text t = TEXT_IN(line);

    line_full(&t, ev, false);
    assert_false(t.cut);
    return line;
}

static const char *told(const struct event *ev, const char *who)
{
    static char words[LINE_TEXT];
    struct text t = TEXT_IN(words);

    tell(&t, ev, who, NOW);
    return words;
}

static void a_line_has_number_time_hosts_fields_and_cause(void **state)
{
    struct event ev = a_worm();

    (void)state;
    assert_string_equal(full(&ev), "2026-11-22 18:28:03.500  #812     warn   hunt.mail_seen        "
                                   "10.1.0.2:40312 > 203.0.113.31:25  path=john.doe@mail.com "
                                   "command=\"mail from: john.doe@mail.com\"  <- #811");
}

static void an_event_about_nobody_has_no_hosts(void **state)
{
    struct event ev = event_new(EV_SERVIOLA_STARTED);

    (void)state;
    ev.seq = 1;
    ev.at_us = NOW;
    assert_string_equal(full(&ev), "2026-11-22 18:28:03.500  #1       note   serviola.started    ");
}

static void bytes_from_outside_can_not_forge_a_line_nor_a_field(void **state)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);
    const char *line;

    (void)state;
    event_add_words(&ev, F_PATH, "a\nb\033[2J\" cause=\"x");
    event_add_text(&ev, F_HELO,
                   SLICE("\xc2\x9b"
                         "31m"));
    line = full(&ev);
    assert_null(strchr(line, '\n'));
    assert_null(strchr(line, '\033'));
    assert_null(strchr(line, '\xc2'));
    assert_non_null(strstr(line, "path=\"a\\x0ab\\x1b[2J\\\" cause=\\\"x\""));
}

static void every_kind_has_a_sentence_that_does_not_need_its_fields(void **state)
{
    (void)state;
    for (int kind = EV_NONE + 1; kind < EV_KINDS; kind++) {
        struct event ev = event_new((enum event_kind)kind);
        const char *words = told(&ev, NULL);

        if (strlen(words) <= 10)
            fail_msg("%s is told as \"%s\"", event_name((enum event_kind)kind), words);
        assert_null(strpbrk(words, "{}[]"));
        assert_null(strstr(words, "  "));
    }
}

static void the_fullest_event_fits_in_a_line(void **state)
{
    uint8_t bytes[EVENT_BODY];
    struct event ev = a_worm();

    (void)state;
    memset(bytes, 0x1b, sizeof(bytes));
    event_add_text(&ev, F_WHY, slice_of(bytes, sizeof(bytes)));
    assert_non_null(strstr(full(&ev), "(cut)"));
}

static void a_mail_command_is_told_as_it_should_have_been_written(void **state)
{
    struct event ev = a_worm();
    struct event bounce = event_new(EV_HUNT_MAIL_SEEN);

    (void)state;
    assert_string_equal(told(&ev, NULL),
                        "10.1.0.2 spoke SMTP to 203.0.113.31 port 25 with MAIL FROM:<john.doe@mail.com>");
    assert_string_equal(told(&ev, "it"), "it spoke SMTP to 203.0.113.31 port 25 with MAIL FROM:<john.doe@mail.com>");
    event_add_words(&bounce, F_PATH, "");
    assert_non_null(strstr(told(&bounce, "it"), "with MAIL FROM:<>"));
}

static void a_format_string_in_a_mail_stays_text(void **state)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);

    (void)state;
    event_add_words(&ev, F_PATH, "%n%s{src}[x]@mail.com");
    assert_non_null(strstr(told(&ev, "it"), "MAIL FROM:<%n%s{src}[x]@mail.com>"));
}

static void counts_are_grouped_by_thousands(void **state)
{
    (void)state;
    assert_string_equal(number_words(0).text, "0");
    assert_string_equal(number_words(999).text, "999");
    assert_string_equal(number_words(12009).text, "12,009");
    assert_string_equal(number_words(UINT64_MAX).text, "18,446,744,073,709,551,615");
}

/* ---- status and blocks ---- */

static char *caught; /* what `capture` filled */
static size_t caught_size;

static FILE *capture(void)
{
    FILE *f = open_memstream(&caught, &caught_size);

    assert_non_null(f);
    return f;
}

static void holds(FILE *f, const char *words)
{
    (void)fclose(f);
    if (!strstr(caught, words))
        fail_msg("\"%s\" is not in: %s", words, caught);
    free(caught);
}

static struct ctl_status a_fine_house(void)
{
    struct ctl_status s = { .version = "0.1.0",
                            .now_us = NOW,
                            .started_us = NOW - 3600000000LL,
                            .next_seq = 813,
                            .synced_seq = 812,
                            .mode = MODE_BLOCK,
                            .blocks = 1,
                            .blocks_cap = 65536,
                            .table_whole = 1,
                            .up = 1,
                            .parts_count = 1,
                            .links_count = 1,
                            .mails = 3,
                            .findings = 1 };

    memcpy(s.parts[0].name, "hunt", 5);
    s.parts[0].up = 1;
    s.parts[0].since_us = s.started_us;
    memcpy(s.links[0].name, "lan0", 5);
    s.links[0].captured = s.links[0].up = 1;
    s.links[0].packets = 1000;
    return s;
}

static void a_fine_house_has_no_troubles(void **state)
{
    struct ctl_status s = a_fine_house();
    FILE *f = capture();

    (void)state;
    assert_int_equal(status_troubles(&s, NULL, NULL), 0);
    status_print(&s, f, false);
    holds(f, "all on disk");
    f = capture();
    status_json(&s, f);
    holds(f, "\"troubles\":[]}\n");
}

static void accounts_have_a_line_once_one_is_known(void **state)
{
    struct ctl_status s = a_fine_house();
    FILE *f = capture();

    (void)state;
    s.accounts = (struct link_account_sums){ .known = 20000, .stopped = 2, .suspected = 1 };
    status_print(&s, f, false);
    holds(f, "Accounts    20,000 known, 2 stopped, 1 suspected now\n");
    f = capture();
    status_json(&s, f);
    holds(f, "\"accounts\":{\"known\":20000,\"stopped\":2,\"suspected\":1}");
}

static void each_trouble_is_said_with_what_to_do(void **state)
{
    struct ctl_status s = a_fine_house();
    FILE *f;

    (void)state;
    s.scribe_behind_us = 3000000;
    s.table_whole = 0;
    s.links[0].lost = 7;
    s.parts[0].up = 0;
    assert_int_equal(status_troubles(&s, NULL, NULL), 4);
    f = capture();
    status_print(&s, f, false);
    holds(f, "the journal's disk is stuck: it has not answered for 3 s");
    f = capture();
    status_print(&s, f, false);
    holds(f, "the part hunt is down");
}

static void a_table_that_is_not_used_is_no_trouble(void **state)
{
    struct ctl_status s = a_fine_house();

    (void)state;
    s.mode = MODE_OBSERVE;
    s.table_whole = 0;
    assert_int_equal(status_troubles(&s, NULL, NULL), 0);
}

static void a_house_that_is_starting_has_no_troubles_yet(void **state)
{
    struct ctl_status s = a_fine_house();
    FILE *f = capture();

    (void)state;
    s.started_us = s.now_us - 200000;
    s.links[0].captured = 0;
    s.table_whole = s.up = s.parts[0].up = 0;
    assert_int_equal(status_troubles(&s, NULL, NULL), 0);
    status_print(&s, f, false);
    holds(f, "State       starting");
    f = capture();
    status_json(&s, f);
    holds(f, "\"starting\":true");

    s.parts[0].restarts = 1; /* it died: that is one */
    assert_int_equal(status_troubles(&s, NULL, NULL), 1);
    s.started_us = s.now_us - 3000000;
    s.parts[0].restarts = 0;
    assert_int_equal(status_troubles(&s, NULL, NULL), 4);
    f = capture();
    status_print(&s, f, false);
    holds(f, "not listened");
}

static void a_house_that_listens_is_not_starting_any_more(void **state)
{
    struct ctl_status s = a_fine_house();

    (void)state;
    s.started_us = s.now_us - 200000;
    assert_false(status_is_starting(&s));
    s.links[0].captured = 0;
    assert_true(status_is_starting(&s));
    s.mode = MODE_OFF; /* nothing will be listened on */
    assert_false(status_is_starting(&s));
}

static void a_status_from_a_stranger_can_not_lead_past_its_arrays(void **state)
{
    struct ctl_status s;
    FILE *f = capture();

    (void)state;
    memset(&s, 0xff, sizeof(s));
    status_print(&s, f, false);
    status_json(&s, f);
    holds(f, "\\u00ff");
}

static void blocks_are_a_table_or_an_object_a_line(void **state)
{
    struct ctl_entry e = { .who = addr_v4(0x0a010002, 0),
                           .cause = 813,
                           .since_us = NOW - 60000000,
                           .until_us = NOW + 3540000000LL,
                           .packets = 1234,
                           .bytes = 99 };
    FILE *f = capture();

    (void)state;
    blocks_print(&e, 1, NOW, f, false);
    holds(f, "10.1.0.2  18:27:03             59 min              1,234            99  #813");
    f = capture();
    blocks_json(&e, NOW, f);
    holds(f, "{\"host\":\"10.1.0.2\",\"event\":813,\"since\":\"2026-11-22T18:27:03.500000Z\","
             "\"until\":\"2026-11-22T19:27:03.500000Z\",\"left_us\":3540000000,\"packets\":1234,\"bytes\":99}\n");
    f = capture();
    blocks_print(NULL, 0, NOW, f, false);
    holds(f, "Nobody is blocked.");
}

static int in_utc(void **state)
{
    (void)state;
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_number_time_hosts_fields_and_cause),
        cmocka_unit_test(an_event_about_nobody_has_no_hosts),
        cmocka_unit_test(bytes_from_outside_can_not_forge_a_line_nor_a_field),
        cmocka_unit_test(every_kind_has_a_sentence_that_does_not_need_its_fields),
        cmocka_unit_test(the_fullest_event_fits_in_a_line),
        cmocka_unit_test(a_mail_command_is_told_as_it_should_have_been_written),
        cmocka_unit_test(a_format_string_in_a_mail_stays_text),
        cmocka_unit_test(counts_are_grouped_by_thousands),
        cmocka_unit_test(a_fine_house_has_no_troubles),
        cmocka_unit_test(accounts_have_a_line_once_one_is_known),
        cmocka_unit_test(each_trouble_is_said_with_what_to_do),
        cmocka_unit_test(a_table_that_is_not_used_is_no_trouble),
        cmocka_unit_test(a_house_that_is_starting_has_no_troubles_yet),
        cmocka_unit_test(a_house_that_listens_is_not_starting_any_more),
        cmocka_unit_test(a_status_from_a_stranger_can_not_lead_past_its_arrays),
        cmocka_unit_test(blocks_are_a_table_or_an_object_a_line),
    };

    return cmocka_run_group_tests(tests, in_utc, NULL);
}
