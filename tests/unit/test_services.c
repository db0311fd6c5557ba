/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What probes mean: up, down, hidden, coming and going; and what of that is left in the journal's events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sense/watch/services/front.h"
#include "sense/watch/services/judge.h"
#include "sense/watch/services/own.h"
#include "sense/watch/services/target.h"

#define SECOND 1000000LL
static const struct judge_limits limits = { .misses = 2, .steady_us = 60 * SECOND };
static struct judge judge;
static struct judge_told told;

static enum judge_news take(bool well, int64_t second, enum judge_front front)
{
    judge_take(&judge, well, second * SECOND);
    return judge_decide(&judge, &limits, front, second * SECOND, &told);
}

static int fresh(void **state)
{
    (void)state;
    judge = (struct judge){ 0 };
    told = (struct judge_told){ 0 };
    return 0;
}

static void one_missed_probe_is_no_loss(void **state)
{
    (void)state;
    assert_int_equal(take(true, 1000, FRONT_WELL), JUDGE_SEEN);
    assert_int_equal(take(false, 1010, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(true, 1011, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(false, 1021, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(judge.state, JUDGE_UP);
}

static void it_is_down_since_the_first_missed_probe_and_back_since_the_first_good_one(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    (void)take(false, 1010, FRONT_WELL);
    assert_int_equal(take(false, 1011, FRONT_WELL), JUDGE_LOST);
    assert_int_equal(told.since_us, 1010 * SECOND);
    assert_int_equal(told.good_us, 1000 * SECOND);
    assert_int_equal(take(true, 1020, FRONT_WELL), JUDGE_SAME); /* once is chance */
    assert_int_equal(take(true, 1021, FRONT_WELL), JUDGE_BACK);
    assert_int_equal(told.since_us, 1020 * SECOND);
    assert_int_equal(told.span_us, 10 * SECOND);
}

static void what_was_never_seen_is_lost_without_a_last_good_time(void **state)
{
    (void)state;
    (void)take(false, 1000, FRONT_WELL);
    assert_int_equal(take(false, 1001, FRONT_WELL), JUDGE_LOST);
    assert_int_equal(told.good_us, 0);
}

static void behind_a_dead_host_nothing_is_lost_until_that_is_back(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    (void)take(false, 1010, FRONT_WELL);
    assert_int_equal(take(false, 1011, FRONT_ASKED), JUDGE_SAME);
    assert_int_equal(take(false, 1012, FRONT_DOWN), JUDGE_IS_HIDDEN);
    assert_int_equal(told.since_us, 1010 * SECOND);
    assert_int_equal(take(false, 1013, FRONT_DOWN), JUDGE_SAME);
    judge_front_back(&judge);
    assert_int_equal(judge_decide(&judge, &limits, FRONT_WELL, 1014 * SECOND, &told), JUDGE_SAME);
    assert_int_equal(take(false, 1015, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(false, 1016, FRONT_WELL), JUDGE_LOST); /* it was down itself, too */
    assert_int_equal(told.since_us, 1015 * SECOND);
}

static void what_was_hidden_is_shown_again(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    (void)take(false, 1010, FRONT_DOWN);
    assert_int_equal(take(false, 1011, FRONT_DOWN), JUDGE_IS_HIDDEN);
    (void)take(true, 1020, FRONT_WELL);
    assert_int_equal(take(true, 1021, FRONT_WELL), JUDGE_SHOWN);
    assert_int_equal(told.span_us, 10 * SECOND);
}

static void lose_and_come_back(int64_t at, enum judge_news lost, enum judge_news back)
{
    (void)take(false, at, FRONT_WELL);
    assert_int_equal(take(false, at + 1, FRONT_WELL), lost);
    (void)take(true, at + 4, FRONT_WELL);
    assert_int_equal(take(true, at + 5, FRONT_WELL), back);
}

static void what_comes_and_goes_is_told_once_and_summed_up_when_it_is_steady(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    lose_and_come_back(1010, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(1020, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(1030, JUDGE_FLAPPING, JUDGE_BLINKED);
    assert_int_equal(told.since_us, 1030 * SECOND);
    assert_int_equal(told.span_us, 4 * SECOND);
    for (int n = 4; n <= 10; n++)
        lose_and_come_back(1000 + 10 * n, JUDGE_SAME, JUDGE_BLINKED);
    assert_int_equal(take(true, 1110, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(true, 1104 + 60, FRONT_WELL), JUDGE_STEADY);
    assert_int_equal(told.count, 10);
    assert_int_equal(told.since_us, 1010 * SECOND);
    assert_int_equal(told.span_us, 8 * 4 * SECOND); /* of those that were not told each */
    lose_and_come_back(5000, JUDGE_LOST, JUDGE_BACK);
}

static void one_that_stays_down_while_it_comes_and_goes_is_lost_after_all(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    lose_and_come_back(1010, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(1020, JUDGE_LOST, JUDGE_BACK);
    (void)take(false, 1030, FRONT_WELL);
    assert_int_equal(take(false, 1031, FRONT_WELL), JUDGE_FLAPPING);
    assert_int_equal(take(false, 1089, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(false, 1090, FRONT_WELL), JUDGE_LOST);
    assert_int_equal(told.since_us, 1030 * SECOND);
    (void)take(true, 1100, FRONT_WELL);
    assert_int_equal(take(true, 1101, FRONT_WELL), JUDGE_BACK);
}

static void three_losses_in_a_day_are_three_losses(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    lose_and_come_back(2000, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(12000, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(22000, JUDGE_LOST, JUDGE_BACK);
}

static void what_was_missed_before_a_sleep_and_after_it_is_no_row(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    assert_int_equal(take(false, 1010, FRONT_WELL), JUDGE_SAME);
    judge_slept(&judge);
    assert_int_equal(take(false, 5000, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(false, 5001, FRONT_WELL), JUDGE_LOST);
    assert_int_equal(told.since_us, 5000 * SECOND);
}

static void nothing_is_steady_because_nobody_looked(void **state)
{
    (void)state;
    (void)take(true, 1000, FRONT_WELL);
    lose_and_come_back(1010, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(1020, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(1030, JUDGE_FLAPPING, JUDGE_BLINKED);
    judge_slept(&judge);
    assert_int_equal(judge_decide(&judge, &limits, FRONT_WELL, 5000 * SECOND, &told), JUDGE_SAME);
    assert_int_equal(take(true, 5000, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(true, 5060, FRONT_WELL), JUDGE_STEADY);
}

/* ---- a new life, which knows the events of the one before it ---- */

static struct {
    enum judge_news news;
    struct judge_told told;
    int64_t at_us;
} said[32];
static size_t said_count;

static void say_from(int64_t second, bool well)
{
    enum judge_news news = take(well, second, FRONT_WELL);

    if (news == JUDGE_SAME)
        return;
    said[said_count].news = news;
    said[said_count].told = told;
    said[said_count++].at_us = second * SECOND;
}

static void fall_and_rise(int64_t second)
{
    say_from(second, false);
    say_from(second + 1, false);
    say_from(second + 4, true);
    say_from(second + 5, true);
}

static void live_again(void)
{
    judge = (struct judge){ 0 };
    for (size_t i = 0; i < said_count; i++)
        judge_recall(&judge, said[i].news, &said[i].told, said[i].at_us);
}

static void losses_before_a_restart_count_when_it_comes_and_goes_after_it(void **state)
{
    (void)state;
    said_count = 0;
    say_from(1000, true);
    fall_and_rise(1010);
    fall_and_rise(1030);
    live_again();
    say_from(1100, true);
    assert_int_equal(said[said_count - 1].news, JUDGE_SEEN);
    assert_int_equal(take(false, 1110, FRONT_WELL), JUDGE_SAME);
    assert_int_equal(take(false, 1111, FRONT_WELL), JUDGE_FLAPPING);
    assert_int_equal(told.count, 3);
    assert_int_equal(told.since_us, 1010 * SECOND);
}

static void one_that_comes_and_goes_does_so_after_a_restart(void **state)
{
    (void)state;
    said_count = 0;
    say_from(1000, true);
    for (int n = 1; n <= 6; n++)
        fall_and_rise(1000 + 10 * n);
    live_again();
    assert_true(judge.flapping);
    assert_int_equal(judge.flaps, 6);
    assert_true(judge.flap_sum_us == 4 * 4 * SECOND);
    assert_int_equal(take(true, 1080, FRONT_WELL), JUDGE_SEEN);
    lose_and_come_back(1090, JUDGE_SAME, JUDGE_BLINKED);
    assert_int_equal(take(true, 1094 + 60, FRONT_WELL), JUDGE_STEADY);
    assert_int_equal(told.count, 7);
    assert_int_equal(told.since_us, 1010 * SECOND);
}

static void a_loss_that_lasts_over_a_restart_is_one_loss(void **state)
{
    (void)state;
    said_count = 0;
    say_from(1000, true);
    fall_and_rise(1010);
    say_from(1030, false);
    say_from(1031, false);
    live_again();
    say_from(1040, false);
    say_from(1041, false); /* found again */
    assert_int_equal(said[said_count - 1].news, JUDGE_LOST);
    live_again();
    lose_and_come_back(1050, JUDGE_LOST, JUDGE_BACK);
    lose_and_come_back(1060, JUDGE_FLAPPING, JUDGE_BLINKED);
}

static void losses_of_long_ago_are_recalled_for_nothing(void **state)
{
    (void)state;
    said_count = 0;
    say_from(1000, true);
    fall_and_rise(1010);
    fall_and_rise(1030);
    live_again();
    (void)take(true, 3000, FRONT_WELL);
    lose_and_come_back(3010, JUDGE_LOST, JUDGE_BACK);
}

/* ---- what lies in front ---- */

static struct service services[4];
static struct front_seen seen[4];

static void stand(uint32_t i, const char *name, const char *host, const char *after)
{
    memset(&services[i], 0, sizeof(services[i]));
    strcpy(services[i].name, name);
    if (after) {
        services[i].after.count = 1;
        strcpy(services[i].after.at[0], after);
    }
    seen[i] = (struct front_seen){ .service = &services[i], .outside = true, .judge = { .state = JUDGE_UP } };
    assert_true(addr_read(slice_text(host), &seen[i].host));
    judge_take(&seen[i].judge, true, 1000 * SECOND);
}

static void miss(uint32_t i, int64_t second)
{
    judge_take(&seen[i].judge, false, second * SECOND);
}

static void a_host_that_was_not_asked_since_has_to_answer_first(void **state)
{
    (void)state;
    stand(0, "router", "192.0.2.1", NULL);
    stand(1, "web", "192.0.2.2", "router");
    miss(1, 1010);
    miss(1, 1011);
    assert_int_equal(front_of(seen, 2, 1, false, true).is, FRONT_ASKED);
    assert_true(front_of(seen, 2, 1, false, true).wanted == 1);
    judge_take(&seen[0].judge, true, 1012 * SECOND);
    assert_int_equal(front_of(seen, 2, 1, false, true).is, FRONT_WELL);
    seen[0].judge.state = JUDGE_DOWN;
    assert_int_equal(front_of(seen, 2, 1, false, true).is, FRONT_DOWN);
    assert_int_equal(front_of(seen, 2, 1, false, true).who, 0);
}

static void a_router_and_what_is_behind_it_are_one_host(void **state)
{
    (void)state;
    stand(0, "router", "192.0.2.1", NULL);
    stand(1, "web", "192.0.2.2", "router");
    for (int n = 0; n < 3; n++) {
        miss(0, 1010 + n);
        miss(1, 1010 + n);
    }
    assert_true(front_network_lost(seen, 2) == 0);
    assert_int_equal(front_of(seen, 2, 0, false, true).is, FRONT_WELL); /* so the router is lost */
}

static void two_hosts_that_are_silent_at_once_are_our_own_network(void **state)
{
    (void)state;
    stand(0, "a", "192.0.2.1", NULL);
    stand(1, "b", "198.51.100.1", NULL);
    stand(2, "here", "192.0.2.7", NULL);
    seen[2].outside = false;
    miss(0, 1010);
    miss(0, 1011);
    assert_true(front_network_lost(seen, 3) == 0);
    assert_int_equal(front_of(seen, 3, 0, false, true).is, FRONT_ASKED);
    assert_int_equal(front_of(seen, 3, 0, false, false).is, FRONT_WELL); /* nobody waits for ever */
    miss(1, 1012);
    assert_true(front_network_lost(seen, 3) == 1010 * SECOND);
    assert_int_equal(front_of(seen, 3, 1, true, true).who, FRONT_NETWORK);
    assert_int_equal(front_of(seen, 3, 2, true, true).is, FRONT_WELL);
}

static void a_host_that_has_long_been_down_says_nothing_of_our_network(void **state)
{
    (void)state;
    stand(0, "old", "192.0.2.1", NULL);
    stand(1, "b", "198.51.100.1", NULL);
    seen[0].judge.state = JUDGE_DOWN;
    miss(0, 900);
    miss(1, 1010);
    miss(1, 1011);
    assert_true(front_network_lost(seen, 2) == 0);
}

static void one_host_is_our_network_when_nothing_leaves_this_host(void **state)
{
    (void)state;
    stand(0, "a", "192.0.2.1", NULL);
    miss(0, 1010);
    miss(0, 1011);
    assert_true(front_network_lost(seen, 1) == 0);
    seen[0].ours = true;
    assert_true(front_network_lost(seen, 1) == 1010 * SECOND);
}

/* ---- `to` and `after` ---- */

static bool reads(int probe, const char *to, struct target *t)
{
    struct service s = { .probe = probe };
    struct err e;

    strcpy(s.to, to);
    return target_read(&s, t, &e);
}

static void a_target_is_an_address_or_a_name_with_port_and_path(void **state)
{
    struct target t;

    (void)state;
    assert_true(reads(SERVICE_HTTPS, "https://www.example.org:8443/health?full=1", &t));
    assert_string_equal(t.host, "www.example.org");
    assert_string_equal(t.path, "/health?full=1");
    assert_int_equal(t.port, 8443);
    assert_int_equal(t.addr.family, 0);
    assert_true(reads(SERVICE_SMTP, "[2001:db8::1]", &t));
    assert_int_equal(t.addr.family, 6);
    assert_int_equal(t.addr.port, 25);
    assert_true(reads(SERVICE_ECHO, "2001:db8::1", &t));
    assert_int_equal(t.addr.family, 6);
    assert_true(reads(SERVICE_EXEC, "/usr/bin/test -d /", &t));
    assert_true(reads(SERVICE_TCP, "192.0.2.1:5432", &t));
    assert_int_equal(t.addr.port, 5432);
}

static void a_target_that_makes_no_sense_is_refused(void **state)
{
    struct target t;
    struct err e;

    (void)state;
    assert_false(reads(SERVICE_TCP, "192.0.2.1", &t)); /* which port? */
    assert_false(reads(SERVICE_EXEC, "test", &t));
    assert_false(reads(SERVICE_DNSLIST, "bl.example.org", &t)); /* whose address? */
    assert_false(target_read(&(struct service){ .probe = SERVICE_DNSLIST, .to = "no name", .ask = "own" }, &t, &e));
    assert_true(
        target_read(&(struct service){ .probe = SERVICE_DNSLIST, .to = "bl.example.org", .ask = "own" }, &t, &e));
    assert_false(reads(SERVICE_HTTP, "https://www.example.org/", &t));
    assert_false(reads(SERVICE_HTTP, "www.example.org/a b", &t));
    assert_false(reads(SERVICE_SMTP, "", &t));
    assert_false(reads(SERVICE_SMTP, "192.0.2.1:99999", &t));
    assert_false(reads(SERVICE_SMTP, "[2001:db8::1", &t));
    assert_false(reads(SERVICE_SMTP, "two words", &t));
}

static void what_stands_behind_after_exists_and_goes_round_in_no_circle(void **state)
{
    static struct services all;
    const char *name;
    struct err e;

    (void)state;
    all.count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        stand(i, i == 0 ? "a" : i == 1 ? "b" : "c", "192.0.2.1", i == 0 ? NULL : i == 1 ? "a" : "b");
        services[i].probe = SERVICE_ECHO;
        strcpy(services[i].to, "192.0.2.1");
        all.at[i] = services[i];
    }
    assert_true(services_sound(&all, &name, &e));
    all.at[0].after.count = 1;
    strcpy(all.at[0].after.at[0], "c");
    assert_false(services_sound(&all, &name, &e));
    strcpy(all.at[0].after.at[0], "nobody");
    assert_false(services_sound(&all, &name, &e));
    assert_string_equal(name, "a");
}

static void between_two_questions_a_port_is_looked_at_each_second(void **state)
{
    struct service s = { .probe = SERVICE_SMTP, .knock_us = SECOND };

    (void)state;
    assert_int_equal(services_every_us(&s), 10 * SECOND);
    assert_int_equal(services_knock_us(&s), SECOND);
    s.every_us = SECOND; /* the question itself is as good */
    assert_int_equal(services_knock_us(&s), 0);
    s.every_us = 60 * SECOND;
    s.knock_us = 5 * SECOND;
    assert_int_equal(services_knock_us(&s), 5 * SECOND);
    s.knock_us = 0;
    assert_int_equal(services_knock_us(&s), 0);
    s = (struct service){ .probe = SERVICE_DNSLIST, .knock_us = SECOND };
    assert_int_equal(services_knock_us(&s), 0);
}

static bool is_told(struct own *o, int32_t ifindex, bool gone, const char *a, const char *b)
{
    struct hand_link link = { .ifindex = ifindex, .gone = gone };

    assert_true(!a || addr_read(slice_text(a), &link.own[link.count++]));
    assert_true(!b || addr_read(slice_text(b), &link.own[link.count++]));
    return own_take(o, &link);
}

static void a_list_is_asked_for_public_addresses_alone_each_once(void **state)
{
    static const char *const nobodys[] = { "127.0.0.1",   "10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1",
                                           "169.254.1.1", "0.0.0.0",  "224.0.0.1",  "::1",         "fe80::1",
                                           "fd00::1",     "ff02::1",  "::" };
    struct own o = { 0 };
    struct addr outside;

    (void)state;
    for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++)
        assert_false(is_told(&o, 1, false, nobodys[i], NULL));
    assert_int_equal(o.count, 0);
    assert_true(is_told(&o, 2, false, "44.1.0.1", "2a00:44::1"));
    assert_false(is_told(&o, 2, false, "44.1.0.1", "2a00:44::1")); /* nothing new */
    assert_false(is_told(&o, 3, false, "44.1.0.1", "10.0.0.1"));
    assert_int_equal(o.count, 2);
    assert_true(addr_read(SLICE("44.9.0.9"), &outside)); /* a translator's */
    assert_true(own_configure(&o, &outside, 1));
    assert_false(own_configure(&o, &outside, 1));
    assert_int_equal(o.count, 3);
    assert_true(own_configure(&o, &outside, 0));
    assert_int_equal(o.count, 2);
}

static void an_address_that_changes_or_goes_is_noticed(void **state)
{
    struct own o = { 0 };

    (void)state;
    assert_true(is_told(&o, 2, false, "44.1.0.1", "44.1.0.2"));
    assert_true(is_told(&o, 2, false, "44.1.0.1", "44.1.0.3"));
    assert_int_equal(o.count, 2);
    assert_true(is_told(&o, 2, false, "44.1.0.3", NULL));
    assert_true(is_told(&o, 2, true, "44.1.0.3", NULL)); /* the interface is gone */
    assert_int_equal(o.count, 0);
    assert_false(is_told(&o, 0, false, "44.1.0.3", NULL)); /* no interface */
}

static void more_addresses_than_there_is_room_for_are_left_out(void **state)
{
    struct own o = { 0 };
    struct hand_link link = { .ifindex = 1, .count = HAND_LINK_ADDRS + 100 };

    (void)state;
    for (uint32_t i = 0; i < HAND_LINK_ADDRS; i++)
        link.own[i] = addr_v4(0x2c010000 + i, 0);
    assert_true(own_take(&o, &link));
    assert_int_equal(o.count, OWN_MOST);
    assert_false(own_take(&o, &link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_missed_probe_is_no_loss, fresh),
        cmocka_unit_test_setup(it_is_down_since_the_first_missed_probe_and_back_since_the_first_good_one, fresh),
        cmocka_unit_test_setup(what_was_never_seen_is_lost_without_a_last_good_time, fresh),
        cmocka_unit_test_setup(behind_a_dead_host_nothing_is_lost_until_that_is_back, fresh),
        cmocka_unit_test_setup(what_was_hidden_is_shown_again, fresh),
        cmocka_unit_test_setup(what_comes_and_goes_is_told_once_and_summed_up_when_it_is_steady, fresh),
        cmocka_unit_test_setup(one_that_stays_down_while_it_comes_and_goes_is_lost_after_all, fresh),
        cmocka_unit_test_setup(what_was_missed_before_a_sleep_and_after_it_is_no_row, fresh),
        cmocka_unit_test_setup(nothing_is_steady_because_nobody_looked, fresh),
        cmocka_unit_test_setup(three_losses_in_a_day_are_three_losses, fresh),
        cmocka_unit_test_setup(losses_before_a_restart_count_when_it_comes_and_goes_after_it, fresh),
        cmocka_unit_test_setup(one_that_comes_and_goes_does_so_after_a_restart, fresh),
        cmocka_unit_test_setup(a_loss_that_lasts_over_a_restart_is_one_loss, fresh),
        cmocka_unit_test_setup(losses_of_long_ago_are_recalled_for_nothing, fresh),
        cmocka_unit_test(a_host_that_was_not_asked_since_has_to_answer_first),
        cmocka_unit_test(a_router_and_what_is_behind_it_are_one_host),
        cmocka_unit_test(two_hosts_that_are_silent_at_once_are_our_own_network),
        cmocka_unit_test(a_host_that_has_long_been_down_says_nothing_of_our_network),
        cmocka_unit_test(one_host_is_our_network_when_nothing_leaves_this_host),
        cmocka_unit_test(a_target_is_an_address_or_a_name_with_port_and_path),
        cmocka_unit_test(a_target_that_makes_no_sense_is_refused),
        cmocka_unit_test(what_stands_behind_after_exists_and_goes_round_in_no_circle),
        cmocka_unit_test(between_two_questions_a_port_is_looked_at_each_second),
        cmocka_unit_test(a_list_is_asked_for_public_addresses_alone_each_once),
        cmocka_unit_test(an_address_that_changes_or_goes_is_noticed),
        cmocka_unit_test(more_addresses_than_there_is_room_for_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
