/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A writer is killed at random points, fifty times: every acknowledged event is there, and the chain verifies.
 *
 * The scene journal_survives_power_cut.sh uses the same writer on a disk that
 * loses its power: `test_journal_kill cut FOLDER` prints the newest number
 * that was acknowledged, `test_journal_kill whole FOLDER NUMBER` checks.
 */
#include "journal_world.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

enum { ROUNDS = 50, ACKS_MAX = 400, LARGEST = 40 };
#define SHUT_DOWN _IOR('X', 125, uint32_t) /* EXT4_IOC_SHUTDOWN, as on XFS; not in Debian 12's headers */
enum { WITHOUT_FLUSH = 2 };                /* the log is not written out: what was not synced is gone */

/* Small, so that most kills meet a rotation or a removal. */
static struct journal_limits small_limits(void)
{
    struct journal_limits l = journal_default_limits();

    l.segment_bytes = 64 << 10;
    l.total_bytes = 100 << 10;
    l.reserve_bytes = 4 << 10;
    return l;
}

static uint64_t random_below(uint64_t *state, uint64_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % n;
}

static int turn_over(struct journal *j, struct err *e)
{
    struct journal_sealed sealed;
    struct journal_expired expired;
    struct event mark = event_new(EV_JOURNAL_CHECKPOINT);

    mark.seq = journal_last(j) + 1;
    event_add_number(&mark, F_COUNT, 0);
    if (journal_rotate(j, start_us, &sealed, e) < 0 || journal_append(j, &mark, 1, e) < 0 || journal_sync(j, e) < 0)
        return -1;
    return journal_retain(j, start_us, &expired, e);
}

/* Appends for ever; after each sync the newest number goes into the pipe. */
static int writer(const char *folder, int acks)
{
    struct journal_limits limits = small_limits();
    struct event events[LARGEST];
    struct journal_opened found;
    struct err e = { 0 };
    struct journal *j = journal_open(folder, &limits, start_us, &found, &e);
    uint64_t seed = 88172645463325252u + found.last_seq;

    while (j) {
        size_t n = 1 + random_below(&seed, LARGEST);
        uint64_t last;

        for (size_t i = 0; i < n; i++)
            events[i] = world_event(journal_last(j) + 1 + i);
        if (journal_append(j, events, n, &e) < 0 || journal_sync(j, &e) < 0)
            break;
        last = journal_synced(j);
        if (write(acks, &last, sizeof(last)) != sizeof(last))
            return 1;
        if (journal_is_due(j, start_us) && turn_over(j, &e) < 0)
            break;
    }
    (void)fprintf(stderr, "writer: %s\n", e.text);
    return 1;
}

/* The newest number that is in the pipe by now. */
static void drain(int acks, uint64_t *last)
{
    struct pollfd there = { .fd = acks, .events = POLLIN };

    while (poll(&there, 1, 0) > 0 && read(acks, last, sizeof(*last)) == sizeof(*last))
        continue;
}

/*
 * FS_IOC_SHUTDOWN takes some milliseconds, and a sync that it overtakes may
 * hear "fine" from the kernel; no power cut lets it say so.  So what counts
 * is what was acknowledged before.
 */
static void cut_power(const char *folder)
{
    uint32_t how = WITHOUT_FLUSH;
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    if (ioctl(dir, SHUT_DOWN, &how) < 0)
        fail_msg("the file system can't be shut down");
    close(dir);
}

/* Lets a writer run for `acks` acknowledgements and a moment more, then kills it; gives the newest acknowledged number.
 */
static uint64_t run_and_kill(const char *folder, uint64_t acks, long moment_ns, bool power)
{
    struct timespec moment = { .tv_nsec = moment_ns };
    uint64_t last = 0;
    int pipes[2];
    int status;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipes[0]);
        _exit(writer(folder, pipes[1]));
    }
    close(pipes[1]);
    for (uint64_t i = 0; i < acks; i++)
        if (read(pipes[0], &last, sizeof(last)) != sizeof(last))
            fail_msg("the writer ended");
    (void)nanosleep(&moment, NULL);
    drain(pipes[0], &last);
    if (power)
        cut_power(folder);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!power)
        drain(pipes[0], &last);
    close(pipes[0]);
    return last;
}

static bool step(void *own, const struct event *ev)
{
    uint64_t *last = own;
    struct event expected = world_event(ev->seq);

    if (*last > 0)
        assert_int_equal(ev->seq, *last + 1);
    if (ev->kind != EV_JOURNAL_CHECKPOINT)
        assert_memory_equal(ev, &expected, sizeof(expected));
    *last = ev->seq;
    return true;
}

static void check_whole(const char *folder, uint64_t acknowledged)
{
    struct world w = { .limits = small_limits(), .now_us = start_us };
    struct query_told told;
    struct reader *r;
    uint64_t last = 0;

    (void)snprintf(w.folder, sizeof(w.folder), "%s", folder);
    world_open(&w);
    assert_false(w.found.key_lost);
    if (w.found.last_seq < acknowledged)
        fail_msg("%llu were acknowledged, %llu are there", (unsigned long long)acknowledged,
                 (unsigned long long)w.found.last_seq);
    world_expect_whole(&w);
    assert_true(world_verify(&w, w.found.id, NULL).verdict.id_proven);
    r = reader_open(folder, NULL);
    assert_int_equal(reader_query(r, &(struct query){ 0 }, step, &last, &told, NULL), 0);
    reader_close(r);
    assert_int_equal(last, w.found.last_seq);
    assert_int_equal(told.damaged, 0);
    world_close(&w);
}

static void fifty_kills_lose_nothing_that_was_acknowledged(void **state)
{
    uint64_t seed = (uint64_t)time(NULL) | 1;
    char folder[64];
    uint64_t acknowledged = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    (void)snprintf(folder, sizeof(folder), "%s/serviola-kill-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t last = run_and_kill(folder, random_below(&seed, 60), (long)random_below(&seed, 3000000), false);

        acknowledged = last > acknowledged ? last : acknowledged;
        check_whole(folder, acknowledged);
    }
    assert_true(acknowledged > 5000);
    world_remove(folder);
}

static const char *argument_folder;
static uint64_t argument_number;

static void cut(void **state)
{
    uint64_t seed = (uint64_t)time(NULL) | 1;

    (void)state;
    argument_number =
        run_and_kill(argument_folder, 1 + random_below(&seed, ACKS_MAX), (long)random_below(&seed, 5000000), true);
}

static void whole(void **state)
{
    (void)state;
    check_whole(argument_folder, argument_number);
}

int main(int count, char **words)
{
    const struct CMUnitTest kills[] = { cmocka_unit_test(fifty_kills_lose_nothing_that_was_acknowledged) };
    const struct CMUnitTest cuts[] = { cmocka_unit_test(cut) };
    const struct CMUnitTest checks[] = { cmocka_unit_test(whole) };
    int failed;

    if (count < 3)
        return cmocka_run_group_tests(kills, NULL, NULL);
    argument_folder = words[2];
    if (strcmp(words[1], "whole") == 0 && count == 4) {
        argument_number = strtoull(words[3], NULL, 10);
        return cmocka_run_group_tests(checks, NULL, NULL);
    }
    failed = cmocka_run_group_tests(cuts, NULL, NULL);
    (void)printf("%llu\n", (unsigned long long)argument_number);
    return failed;
}
