/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sense/gate/warden.h"

#define SECOND_US 1000000LL
#define HOUR_US   (3600 * SECOND_US)
#define DAY_US    (24 * HOUR_US)

struct world {
    struct gate_accounts set;
    struct warden *warden;
    int64_t now_us;
    uint64_t messages; /* sent so far */
    struct event last;
    unsigned abused, stopped, released;
};

static void on_event(void *ctx, struct event *ev)
{
    struct world *w = ctx;

    w->last = *ev;
    w->abused += ev->kind == EV_GATE_ACCOUNT_ABUSED;
    w->stopped += ev->kind == EV_GATE_ACCOUNT_STOPPED;
    w->released += ev->kind == EV_GATE_ACCOUNT_RELEASED;
}

static void open_world(struct world *w, enum gate_account_act response)
{
    struct err e = { 0 };

    *w = (struct world){ .set = { .response = (int)response,
                                  .accounts = 100,
                                  .messages = 20,
                                  .factor = 3,
                                  .quiet_us = HOUR_US,
                                  .settled_us = DAY_US,
                                  .stop_us = DAY_US,
                                  .throttle = 6 },
                         .now_us = 100 * DAY_US };
    w->warden = warden_new(&w->set, 7, on_event, w, &e);
    assert_non_null(w->warden);
}

/* One message to so many; how many of its recipients were let through. */
static unsigned send_one(struct world *w, const char *user, const char *from, unsigned recipients)
{
    char message[32];
    struct addr client;
    unsigned passed = 0;

    assert_true(addr_read(slice_text(from), &client));
    (void)snprintf(message, sizeof(message), "m%llu", (unsigned long long)++w->messages);
    for (unsigned i = 0; i < recipients; i++) {
        struct verdict v = { .act = VERDICT_PASS };

        warden_recipient(w->warden, slice_text(user), client, slice_text(message), w->now_us, &v);
        passed += v.act == VERDICT_PASS;
        assert_true(v.act == VERDICT_PASS || (v.code >= 450 && v.text[0] != '\0'));
    }
    w->now_us += SECOND_US;
    return passed;
}

static unsigned send_many(struct world *w, const char *user, const char *from, unsigned n)
{
    unsigned passed = 0;

    for (unsigned i = 0; i < n; i++)
        passed += send_one(w, user, from, 1);
    return passed;
}

/* Ana and Ben have sent from home for two days. */
static void live(struct world *w)
{
    for (int hour = 0; hour < 48; hour++) {
        assert_int_equal(send_one(w, "ana", "192.0.2.7", 1), 1);
        assert_int_equal(send_one(w, "ben", "192.0.2.8", 2), 2);
        w->now_us += HOUR_US;
        warden_tick(w->warden, w->now_us);
    }
    assert_int_equal(w->abused, 0);
}

static void a_thief_is_stopped_and_the_owner_at_home_is_not(void **state)
{
    struct world w;
    struct addr home = { 0 };
    struct addr away = { 0 };

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    live(&w);
    assert_in_range(send_many(&w, "ana", "203.0.113.9", 100), 19, 20);
    assert_int_equal(w.abused, 1);
    assert_int_equal(w.stopped, 1);
    assert_int_equal(send_many(&w, "Ana", "203.0.113.200", 5), 0);
    assert_int_equal(send_many(&w, "ana", "192.0.2.7", 5), 5);
    assert_int_equal(send_many(&w, "ana", "10.1.2.3", 5), 5);
    assert_int_equal(send_many(&w, "ben", "203.0.113.9", 5), 5);
    assert_true(addr_read(SLICE("192.0.2.7"), &home) && addr_read(SLICE("203.0.113.9"), &away));
    assert_true(warden_lets(w.warden, SLICE("ana"), home, w.now_us));
    assert_false(warden_lets(w.warden, SLICE("ana"), away, w.now_us));
    assert_true(warden_lets(w.warden, SLICE("ben"), away, w.now_us));
    warden_free(w.warden);
}

static void who_is_released_may_send_again(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    live(&w);
    (void)send_many(&w, "ana", "203.0.113.9", 30);
    assert_true(warden_release(w.warden, SLICE("ANA"), w.now_us));
    assert_false(warden_release(w.warden, SLICE("ana"), w.now_us));
    assert_int_equal(w.released, 1);
    assert_int_equal(send_many(&w, "ana", "203.0.113.9", 5), 5);
    warden_free(w.warden);
}

static void the_time_of_a_stop_ends(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    live(&w);
    (void)send_many(&w, "ana", "203.0.113.9", 30);
    w.now_us += DAY_US;
    warden_tick(w.warden, w.now_us);
    assert_int_equal(w.released, 1);
    assert_int_equal(send_many(&w, "ana", "203.0.113.9", 5), 5);
    warden_free(w.warden);
}

static void a_throttled_account_sends_a_few_an_hour(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_ACCOUNT_THROTTLE);
    live(&w);
    (void)send_many(&w, "ana", "203.0.113.9", 30);
    assert_int_equal(w.stopped, 1);
    w.now_us += HOUR_US;
    assert_in_range(send_many(&w, "ana", "203.0.113.9", 60), 6, 7);
    warden_free(w.warden);
}

static void noted_is_only_noted(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_ACCOUNT_NOTE);
    live(&w);
    assert_int_equal(send_many(&w, "ana", "203.0.113.9", 100), 100);
    assert_int_equal(w.abused, 1);
    assert_int_equal(w.stopped, 0);
    assert_int_equal(w.last.src.family, 4);
    warden_free(w.warden);
}

static void recipients_of_one_message_are_one_message(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    live(&w);
    assert_int_equal(send_one(&w, "ana", "203.0.113.9", 60), 60);
    assert_int_equal(w.abused, 0);
    while (w.abused == 0 && w.messages < 200) /* but many recipients weigh as several */
        (void)send_one(&w, "ana", "203.0.113.9", 60);
    assert_in_range(w.messages, 96 + 2, 96 + 5);
    assert_int_equal(w.abused, 1);
    warden_free(w.warden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thief_is_stopped_and_the_owner_at_home_is_not),
        cmocka_unit_test(who_is_released_may_send_again),
        cmocka_unit_test(the_time_of_a_stop_ends),
        cmocka_unit_test(a_throttled_account_sends_a_few_an_hour),
        cmocka_unit_test(noted_is_only_noted),
        cmocka_unit_test(recipients_of_one_message_are_one_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
