/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the store acknowledged is there after kill -9.  The scene acknowledged_line_survives_power_cut.sh uses the same
 * program: `test_store_kill cut FOLDER` keeps lines until the power is gone and prints the newest number that was
 * acknowledged, `test_store_kill whole FOLDER NUMBER` checks.
 */
#include "store_world.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

enum { KILLS = 20 };
#define SHUT_DOWN _IOR('X', 125, uint32_t) /* EXT4_IOC_SHUTDOWN, as on XFS; not in Debian 12's headers */
enum { WITHOUT_FLUSH = 2 };                /* the log is not written out: what was not synced is gone */

struct acks {
    int pipe;
};

static void on_synced(void *ctx, uint64_t seq)
{
    const struct acks *a = ctx;
    ssize_t n = write(a->pipe, &seq, sizeof(seq));

    (void)n;
}

static int writer(const char *folder, int pipe)
{
    struct acks acks = { .pipe = pipe };
    const struct store_calls calls = { .ctx = &acks, .synced = on_synced };
    struct store_limits l = store_default_limits();
    struct journal_opened found;
    struct err e = { 0 };
    struct store *s;

    l.files.segment_bytes = 128 << 10; /* so that most kills meet a rotation */
    l.files.reserve_bytes = 0;
    l.memory_bytes = 2 << 20;
    l.again_us = 0; /* and some that what was sealed is packed again */
    s = store_open(folder, &l, &calls, now_us, &found, &e);
    if (!s || store_start(s, &e) < 0)
        return 1;
    for (uint64_t n = found.last_seq + 1;; n++) {
        struct text_of t = line_text(n);

        (void)keep(s, slice_text(t.text), "10.1.0.2:514", now_us);
        if (n % 50 == 0) {
            (void)store_push(s, 0, true);
            store_turn(s);
        }
    }
}

static void drain(int pipe, uint64_t *last)
{
    struct pollfd there = { .fd = pipe, .events = POLLIN };

    while (poll(&there, 1, 0) > 0 && read(pipe, last, sizeof(*last)) == sizeof(*last))
        continue;
}

static void cut_power(const char *folder)
{
    uint32_t how = WITHOUT_FLUSH;
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    if (ioctl(dir, SHUT_DOWN, &how) < 0)
        fail_msg("the file system can't be shut down");
    close(dir);
}

static uint64_t run_and_end(const char *folder, long moment_ns, bool power)
{
    struct timespec moment = { .tv_nsec = moment_ns };
    uint64_t last = 0;
    int pipes[2];
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipes[0]);
        _exit(writer(folder, pipes[1]));
    }
    close(pipes[1]);
    if (read(pipes[0], &last, sizeof(last)) != sizeof(last))
        fail_msg("the writer did not start");
    (void)nanosleep(&moment, NULL);
    drain(pipes[0], &last);
    if (power)
        cut_power(folder);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    if (!power)
        drain(pipes[0], &last);
    close(pipes[0]);
    return last;
}

static void assert_kept(const char *folder, uint64_t acknowledged)
{
    struct world w = { .limits = store_default_limits() };

    (void)snprintf(w.folder, sizeof(w.folder), "%s", folder);
    w.limits.files.reserve_bytes = 0;
    world_open(&w); /* recovers */
    world_close(&w);
    assert_whole(folder);
    assert_true(assert_lines(folder) >= acknowledged);
}

static void twenty_kills_lose_nothing_that_was_acknowledged(void **state)
{
    const struct world *w = *state;

    for (int i = 0; i < KILLS; i++)
        assert_kept(w->folder, run_and_end(w->folder, (i * 7919 % 40 + 1) * 1000000L, false));
}

/* Opens the store, which begins to pack it again, until it is killed. */
static void pack_again_and_die(struct world *w, long moment_ns)
{
    const struct timespec moment = { .tv_nsec = moment_ns };
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        world_open(w);
        for (;;)
            wait_for(w->s);
    }
    (void)nanosleep(&moment, NULL);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void twenty_kills_while_it_is_packed_again_lose_nothing(void **state)
{
    enum { LINES = 30000 };
    struct world *w = *state;

    w->limits.files.segment_bytes = 512 << 10;
    world_open(w);
    for (uint64_t n = 1; n <= LINES; n++) {
        struct text_of t = line_text(n);

        (void)keep(w->s, slice_text(t.text), "10.1.0.2:514", now_us);
    }
    settle(w->s);
    assert_true(store_seal(w->s, 20000000));
    world_close(w);
    w->limits.again_us = 0;
    for (int i = 0; i < KILLS; i++) {
        pack_again_and_die(w, (i * 7919 % 40 + 1) * 1000000L);
        assert_whole(w->folder);
        assert_int_equal(assert_lines(w->folder), LINES);
    }
    world_open(w);
    for (int i = 0; i < 300 && blocks_in_columns(w->folder) == 0; i++)
        wait_for(w->s);
    world_close(w);
    assert_true(blocks_in_columns(w->folder) > 0);
    assert_whole(w->folder);
    assert_int_equal(assert_lines(w->folder), LINES);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(twenty_kills_lose_nothing_that_was_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(twenty_kills_while_it_is_packed_again_lose_nothing, set_up, tear_down),
    };

    if (argc == 3 && strcmp(argv[1], "cut") == 0) {
        (void)printf("%llu\n", (unsigned long long)run_and_end(argv[2], 100000000, true));
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "whole") == 0) {
        assert_kept(argv[2], strtoull(argv[3], NULL, 10));
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
