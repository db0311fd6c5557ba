/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/crc32c.h"
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
    assert_true(warden_count(w.warden).known == 2 && warden_count(w.warden).stopped == 1 &&
                warden_count(w.warden).suspected == 1);
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
    assert_true(warden_count(w.warden).stopped == 0 && warden_count(w.warden).suspected == 0);
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

/* All that is unsaved, in pieces of two accounts, into a ledger. */
static void write_all(struct warden *w, struct ledger *l)
{
    while (warden_news(w) != WARDEN_NOTHING) {
        struct bytes_out piece = { 0 };

        warden_save_some(w, &piece, 2);
        assert_true(ledger_add(l, slice_of(piece.at, piece.len)));
        bytes_done(&piece);
    }
}

static void read_all(struct warden *w, struct slice pieces)
{
    struct slice piece;
    struct err e = { 0 };

    while (ledger_next(&pieces, &piece))
        assert_int_equal(warden_load_some(w, piece, true, &e), 0);
    assert_int_equal(pieces.len, 0);
}

/* The gate dies, and another one takes over what it had written. */
static void die_and_come_again(struct world *w, struct ledger *l)
{
    struct slice pieces = ledger_bytes(l);
    struct slice piece;
    struct err e = { 0 };

    warden_free(w->warden);
    w->warden = warden_new(&w->set, 99, on_event, w, &e); /* another key, too */
    assert_non_null(w->warden);
    assert_true(warden_is_fresh(w->warden));
    assert_true(ledger_next(&pieces, &piece));
    for (size_t cut = 0; cut < 12; cut++)
        assert_int_equal(warden_load_some(w->warden, slice_of(piece.at, cut), true, &e), -1);
    read_all(w->warden, ledger_bytes(l));
    warden_saved(w->warden);
    assert_int_equal(warden_news(w->warden), WARDEN_NOTHING);
}

static void a_gate_that_dies_forgets_neither_homes_nor_thieves(void **state)
{
    struct world w;
    struct addr home = { 0 };
    struct addr away = { 0 };
    struct err e;
    struct ledger *l = ledger_new(1 << 20, &e);
    unsigned stopped;

    (void)state;
    assert_non_null(l);
    open_world(&w, GATE_ACCOUNT_REFUSE);
    live(&w);
    assert_int_equal(warden_news(w.warden), WARDEN_LEARNED);
    write_all(w.warden, l);
    (void)send_many(&w, "ana", "203.0.113.9", 30); /* what is new is written behind */
    assert_int_equal(warden_news(w.warden), WARDEN_STOPS);
    write_all(w.warden, l);
    stopped = w.stopped;
    die_and_come_again(&w, l);
    ledger_free(l);
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
    struct bytes_out kept[3] = { { 0 } };
    struct err e = { 0 };
    struct addr away = { .family = 4, .ip = { 203, 0, 113, 9 } };

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    warden_stop(w.warden, SLICE("eva"), w.now_us);
    warden_stop(w.warden, SLICE("tom"), w.now_us);
    warden_save_some(w.warden, &kept[0], 9);
    assert_true(warden_release(w.warden, SLICE("tom"), w.now_us));
    assert_true(warden_release(w.warden, SLICE("eva"), w.now_us));
    warden_save_some(w.warden, &kept[1], 9);
    warden_stop(w.warden, SLICE("eva"), w.now_us);
    warden_save_some(w.warden, &kept[2], 9);
    warden_free(w.warden);
    w.warden = warden_new(&w.set, 3, on_event, &w, &e);
    live(&w);
    warden_stop(w.warden, SLICE("tom"), w.now_us - 2 * DAY_US); /* now; that he was released is older */
    w.stopped = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(warden_load_some(w.warden, slice_of(kept[i].at, kept[i].len), false, &e), 0);
        assert_true(warden_lets(w.warden, SLICE("eva"), away, w.now_us - 3 * DAY_US) == (i == 1));
        assert_false(warden_lets(w.warden, SLICE("tom"), away, w.now_us - 3 * DAY_US));
        bytes_done(&kept[i]);
    }
    assert_int_equal(warden_news(w.warden), WARDEN_STOPS);
    assert_int_equal(send_many(&w, "ana", "192.0.2.7", 60), 60);
    warden_free(w.warden);
}

