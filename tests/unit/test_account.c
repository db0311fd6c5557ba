/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rule/account.h"

#define SECOND 1000000LL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define MONDAY (1196035200LL * SECOND)

struct told {
    unsigned began, ended;
    struct account_report last;
    char name[64];
};

static void on_account(void *own, const struct account_report *r)
{
    struct told *t = own;

    t->began += !r->over;
    t->ended += r->over;
    t->last = *r;
    (void)snprintf(t->name, sizeof(t->name), "%.*s", (int)(r->account.len < 60 ? r->account.len : 60),
                   (const char *)r->account.at);
}

static struct told told;
static struct accounts *fresh(void)
{
    struct err e;
    struct accounts *a = accounts_new(&account_usual, 42, on_account, &told, &e);

    memset(&told, 0, sizeof(told));
    assert_non_null(a);
    return a;
}

static struct addr ip(const char *words)
{
    struct addr a;

    assert_true(addr_read(slice_text(words), &a));
    return a;
}

/* So many messages, evenly, and the minutes between. */
static void sends(struct accounts *a, const char *name, const char *client, unsigned count, int64_t from_us,
                  int64_t each_us)
{
    for (unsigned i = 0; i < count; i++) {
        accounts_message(a, slice_text(name), ip(client), 1, from_us + i * each_us);
        accounts_outcome(a, slice_text(name), ACCOUNT_SENT, from_us + i * each_us);
        accounts_tick(a, from_us + i * each_us);
    }
}

/* A week in which ann writes twenty messages a day from her desk. */
static void a_usual_week(struct accounts *a)
{
    for (int day = 0; day < 7; day++)
        sends(a, "ann", "198.51.100.7", 20, MONDAY + day * DAY + 9 * HOUR, 20 * 60 * SECOND);
}

static void the_slow_thief_is_found(void **state)
{
    struct accounts *a = fresh();

    (void)state;
    a_usual_week(a);
    assert_int_equal(told.began, 0);
    sends(a, "ann", "203.0.113.9", 2160, MONDAY + 7 * DAY, 15 * SECOND); /* four a minute, nine hours */
    assert_int_equal(told.began, 1);
    assert_true(accounts_suspected(a, SLICE("ANN"), MONDAY + 7 * DAY + 2160 * 15 * SECOND));
    accounts_tick(a, MONDAY + 7 * DAY + 10 * HOUR);
    assert_int_equal(told.ended, 1);
    assert_int_equal(told.last.messages, 2160);
    assert_int_equal(told.last.sources, 1);
    assert_string_equal(told.name, "ann");
    accounts_free(a);
}

static void the_weekly_newsletter_is_no_thief(void **state)
{
    struct accounts *a = fresh();

    (void)state;
    for (int week = 0; week < 3; week++)
        sends(a, "news", "10.1.0.99", 600, MONDAY + week * 7 * DAY + 34 * HOUR, 3 * SECOND);
    for (int week = 0; week < 4; week++) /* and one from outside, always from there */
        sends(a, "letter", "198.51.100.20", 600, MONDAY + week * 7 * DAY + 10 * HOUR, 3 * SECOND);
    accounts_end(a, MONDAY + 30 * DAY);
    assert_int_equal(told.began, 0);
    accounts_free(a);
}

static void a_traveller_is_no_thief(void **state)
{
    struct accounts *a = fresh();

    (void)state;
    a_usual_week(a);
    sends(a, "ann", "203.0.113.50", 25, MONDAY + 7 * DAY + 9 * HOUR, 10 * 60 * SECOND);
    accounts_end(a, MONDAY + 9 * DAY);
    assert_int_equal(told.began, 0);
    accounts_free(a);
}

static void many_addresses_are_worse_than_one(void **state)
{
    struct accounts *a = fresh();
    char client[32];
    uint32_t one;

    (void)state;
    a_usual_week(a);
    sends(a, "bob", "203.0.113.9", 300, MONDAY + 7 * DAY, 10 * SECOND);
    accounts_end(a, MONDAY + 8 * DAY);
    one = told.last.score;
    for (unsigned i = 0; i < 300; i++) {
        (void)snprintf(client, sizeof(client), "203.%u.113.9", i % 14);
        accounts_message(a, SLICE("carl"), ip(client), 30, MONDAY + 9 * DAY + i * 2 * SECOND);
        accounts_outcome(a, SLICE("carl"), i % 3 ? ACCOUNT_SENT : ACCOUNT_BOUNCED, MONDAY + 9 * DAY + i * 2 * SECOND);
    }
    accounts_end(a, MONDAY + 10 * DAY);
    assert_string_equal(told.name, "carl");
    assert_int_equal(told.last.sources, 14);
    assert_int_equal(told.last.networks, 14);
    assert_true(told.last.score > one);
    accounts_free(a);
}

static void what_was_learned_is_kept(void **state)
{
    struct accounts *a = fresh();
    struct bytes_out kept = { 0 };
    struct err e;

    (void)state;
    a_usual_week(a);
    accounts_save(a, &kept);
    accounts_free(a);
    a = fresh();
    assert_int_equal(accounts_load(a, slice_of(kept.at, kept.len), &e), 0);
    sends(a, "ann", "198.51.100.7", 300, MONDAY + 7 * DAY, 10 * SECOND); /* her own desk is known */
    assert_int_equal(told.began, 0);
    for (size_t cut = 0; cut < kept.len; cut++)
        assert_int_equal(accounts_load(a, slice_of(kept.at, cut), &e), -1);
    accounts_free(a);
    bytes_done(&kept);
}

/* In pieces, while they go on sending: what comes out at the end is what saving all at once gives. */
static void what_was_learned_is_kept_in_pieces(void **state)
{
    struct accounts *a = fresh();
    struct accounts *b = fresh();
    struct bytes_out at_once = { 0 };
    struct bytes_out again = { 0 };
    struct err e;
    char name[16];

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        struct bytes_out piece = { 0 };

        (void)snprintf(name, sizeof(name), "user%u", i * 7919 % (i < 1500 ? 100 : 70));
        accounts_message(a, slice_text(name), ip(i % 3 ? "198.51.100.7" : "203.0.113.9"), 1, MONDAY + i * 600 * SECOND);
        if (i == 2000)
            accounts_save_again(a);
        if (i % 5 != 0)
            continue;
        accounts_save_some(a, &piece, 3);
        assert_int_equal(accounts_load_some(b, slice_of(piece.at, piece.len), &e), 0);
        bytes_done(&piece);
    }
    while (accounts_unsaved(a)) {
        struct bytes_out piece = { 0 };

        accounts_save_some(a, &piece, 7);
        assert_int_equal(accounts_load_some(b, slice_of(piece.at, piece.len), &e), 0);
        bytes_done(&piece);
    }
    accounts_save(a, &at_once);
    accounts_save(b, &again);
    assert_int_equal(accounts_count(b), 100);
    assert_int_equal(at_once.len, again.len);
    assert_memory_equal(at_once.at, again.at, at_once.len);
    bytes_done(&at_once);
    bytes_done(&again);
    accounts_free(a);
    accounts_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slow_thief_is_found),  cmocka_unit_test(the_weekly_newsletter_is_no_thief),
        cmocka_unit_test(a_traveller_is_no_thief),  cmocka_unit_test(many_addresses_are_worse_than_one),
        cmocka_unit_test(what_was_learned_is_kept), cmocka_unit_test(what_was_learned_is_kept_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
