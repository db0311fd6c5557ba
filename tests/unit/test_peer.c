/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/net.h"
#include "sys/peer.h"

static char folder[] = "/tmp/test_peer.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/control", folder);
    return 0;
}

static int clear_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void the_kernel_says_who_came(void **state)
{
    int listening = peer_listen(path, 0660, (gid_t)-1, NULL);
    int client = peer_connect(path, NULL);
    int fd = accept(listening, NULL, NULL);
    struct peer_ids who;
    struct stat st;

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_true(fd >= 0);
    assert_int_equal(peer_ask(fd, &who, NULL), 0);
    assert_int_equal(who.pid, getpid());
    assert_int_equal(who.uid, getuid());
    assert_true(peer_in_group(fd, getgid()));
    assert_false(peer_in_group(fd, 54321));
    (void)close(client);
    (void)close(fd);
    (void)close(listening);
}

static void a_group_beside_the_primary_one_counts(void **state)
{
    const gid_t groups[] = { 12345, 23456 };
    int listening;
    int fd;
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    listening = peer_listen(path, 0660, 23456, NULL);
    assert_true(listening >= 0);
    pid = fork();
    if (pid == 0)
        _exit(setgroups(2, groups) == 0 && setgid(65534) == 0 && setuid(65534) == 0 && peer_connect(path, NULL) >= 0
                  ? 0
                  : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0); /* let in by the socket's mode and group */
    fd = accept(listening, NULL, NULL);
    assert_true(fd >= 0);
    assert_true(peer_in_group(fd, 23456));
    assert_false(peer_in_group(fd, 34567));
    pid = fork();
    if (pid == 0)
        _exit(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0 && peer_connect(path, NULL) < 0 &&
                      errno == EACCES
                  ? 0
                  : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0); /* a stranger is not */
    (void)close(fd);
    (void)close(listening);
}

static void a_dead_one_s_socket_is_replaced_and_a_living_one_s_is_not(void **state)
{
    int first = peer_listen(path, 0600, (gid_t)-1, NULL);
    struct err e = { 0 };
    int second;

    (void)state;
    assert_true(first >= 0);
    assert_int_equal(peer_listen(path, 0600, (gid_t)-1, &e), -1);
    assert_non_null(strstr(e.text, "runs already"));
    (void)close(first); /* as after kill -9: the name stays */
    second = peer_listen(path, 0600, (gid_t)-1, NULL);
    assert_true(second >= 0);
    (void)close(second);
}

static void a_file_in_the_way_is_left_alone(void **state)
{
    struct err e = { 0 };
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    (void)state;
    assert_int_equal(peer_listen(path, 0600, (gid_t)-1, &e), -1);
    assert_non_null(strstr(e.text, "no socket"));
    assert_int_equal(access(path, F_OK), 0);
    (void)close(fd);
}

static void a_name_that_does_not_fit_is_an_error(void **state)
{
    char longer[200];

    (void)state;
    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(peer_listen(longer, 0600, (gid_t)-1, NULL), -1);
    assert_int_equal(peer_connect("", NULL), -1);
    assert_int_equal(peer_connect("/nonexistent/control", NULL), -1);
}

static void a_group_is_found_or_the_way_out_is_named(void **state)
{
    gid_t group = 1;
    struct err e;

    (void)state;
    assert_int_equal(peer_group("root", &group, NULL), 0);
    assert_int_equal(group, 0);
    assert_int_equal(peer_group("serviola-nobody-at-all", &group, &e), -1);
    assert_non_null(strstr(e.text, "tools/users"));
}

/* --- resolv.conf --- */

static void name_servers_are_read_and_the_rest_is_passed_over(void **state)
{
    struct addr at[4];
    struct slice text = SLICE("# nameserver 9.9.9.9\nsearch lan\n nameserver\t192.0.2.1 \r\nnameserver 192.0.2.1\n"
                              "nameserver fe80::1%eth0\nnameservers 192.0.2.3\nnameserver\nnameserver dns.example\n"
                              "nameserver 2001:db8::53 # ours\noptions edns0\nnameserver ::ffff:192.0.2.4");

    (void)state;
    assert_int_equal(net_resolvers_read(text, at, 4), 4);
    assert_string_equal(addr_text(at[0]).text, "192.0.2.1");
    assert_string_equal(addr_text(at[1]).text, "fe80::1");
    assert_string_equal(addr_text(at[2]).text, "2001:db8::53");
    assert_string_equal(addr_text(at[3]).text, "192.0.2.4");
    assert_int_equal(net_resolvers_read(text, at, 2), 2);
    assert_int_equal(net_resolvers_read(SLICE(""), at, 4), 0);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, clear_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(the_kernel_says_who_came),
        WITH_FOLDER(a_group_beside_the_primary_one_counts),
        WITH_FOLDER(a_dead_one_s_socket_is_replaced_and_a_living_one_s_is_not),
        WITH_FOLDER(a_file_in_the_way_is_left_alone),
        WITH_FOLDER(a_name_that_does_not_fit_is_an_error),
        cmocka_unit_test(a_group_is_found_or_the_way_out_is_named),
        cmocka_unit_test(name_servers_are_read_and_the_rest_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
