/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/timers.h"
#include "sys/clock.h"
#include "sys/loop.h"

/* --- timers: the test is the clock --- */

struct diary {
    struct timers *timers;
    char text[64];
    uint32_t victim; /* removed by note_and_remove */
};
struct entry {
    struct diary *diary;
    char letter;
};

static void note(void *ctx)
{
    const struct entry *e = ctx;
    size_t n = strlen(e->diary->text);

    assert_true(n + 1 < sizeof(e->diary->text));
    e->diary->text[n] = e->letter;
}

static void note_and_remove(void *ctx)
{
    struct entry *e = ctx;

    note(ctx);
    timers_remove(e->diary->timers, e->diary->victim);
}

static void note_and_add(void *ctx)
{
    struct entry *e = ctx;

    note(ctx);
    assert_true(timers_add(e->diary->timers, 0, 0, note_and_add, e) != 0);
}

static void timers_fire_in_order_and_not_early(void **state)
{
    struct diary d = { .timers = timers_new(10, NULL) };
    struct entry a = { &d, 'a' };
    struct entry b = { &d, 'b' };
    struct entry c = { &d, 'c' };

    (void)state;
    assert_true(timers_next_us(d.timers) == INT64_MAX);
    (void)timers_add(d.timers, 300, 0, note, &c);
    (void)timers_add(d.timers, 100, 0, note, &a);
    (void)timers_add(d.timers, 200, 0, note, &b);
    assert_true(timers_next_us(d.timers) == 100);
    timers_fire(d.timers, 99);
    assert_string_equal(d.text, "");
    timers_fire(d.timers, 250);
    assert_string_equal(d.text, "ab");
    timers_fire(d.timers, 300);
    assert_string_equal(d.text, "abc");
    assert_int_equal(timers_count(d.timers), 0);
    timers_free(d.timers);
}

static void a_repeated_timer_skips_what_it_missed(void **state)
{
    struct diary d = { .timers = timers_new(10, NULL) };
    struct entry a = { &d, 'a' };

    (void)state;
    (void)timers_add(d.timers, 100, 100, note, &a);
    timers_fire(d.timers, 100);
    timers_fire(d.timers, 205);
    assert_true(timers_next_us(d.timers) == 300); /* it does not drift */
    timers_fire(d.timers, 1000);                  /* the machine slept */
    assert_string_equal(d.text, "aaa");
    assert_true(timers_next_us(d.timers) > 1000);
    timers_free(d.timers);
}

static void a_callback_may_remove_any_and_itself(void **state)
{
    struct diary d = { .timers = timers_new(10, NULL) };
    struct entry a = { &d, 'a' };
    struct entry b = { &d, 'b' };

    (void)state;
    (void)timers_add(d.timers, 100, 0, note_and_remove, &a);
    d.victim = timers_add(d.timers, 101, 0, note, &b);
    timers_fire(d.timers, 200);
    assert_string_equal(d.text, "a");
    d.victim = timers_add(d.timers, 300, 10, note_and_remove, &b);
    timers_fire(d.timers, 300);
    assert_int_equal(timers_count(d.timers), 0);
    timers_free(d.timers);
}

static void a_callback_that_adds_does_not_run_for_ever(void **state)
{
    struct diary d = { .timers = timers_new(10, NULL) };
    struct entry a = { &d, 'a' };

    (void)state;
    (void)timers_add(d.timers, 0, 0, note_and_add, &a);
    timers_fire(d.timers, 5);
    assert_string_equal(d.text, "a");
    timers_free(d.timers);
}

static void an_old_id_is_not_another_timer_s(void **state)
{
    struct diary d = { .timers = timers_new(1, NULL) };
    struct entry a = { &d, 'a' };
    uint32_t old = timers_add(d.timers, 1, 0, note, &a);
    uint32_t fresh;

    (void)state;
    assert_int_equal(timers_add(d.timers, 1, 0, note, &a), 0); /* full */
    timers_remove(d.timers, old);
    fresh = timers_add(d.timers, 1, 0, note, &a);
    assert_true(fresh != 0 && fresh != old);
    timers_remove(d.timers, old);
    timers_remove(d.timers, 0);
    timers_remove(d.timers, UINT32_MAX);
    assert_int_equal(timers_count(d.timers), 1);
    timers_free(d.timers);
}