static void what_was_kept_in_the_first_form_is_read(void **state)
{
    struct world w;
    struct bytes_out kept = { 0 };
    struct err e = { 0 };
    struct addr home = { .family = 4, .ip = { 192, 0, 2, 7 } };
    struct addr away = { .family = 4, .ip = { 203, 0, 113, 9 } };

    (void)state;
    open_world(&w, GATE_ACCOUNT_REFUSE);
    bytes_put(&kept, 1, 4); /* one is stopped */
    bytes_put_slice(&kept, SLICE("ana"));
    bytes_put(&kept, (uint64_t)(w.now_us + DAY_US), 8);
    bytes_put(&kept, 0, 8);
    bytes_put(&kept, 2, 1);
    bytes_put(&kept, (uint64_t)(w.now_us - 9 * DAY_US), 8);
    bytes_put(&kept, 1, 4); /* one is known */
    bytes_put_slice(&kept, SLICE("ana"));
    bytes_put(&kept, 3, 4);
    bytes_put(&kept, 0, 2);
    bytes_put(&kept, 0, 1);
    bytes_put(&kept, 1, 1); /* in one network */
    bytes_put(&kept, 4, 1);
    bytes_put_raw(&kept, (const uint8_t[16]){ 192, 0, 2 }, 16);
    bytes_put(&kept, (uint64_t)(w.now_us - 9 * DAY_US), 8);
    bytes_put(&kept, (uint64_t)(w.now_us - DAY_US), 8);
    for (size_t cut = 0; cut < kept.len; cut++) {
        assert_int_equal(warden_load_first_form(w.warden, slice_of(kept.at, cut), true, &e), -1);
        assert_true(warden_is_fresh(w.warden));
    }
    assert_int_equal(warden_load_first_form(w.warden, slice_of(kept.at, kept.len), true, &e), 0);
    assert_true(warden_lets(w.warden, SLICE("ana"), home, w.now_us));
    assert_false(warden_lets(w.warden, SLICE("ana"), away, w.now_us));
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

struct kept {
    char folder[40], path[80];
    struct slice bytes;
    void *own;
    struct accountfile_found found;
};

static void read_file(struct kept *k)
{
    struct err e = { 0 };

    free(k->own);
    assert_int_equal(accountfile_read(k->folder, &k->bytes, &k->own, &k->found, &e), 0);
}

static void open_folder(struct kept *k)
{
    *k = (struct kept){ .folder = "/tmp/serviola-accounts-XXXXXX" };
    assert_non_null(mkdtemp(k->folder));
    (void)snprintf(k->path, sizeof(k->path), "%s/gate.accounts", k->folder);
    read_file(k);
    assert_true(k->bytes.len == 0 && !k->found.aside && !k->found.cut && !k->own);
}

static void close_folder(struct kept *k)
{
    free(k->own);
    (void)unlink(k->path);
    (void)snprintf(k->path, sizeof(k->path), "%s/gate.accounts.damaged", k->folder);
    (void)unlink(k->path);
    assert_int_equal(rmdir(k->folder), 0);
}

static void damage(const struct kept *k, off_t at)
{
    int fd = open(k->path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0 && pwrite(fd, "X", 1, at) == 1);
    (void)close(fd);
}

static struct slice three_pieces(struct ledger *l)
{
    assert_true(ledger_add(l, SLICE("ana is known")) && ledger_add(l, SLICE("ben is known")) &&
                ledger_add(l, SLICE("eva is known")));
    return ledger_bytes(l);
}

static void the_file_grows_at_its_end(void **state)
{
    struct kept k;
    struct err e = { 0 };
    struct ledger *l = ledger_new(1 << 16, &e);
    struct slice all = three_pieces(l);
    bool first;

    (void)state;
    open_folder(&k);
    assert_int_equal(accountfile_write(k.folder, slice_first(all, 20), 0, &e), 0);
    assert_int_equal(accountfile_write(k.folder, slice_first(all, 40), 20, &e), 0);
    read_file(&k);
    assert_true(slice_eq(accountfile_content(k.bytes, &first), slice_first(all, 40)) && !first);
    assert_int_equal(truncate(k.path, 30), 0); /* somebody else had a hand in it: it begins anew */
    assert_int_equal(accountfile_write(k.folder, all, 40, &e), 0);
    read_file(&k);
    assert_true(slice_eq(accountfile_content(k.bytes, &first), all) && !k.found.cut);
    close_folder(&k);
    ledger_free(l);
}

static void the_file_is_read_up_to_its_damage(void **state)
{
    struct kept k;
    struct err e = { 0 };
    struct ledger *l = ledger_new(1 << 16, &e);
    struct slice all = three_pieces(l);
    bool first;

    (void)state;
    open_folder(&k);
    for (off_t len = 16 + 20; len < 16 + 60; len++) { /* the power was cut */
        assert_int_equal(accountfile_write(k.folder, all, 0, &e), 0);
        assert_int_equal(truncate(k.path, len), 0);
        read_file(&k);
        assert_int_equal(accountfile_content(k.bytes, &first).len, (len - 16) / 20 * 20);
        assert_true(k.found.cut == ((len - 16) % 20 != 0));
    }
    assert_int_equal(accountfile_write(k.folder, all, 0, &e), 0);
    damage(&k, 16 + 20 + 10);
    read_file(&k);
    assert_true(slice_eq(accountfile_content(k.bytes, &first), slice_first(all, 20)) && k.found.cut);
    damage(&k, 30); /* nothing of it is sound */
    read_file(&k);
    assert_true(k.bytes.len == 0 && k.found.aside && !k.own);
    assert_int_equal(access(k.path, F_OK), -1);
    close_folder(&k);
    ledger_free(l);
}

static void a_file_of_the_first_form_is_whole_or_put_aside(void **state)
{
    struct kept k;
    struct bytes_out file = { 0 };
    int fd;
    bool first;

    (void)state;
    open_folder(&k);
    bytes_put_raw(&file, "SVACCTS1", 8);
    bytes_put(&file, 9, 8);
    bytes_put(&file, crc32c(0, "all in it", 9), 4);
    bytes_put(&file, 0, 4);
    bytes_put_raw(&file, "all in it", 9);
    fd = open(k.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, file.at, file.len) == (ssize_t)file.len);
    (void)close(fd);
    read_file(&k);
    assert_true(slice_eq(accountfile_content(k.bytes, &first), SLICE("all in it")) && first && !k.found.aside);
    damage(&k, 30);
    read_file(&k);
    assert_true(k.bytes.len == 0 && k.found.aside);
    bytes_done(&file);
    close_folder(&k);
}

