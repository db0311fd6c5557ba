/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snap/file.h"
#include "snap/join.h"
#include "snap/line.h"

#define assert_slice(s, literal) assert_true(slice_eq((s), SLICE(literal)))

static char folder[64];

static struct snap *picture(void)
{
    struct snap *s = snap_new(NULL);
    struct snap_host *h = snap_add(s, SNAP_HOST);
    struct snap_process *p = snap_add(s, SNAP_PROCESS);
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);

    h->name = SLICE("front");
    h->begun_us = 1795375683123456;
    p->pid = 12;
    p->comm = SLICE("a) R 1\n\033[2J\"\\");
    p->args = SLICE("perl\0/x/callback\0\xff\xfe\0\xc3\xa4\0");
    p->unlisted = true;
    k->kind = SLICE("tcp");
    (void)addr_read_port(SLICE("127.0.1.50:25"), &k->local);
    (void)addr_read_port(SLICE("[2001:db8::1]:4711"), &k->remote);
    k->inode = UINT64_MAX;
    snap_note(s, "process", "%d are missing", 3);
    return s;
}

static void a_record_comes_back_from_its_line_byte_for_byte(void **state)
{
    struct snap *s = picture();
    struct snap *back = snap_new(NULL);
    struct snap_process *p = s->part[SNAP_PROCESS].at;
    struct snap_process *q;
    char line[4096];
    struct text t = TEXT_IN(line);

    (void)state;
    snap_line_write(&t, SNAP_PROCESS, p);
    for (size_t i = 0; i < t.len; i++)
        assert_true((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
    assert_int_equal(snap_line_read(back, SNAP_PROCESS, slice_text(line), NULL), 0);
    q = back->part[SNAP_PROCESS].at;
    assert_int_equal(q->pid, 12);
    assert_true(slice_eq(q->comm, p->comm));
    assert_true(slice_eq(q->args, p->args));
    assert_true(q->unlisted);
    snap_free(back);
    snap_free(s);
}

static void lines_that_are_none_are_refused(void **state)
{
    static const char *const lines[] = { "",
                                         "{",
                                         "[1]",
                                         "{\"pid\":}",
                                         "{\"pid\":\"x\"}",
                                         "{\"pid\":1",
                                         "{\"comm\":\"\\u00\"}",
                                         "{\"pid\":{\"a\":1}}",
                                         "{\"unlisted\":1}",
                                         "{\"pid\" 1}" };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct snap *s = snap_new(NULL);
        struct err e;

        assert_int_equal(snap_line_read(s, SNAP_PROCESS, slice_text(lines[i]), &e), -1);
        snap_free(s);
    }
}

static void one_changed_byte_is_found_and_its_member_named(void **state)
{
    struct snap *s = picture();
    struct snap *back = snap_new(NULL);
    struct snap_bytes tar;
    struct err e;
    uint8_t *at;

    (void)state;
    assert_int_equal(snap_pack_tar(s, NULL, NULL, &tar, &e), 0);
    assert_int_equal(snap_tar_read(slice_of(tar.at, tar.len), back, &e), 0);
    assert_int_equal(back->part[SNAP_SOCKET].count, 1);
    snap_free(back);

    at = memmem(tar.at, tar.len, "127.0.1.50", 10);
    assert_non_null(at);
    at[2] = '8';
    back = snap_new(NULL);
    assert_int_equal(snap_tar_read(slice_of(tar.at, tar.len), back, &e), -1);
    assert_non_null(strstr(e.text, "socket.jsonl"));
    snap_free(back);
    snap_bytes_done(&tar);
    snap_free(s);
}

static void a_file_that_is_there_stays_unless_it_is_to_be_replaced(void **state)
{
    struct snap *s;
    struct snap_bytes file;
    struct snap *back;
    struct err e;
    char path[96];

    (void)state;
    if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
        (void)printf("valgrind does not know openat2\n");
        skip();
    }
    s = picture();
    (void)snprintf(path, sizeof(path), "%s/a.xray", folder);
    assert_int_equal(snap_pack(s, NULL, &file, &e), 0);
    assert_int_equal(snap_write(path, false, &file, &e), 0);
    assert_int_equal(snap_write(path, false, &file, &e), -1);
    assert_int_equal(snap_write(path, true, &file, &e), 0);
    back = snap_read(path, &e);
    assert_non_null(back);
    assert_slice(snap_host(back)->name, "front");
    snap_free(back);
    snap_bytes_done(&file);
    snap_free(s);
}

