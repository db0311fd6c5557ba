/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/gate/bookfile.h"
#include "sense/gate/bookmem.h"
#include "sense/gate/callback.h"

enum { NOW = 1000000, MANY = 3000 };

static const struct gate_greylist grey = { .delay_us = 120000000, .window_us = 172800000000, .good_us = 3110400000000 };
static const struct gate_callback call = { .good_us = 604800000000,
                                           .refused_us = 14400000000,
                                           .silent_us = 7200000000 };

static struct book *fresh(uint64_t entries)
{
    struct book *b = book_new(-1, entries, NULL);

    assert_non_null(b);
    book_set(b, &grey, &call);
    return b;
}

static struct book_key numbered(const struct book *b, unsigned n)
{
    return book_key(b, BOOK_PAIR, slice_of(&n, sizeof(n)), SLICE("a@b"), SLICE("c@d"));
}

static void put(struct book *b, unsigned n, uint32_t last_s, uint16_t count)
{
    struct book_entry en = {
        .key = numbered(b, n), .first_s = last_s, .last_s = last_s, .count = count, .kind = BOOK_PAIR
    };

    book_put(b, &en, last_s);
}

/* ---- in memory ---- */

static void what_is_written_is_read_and_may_be_changed_and_removed(void **state)
{
    struct book *b = fresh(100);
    struct book_key k = numbered(b, 7);
    struct book_entry en;

    (void)state;
    assert_false(book_get(b, &k, &en));
    put(b, 7, NOW, 0);
    put(b, 7, NOW + 5, 3);
    assert_int_equal(book_count(b), 1);
    assert_true(book_get(b, &k, &en));
    assert_int_equal(en.last_s, NOW + 5);
    assert_int_equal(en.count, 3);
    book_remove(b, &k);
    assert_false(book_get(b, &k, &en));
    assert_int_equal(book_count(b), 0);
    book_free(b);
}

static void keys_differ_when_any_part_does(void **state)
{
    struct book *b = fresh(100);
    struct book *other = fresh(100);
    uint8_t longer[2000] = { 'x' };
    struct slice base = SLICE("example.net");
    struct book_key k[7];

    (void)state;
    k[0] = book_key(b, BOOK_PAIR, base, SLICE("ab"), SLICE("c"));
    k[1] = book_key(b, BOOK_PAIR, base, SLICE("a"), SLICE("bc"));
    k[2] = book_key(b, BOOK_CLIENT, base, SLICE("ab"), SLICE("c"));
    k[3] = book_key(b, BOOK_PAIR, base, SLICE(""), SLICE("abc"));
    k[4] = book_key(b, BOOK_PAIR, slice_of(longer, sizeof(longer)), SLICE("ab"), SLICE("c"));
    longer[1999] = 1;
    k[5] = book_key(b, BOOK_PAIR, slice_of(longer, sizeof(longer)), SLICE("ab"), SLICE("c"));
    k[6] = book_key(other, BOOK_PAIR, base, SLICE("ab"), SLICE("c"));
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&k[i], &k[j], sizeof(k[i]));
    book_free(b);
    book_free(other);
}

static void a_book_for_so_many_keeps_so_many(void **state)
{
    struct book *b = fresh(MANY);
    struct book_entry en;
    unsigned missing = 0;

    (void)state;
    for (unsigned n = 0; n < MANY; n++)
        put(b, n, NOW + n, 1);
    for (unsigned n = 0; n < MANY; n++) {
        struct book_key k = numbered(b, n);

        missing += !book_get(b, &k, &en);
    }
    assert_int_equal(missing, book_left(b));
    assert_true(missing <= MANY / 500);
    book_free(b);
}

static void an_overfull_book_lets_the_expired_go_first_then_the_oldest(void **state)
{
    struct book *b = fresh(MANY);
    struct book_entry en;
    unsigned kept_new = 0;
    unsigned kept_good = 0;

    (void)state;
    for (unsigned n = 0; n < MANY; n++) /* half of them never came again, and their window is over */
        put(b, n, NOW, n % 2 == 0 ? 0 : 1);
    for (unsigned n = MANY; n < 2 * MANY; n++)
        put(b, n, NOW + 200000, 1);
    for (unsigned n = 0; n < 2 * MANY; n++) {
        struct book_key k = numbered(b, n);

        if (!book_get(b, &k, &en))
            continue;
        kept_new += n >= MANY;
        kept_good += n < MANY && n % 2 == 1;
    }
    assert_true(kept_new >= MANY - MANY / 100);
    assert_true(kept_good * 2 > MANY - MANY / 5); /* hardly one of the good had to leave */
    book_free(b);
}

