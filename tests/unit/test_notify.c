/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "act/notify/incident.h"
#include "act/notify/letter.h"
#include "act/notify/tray.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };

struct world {
    struct notify_settings set;
    struct incidents *in;
    struct notice told[64];
    unsigned count;
    uint64_t seq;
    int64_t now;
};

static void on_notice(void *ctx, const struct notice *n)
{
    struct world *w = ctx;

    assert_true(w->count < 64);
    w->told[w->count++] = *n;
}

static struct world make(void)
{
    return (struct world){
        .set = { .wait_us = 300000,
                 .window_us = 5LL * MINUTE,
                 .window_most_us = 60LL * MINUTE,
                 .burst = 3,
                 .each_us = MINUTE,
                 .keep_us = 3600LL * SECOND,
                 .retry_us = 5 * SECOND,
                 .retry_most_us = 60LL * SECOND,
                 .timeout_us = 30LL * SECOND,
                 .settle_us = 120LL * SECOND,
                 .ways_count = 2,
                 .ways = { { .name = "mail" }, { .name = "pager" } },
                 .rules_count = 1,
                 .rules = { { .name = "all",
                              .grade = 1,
                              .to = { 1, { "mail" } },
                              .escalate_us = 15LL * MINUTE,
                              .then = { 1, { "pager" } } } } },
        .now = 1000LL * SECOND,
    };
}

static void begin(struct world *w)
{
    struct err e;

    w->in = incidents_new(&w->set, on_notice, w, &e);
    assert_non_null(w->in);
}

static struct event named(struct world *w, enum event_kind kind, const char *name, const char *acts)
{
    struct event ev = event_new(kind);

    event_add_words(&ev, F_NAME, name);
    if (acts)
        event_add_words(&ev, F_ACTS, acts);
    ev.seq = ++w->seq;
    ev.at_us = w->now;
    return ev;
}

static void happens(struct world *w, enum event_kind kind, const char *name, const char *acts)
{
    struct event ev = named(w, kind, name, acts);

    incidents_take(w->in, &ev, false, w->now);
}

static void pass(struct world *w, int64_t us)
{
    for (int64_t end = w->now + us; w->now < end; w->now += SECOND)
        incidents_tick(w->in, w->now);
}

static void its_beginning_and_its_end_are_told(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    happens(&w, EV_WATCH_TRIGGERED, "disk hangs", "xray notify");
    pass(&w, 3LL * MINUTE);
    happens(&w, EV_WATCH_RECOVERED, "disk hangs", "xray notify");
    assert_int_equal(w.count, 2);
    assert_int_equal(w.told[0].stage, NOTICE_BEGAN);
    assert_int_equal(w.told[0].ways, 1);
    assert_int_equal(w.told[1].stage, NOTICE_OVER);
    assert_int_equal(w.told[1].span_us, 3LL * MINUTE);
    pass(&w, 20LL * MINUTE);
    assert_int_equal(w.count, 2);
    incidents_free(w.in);
}

static void a_trigger_that_does_not_say_notify_is_nobodys_matter(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    happens(&w, EV_WATCH_TRIGGERED, "disk hangs", "xray");
    happens(&w, EV_WATCH_TRIGGERED, "other", NULL);
    happens(&w, EV_WATCH_RECOVERED, "disk hangs", "xray");
    assert_int_equal(w.count, 0);
    happens(&w, EV_WATCH_NOTICED, "log is silent", "notify"); /* grade warn, but it says so */
    assert_int_equal(w.count, 1);
    happens(&w, EV_HUNT_MAIL_SEEN, "x", NULL); /* grade warn: the rule wants alarms */
    assert_int_equal(w.count, 1);
    incidents_free(w.in);
}

static void what_repeats_itself_is_counted_and_told_in_windows_that_grow(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    for (int minute = 0; minute < 60; minute++) { /* three times a minute, for an hour */
        happens(&w, EV_WATCH_TRIGGERED, "flap", "notify");
        pass(&w, 10 * SECOND);
        happens(&w, EV_WATCH_RECOVERED, "flap", "notify");
        pass(&w, 50LL * SECOND);
    }
    assert_in_range(w.count, 4, 6);
    assert_int_equal(w.told[2].stage, NOTICE_MORE);
    assert_int_equal(w.told[2].count, 4);
    pass(&w, 120LL * MINUTE);
    assert_in_range(w.count, 5, 7); /* the last count, and then silence */
    incidents_free(w.in);
}