static void links_and_pipes_are_not_written_to(void **state)
{
    struct snap_bytes file = { .at = (uint8_t *)strdup("x"), .len = 1 };
    struct stat st;
    char path[96];
    char other[96];
    struct err e;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/link", folder);
    (void)snprintf(other, sizeof(other), "%s/target", folder);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(snap_write(path, true, &file, &e), -1);
    assert_int_equal(stat(other, &st), -1);

    (void)snprintf(path, sizeof(path), "%s/way", folder);
    assert_int_equal(symlink(folder, path), 0);
    (void)snprintf(path, sizeof(path), "%s/way/b.xray", folder);
    assert_int_equal(snap_write(path, true, &file, &e), -1);

    (void)snprintf(path, sizeof(path), "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(snap_write(path, true, &file, &e), -1);
    assert_int_equal(snap_write("/", true, &file, &e), -1);
    assert_int_equal(snap_write("", true, &file, &e), -1);
    snap_bytes_done(&file);
}

static struct snap_socket *connection(struct snap *s, const char *local, const char *remote, uint64_t inode,
                                      uint64_t network)
{
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);

    k->kind = SLICE("tcp");
    k->state = remote ? SLICE("ESTABLISHED") : SLICE("LISTEN");
    (void)addr_read_port(slice_text(local), &k->local);
    if (remote)
        (void)addr_read_port(slice_text(remote), &k->remote);
    k->inode = inode;
    k->network = network;
    return k;
}

static void ends_are_joined_across_namespaces_but_loopback_is_not(void **state)
{
    struct snap *s = snap_new(NULL);
    struct join *j;
    const struct snap_socket *at;

    (void)state;
    (void)connection(s, "10.0.0.1:40000", "10.0.0.2:25", 1, 7);
    (void)connection(s, "10.0.0.2:25", "10.0.0.1:40000", 2, 8);
    (void)connection(s, "127.0.0.1:40001", "127.0.0.1:25", 3, 7);
    (void)connection(s, "127.0.0.1:25", "127.0.0.1:40001", 4, 8);
    (void)connection(s, "0.0.0.0:25", NULL, 5, 8);
    j = join_new(s, NULL);
    at = s->part[SNAP_SOCKET].at;
    assert_ptr_equal(join_other_end(j, &at[0]), &at[1]);
    assert_ptr_equal(join_other_end(j, &at[1]), &at[0]);
    assert_null(join_other_end(j, &at[2]));
    assert_ptr_equal(join_listener(j, &at[1]), &at[4]);
    assert_null(join_listener(j, &at[0]));
    join_free(j);
    snap_free(s);
}

static void a_full_part_counts_what_does_not_fit(void **state)
{
    struct snap *s = snap_new(NULL);

    (void)state;
    for (size_t i = 0; i < snap_kinds[SNAP_QUEUE].most; i++)
        assert_non_null(snap_add(s, SNAP_QUEUE));
    assert_null(snap_add(s, SNAP_QUEUE));
    assert_int_equal(s->part[SNAP_QUEUE].lost, 1);
    snap_free(s);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_snap.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "a.xray", "link", "way", "pipe" };
    char path[96];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_from_its_line_byte_for_byte),
        cmocka_unit_test(lines_that_are_none_are_refused),
        cmocka_unit_test(one_changed_byte_is_found_and_its_member_named),
        cmocka_unit_test(a_file_that_is_there_stays_unless_it_is_to_be_replaced),
        cmocka_unit_test(links_and_pipes_are_not_written_to),
        cmocka_unit_test(ends_are_joined_across_namespaces_but_loopback_is_not),
        cmocka_unit_test(a_full_part_counts_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