static void time_makes_entries_worthless_by_their_kind(void **state)
{
    struct book *b = fresh(10);
    struct book_entry waiting = { .kind = BOOK_PAIR, .first_s = NOW, .last_s = NOW + 100 };
    struct book_entry passed = { .kind = BOOK_PAIR, .count = 1, .first_s = NOW, .last_s = NOW + 100 };
    struct book_entry called = { .kind = BOOK_CALLBACK, .value = CALLBACK_REFUSED, .first_s = NOW, .last_s = NOW };

    (void)state;
    assert_false(book_expired(b, &waiting, NOW + 172800));
    assert_true(book_expired(b, &waiting, NOW + 172801));
    assert_false(book_expired(b, &passed, NOW + 172801));
    assert_true(book_expired(b, &passed, NOW + 3110501));
    assert_true(book_expired(b, &called, NOW + 14401));
    called.value = CALLBACK_SPEAKS;
    assert_false(book_expired(b, &called, NOW + 14401));
    assert_false(book_expired(b, &called, NOW - 5000)); /* the clock was set back */
    book_free(b);
}

static void an_entry_whose_bytes_were_damaged_is_not_there(void **state)
{
    struct book *b = fresh(10);
    struct book_entry en;
    struct book_key k = numbered(b, 1);

    (void)state;
    put(b, 1, NOW, 3);
    for (uint64_t i = 0; i < b->slots; i++)
        if (b->slot[i].kind != 0)
            b->slot[i].count = 4;
    assert_false(book_get(b, &k, &en));
    assert_int_equal(book_damaged(b), 1);
    book_free(b);
}

static void a_gate_that_starts_anew_maps_the_same_memory(void **state)
{
    struct book *b = fresh(100);
    struct book *again;
    struct book_entry en;
    struct book_key k = numbered(b, 3);

    (void)state;
    put(b, 3, NOW, 1);
    again = book_new(dup(book_fd(b)), 0, NULL);
    assert_non_null(again);
    assert_true(book_get(again, &k, &en));
    put(again, 4, NOW, 1);
    k = numbered(b, 4);
    assert_true(book_get(b, &k, &en));
    book_free(b);
    book_free(again);
}

static void memory_that_is_no_book_is_refused(void **state)
{
    int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    (void)state;
    assert_int_equal(ftruncate(fd, BOOK_SLOTS_AT + 64 * 32), 0);
    assert_null(book_new(dup(fd), 0, NULL)); /* could shrink under us */
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_null(book_new(dup(fd), 0, NULL)); /* holds nothing */
    assert_null(book_new(open("/dev/null", O_RDWR | O_CLOEXEC), 0, NULL));
    (void)close(fd);
}

/* ---- on disk ---- */

struct place {
    char folder[32], file[64], aside[64];
    struct bookfile *f;
    struct book *b;
    struct book_read read;
};

static void start(struct place *p, uint64_t entries)
{
    p->f = bookfile_open(p->folder, NULL);
    assert_non_null(p->f);
    p->b = bookfile_read(p->f, entries, &p->read, NULL);
    assert_non_null(p->b);
    book_set(p->b, &grey, &call);
}

static uint64_t write_round(struct place *p)
{
    uint64_t entries;
    struct err e = { 0 };

    if (bookfile_round(p->f, &entries, &e) < 0)
        fail_msg("%s", e.text);
    return entries;
}

static void restart(struct place *p, uint64_t entries)
{
    bookfile_close(p->f);
    start(p, entries);
}

static struct place *begin(uint64_t entries)
{
    static struct place p;

    p = (struct place){ .folder = "/tmp/serviola-book-XXXXXX" };
    assert_non_null(mkdtemp(p.folder));
    (void)snprintf(p.file, sizeof(p.file), "%s/gate.book", p.folder);
    (void)snprintf(p.aside, sizeof(p.aside), "%s/gate.book.damaged", p.folder);
    start(&p, entries);
    return &p;
}