static void two_things_of_one_kind_are_two_incidents(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    happens(&w, EV_ROLE_DIED, "gate", NULL);
    happens(&w, EV_ROLE_DIED, "hunt", NULL);
    happens(&w, EV_ROLE_STARTED, "hunt", NULL);
    assert_int_equal(w.count, 3);
    assert_int_equal(w.told[2].stage, NOTICE_OVER);
    assert_int_equal(w.told[2].first, 2);
    incidents_free(w.in);
}

static void what_nobody_answers_is_told_to_others_once(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    happens(&w, EV_GATE_SERVER_DOWN, "mx", NULL);
    pass(&w, 14LL * MINUTE);
    assert_int_equal(w.count, 1);
    pass(&w, 2LL * MINUTE);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.told[1].stage, NOTICE_STILL);
    assert_int_equal(w.told[1].ways, 2);
    pass(&w, 60LL * MINUTE);
    assert_int_equal(w.count, 2);
    happens(&w, EV_GATE_SERVER_BACK, "mx", NULL);
    assert_int_equal(w.told[2].stage, NOTICE_OVER);
    assert_int_equal(w.told[2].ways, 3); /* those who heard of it hear of its end */
    incidents_free(w.in);
}

static void what_is_acknowledged_is_not_escalated(void **state)
{
    struct world w = make();
    struct event ack;

    (void)state;
    begin(&w);
    happens(&w, EV_GATE_SERVER_DOWN, "mx", NULL);
    ack = named(&w, EV_NOTIFY_ACKNOWLEDGED, "", NULL);
    event_add_number(&ack, F_ORIGIN, 1);
    incidents_take(w.in, &ack, false, w.now);
    pass(&w, 60LL * MINUTE);
    assert_int_equal(w.count, 1);
    incidents_free(w.in);
}

static void what_was_never_told_has_no_end_to_tell(void **state)
{
    struct world w = make();
    struct event ev;

    (void)state;
    begin(&w);
    ev = named(&w, EV_GATE_DNS_DOWN, "", NULL);
    incidents_take(w.in, &ev, true, w.now);
    happens(&w, EV_GATE_DNS_BACK, "", NULL);
    assert_int_equal(w.count, 0);
    incidents_free(w.in);
}

static void after_a_start_what_is_not_found_again_is_over(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    happens(&w, EV_WATCH_TRIGGERED, "a", "notify");
    happens(&w, EV_WATCH_TRIGGERED, "b", "notify");
    happens(&w, EV_SERVIOLA_STARTED, "", NULL);
    pass(&w, 20 * SECOND);
    happens(&w, EV_WATCH_TRIGGERED, "b", "notify");
    pass(&w, 150LL * SECOND);
    assert_int_equal(w.count, 3);
    assert_int_equal(w.told[2].stage, NOTICE_OVER);
    assert_true(w.told[2].unseen);
    assert_int_equal(w.told[2].first, 1);
    incidents_free(w.in);
}

static void a_way_that_is_stuck_is_not_told_of_on_itself(void **state)
{
    struct world w = make();

    (void)state;
    begin(&w);
    happens(&w, EV_NOTIFY_STUCK, "mail", NULL);
    assert_int_equal(w.count, 0);
    happens(&w, EV_NOTIFY_STUCK, "pager", NULL);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.told[0].ways, 1);
    incidents_free(w.in);
}

static void a_rule_takes_names_of_events_and_of_things(void **state)
{
    struct world w = make();

    (void)state;
    w.set.rules[0].events = (struct key_names){ 1, { "watch.*" } };
    w.set.rules[0].of = (struct key_names){ 1, { "disk hangs" } };
    begin(&w);
    happens(&w, EV_WATCH_TRIGGERED, "disk fills", "notify");
    happens(&w, EV_ROLE_DIED, "disk hangs", NULL);
    assert_int_equal(w.count, 0);
    happens(&w, EV_WATCH_TRIGGERED, "disk hangs", "notify");
    assert_int_equal(w.count, 1);
    incidents_free(w.in);
}

/* ---- the tray ---- */

static struct notice numbered(uint64_t id)
{
    struct notice n = { .id = id, .stage = NOTICE_BEGAN, .first = id, .grade = GRADE_ALARM, .ways = 1 };

    n.ev = event_new(EV_ROLE_DIED);
    return n;
}

static void put(struct tray *t, uint64_t id, int64_t now)
{
    struct notice n = numbered(id);

    tray_add(t, &n, now);
}

static void what_comes_within_the_wait_goes_out_together(void **state)
{
    static struct tray t;
    struct world w = make();

    (void)state;
    memset(&t, 0, sizeof(t));
    put(&t, 1, w.now);
    assert_int_equal(tray_take(&t, &w.set, w.now), 0);
    put(&t, 2, w.now + 100000);
    assert_int_equal(tray_take(&t, &w.set, w.now + 300000), 2);
    put(&t, 3, w.now + 300000);
    tray_sent(&t);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.at[0].notice.id, 3);
}

