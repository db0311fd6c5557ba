/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and writes go on through short counts and signals, and stop at the end with what there is. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/whole.h"

enum { MUCH = 1 << 20 }; /* more than a pipe takes at once: a writer is stopped in the middle */

static uint8_t sent[MUCH], got[MUCH + 1];

static void heard(int number)
{
    (void)number;
}

static void fill(void)
{
    for (size_t i = 0; i < MUCH; i++)
        sent[i] = (uint8_t)(i * 2654435761U >> 24);
}

/* A child that writes all of it, while the parent's signals come down on it. */
static void what_a_pipe_takes_in_pieces_under_signals_arrives_whole(void **state)
{
    struct sigaction act = { .sa_handler = heard }; /* no SA_RESTART: each signal cuts a call off */
    int ends[2];
    int status = 0;
    ssize_t len = 0;
    pid_t child;

    (void)state;
    fill();
    assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        _exit(whole_write(ends[1], sent, MUCH) == 0 ? 0 : 1);
    }
    (void)close(ends[1]);
    while (len < MUCH) {
        ssize_t n = whole_read(ends[0], got + len, len + 9000 < MUCH ? 9000 : (size_t)(MUCH - len));

        assert_true(n > 0);
        len += n;
        (void)kill(child, SIGUSR1);
    }
    assert_int_equal(whole_read(ends[0], got + len, 1), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_memory_equal(sent, got, MUCH);
    (void)close(ends[0]);
}

static void a_place_in_a_file_is_written_and_read_and_its_end_is_an_end(void **state)
{
    int fd = memfd_create("whole", MFD_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(whole_pwrite(fd, "lookout", 7, 3), 0);
    assert_int_equal(whole_pread(fd, got, 4, 3), 4);
    assert_memory_equal(got, "look", 4);
    assert_int_equal(whole_pread(fd, got, sizeof(got), 7), 3);
    assert_memory_equal(got, "out", 3);
    assert_int_equal(whole_pread(fd, got, sizeof(got), 10), 0);
    (void)close(fd);
}

static void a_file_that_takes_no_more_is_an_error(void **state)
{
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    errno = 0;
    assert_int_equal(whole_write(fd, "x", 1), -1);
    assert_int_equal(errno, ENOSPC);
    (void)close(fd);
    assert_int_equal(whole_read(-1, got, 1), -1);
    assert_int_equal(errno, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_pipe_takes_in_pieces_under_signals_arrives_whole),
        cmocka_unit_test(a_place_in_a_file_is_written_and_read_and_its_end_is_an_end),
        cmocka_unit_test(a_file_that_takes_no_more_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