static void end(struct place *p)
{
    bookfile_close(p->f);
    (void)unlink(p->file);
    (void)unlink(p->aside);
    assert_int_equal(rmdir(p->folder), 0);
}

static unsigned known(const struct book *b, unsigned many)
{
    struct book_entry en;
    unsigned n = 0;

    for (unsigned i = 0; i < many; i++) {
        struct book_key k = numbered(b, i);

        n += book_get(b, &k, &en) && en.last_s == NOW + i;
    }
    return n;
}

static void overwrite(const char *path, off_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    (void)close(fd);
}

static void a_restart_forgets_nothing(void **state)
{
    struct place *p = begin(MANY);
    struct stat st;
    unsigned before;

    (void)state;
    assert_true(p->read.begun_anew);
    for (unsigned n = 0; n < MANY; n++)
        put(p->b, n, NOW + n, 1);
    before = known(p->b, MANY);
    (void)write_round(p);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    restart(p, MANY);
    assert_false(p->read.begun_anew);
    assert_int_equal(p->read.damaged, 0);
    assert_int_equal(known(p->b, MANY), before);
    assert_int_equal(book_count(p->b), p->read.entries);
    end(p);
}

static void a_round_writes_what_changed_and_only_that(void **state)
{
    struct place *p = begin(MANY);
    struct book_key k;

    (void)state;
    (void)write_round(p);
    assert_int_equal(write_round(p), 0);
    put(p->b, 1, NOW + 1, 1);
    put(p->b, 2, NOW + 2, 1);
    assert_int_equal(write_round(p), 2);
    k = numbered(p->b, 1);
    book_remove(p->b, &k);
    assert_int_equal(write_round(p), 1);
    restart(p, MANY);
    assert_int_equal(p->read.entries, 1);
    end(p);
}

static void a_ring_that_ran_over_writes_all(void **state)
{
    struct place *p = begin(MANY);

    (void)state;
    (void)write_round(p);
    for (unsigned i = 0; i < BOOK_RING + 10; i++)
        put(p->b, i % 100, NOW + i % 100, 1);
    put(p->b, 100, NOW + 100, 1); /* told by nobody */
    assert_int_equal(write_round(p), p->b->slots);
    restart(p, MANY);
    assert_int_equal(known(p->b, 101), 101);
    end(p);
}

static void numbers_in_the_ring_that_make_no_sense_do_no_harm(void **state)
{
    struct place *p = begin(MANY);

    (void)state;
    (void)write_round(p);
    put(p->b, 1, NOW + 1, 1);
    p->b->ring[0] = UINT32_MAX;
    p->b->head->written = 5;
    (void)write_round(p);
    p->b->head->written = UINT64_MAX / 2;
    assert_int_equal(write_round(p), p->b->slots);
    restart(p, MANY);
    assert_int_equal(known(p->b, 2), 1);
    end(p);
}

static void another_size_moves_every_entry(void **state)
{
    struct place *p = begin(MANY);
    unsigned before;

    (void)state;
    for (unsigned n = 0; n < MANY; n++)
        put(p->b, n, NOW + n, 1);
    before = known(p->b, MANY);
    (void)write_round(p);
    restart(p, (uint64_t)MANY * 4);
    assert_int_equal(known(p->b, MANY), before);
    (void)write_round(p);
    restart(p, (uint64_t)MANY * 4);
    assert_int_equal(known(p->b, MANY), before);
    end(p);
}

static void a_file_that_was_cut_gives_what_is_left(void **state)
{
    struct place *p = begin(MANY);
    struct stat st;

    (void)state;
    for (unsigned n = 0; n < MANY; n++)
        put(p->b, n, NOW + n, 1);
    (void)write_round(p);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(truncate(p->file, st.st_size / 2 + 11), 0);
    restart(p, MANY);
    assert_true(p->read.cut);
    assert_in_range(known(p->b, MANY), MANY / 3, MANY * 2 / 3);
    put(p->b, MANY, NOW + MANY, 1);
    (void)write_round(p);
    restart(p, MANY);
    assert_false(p->read.cut);
    assert_int_equal(p->read.damaged, 0); /* the half of an entry that stood at its end is gone */
    end(p);
}

