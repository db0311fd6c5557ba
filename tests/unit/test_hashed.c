/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that were hashed are known again while they are as they were, and what was kept of them is not believed
 * blindly. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/xray/hashed.h"

enum { COUNT = 5 };

struct world {
    char folder[32], cache[64], file[64];
};

static void put(const char *path, const void *at, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, at, len), (ssize_t)len);
    close(fd);
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    if (!w)
        return -1;
    strcpy(w->folder, "/tmp/hashed.XXXXXX");
    if (!mkdtemp(w->folder)) {
        free(w);
        return -1;
    }
    (void)snprintf(w->cache, sizeof(w->cache), "%s/cache", w->folder);
    (void)snprintf(w->file, sizeof(w->file), "%s/file", w->folder);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;

    (void)unlink(w->cache);
    (void)unlink(w->file);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

static struct hashed seen(const char *path, uint64_t key)
{
    struct hashed h = { .path = key };
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    hashed_look(&h, &st);
    return h;
}

static void keep_some(const struct world *w)
{
    struct hashed h[COUNT];

    memset(h, 0, sizeof(h));
    for (size_t i = 0; i < COUNT; i++) {
        h[i].path = 100 - i; /* not in their order */
        h[i].inode = i;
        h[i].digest[0] = (uint8_t)i;
    }
    assert_true(hashed_write(w->cache, h, COUNT));
}

static void refused(const struct world *w)
{
    const char *why;
    struct hashed_kept k;

    assert_false(hashed_read(w->cache, &k, &why));
    assert_non_null(why);
    assert_int_equal(k.count, 0);
    hashed_done(&k);
}

static void what_was_kept_is_found_by_path_wherever_it_is_looked_for(void **state)
{
    const struct world *w = *state;
    struct hashed stranger = { .path = 7 };
    struct hashed_kept k;
    const char *why;
    struct stat st;
    size_t place = 0;

    keep_some(w);
    assert_int_equal(stat(w->cache, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(hashed_read(w->cache, &k, &why));
    assert_int_equal(k.count, COUNT);
    for (size_t from = 0; from <= COUNT + 1; from++)
        for (size_t i = 0; i < COUNT; i++) {
            struct hashed h = { .path = 100 - i, .inode = i };

            place = from;
            assert_true(hashed_recall(&k, &place, &h));
            assert_int_equal(place, i);
            assert_int_equal(h.digest[0], i);
            h.inode++;
            assert_false(hashed_recall(&k, &place, &h));
        }
    assert_false(hashed_recall(&k, &place, &stranger));
    hashed_done(&k);
}

static void a_file_whose_time_was_put_back_is_not_the_same(void **state)
{
    const struct world *w = *state;
    struct hashed was, now;
    struct hashed_kept k = { .at = &was, .count = 1, .lock = PTHREAD_MUTEX_INITIALIZER };
    size_t place = 0;
    struct timespec times[2];
    struct stat st;

    put(w->file, "as it was", 9);
    was = seen(w->file, 7);
    now = seen(w->file, 7);
    assert_true(hashed_recall(&k, &place, &now));
    assert_int_equal(stat(w->file, &st), 0);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    do { /* until the file system's clock went on */
        put(w->file, "another", 7);
        put(w->file, "as it is!", 9);
        assert_int_equal(utimensat(AT_FDCWD, w->file, times, 0), 0);
        now = seen(w->file, 7);
    } while (now.changed_ns == was.changed_ns);
    assert_true(now.size == was.size && now.inode == was.inode && now.modified_ns == was.modified_ns);
    assert_false(hashed_recall(&k, &place, &now));
}

static void a_file_that_was_just_written_is_hashed_again(void **state)
{
    struct hashed h = { .changed_ns = 10000000000 };

    (void)state;
    assert_false(hashed_is_settled(&h, 10000000000));
    assert_false(hashed_is_settled(&h, 9000000000)); /* the clock was put back */
    assert_false(hashed_is_settled(&h, 12000000000));
    assert_true(hashed_is_settled(&h, 12000000001));
}

static void no_file_is_no_damage(void **state)
{
    const struct world *w = *state;
    const char *why = "";
    struct hashed_kept k;

    assert_false(hashed_read(w->cache, &k, &why));
    assert_null(why);
    hashed_done(&k);
}

static void each_changed_byte_and_each_missing_end_is_damage(void **state)
{
    const struct world *w = *state;
    uint8_t whole[1024], other[1025];
    ssize_t len;
    int fd;

    keep_some(w);
    fd = open(w->cache, O_RDONLY);
    len = read(fd, whole, sizeof(whole));
    close(fd);
    assert_int_equal(len, 24 + COUNT * sizeof(struct hashed));
    for (size_t i = 0; i < (size_t)len; i++) {
        memcpy(other, whole, (size_t)len);
        other[i] ^= 0x80;
        put(w->cache, other, (size_t)len);
        refused(w);
        put(w->cache, whole, i);
        refused(w);
    }
    memcpy(other, whole, (size_t)len);
    other[len] = 0;
    put(w->cache, other, (size_t)len + 1);
    refused(w);
    memset(other + 8, 0xff, 8); /* how many there are */
    put(w->cache, other, (size_t)len);
    refused(w);
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    const struct world *w = *state;

    keep_some(w);
    assert_int_equal(chmod(w->cache, 0620), 0);
    refused(w);
    assert_int_equal(unlink(w->cache), 0);
    assert_int_equal(symlink(w->file, w->cache), 0);
    refused(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_found_by_path_wherever_it_is_looked_for, begin, end),
        cmocka_unit_test_setup_teardown(a_file_whose_time_was_put_back_is_not_the_same, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_was_just_written_is_hashed_again, begin, end),
        cmocka_unit_test_setup_teardown(no_file_is_no_damage, begin, end),
        cmocka_unit_test_setup_teardown(each_changed_byte_and_each_missing_end_is_damage, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_write_is_refused, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
