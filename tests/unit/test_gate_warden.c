/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/gate/accountfile.h"
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

/* The gate dies, and another one takes over what it had sent. */
static void die_and_come_again(struct world *w)
{
    struct bytes_out kept = { 0 };
    struct err e = { 0 };

    warden_save(w->warden, &kept);
    assert_int_equal(warden_news(w->warden), WARDEN_NOTHING);
    warden_free(w->warden);
    w->warden = warden_new(&w->set, 99, on_event, w, &e); /* another key, too */
    assert_non_null(w->warden);
    for (size_t cut = 0; cut < kept.len; cut++) {
        assert_int_equal(warden_load(w->warden, slice_of(kept.at, cut), &e), -1);
        assert_true(warden_lets(w->warden, SLICE("ana"), (struct addr){ .family = 4, .ip = { 203, 0, 113, 9 } }, 0));
    }
    assert_int_equal(warden_load(w->warden, slice_of(kept.at, kept.len), &e), 0);
    bytes_done(&kept);
}

static void a_gate_that_dies_forgets_neither_homes_nor_thieves(void **state)
{
    struct world w;
    struct addr home = { 0 };
    struct addr away = { 0 };
    unsigned stopped;

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    live(&w);
    assert_int_equal(warden_news(w.warden), WARDEN_LEARNED);
    (void)send_many(&w, "ana", "203.0.113.9", 30);
    assert_int_equal(warden_news(w.warden), WARDEN_STOPS);
    stopped = w.stopped;
    die_and_come_again(&w);
    assert_true(addr_read(SLICE("192.0.2.7"), &home) && addr_read(SLICE("203.0.113.9"), &away));
    assert_false(warden_lets(w.warden, SLICE("ana"), away, w.now_us));
    assert_true(warden_lets(w.warden, SLICE("ana"), home, w.now_us));
    assert_int_equal(w.stopped, stopped); /* it is not told again */
    assert_int_equal(send_many(&w, "ben", "192.0.2.8", 60), 60);
    assert_int_equal(w.abused, 1);
    w.now_us += 3 * DAY_US; /* and the thief's network is none of hers, however long ago it was */
    assert_true(warden_release(w.warden, SLICE("ana"), w.now_us));
    assert_in_range(send_many(&w, "ana", "203.0.113.9", 100), 19, 20);
    assert_int_equal(w.abused, 2);
    warden_free(w.warden);
}

static void what_comes_late_from_the_disk_stops_and_unlearns_nothing(void **state)
{
    struct world w;
    struct bytes_out kept = { 0 };
    struct err e = { 0 };
    struct addr away = { .family = 4, .ip = { 203, 0, 113, 9 } };

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    warden_stop(w.warden, SLICE("eva"), w.now_us);
    warden_save(w.warden, &kept);
    warden_free(w.warden);
    w.warden = warden_new(&w.set, 3, on_event, &w, &e);
    live(&w);
    w.stopped = 0;
    assert_int_equal(warden_load(w.warden, slice_of(kept.at, kept.len), &e), 0);
    assert_false(warden_lets(w.warden, SLICE("eva"), away, w.now_us - 2 * DAY_US));
    assert_int_equal(warden_news(w.warden), WARDEN_STOPS);
    assert_int_equal(send_many(&w, "ana", "192.0.2.7", 60), 60);
    bytes_done(&kept);
    warden_free(w.warden);
}

static uint16_t country_of(void *own, struct addr client)
{
    (void)own;
    return client.ip[0] == 192 ? 'E' << 8 | 'S' : client.ip[1] % 2 ? 'D' << 8 | 'E' : 'R' << 8 | 'O';
}

static void nobody_is_in_two_countries_at_once(void **state)
{
    struct world w;
    struct slice words;
    char from[24];

    (void)state;
    open_world(&w, GATE_ACCOUNT_NOTE);
    warden_countries(w.warden, country_of, NULL);
    live(&w);
    for (unsigned i = 0; i < 9; i++) {
        (void)snprintf(from, sizeof(from), "45.%u.7.7", i);
        (void)send_one(&w, "ana", from, 1);
    }
    assert_int_equal(w.abused, 0);
    (void)send_one(&w, "ana", "45.9.7.7", 1); /* half of 20 */
    assert_int_equal(w.abused, 1);
    assert_true(event_get(&w.last, F_COUNTRIES, &words));
    assert_memory_equal(words.at, "RO, DE", 6);
    assert_true(event_get(&w.last, F_HOME, &words));
    assert_memory_equal(words.at, "ES", 2);
    assert_int_equal(w.last.cut, 0);
    for (unsigned i = 0; i < 15; i++) /* twin: as many, from one country; he is on a journey */
        (void)send_one(&w, "ben", "45.1.7.7", 1);
    assert_int_equal(w.abused, 1);
    warden_free(w.warden);
}

static void the_file_is_whole_or_put_aside(void **state)
{
    char folder[] = "/tmp/serviola-accounts-XXXXXX";
    char path[80];
    struct slice kept;
    struct err e = { 0 };
    void *bytes;
    bool aside;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/gate.accounts", folder);
    assert_int_equal(accountfile_read(folder, &kept, &bytes, &aside, &e), 0);
    assert_true(kept.len == 0 && !aside && !bytes);
    assert_int_equal(accountfile_write(folder, SLICE("what is known"), &e), 0);
    assert_int_equal(accountfile_write(folder, SLICE("what is known now"), &e), 0);
    assert_int_equal(accountfile_read(folder, &kept, &bytes, &aside, &e), 0);
    assert_true(slice_eq(kept, SLICE("what is known now")) && !aside);
    free(bytes);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0 && pwrite(fd, "X", 1, 30) == 1);
    (void)close(fd);
    assert_int_equal(accountfile_read(folder, &kept, &bytes, &aside, &e), 0);
    assert_true(kept.len == 0 && aside && !bytes);
    assert_int_equal(access(path, F_OK), -1);
    (void)snprintf(path, sizeof(path), "%s/gate.accounts.damaged", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
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
        cmocka_unit_test(a_gate_that_dies_forgets_neither_homes_nor_thieves),
        cmocka_unit_test(what_comes_late_from_the_disk_stops_and_unlearns_nothing),
        cmocka_unit_test(nobody_is_in_two_countries_at_once),
        cmocka_unit_test(the_file_is_whole_or_put_aside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