static void above_the_limit_notices_are_gathered_and_none_is_lost(void **state)
{
    static struct tray t;
    struct world w = make();
    size_t messages = 0;
    size_t notices = 0;

    (void)state;
    memset(&t, 0, sizeof(t));
    for (uint64_t id = 1; id <= 600; id++) { /* one a second, for ten minutes */
        put(&t, id, w.now);
        w.now += SECOND;
        notices += tray_take(&t, &w.set, w.now);
        messages += t.sending > 0;
        if (t.sending)
            tray_sent(&t);
    }
    assert_in_range(messages, 10, 14); /* three, and one each minute */
    assert_int_equal(notices + t.count + t.lost, 600);
    assert_true(t.count <= TRAY_MOST);
}

static void a_failure_is_tried_again_after_pauses_that_grow(void **state)
{
    static const int64_t pauses_s[] = { 5, 10, 20, 40, 60, 60 };
    static struct tray t;
    struct world w = make();

    (void)state;
    memset(&t, 0, sizeof(t));
    put(&t, 1, w.now);
    w.now += SECOND;
    for (unsigned i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
        assert_int_equal(tray_take(&t, &w.set, w.now), 1);
        tray_failed(&t, &w.set, w.now);
        assert_int_equal(tray_due_us(&t, &w.set), w.now + pauses_s[i] * SECOND);
        w.now += pauses_s[i] * SECOND;
    }
    assert_int_equal(tray_expire(&t, &w.set, w.now), 0);
    assert_int_equal(tray_expire(&t, &w.set, w.now + w.set.keep_us), 1);
}

static void what_went_out_in_an_earlier_life_is_struck_with_all_before_it(void **state)
{
    static struct tray t;
    struct world w = make();

    (void)state;
    memset(&t, 0, sizeof(t));
    for (uint64_t id = 1; id <= 5; id++)
        put(&t, id, w.now);
    tray_strike(&t, 3, NOTICE_OVER);
    assert_int_equal(t.count, 5);
    tray_strike(&t, 3, NOTICE_BEGAN);
    assert_int_equal(t.count, 2);
    assert_int_equal(t.at[0].notice.id, 4);
}

/* ---- letters ---- */

static void tell_name(struct text *t, const struct event *ev, const char *who, int64_t now_us)
{
    struct slice name = { 0 };

    (void)who;
    (void)now_us;
    (void)event_get(ev, F_NAME, &name);
    text_word(t, "gone: ");
    text_visible(t, name);
}

static struct letter letter_about(struct world *w, struct tray_entry *entry, const char *name)
{
    *entry = (struct tray_entry){ .notice = numbered(7), .since_us = w->now };
    entry->notice.ev = named(w, EV_ROLE_DIED, name, NULL);
    (void)snprintf(w->set.ways[0].to, sizeof(w->set.ways[0].to), "a@example.org");
    return (struct letter){ .at = entry,
                            .count = 1,
                            .host = "mail",
                            .way = &w->set.ways[0],
                            .set = &w->set,
                            .now_us = 1763900000LL * SECOND,
                            .tell = tell_name };
}

static void no_byte_of_an_event_makes_a_header_or_a_line(void **state)
{
    struct world w = make();
    static char mail[LETTER_TEXT];
    struct tray_entry entry;
    struct letter l = letter_about(&w, &entry, "x\r\nBcc: everybody@example.org\r\n\r\n.\r\nQUIT\x1b[2J");
    struct text t = TEXT_IN(mail);

    (void)state;
    letter_mail(&l, "serviola@mail", &t);
    assert_null(strstr(mail, "\nBcc:"));
    assert_null(strstr(mail, "\n.\r"));
    assert_null(strchr(mail, 0x1b));
    assert_non_null(strstr(mail, "Subject: [mail] alarm: gone: x\\x0d\\x0aBcc: everybody"));
    assert_non_null(strstr(mail, "Message-ID: <mail-7-began-7-began@mail>\r\n"));
}

static void other_letters_are_encoded_in_whole_characters(void **state)
{
    struct world w = make();
    static char mail[LETTER_TEXT];
    struct tray_entry entry;
    struct letter l =
        letter_about(&w, &entry, "el disco está congelado, y además está lleno: ¡cuidado! ñññññññññññññññ");
    struct text t = TEXT_IN(mail);
    const char *subject;

    (void)state;
    letter_mail(&l, "serviola@mail", &t);
    subject = strstr(mail, "Subject: =?UTF-8?B?");
    assert_non_null(subject);
    for (const char *c = subject; c < strstr(subject, "\r\nAuto-Submitted"); c++)
        assert_true((unsigned char)*c < 0x80);
    assert_non_null(strstr(mail, "está congelado")); /* the body is UTF-8 */
}