static void random_bytes_cost_only_the_entries_they_hit(void **state)
{
    struct place *p = begin(MANY);
    uint8_t noise[512];

    (void)state;
    for (unsigned n = 0; n < MANY; n++)
        put(p->b, n, NOW + n, 1);
    (void)write_round(p);
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(i * 151 + 7);
    overwrite(p->file, BOOK_PAGE + 8192, noise, sizeof(noise));
    restart(p, MANY);
    assert_int_equal(p->read.damaged, 16);
    assert_true(known(p->b, MANY) >= MANY - MANY / 100 - 16);
    end(p);
}

static void a_file_with_a_senseless_head_is_put_aside(void **state)
{
    struct place *p = begin(MANY);

    (void)state;
    put(p->b, 1, NOW + 1, 1);
    (void)write_round(p);
    overwrite(p->file, 8, "\377\377\377\377\377\377\377\377", 8);
    restart(p, MANY);
    assert_true(p->read.put_aside);
    assert_int_equal(book_count(p->b), 0);
    put(p->b, 2, NOW + 2, 1);
    (void)write_round(p);
    restart(p, MANY);
    assert_int_equal(p->read.entries, 1);
    assert_int_equal(access(p->aside, F_OK), 0);
    end(p);
}

static void memory_that_outlived_its_keeper_becomes_the_file(void **state)
{
    struct place *p = begin(MANY);
    struct book *survivor = book_new(dup(book_fd(p->b)), 0, NULL);

    (void)state;
    (void)write_round(p);
    bookfile_close(p->f); /* it dies; the gate goes on */
    put(survivor, 9, NOW + 9, 1);
    p->f = bookfile_open(p->folder, NULL);
    assert_non_null(p->f);
    assert_int_equal(bookfile_adopt(p->f, survivor, NULL), 0);
    (void)write_round(p);
    restart(p, MANY);
    assert_int_equal(known(p->b, 10), 1);
    end(p);
}

static void a_disk_that_takes_no_more_is_an_error_and_everything_is_written_later(void **state)
{
    struct place *p = begin(MANY);
    struct rlimit usual;
    struct rlimit small;
    uint64_t entries;

    (void)state;
    (void)write_round(p);
    for (unsigned n = 0; n < 50; n++)
        put(p->b, n, NOW + n, 1);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    small = (struct rlimit){ BOOK_PAGE, usual.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(bookfile_round(p->f, &entries, NULL), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_int_equal(write_round(p), p->b->slots);
    restart(p, MANY);
    assert_int_equal(known(p->b, 50), 50);
    end(p);
}

static void two_houses_keep_no_book_in_one_folder(void **state)
{
    struct place *p = begin(10);
    struct err e = { 0 };

    (void)state;
    assert_null(bookfile_open(p->folder, &e));
    assert_non_null(strstr(e.text, "another serviola"));
    (void)write_round(p);
    end(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_and_may_be_changed_and_removed),
        cmocka_unit_test(keys_differ_when_any_part_does),
        cmocka_unit_test(a_book_for_so_many_keeps_so_many),
        cmocka_unit_test(an_overfull_book_lets_the_expired_go_first_then_the_oldest),
        cmocka_unit_test(time_makes_entries_worthless_by_their_kind),
        cmocka_unit_test(an_entry_whose_bytes_were_damaged_is_not_there),
        cmocka_unit_test(a_gate_that_starts_anew_maps_the_same_memory),
        cmocka_unit_test(memory_that_is_no_book_is_refused),
        cmocka_unit_test(a_restart_forgets_nothing),
        cmocka_unit_test(a_round_writes_what_changed_and_only_that),
        cmocka_unit_test(a_ring_that_ran_over_writes_all),
        cmocka_unit_test(numbers_in_the_ring_that_make_no_sense_do_no_harm),
        cmocka_unit_test(another_size_moves_every_entry),
        cmocka_unit_test(a_file_that_was_cut_gives_what_is_left),
        cmocka_unit_test(random_bytes_cost_only_the_entries_they_hit),
        cmocka_unit_test(a_file_with_a_senseless_head_is_put_aside),
        cmocka_unit_test(memory_that_outlived_its_keeper_becomes_the_file),
        cmocka_unit_test(a_disk_that_takes_no_more_is_an_error_and_everything_is_written_later),
        cmocka_unit_test(two_houses_keep_no_book_in_one_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
