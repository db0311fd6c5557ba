/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk whose sync fails: what Linux had of those pages in memory counts as clean then, and asking again would hear
 * "fine".  This program's own fdatasync does the same: it says EIO, and what was written since the last good one is
 * gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "journal/verify.h"
#include "sense/log/lines.h"
#include "sense/log/store.h"

enum { LINES = 2000, FAILURES = 3 };
static const int64_t now_us = (int64_t)1196879280 * 1000000;

/* ---- the disk ---- */

static struct {
    int failures; /* to come */
    int failed, fine;
    ino_t file;
    off_t good; /* of that file, what the last good sync covered */
} disk;

static void lose(int fd, off_t from, off_t to)
{
    static const uint8_t zeros[4096];
    char path[64];
    int again;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_WRONLY | O_CLOEXEC);
    for (; from < to; from += (off_t)sizeof(zeros))
        (void)!pwrite(again, zeros, (size_t)(to - from) < sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros), from);
    (void)close(again);
}

int fdatasync(int fd) /* in the place of libc's; called from the store's threads, one at a time */
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (disk.failures > 0 && S_ISREG(st.st_mode)) {
        disk.failures--;
        __atomic_add_fetch(&disk.failed, 1, __ATOMIC_SEQ_CST);
        lose(fd, st.st_ino == disk.file ? disk.good : 152, st.st_size);
        errno = EIO;
        return -1;
    }
    disk.file = st.st_ino;
    disk.good = st.st_size;
    __atomic_add_fetch(&disk.fine, 1, __ATOMIC_SEQ_CST);
    return (int)syscall(SYS_fdatasync, fd);
}

/* ---- the store ---- */

struct world {
    char folder[64];
    struct store *s;
    uint64_t acknowledged;
    int told, told_full, told_back;
    int code; /* of the failure that was told */
};

static void on_synced(void *ctx, uint64_t seq)
{
    ((struct world *)ctx)->acknowledged = seq;
}

static void on_failed(void *ctx, const struct err *why, bool full)
{
    struct world *w = ctx;

    w->told++;
    w->told_full += full;
    w->code = why->code;
}

static void on_back(void *ctx, int64_t span_us)
{
    struct world *w = ctx;

    w->told_back++;
    assert_true(span_us > 0);
}

static void world_open(struct world *w)
{
    const struct store_calls calls = { .ctx = w, .synced = on_synced, .failed = on_failed, .back = on_back };
    struct store_limits limits = store_default_limits();
    struct journal_opened found;
    struct err e = { 0 };

    limits.files.reserve_bytes = 0;
    w->s = store_open(w->folder, &limits, &calls, now_us, &found, &e);
    if (!w->s || store_start(w->s, &e) < 0)
        fail_msg("%s", e.text);
}

static void turn(struct world *w)
{
    struct pollfd p = { .fd = store_fd(w->s), .events = POLLIN };

    (void)store_push(w->s, 0, true);
    (void)poll(&p, 1, 100);
    store_turn(w->s);
}

static void keep(struct world *w, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++) {
        char raw[80];
        struct log_line line = { .way = LOG_RELP, .peer = SLICE("10.1.0.2:514"), .at_us = now_us, .near_us = now_us };

        (void)snprintf(raw, sizeof(raw), "<13>Dec  5 18:28:00 web1 app[7]: number %llu", (unsigned long long)n);
        line.raw = slice_text(raw);
        while (store_append(w->s, &line, NULL) == 0)
            turn(w);
    }
}

static void nothing(void *own, const struct finding *f)
{
    (void)own;
    (void)f;
}

static void assert_all_there(const char *folder, uint64_t last)
{
    struct lines_room room = { 0 };
    struct verdict v;
    struct err e = { 0 };
    struct lines *l = lines_open(folder, &e);
    uint64_t next = 1;

    if (!l || journal_verify(folder, NULL, NULL, nothing, NULL, &v, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(v.faults, 0);
    for (size_t i = 0; i < lines_count(l); i++) {
        struct lines_walk walk;
        struct log_line line;
        struct slice payload;

        if (lines_load(l, i, &room, &payload, &e) < 0)
            fail_msg("%s", e.text);
        for (walk = lines_walk(payload, lines_block(l, i)->first_seq); lines_next(&walk, &line); next++) {
            char end[32];

            (void)snprintf(end, sizeof(end), "number %llu", (unsigned long long)next);
            assert_int_equal(line.seq, next);
            assert_true(line.raw.len > strlen(end));
            assert_memory_equal(line.raw.at + line.raw.len - strlen(end), end, strlen(end));
        }
    }
    assert_int_equal(next - 1, last);
    lines_room_done(&room);
    lines_close(l);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_suspect_disk.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    disk.failures = disk.failed = disk.fine = 0;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    DIR *d = opendir(w->folder);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

static void a_failed_sync_acknowledges_nothing_and_its_bytes_are_written_anew(void **state)
{
    struct world *w = *state;

    world_open(w);
    keep(w, 1, LINES);
    while (w->acknowledged < LINES)
        turn(w);
    assert_int_equal(w->told, 0);

    __atomic_store_n(&disk.failures, FAILURES, __ATOMIC_SEQ_CST);
    keep(w, LINES + 1, 2 * LINES);
    while (w->told == 0)
        turn(w);
    assert_int_equal(w->acknowledged, LINES);
    assert_int_equal(w->code, EIO);
    assert_int_equal(w->told_full, 0);
    while (w->acknowledged < 2 * LINES) {
        turn(w);
        if (__atomic_load_n(&disk.failures, __ATOMIC_SEQ_CST) > 0)
            assert_int_equal(w->acknowledged, LINES);
    }
    while (w->told_back == 0)
        turn(w);
    assert_int_equal(__atomic_load_n(&disk.failed, __ATOMIC_SEQ_CST), FAILURES);
    assert_all_there(w->folder, 2 * LINES); /* while it runs: what the disk has, not what a close repairs */
    store_close(w->s, 0);
    assert_all_there(w->folder, 2 * LINES);
}

static void what_was_acknowledged_stays_when_it_dies_while_the_disk_fails(void **state)
{
    struct world *w = *state;

    world_open(w);
    keep(w, 1, LINES);
    while (w->acknowledged < LINES)
        turn(w);
    __atomic_store_n(&disk.failures, INT32_MAX, __ATOMIC_SEQ_CST);
    keep(w, LINES + 1, 2 * LINES);
    while (w->told == 0)
        turn(w);
    assert_int_equal(w->acknowledged, LINES);
    assert_all_there(w->folder, LINES); /* as the next one to start would find it */
    __atomic_store_n(&disk.failures, 0, __ATOMIC_SEQ_CST);
    while (w->acknowledged < 2 * LINES)
        turn(w);
    store_close(w->s, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_sync_acknowledges_nothing_and_its_bytes_are_written_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_acknowledged_stays_when_it_dies_while_the_disk_fails, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
