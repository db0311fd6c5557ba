/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/memfile.h"

static void what_was_put_in_is_read_by_mapping(void **state)
{
    int fd = memfile_from("settings", 8, "test", NULL);
    const void *at = NULL;

    (void)state;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(memfile_map(fd, 8, &at, NULL), 0);
    memfile_close(fd); /* the mapping stays */
    assert_memory_equal(at, "settings", 8);
    memfile_unmap(at, 8);
    memfile_unmap(NULL, 0);
    memfile_close(-1);
}

static void nobody_changes_it_any_more(void **state)
{
    int fd = memfile_from("settings", 8, "test", NULL);

    (void)state;
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 100), -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), -1);
    assert_ptr_equal(mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    memfile_close(fd);
}

static void another_size_is_refused(void **state)
{
    int fd = memfile_from("settings", 8, "test", NULL);
    struct slice bytes;
    struct err e;
    const void *at;

    (void)state;
    assert_int_equal(memfile_map(fd, 7, &at, &e), -1);
    assert_int_equal(memfile_map(fd, 9, &at, &e), -1);
    assert_non_null(strstr(e.text, "8 bytes"));
    assert_int_equal(memfile_map_any(fd, 7, &bytes, &e), -1);
    assert_int_equal(memfile_map_any(fd, 100, &bytes, &e), 0);
    assert_true(slice_eq(bytes, SLICE("settings")));
    memfile_unmap(bytes.at, bytes.len);
    memfile_close(fd);
}

static void what_can_still_change_is_not_believed(void **state)
{
    static const int almost[] = { 0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_WRITE | F_SEAL_GROW,
                                  F_SEAL_WRITE | F_SEAL_SHRINK, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW };
    const void *at;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof(almost) / sizeof(almost[0]); i++) {
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_int_equal(write(fd, "settings", 8), 8);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, almost[i]), 0);
        assert_int_equal(memfile_map(fd, 8, &at, &e), -1);
        assert_non_null(strstr(e.text, "unsealed"));
        memfile_close(fd);
    }
}

static void what_is_no_memory_file_is_refused(void **state)
{
    const void *at;
    int ends[2];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(memfile_map(fd, 8, &at, NULL), -1);
    assert_int_equal(memfile_map(ends[0], 8, &at, NULL), -1);
    assert_int_equal(memfile_map(-1, 8, &at, NULL), -1);
    (void)close(fd);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void an_empty_one_is_made_and_never_mapped(void **state)
{
    int fd = memfile_from(NULL, 0, "test", NULL);
    const void *at;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(memfile_map(fd, 0, &at, NULL), -1);
    memfile_close(fd);
}

static void a_file_is_copied_whole_wherever_it_was_read_to(void **state)
{
    FILE *f = tmpfile();
    struct slice bytes;
    int fd;

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 300000; i++)
        assert_true(fprintf(f, "%08d", i) == 8);
    assert_int_equal(fflush(f), 0);
    fd = memfile_copy(fileno(f), 300000 * 8, "copy", NULL);
    assert_true(fd >= 0);
    assert_int_equal(memfile_map_any(fd, SIZE_MAX, &bytes, NULL), 0);
    assert_int_equal(bytes.len, 300000 * 8);
    assert_memory_equal(bytes.at + 299999 * 8, "00299999", 8);
    memfile_unmap(bytes.at, bytes.len);
    memfile_close(fd);
    assert_int_equal(memfile_copy(fileno(f), 300000 * 8 - 1, "copy", NULL), -1);
    (void)fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_read_by_mapping),
        cmocka_unit_test(nobody_changes_it_any_more),
        cmocka_unit_test(another_size_is_refused),
        cmocka_unit_test(what_can_still_change_is_not_believed),
        cmocka_unit_test(what_is_no_memory_file_is_refused),
        cmocka_unit_test(an_empty_one_is_made_and_never_mapped),
        cmocka_unit_test(a_file_is_copied_whole_wherever_it_was_read_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
