/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/log/pack.h"
#include "sense/log/unpack.h"

enum { MOST = 1 << 20 };

static void put(const char *path, const char *content)
{
    const struct timespec times[2] = { { .tv_sec = 1195900000 }, { .tv_sec = 1195900000, .tv_nsec = 5 } };
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(fflush(f), 0);
    assert_int_equal(futimens(fileno(f), times), 0);
    assert_int_equal(fclose(f), 0);
}

/* A folder of its own with `logs` in it, as working folder. */
static int enter(void **state)
{
    char *folder = strdup("/tmp/serviola-pack-XXXXXX");

    if (!folder || !mkdtemp(folder) || chdir(folder) < 0 || mkdir("logs", 0700) < 0 || mkdir("logs/mail", 0700) < 0)
        return -1;
    put("logs/b", "two\n");
    put("logs/a", "one\n");
    put("logs/mail/caf\xc3\xa9 \xe9\n\\", "three\n");
    *state = folder;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int leave(void **state)
{
    int status = chdir("/") + nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);

    free(*state);
    return status;
}

static char noted[512];
static void note(void *own, const char *name, const char *why)
{
    (void)own;
    (void)snprintf(noted, sizeof(noted), "%s: %s", name, why);
}

static int pack(char *path, const char *into, struct pack_result *r, struct err *e)
{
    struct evidence_key key;
    struct pack_order o = {
        .paths = (char *[]){ path, NULL }, .count = 1, .into = into, .host = "mx1", .key = &key, .note = note
    };

    assert_int_equal(evidence_key_load("key", &key, e), 0);
    return pack_files(&o, r, e);
}

static size_t content(const char *path, char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, bytes, room);

    assert_true(n >= 0);
    (void)close(fd);
    return (size_t)n;
}

static char logs[] = "logs";

static void the_same_files_give_the_same_bytes_however_they_are_named(void **state)
{
    static char dotted[] = ".//logs/";
    static char one[8192], two[8192];
    struct pack_result r, again;
    struct err e;
    size_t n;

    (void)state;
    assert_int_equal(pack(logs, "one", &r, &e), 0);
    assert_int_equal(pack(dotted, "two", &again, &e), 0);
    assert_int_equal(r.files, 3);
    assert_int_equal(r.noted, 0);
    n = content("one", one, sizeof(one));
    assert_int_equal(content("two", two, sizeof(two)), n);
    assert_memory_equal(one, two, n);
    put("logs/a", "eno\n");
    assert_int_equal(pack(logs, "three", &again, &e), 0);
    assert_memory_not_equal(r.root, again.root, sizeof(r.root));
}

static void what_was_packed_comes_back(void **state)
{
    struct pack_result r;
    struct unpack_result u;
    char bytes[16];
    struct err e;
    int into;

    (void)state;
    assert_int_equal(pack(logs, "one", &r, &e), 0);
    assert_int_equal(mkdir("out", 0700), 0);
    into = open("out", O_RDONLY | O_DIRECTORY);
    assert_int_equal(unpack_file("one", into, MOST, &u, &e), 0);
    assert_memory_equal(r.root, u.root, sizeof(r.root));
    assert_int_equal(u.files, 3);
    assert_int_equal(content("out/files/logs/mail/caf\xc3\xa9 \xe9\n\\", bytes, sizeof(bytes)), 6);
    assert_memory_equal(bytes, "three\n", 6);
    assert_int_equal(unpack_file("one", into, MOST, &u, &e), -1); /* nothing is overwritten */
    assert_int_equal(e.code, EEXIST);
    assert_int_equal(unpack_file("one", -1, 7, &u, &e), -1);
    assert_non_null(strstr(e.text, "member 2, files/logs/b: too much"));
    (void)close(into);
}

static void every_changed_byte_is_found(void **state)
{
    struct pack_result r;
    struct unpack_result u;
    static char bytes[8192];
    struct err e;
    size_t n;

    (void)state;
    assert_int_equal(pack(logs, "one", &r, &e), 0);
    n = content("one", bytes, sizeof(bytes));
    for (size_t i = 0; i < n; i++) {
        int fd = open("changed", O_WRONLY | O_CREAT | O_TRUNC, 0600);

        bytes[i] ^= 0x20;
        assert_int_equal(write(fd, bytes, n), n);
        (void)close(fd);
        if (unpack_file("changed", -1, MOST, &u, &e) == 0) /* zstd's own header has a bit that means nothing */
            assert_memory_equal(u.root, r.root, sizeof(r.root));
        else
            assert_int_equal(e.code, 0);
        bytes[i] ^= 0x20;
    }
    for (size_t cut = 0; cut < n; cut += 7) {
        assert_int_equal(truncate("changed", 0), 0);
        int fd = open("changed", O_WRONLY);

        assert_int_equal(write(fd, bytes, cut), cut);
        (void)close(fd);
        assert_int_equal(unpack_file("changed", -1, MOST, &u, &e), -1);
    }
}