static int64_t last_us;

static void in_order(void *ctx)
{
    const int64_t *at_us = ctx;

    assert_true(*at_us >= last_us);
    last_us = *at_us;
}

static void a_thousand_timers_keep_their_order(void **state)
{
    static int64_t at[1000];
    static uint32_t id[1000];
    struct timers *t = timers_new(1000, NULL);
    uint32_t random = 7;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        at[i] = (random = random * 1664525 + 1013904223) >> 20;
        id[i] = timers_add(t, at[i], 0, in_order, &at[i]);
    }
    for (size_t i = 0; i < 1000; i += 3)
        timers_remove(t, id[i]);
    last_us = 0;
    for (int64_t now = 0; timers_count(t) > 0; now = timers_next_us(t))
        timers_fire(t, now);
    timers_free(t);
}

/* --- the loop: real descriptors --- */

struct fixture {
    struct loop *loop;
    int pipe[2], other[2];
    int fresh; /* of a pipe made on the way, or -1 */
    int calls, hooks;
};

static int open_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    *state = f;
    if (f)
        f->fresh = -1;
    if (!f || pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(f->other, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    f->loop = loop_new(NULL);
    return f->loop ? 0 : -1;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    loop_free(f->loop);
    for (int i = 0; i < 2; i++) {
        (void)close(f->pipe[i]);
        (void)close(f->other[i]);
    }
    (void)close(f->fresh);
    free(f);
    return 0;
}

static void stop(void *ctx)
{
    loop_stop(((struct fixture *)ctx)->loop);
}

static void read_one(void *ctx, int fd, int events)
{
    struct fixture *f = ctx;
    char byte;

    assert_true(events & LOOP_IN);
    assert_int_equal(read(fd, &byte, 1), 1);
    f->calls++;
    loop_stop(f->loop);
}

static void a_byte_wakes_its_reader(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, read_one, f, NULL), 0);
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
    assert_int_equal(loop_run(f->loop, NULL), 0);
    assert_int_equal(f->calls, 1);
}

static void one_watch_a_descriptor(void **state)
{
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, read_one, f, NULL), 0);
    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, read_one, f, &e), -1);
    assert_int_equal(loop_watch(f->loop, -1, LOOP_IN, read_one, f, &e), -1);
    assert_int_equal(loop_watch(f->loop, LOOP_FDS, LOOP_IN, read_one, f, &e), -1);
    assert_int_equal(loop_change(f->loop, f->other[0], LOOP_IN, &e), -1);
    loop_unwatch(f->loop, f->pipe[0]);
    loop_unwatch(f->loop, f->pipe[0]);
    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, read_one, f, NULL), 0);
}

static void unwatch_the_other(void *ctx, int fd, int events)
{
    struct fixture *f = ctx;

    (void)events;
    f->calls++;
    loop_unwatch(f->loop, fd == f->pipe[0] ? f->other[0] : f->pipe[0]);
    loop_unwatch(f->loop, fd);
    (void)loop_timer(f->loop, 0, 0, stop, f);
}

static void who_was_removed_in_this_round_is_not_called(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, unwatch_the_other, f, NULL), 0);
    assert_int_equal(loop_watch(f->loop, f->other[0], LOOP_IN, unwatch_the_other, f, NULL), 0);
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
    assert_int_equal(write(f->other[1], "x", 1), 1);
    assert_int_equal(loop_run(f->loop, NULL), 0);
    assert_int_equal(f->calls, 1);
}

static void never(void *ctx, int fd, int events)
{
    (void)ctx;
    (void)fd;
    (void)events;
    fail_msg("an event of the old watch reached the new one");
}

static void take_its_number(void *ctx, int fd, int events)
{
    struct fixture *f = ctx;
    int other = fd == f->pipe[0] ? f->other[0] : f->pipe[0];
    int fresh[2];

    (void)events;
    loop_unwatch(f->loop, other);
    assert_int_equal(pipe2(fresh, O_CLOEXEC), 0);
    assert_int_equal(dup2(fresh[0], other), other); /* the same number, another file, nothing to read in it */
    (void)close(fresh[0]);
    f->fresh = fresh[1];
    assert_int_equal(loop_watch(f->loop, other, LOOP_IN, never, f, NULL), 0);
    loop_unwatch(f->loop, fd);
    (void)loop_timer(f->loop, 1000, 0, stop, f);
}

