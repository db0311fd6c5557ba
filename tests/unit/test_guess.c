/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sense/gate/guess.h"

#define SECOND_US 1000000LL
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (60 * MINUTE_US)

struct world {
    struct gate_accounts set;
    struct guesses *guesses;
    int64_t now_us;
    struct event last;
    unsigned guessing, guesser, tries;
};

static void on_event(void *ctx, struct event *ev)
{
    struct world *w = ctx;

    w->last = *ev;
    w->guessing += ev->kind == EV_GATE_PASSWORD_GUESSING;
    w->guesser += ev->kind == EV_GATE_PASSWORD_GUESSER;
}

static void open_world(struct world *w, enum gate_guessing_act response)
{
    struct err e = { 0 };

    *w = (struct world){ .set = { .guessing = { .response = (int)response,
                                                .wrong = 10,
                                                .within_us = 10 * MINUTE_US,
                                                .for_us = HOUR_US } },
                         .now_us = 1000 * HOUR_US };
    w->guesses = guesses_new(&w->set, 7, on_event, w, &e);
    assert_non_null(w->guesses);
}

static struct addr ip(const char *words)
{
    struct addr a;

    assert_true(addr_read(slice_text(words), &a));
    return a;
}

static void wrong(struct world *w, const char *from, const char *user, const char *password, bool home)
{
    guesses_failed(w->guesses, ip(from), slice_text(user), guesses_mark(w->guesses, slice_text(password)), home,
                   w->now_us);
    w->now_us += SECOND_US;
}

/* Another password each time. */
static void tries(struct world *w, const char *from, const char *user, unsigned n, bool home)
{
    char password[24];

    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(password, sizeof(password), "secret%u", ++w->tries);
        wrong(w, from, user, password, home);
    }
}

static bool refused(struct world *w, const char *from)
{
    return guesses_refuse(w->guesses, ip(from), w->now_us) > w->now_us;
}

static void who_tries_ten_passwords_is_refused_for_a_while(void **state)
{
    struct world w;
    struct slice why;

    (void)state;
    open_world(&w, GATE_GUESSING_REFUSE);
    tries(&w, "203.0.113.9", "ana", 9, false);
    assert_int_equal(w.guessing, 0);
    assert_false(refused(&w, "203.0.113.9"));
    tries(&w, "203.0.113.9", "ana", 1, false);
    assert_int_equal(w.guessing, 1);
    assert_true(event_get(&w.last, F_WHY, &why));
    assert_memory_equal(why.at, "10 wrong passwords for 1 account", 32);
    assert_true(refused(&w, "203.0.113.9"));
    assert_false(refused(&w, "203.0.113.10"));
    tries(&w, "203.0.113.9", "ana", 20, false);
    assert_int_equal(w.guessing, 1); /* told once */
    w.now_us += HOUR_US;
    assert_false(refused(&w, "203.0.113.9"));
    guesses_free(w.guesses);
}

static void a_user_who_mistypes_is_not(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_GUESSING_BLOCK);
    for (int i = 0; i < 100; i++) /* a telephone that knows an old password, and asks again and again */
        wrong(&w, "203.0.113.9", "ana", "old", false);
    for (int i = 0; i < 5; i++) { /* and who gets it right in the end */
        tries(&w, "198.51.100.8", "ben", 6, false);
        guesses_passed(w.guesses, ip("198.51.100.8"), SLICE("Ben"), w.now_us);
    }
    tries(&w, "203.0.113.7", "eva", 25, true); /* and where she is at home she may be slow */
    assert_int_equal(w.guesser + w.guessing, 0);
    tries(&w, "203.0.113.7", "eva", 5, true);
    assert_int_equal(w.guesser, 1);
    guesses_free(w.guesses);
}

static void a_right_password_of_one_does_not_hide_guesses_of_others(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_GUESSING_BLOCK);
    tries(&w, "203.0.113.9", "ana", 5, false);
    tries(&w, "203.0.113.9", "ben", 4, false);
    guesses_passed(w.guesses, ip("203.0.113.9"), SLICE("eva"), w.now_us);
    tries(&w, "203.0.113.9", "zoe", 1, false);
    assert_int_equal(w.guesser, 1);
    assert_int_equal(w.last.src.family, 4);
    guesses_free(w.guesses);
}

static void a_network_that_tries_many_accounts_is_one_source(void **state)
{
    static const char *const nets[] = { "203.0.113.", "2001:db8:1:2::" };
    static const char *const others[] = { "203.0.114.1", "2001:db8:1:3::1" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct world w;
        char from[32];
        char user[16];
        struct slice net;

        open_world(&w, GATE_GUESSING_REFUSE);
        (void)snprintf(from, sizeof(from), "%s%u", nets[n], 200U);
        guesses_passed(w.guesses, ip(from), SLICE("owner"), w.now_us);
        for (unsigned i = 0; i < 30; i++) {
            (void)snprintf(from, sizeof(from), "%s%u", nets[n], i + 1);
            (void)snprintf(user, sizeof(user), "user%u", i);
            tries(&w, from, user, 1, false);
        }
        assert_int_equal(w.guessing, 1);
        assert_true(event_get(&w.last, F_PREFIX, &net));
        (void)snprintf(from, sizeof(from), "%s%u", nets[n], 99U);
        assert_true(refused(&w, from));
        (void)snprintf(from, sizeof(from), "%s%u", nets[n], 200U);
        assert_false(refused(&w, from)); /* who logs in there is none of them */
        assert_false(refused(&w, others[n]));
        guesses_free(w.guesses);
    }
}

static void networks_of_our_own_are_told_and_let_in(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_GUESSING_BLOCK);
    w.set.own.count = 1;
    assert_true(prefix_read(SLICE("198.51.100.0/24"), &w.set.own.at[0]));
    tries(&w, "10.0.0.7", "ana", 30, false);
    tries(&w, "198.51.100.7", "ana", 30, false);
    assert_int_equal(w.guesser, 0);
    assert_int_equal(w.guessing, 2);
    assert_false(refused(&w, "10.0.0.7") || refused(&w, "198.51.100.7"));
    guesses_free(w.guesses);
}

static void slow_guesses_are_forgotten_and_off_is_off(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, GATE_GUESSING_NOTE);
    for (int i = 0; i < 30; i++) {
        tries(&w, "203.0.113.9", "ana", 1, false);
        w.now_us += 2 * MINUTE_US;
    }
    assert_int_equal(w.guessing, 0);
    tries(&w, "203.0.113.9", "ana", 10, false);
    assert_int_equal(w.guessing, 1);
    assert_false(refused(&w, "203.0.113.9"));
    w.set.guessing.response = GATE_GUESSING_OFF;
    tries(&w, "203.0.113.8", "ana", 50, false);
    assert_int_equal(w.guessing, 1);
    guesses_free(w.guesses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_tries_ten_passwords_is_refused_for_a_while),
        cmocka_unit_test(a_user_who_mistypes_is_not),
        cmocka_unit_test(a_right_password_of_one_does_not_hide_guesses_of_others),
        cmocka_unit_test(a_network_that_tries_many_accounts_is_one_source),
        cmocka_unit_test(networks_of_our_own_are_told_and_let_in),
        cmocka_unit_test(slow_guesses_are_forgotten_and_off_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