static void a_ledger_is_never_more_than_its_room_nor_believed(void **state)
{
    struct err e = { 0 };
    struct ledger *l = ledger_new(100, &e);
    struct ledger *other;
    uint64_t len = UINT64_MAX;
    int plain = memfd_create("plain", MFD_CLOEXEC);

    (void)state;
    assert_non_null(l);
    assert_false(ledger_add(l, slice_of(three_pieces(l).at, 41)));
    assert_true(ledger_add(l, SLICE("x")));
    assert_int_equal(ledger_bytes(l).len, 69);
    assert_int_equal(pwrite(ledger_fd(l), &len, sizeof(len), 8), sizeof(len)); /* a gate that went mad */
    other = ledger_take(dup(ledger_fd(l)), &e);
    assert_non_null(other);
    assert_int_equal(ledger_bytes(other).len, 100);
    assert_false(ledger_add(other, SLICE("x")));
    assert_int_equal(pwrite(ledger_fd(l), "another", 7, 0), 7);
    assert_null(ledger_take(dup(ledger_fd(l)), &e));
    assert_int_equal(ftruncate(plain, 4096), 0);
    assert_null(ledger_take(plain, &e)); /* it could shrink */
    ledger_free(l);
    ledger_free(other);
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
        cmocka_unit_test(what_was_kept_in_the_first_form_is_read),
        cmocka_unit_test(the_file_grows_at_its_end),
        cmocka_unit_test(the_file_is_read_up_to_its_damage),
        cmocka_unit_test(a_file_of_the_first_form_is_whole_or_put_aside),
        cmocka_unit_test(a_ledger_is_never_more_than_its_room_nor_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
