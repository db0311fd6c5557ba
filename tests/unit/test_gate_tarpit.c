/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/gate/tarpit.h"
#include "sys/clock.h"
#include "sys/loop.h"

enum { BYTE_US = 20000 };
static const char reply[] = "554 no\r\n";

struct world {
    struct gate_limits set;
    struct loop *loop;
    struct tarpit *tarpit;
    int fd[2]; /* ours, theirs */
    char got[64];
    size_t got_len;
    unsigned pieces; /* in which it came */
    int64_t began_us, ended_us;
};

static void open_world(struct world *w, uint64_t places)
{
    struct err e = { 0 };

    *w = (struct world){ .set = { .tarpit = places, .tarpit_us = BYTE_US } };
    w->loop = loop_new(&e);
    assert_non_null(w->loop);
    w->tarpit = tarpit_new(w->loop, &w->set, &e);
    assert_non_null(w->tarpit);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, w->fd), 0);
    w->began_us = clock_mono_us();
}

static void close_world(struct world *w)
{
    tarpit_free(w->tarpit);
    loop_free(w->loop);
    (void)close(w->fd[1]);
}

static void on_their_side(void *ctx, int fd, int events)
{
    struct world *w = ctx;
    ssize_t n = recv(fd, w->got + w->got_len, sizeof(w->got) - w->got_len, 0);

    (void)events;
    w->pieces += n > 0;
    if (n > 0)
        w->got_len += (size_t)n;
    if (n == 0) {
        w->ended_us = clock_mono_us();
        loop_stop(w->loop);
    }
}

static void too_late(void *ctx)
{
    loop_stop(((struct world *)ctx)->loop);
}

static void a_refusal_comes_a_byte_at_a_time(void **state)
{
    struct world w;
    struct err e;

    (void)state;
    open_world(&w, 1);
    assert_true(tarpit_take(w.tarpit, w.fd[0], slice_text(reply)));
    assert_int_equal(loop_watch(w.loop, w.fd[1], LOOP_IN, on_their_side, &w, &e), 0);
    (void)loop_timer(w.loop, 10000000, 0, too_late, &w);
    assert_int_equal(loop_run(w.loop, &e), 0);
    assert_string_equal(w.got, reply);
    assert_true(w.ended_us - w.began_us >= (int64_t)(sizeof(reply) - 2) * BYTE_US);
    assert_int_equal(tarpit_count(w.tarpit), 0);
    close_world(&w);
}

static void there_are_only_so_many_places(void **state)
{
    struct world w;
    int more[2];

    (void)state;
    open_world(&w, 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, more), 0);
    assert_true(tarpit_take(w.tarpit, w.fd[0], slice_text(reply)));
    assert_false(tarpit_take(w.tarpit, more[0], slice_text(reply)));
    assert_int_equal(write(more[0], "x", 1), 1); /* still ours */
    (void)close(more[0]);
    (void)close(more[1]);
    close_world(&w);
}

static void without_places_there_is_no_tarpit(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, 0);
    assert_false(tarpit_take(w.tarpit, w.fd[0], slice_text(reply)));
    (void)close(w.fd[0]);
    close_world(&w);
}

static void stop_when_empty(void *ctx)
{
    struct world *w = ctx;

    if (tarpit_count(w->tarpit) == 0)
        loop_stop(w->loop);
}

static void who_leaves_makes_room(void **state)
{
    struct world w;
    struct err e;

    (void)state;
    open_world(&w, 1);
    assert_true(tarpit_take(w.tarpit, w.fd[0], slice_text(reply)));
    (void)close(w.fd[1]);
    w.fd[1] = -1;
    (void)loop_timer(w.loop, BYTE_US, BYTE_US, stop_when_empty, &w);
    (void)loop_timer(w.loop, 10000000, 0, too_late, &w);
    assert_int_equal(loop_run(w.loop, &e), 0);
    assert_int_equal(tarpit_count(w.tarpit), 0);
    assert_true(clock_mono_us() - w.began_us < (int64_t)sizeof(reply) * BYTE_US * 20);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_comes_a_byte_at_a_time),
        cmocka_unit_test(there_are_only_so_many_places),
        cmocka_unit_test(without_places_there_is_no_tarpit),
        cmocka_unit_test(who_leaves_makes_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