/* The members of `one` written again as `change` has them; its value 0 leaves a member out. */
static void rewrite(int (*change)(struct archive_entry *entry, struct archive *to))
{
    struct archive *from = archive_read_new();
    struct archive *to = archive_write_new();
    struct archive_entry *entry;
    char bytes[8192];

    (void)archive_read_support_filter_zstd(from);
    (void)archive_read_support_format_tar(from);
    (void)archive_write_set_format_pax(to);
    (void)archive_write_add_filter_zstd(to);
    assert_int_equal(archive_read_open_filename(from, "one", 4096), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(to, "two"), ARCHIVE_OK);
    while (archive_read_next_header(from, &entry) == ARCHIVE_OK) {
        la_ssize_t n;

        if (!change(entry, to))
            continue;
        (void)archive_write_header(to, entry);
        while ((n = archive_read_data(from, bytes, sizeof(bytes))) > 0)
            (void)archive_write_data(to, bytes, (size_t)n);
    }
    (void)archive_write_free(to);
    (void)archive_read_free(from);
}

static bool is_a(struct archive_entry *entry)
{
    return strcmp(archive_entry_pathname(entry), "files/logs/a") == 0;
}

static int without_a(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    return !is_a(entry);
}

static int renamed(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry))
        archive_entry_set_pathname(entry, "files/logs/aa");
    return 1;
}

static int without_seal(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    return strcmp(archive_entry_pathname(entry), EVIDENCE_SEAL) != 0;
}

static int without_sums(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    return strcmp(archive_entry_pathname(entry), EVIDENCE_SUMS) != 0;
}

static int outside(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry))
        archive_entry_set_pathname(entry, "files/../../etc/cron.d/a");
    return 1;
}

static int absolute(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry))
        archive_entry_set_pathname(entry, "/etc/cron.d/a");
    return 1;
}

static int linked(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry)) {
        archive_entry_set_filetype(entry, AE_IFLNK);
        archive_entry_set_symlink(entry, "/etc");
        archive_entry_set_size(entry, 0);
    }
    return 1;
}

static int hard_linked(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry)) {
        archive_entry_set_hardlink(entry, "/etc/shadow");
        archive_entry_set_size(entry, 0);
    }
    return 1;
}

static int a_device(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry)) {
        archive_entry_set_filetype(entry, AE_IFBLK);
        archive_entry_set_size(entry, 0);
    }
    return 1;
}

static int sparse(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (is_a(entry)) {
        archive_entry_set_size(entry, 1 << 19);
        archive_entry_sparse_add_entry(entry, 0, 4);
        archive_entry_sparse_add_entry(entry, 1 << 18, 4);
    }
    return 1;
}

static int twice(struct archive_entry *entry, struct archive *to)
{
    (void)to;
    if (strcmp(archive_entry_pathname(entry), "files/logs/b") == 0)
        archive_entry_set_pathname(entry, "files/logs/a");
    return 1;
}

static int behind_the_seal(struct archive_entry *entry, struct archive *to)
{
    if (strcmp(archive_entry_pathname(entry), EVIDENCE_SEAL) != 0)
        return 1;
    (void)archive_write_header(to, entry);
    archive_entry_set_pathname(entry, "files/z");
    return 1;
}

static void a_hostile_archive_is_refused_and_the_place_named(void **state)
{
    static const struct {
        int (*change)(struct archive_entry *entry, struct archive *to);
        const char *told;
    } tries[] = {
        { without_a, "the sums are not those" },
        { renamed, "the sums are not those" },
        { without_seal, "without a seal" },
        { without_sums, "member 4, manifest.json" },
        { outside, "member 1, files/../../etc/cron.d/a: the name" },
        { absolute, "member 1, /etc/cron.d/a: the name" },
        { linked, "member 1, files/logs/a: it is a link" },
        { hard_linked, "member 1, files/logs/a: it is a link" },
        { a_device, "member 1, files/logs/a: it is no plain file" },
        { sparse, "member 1, files/logs/a: it is a sparse file" },
        { twice, "member 2, files/logs/a: the names are out of order" },
        { behind_the_seal, "seal.json" },
    };
    struct pack_result r;
    struct unpack_result u;
    struct err e;

    (void)state;
    assert_int_equal(pack(logs, "one", &r, &e), 0);
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        rewrite(tries[i].change);
        assert_int_equal(unpack_file("two", -1, MOST, &u, &e), -1);
        assert_int_equal(e.code, 0);
        if (!strstr(e.text, tries[i].told))
            fail_msg("%s, not %s", e.text, tries[i].told);
    }
}

