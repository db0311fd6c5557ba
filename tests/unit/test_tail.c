/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "journal/tail.h"

static void a_reader_sees_what_was_appended(void **state)
{
    struct err e = { 0 };
    struct tail *core = tail_new(8, 101, &e);
    struct tail *scribe = tail_open(tail_fd(core), &e);
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);
    struct event got;

    (void)state;
    assert_non_null(scribe);
    assert_int_equal(tail_next(scribe), 101);
    assert_int_equal(tail_synced(scribe), 100);
    assert_int_equal(tail_get(scribe, 101, &got), TAIL_NOT_YET);
    event_add_words(&ev, F_PATH, "john.doe@mail.com");
    assert_int_equal(tail_append(core, &ev), 101);
    assert_int_equal(tail_get(scribe, 101, &got), TAIL_GOT);
    assert_memory_equal(&got, &ev, sizeof(ev));
    assert_int_equal(tail_get(scribe, 100, &got), TAIL_GONE);
    tail_set_synced(core, 101);
    assert_int_equal(tail_synced(scribe), 101);
    tail_free(scribe);
    tail_free(core);
}

static void the_oldest_leaves_when_the_ring_is_full(void **state)
{
    struct tail *t = tail_new(4, 1, NULL);
    struct event ev = event_new(EV_HUNT_GAP);
    struct event got;

    (void)state;
    assert_int_equal(tail_oldest(t), 1);
    for (int i = 0; i < 10; i++)
        (void)tail_append(t, &ev);
    assert_int_equal(tail_oldest(t), 7);
    assert_int_equal(tail_get(t, 6, &got), TAIL_GONE);
    for (uint64_t seq = 7; seq <= 10; seq++) {
        assert_int_equal(tail_get(t, seq, &got), TAIL_GOT);
        assert_int_equal(got.seq, seq);
    }
    tail_free(t);
}

static void nobody_else_can_write_it(void **state)
{
    struct tail *t = tail_new(4, 1, NULL);

    (void)state;
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, tail_fd(t), 0), MAP_FAILED);
    assert_true(write(tail_fd(t), "x", 1) < 0);
    assert_true(ftruncate(tail_fd(t), 0) < 0);
    tail_free(t);
}

static void another_file_is_no_tail(void **state)
{
    struct err e = { 0 };
    int fd = memfd_create("no tail", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    (void)state;
    assert_int_equal(ftruncate(fd, 1 << 16), 0);
    assert_null(tail_open(fd, &e));
    close(fd);
    assert_null(tail_new(0, 1, &e));
    assert_null(tail_new(8, 0, &e));
}

enum { RACED = 200000 };
static void *append_many(void *own)
{
    struct event ev = event_new(EV_HUNT_GAP);

    for (int i = 0; i < RACED; i++) {
        ev.cause = tail_next(own);
        ev.at_us = (int64_t)ev.cause;
        memset(ev.body, (int)(ev.cause & 0xff), sizeof(ev.body));
        (void)tail_append(own, &ev);
    }
    return NULL;
}

static void a_reader_never_sees_half_an_event(void **state)
{
    struct tail *core = tail_new(16, 1, NULL);
    struct tail *view = tail_open(tail_fd(core), NULL);
    uint64_t got = 0;
    pthread_t writer;
    struct event ev;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, append_many, core), 0);
    for (uint64_t seq = 1; seq <= RACED;) {
        enum tail_got g = tail_get(view, seq, &ev);

        if (g == TAIL_NOT_YET)
            continue;
        if (g == TAIL_GOT) {
            got++;
            assert_int_equal(ev.seq, seq);
            assert_int_equal(ev.cause, seq);
            assert_int_equal(ev.at_us, seq);
            for (size_t i = 0; i < sizeof(ev.body); i++)
                assert_int_equal(ev.body[i], seq & 0xff);
            seq++;
        } else
            seq = tail_oldest(view) > seq ? tail_oldest(view) : seq + 1;
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(got > 0);
    tail_free(view);
    tail_free(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_sees_what_was_appended),   cmocka_unit_test(the_oldest_leaves_when_the_ring_is_full),
        cmocka_unit_test(nobody_else_can_write_it),          cmocka_unit_test(another_file_is_no_tail),
        cmocka_unit_test(a_reader_never_sees_half_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