static void a_frozen_disk_stands_in_the_first_line(void **state)
{
    struct world w = make();
    char words[LETTER_LINE];
    struct tray_entry entry;
    struct letter l = letter_about(&w, &entry, "x");
    struct text t = TEXT_IN(words);

    (void)state;
    l.frozen_us = 1234567;
    letter_head(&l, &t);
    assert_string_equal(words, "the disk of the journal has not answered for 1 s; alarm: gone: x");
}

static void a_quote_ends_no_json_string(void **state)
{
    struct world w = make();
    static char json[LETTER_TEXT];
    struct tray_entry entry;
    struct letter l = letter_about(&w, &entry, "a\"b\\c</script>\n");
    struct text t = TEXT_IN(json);

    (void)state;
    letter_json(&l, &t);
    assert_non_null(strstr(json, "\"name\":\"a\\\"b\\\\c</script>\\u000a\"")
                        ? json
                        : strstr(json, "\"name\":\"a\\\"b\\\\c</script>\\n\""));
    t = TEXT_IN(json);
    letter_slack(&l, &t);
    assert_non_null(strstr(json, "&lt;/script&gt;"));
}

static void settings_that_lead_nowhere_are_refused(void **state)
{
    struct notify_settings s = {
        .ways_count = 1, .ways = { { .name = "w", .by = BY_MAIL, .to = "a@b.example", .server = "smtp://mx" } }
    };
    const char *name;
    struct err e;

    (void)state;
    assert_true(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].to, sizeof(s.ways[0].to), "a@b.example, <c@d.example>");
    assert_false(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].to, sizeof(s.ways[0].to), "a@b.example,c@d.example");
    assert_true(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].server, sizeof(s.ways[0].server), "file:///etc/passwd");
    assert_false(notify_check(&s, &name, &e));
    s.ways[0] = (struct notify_way){ .name = "w", .by = BY_HOOK, .url = "https://user:pass@x.example/" };
    assert_false(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].url, sizeof(s.ways[0].url), "https://x.example/");
    assert_true(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].url, sizeof(s.ways[0].url),
                   "https://x.example./"); /* libcurl would look for another name */
    assert_false(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].url, sizeof(s.ways[0].url), "http://[::1]:8080/a?b=c@d");
    assert_false(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].url, sizeof(s.ways[0].url), "http://[::1]:8080/a?b=c");
    assert_true(notify_check(&s, &name, &e));
    (void)snprintf(s.ways[0].proxy, sizeof(s.ways[0].proxy), "socks5://x.example");
    assert_false(notify_check(&s, &name, &e));
    s.ways[0].proxy[0] = '\0';
    s.rules_count = 1;
    s.rules[0] = (struct notify_rule){ .name = "r", .events = { 1, { "watch.fired" } } };
    assert_false(notify_check(&s, &name, &e));
    assert_string_equal(name, "r");
    s.rules[0] = (struct notify_rule){ .name = "r", .to = { 1, { "nobody" } } };
    assert_false(notify_check(&s, &name, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_beginning_and_its_end_are_told),
        cmocka_unit_test(a_trigger_that_does_not_say_notify_is_nobodys_matter),
        cmocka_unit_test(what_repeats_itself_is_counted_and_told_in_windows_that_grow),
        cmocka_unit_test(two_things_of_one_kind_are_two_incidents),
        cmocka_unit_test(what_nobody_answers_is_told_to_others_once),
        cmocka_unit_test(what_is_acknowledged_is_not_escalated),
        cmocka_unit_test(what_was_never_told_has_no_end_to_tell),
        cmocka_unit_test(after_a_start_what_is_not_found_again_is_over),
        cmocka_unit_test(a_way_that_is_stuck_is_not_told_of_on_itself),
        cmocka_unit_test(a_rule_takes_names_of_events_and_of_things),
        cmocka_unit_test(what_comes_within_the_wait_goes_out_together),
        cmocka_unit_test(above_the_limit_notices_are_gathered_and_none_is_lost),
        cmocka_unit_test(a_failure_is_tried_again_after_pauses_that_grow),
        cmocka_unit_test(what_went_out_in_an_earlier_life_is_struck_with_all_before_it),
        cmocka_unit_test(no_byte_of_an_event_makes_a_header_or_a_line),
        cmocka_unit_test(other_letters_are_encoded_in_whole_characters),
        cmocka_unit_test(a_frozen_disk_stands_in_the_first_line),
        cmocka_unit_test(a_quote_ends_no_json_string),
        cmocka_unit_test(settings_that_lead_nowhere_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
