/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "view/story_log.h"

static struct event mail(struct slice path)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);

    ev.at_us = INT64_C(1795372083123456); /* 18:28:03 UTC */
    ev.src = addr_v4(0xac140a0a, 40312);
    ev.dst = addr_v4(0xcb00711f, 25);
    event_add_text(&ev, F_PATH, path);
    return ev;
}

static void scripts_find_their_words_where_they_were(void **state)
{
    struct event ev = mail(SLICE("bot@x.example"));
    char line[STORY_LINE];
    struct text t = TEXT_IN(line);

    (void)state;
    assert_true(story_line(&ev, &t));
    assert_string_equal(line,
                        "18:28:03.123456 IP 172.20.10.10.40312 > 203.0.113.31.25: Flags [P.], length 27: SMTP: mail "
                        "from:<bot@x.example>");
}

static void ipv6_is_written_as_there(void **state)
{
    struct event ev = mail(SLICE(""));
    char line[STORY_LINE];
    struct text t = TEXT_IN(line);

    (void)state;
    assert_true(addr_read_port(SLICE("[fd00:20::5]:40312"), &ev.src));
    assert_true(addr_read_port(SLICE("[2001:db8:69::31]:587"), &ev.dst));
    assert_true(story_line(&ev, &t));
    assert_string_equal(line,
                        "18:28:03.123456 IP6 fd00:20::5.40312 > 2001:db8:69::31.587: Flags [P.], length 14: SMTP: mail "
                        "from:<>");
}

static void the_wire_can_t_break_a_line(void **state)
{
    struct event ev = mail(SLICE("a\r\nb 1;touch x;.2.3.4 SMTP: mail from\x1b[2J\xff"));
    char line[STORY_LINE];
    struct text t = TEXT_IN(line);

    (void)state;
    assert_true(story_line(&ev, &t));
    for (size_t i = 0; i < t.len; i++)
        assert_in_range(line[i], 0x20, 0x7e);
    assert_memory_equal(line, "18:28:03.123456 IP 172.20.10.10.40312 > ", 40);
}

static void a_backslash_is_no_escape(void **state)
{
    struct event ev = mail(SLICE("a\\x0ab\n\\"));
    char line[STORY_LINE];
    struct text t = TEXT_IN(line);

    (void)state;
    assert_true(story_line(&ev, &t));
    assert_non_null(strstr(line, "mail from:<a\\\\x0ab\\x0a\\\\>"));
}

static void other_events_leave_no_line(void **state)
{
    struct event ev = event_new(EV_ACT_BLOCKED);
    char line[STORY_LINE];
    struct text t = TEXT_IN(line);

    (void)state;
    assert_false(story_line(&ev, &t));
    assert_false(story_json(&ev, &t));
    assert_int_equal(t.len, 0);
}

static void as_json_it_is_the_journal_s_object(void **state)
{
    struct event ev = mail(SLICE("bot@x.example"));
    char line[4096];
    struct text t = TEXT_IN(line);

    (void)state;
    assert_true(story_json(&ev, &t));
    assert_non_null(strstr(line, "\"kind\":\"hunt.mail_seen\""));
    assert_non_null(strstr(line, "\"path\":\"bot@x.example\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_find_their_words_where_they_were),
        cmocka_unit_test(ipv6_is_written_as_there),
        cmocka_unit_test(the_wire_can_t_break_a_line),
        cmocka_unit_test(a_backslash_is_no_escape),
        cmocka_unit_test(other_events_leave_no_line),
        cmocka_unit_test(as_json_it_is_the_journal_s_object),
    };

    (void)setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