static void a_size_beyond_the_bound_is_refused_before_a_byte_is_read(void **state)
{
    static uint8_t tar[1024];
    struct unpack_result u;
    unsigned sum = 8 * ' ';
    struct err e;
    FILE *f = fopen("two", "w");

    (void)state;
    assert_non_null(f);
    (void)snprintf((char *)tar, 100, "files/a");
    memcpy(tar + 100, "0000600", 7);
    memcpy(tar + 124, "77777777777", 11); /* 8 GiB - 1 */
    memcpy(tar + 136, "00000000000", 11);
    tar[156] = '0';
    memcpy(tar + 257, "ustar  ", 7);
    for (size_t i = 0; i < 512; i++)
        sum += tar[i];
    (void)snprintf((char *)tar + 148, 8, "%06o", sum & 0777777u);
    assert_int_equal(fwrite(tar, 1, sizeof(tar), f), sizeof(tar));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(unpack_file("two", -1, MOST, &u, &e), -1);
    assert_int_equal(e.code, 0);
    assert_non_null(strstr(e.text, "member 1, files/a: too much"));
}

static void a_link_in_the_way_is_not_followed(void **state)
{
    struct pack_result r;
    struct unpack_result u;
    struct err e;
    int into;

    (void)state;
    assert_int_equal(pack(logs, "one", &r, &e), 0);
    assert_int_equal(mkdir("out", 0700), 0);
    assert_int_equal(mkdir("elsewhere", 0700), 0);
    assert_int_equal(symlink("../elsewhere", "out/files"), 0);
    into = open("out", O_RDONLY | O_DIRECTORY);
    assert_int_equal(unpack_file("one", into, MOST, &u, &e), -1);
    assert_non_null(strstr(e.text, "the folder files"));
    assert_int_equal(rmdir("elsewhere"), 0); /* it stayed empty */
    (void)close(into);
}

static void what_is_no_file_is_left_out_and_named(void **state)
{
    struct pack_result r;
    struct unpack_result u;
    struct err e;

    (void)state;
    assert_int_equal(symlink("/etc/passwd", "logs/link"), 0);
    assert_int_equal(pack(logs, "one", &r, &e), 0);
    assert_string_equal(noted, "files/logs/link: symbolic link");
    assert_int_equal(r.noted, 1);
    assert_int_equal(unpack_file("one", -1, MOST, &u, &e), 0);
    assert_int_equal(u.files, 3);
}

static void a_file_that_is_shorter_than_it_said_is_marked(void **state)
{
    static char file[] = "/sys/kernel/mm/transparent_hugepage/enabled"; /* says 4096 bytes, gives a line */
    struct pack_result r;
    struct unpack_result u;
    struct err e;

    (void)state;
    if (access(file, R_OK) < 0)
        skip();
    assert_int_equal(pack(file, "one", &r, &e), 0);
    assert_int_equal(r.noted, 1);
    assert_non_null(strstr(noted, "it became shorter"));
    assert_int_equal(unpack_file("one", -1, MOST, &u, &e), 0);
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
    const struct rlimit small = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
    struct rlimit before;
    struct pack_result r;
    struct err e;
    struct evidence_key key;

    (void)state;
    assert_int_equal(evidence_key_load("key", &key, &e), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(pack(logs, "one", &r, &e), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(e.code, EFBIG);
    assert_non_null(strstr(e.text, "one: "));
    assert_int_equal(access("one", F_OK), -1);
    assert_int_equal(access("one.part", F_OK), -1);
}

static void nothing_is_replaced(void **state)
{
    struct pack_result r;
    struct err e;
    char bytes[8];

    (void)state;
    put("one", "mine");
    assert_int_equal(pack(logs, "one", &r, &e), -1);
    assert_int_equal(e.code, EEXIST);
    assert_int_equal(content("one", bytes, sizeof(bytes)), 4);
}

static void a_key_that_others_may_read_is_none(void **state)
{
    struct evidence_key key, same;
    struct err e;

    (void)state;
    assert_int_equal(evidence_key_load("key", &key, &e), 0);
    assert_int_equal(evidence_key_load("key", &same, &e), 0);
    assert_memory_equal(&key, &same, sizeof(key));
    assert_int_equal(chmod("key", 0644), 0);
    assert_int_equal(evidence_key_load("key", &key, &e), -1);
    assert_non_null(strstr(e.text, "chmod 600"));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(the_same_files_give_the_same_bytes_however_they_are_named),
        IN_A_FOLDER(what_was_packed_comes_back),
        IN_A_FOLDER(every_changed_byte_is_found),
        IN_A_FOLDER(a_hostile_archive_is_refused_and_the_place_named),
        IN_A_FOLDER(a_size_beyond_the_bound_is_refused_before_a_byte_is_read),
        IN_A_FOLDER(a_link_in_the_way_is_not_followed),
        IN_A_FOLDER(what_is_no_file_is_left_out_and_named),
        IN_A_FOLDER(a_file_that_is_shorter_than_it_said_is_marked),
        IN_A_FOLDER(a_full_disk_leaves_nothing_behind),
        IN_A_FOLDER(nothing_is_replaced),
        IN_A_FOLDER(a_key_that_others_may_read_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