static void a_new_file_of_an_old_number_gets_no_old_event(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, take_its_number, f, NULL), 0);
    assert_int_equal(loop_watch(f->loop, f->other[0], LOOP_IN, take_its_number, f, NULL), 0);
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
    assert_int_equal(write(f->other[1], "x", 1), 1);
    assert_int_equal(loop_run(f->loop, NULL), 0);
}

static void see_the_end(void *ctx, int fd, int events)
{
    struct fixture *f = ctx;

    (void)fd;
    assert_true(events & LOOP_GONE);
    f->calls++;
    loop_stop(f->loop);
}

static void the_end_of_a_peer_is_always_reported(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(loop_watch(f->loop, f->pipe[0], 0, see_the_end, f, NULL), 0);
    (void)close(f->pipe[1]);
    f->pipe[1] = -1;
    assert_int_equal(loop_run(f->loop, NULL), 0);
    assert_int_equal(f->calls, 1);
}

static void a_timer_comes_when_it_is_due(void **state)
{
    struct fixture *f = *state;
    int64_t begin_us = clock_mono_us();
    int64_t took_us;

    assert_true(loop_timer(f->loop, 3000, 0, stop, f) != 0);
    assert_int_equal(loop_run(f->loop, NULL), 0);
    took_us = clock_mono_us() - begin_us;
    assert_true(took_us >= 3000);
}

static void got(void *ctx, int signal)
{
    struct fixture *f = ctx;

    assert_true(signal == SIGUSR1 || signal == SIGUSR2);
    if (++f->calls == 2)
        loop_stop(f->loop);
}

static void signals_come_through_the_loop(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(loop_signal(f->loop, SIGUSR1, got, f, NULL), 0);
    assert_int_equal(loop_signal(f->loop, SIGUSR2, got, f, NULL), 0);
    assert_int_equal(loop_signal(f->loop, 0, got, f, NULL), -1);
    (void)raise(SIGUSR1);
    (void)raise(SIGUSR2);
    assert_int_equal(loop_run(f->loop, NULL), 0);
    assert_int_equal(f->calls, 2);
}

static void count_hook(void *ctx)
{
    ((struct fixture *)ctx)->hooks++;
}

static void collected_work_is_done_before_each_sleep(void **state)
{
    struct fixture *f = *state;

    loop_before_sleep(f->loop, count_hook, f);
    assert_int_equal(loop_watch(f->loop, f->pipe[0], LOOP_IN, read_one, f, NULL), 0);
    assert_int_equal(write(f->pipe[1], "x", 1), 1);
    assert_int_equal(loop_run(f->loop, NULL), 0);
    assert_int_equal(f->hooks, 1);
    (void)loop_timer(f->loop, 0, 0, stop, f); /* a loop runs again after it was stopped */
    assert_int_equal(loop_run(f->loop, NULL), 0);
}

static void a_file_that_can_not_be_waited_for_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct err e;
    int fd = memfd_create("file", MFD_CLOEXEC);

    assert_int_equal(loop_watch(f->loop, fd, LOOP_IN, never, f, &e), -1);
    assert_int_equal(e.code, EPERM);
    (void)close(fd);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_and_not_early),
        cmocka_unit_test(a_repeated_timer_skips_what_it_missed),
        cmocka_unit_test(a_callback_may_remove_any_and_itself),
        cmocka_unit_test(a_callback_that_adds_does_not_run_for_ever),
        cmocka_unit_test(an_old_id_is_not_another_timer_s),
        cmocka_unit_test(a_thousand_timers_keep_their_order),
        WITH_LOOP(a_byte_wakes_its_reader),
        WITH_LOOP(one_watch_a_descriptor),
        WITH_LOOP(who_was_removed_in_this_round_is_not_called),
        WITH_LOOP(a_new_file_of_an_old_number_gets_no_old_event),
        WITH_LOOP(the_end_of_a_peer_is_always_reported),
        WITH_LOOP(a_timer_comes_when_it_is_due),
        WITH_LOOP(signals_come_through_the_loop),
        WITH_LOOP(collected_work_is_done_before_each_sleep),
        WITH_LOOP(a_file_that_can_not_be_waited_for_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
