/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that the service manager keeps: what it says of them, and which are taken.  The kernel's part runs in a
 * namespace of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/stock.h"
#include "hand/lend.h"
#include "hand/stock.h"
#include "sys/systemd.h"

static struct hand_settings set;
static struct err e;

static struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read_port(slice_text(text), &a));
    return a;
}

static int named(void **state)
{
    (void)state;
    memset(&set, 0, sizeof(set));
    set.listens[0] = (struct hand_listen){ .at = at("127.0.0.1:25") };
    set.listens[1] = (struct hand_listen){ .at = at("[::]:587"), .v6only = 1 };
    set.listens[2] = (struct hand_listen){ .at = at("127.0.0.1:9100"), .tenant = HAND_FOR_METRICS };
    set.listens[3] = (struct hand_listen){ .at = at("127.0.0.1:514"), .tenant = HAND_FOR_LOG, .datagrams = 1 };
    set.listens[4] = (struct hand_listen){ .at = at("127.0.0.1:601"), .tenant = HAND_FOR_LOG };
    set.listens_count = 5;
    return 0;
}

static int count(const char *pid, const char *fds)
{
    return systemd_count(pid, fds, 4711, &e);
}

static void only_what_was_given_to_this_process_is_counted(void **state)
{
    static const char *const nonsense[] = { "",     "-1",  "+1",        "1 ",   " 1",
                                            "0x1",  "1x",  "1.0",       "1025", "99999999999999999999999999",
                                            "\xff", "1\n", "4294967297" };

    (void)state;
    assert_int_equal(count("4711", "3"), 3);
    assert_int_equal(count("4711", "0"), 0);
    assert_int_equal(count("4711", "1024"), 1024);
    assert_int_equal(count("4712", "3"), 0);
    assert_int_equal(count(NULL, "3"), 0);
    assert_int_equal(count("4711", NULL), 0);
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        assert_int_equal(count("4711", nonsense[i]), -1);
        assert_true(count(nonsense[i], "1") <= 0);
    }
}

static void a_name_is_what_stands_between_colons(void **state)
{
    (void)state;
    assert_true(slice_eq(systemd_name("one:two:three", 0), SLICE("one")));
    assert_true(slice_eq(systemd_name("one:two:three", 2), SLICE("three")));
    assert_int_equal(systemd_name("one:two:three", 3).len, 0);
    assert_int_equal(systemd_name("one::three", 1).len, 0);
    assert_true(slice_eq(systemd_name("one::three", 2), SLICE("three")));
    assert_int_equal(systemd_name("", 0).len, 0);
    assert_int_equal(systemd_name(":", 1).len, 0);
    assert_int_equal(systemd_name(NULL, 7).len, 0);
    assert_int_equal(systemd_name("one", 1023).len, 0);
}

static void a_socket_is_stored_under_its_address_and_port(void **state)
{
    struct hand_listen place = { .at = at("192.0.2.1:25") };
    char name[STOCK_NAME];

    (void)state;
    stock_name(&place, name);
    assert_string_equal(name, "serviola-4-c0000201-25");
    place.at = at("[2001:db8::1]:65535");
    stock_name(&place, name);
    assert_string_equal(name, "serviola-6-20010db8000000000000000000000001-65535");
    assert_null(strchr(name, ':'));
}

/* ---- the manager's end ---- */

static int manager_at(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void hears(int manager, const char *words, bool with_fd)
{
    char text[400] = "";
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec v = { text, sizeof(text) - 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
    struct cmsghdr *c;

    assert_true(recvmsg(manager, &m, MSG_CMSG_CLOEXEC) > 0);
    assert_string_equal(text, words);
    c = CMSG_FIRSTHDR(&m);
    assert_true((c != NULL) == with_fd);
    if (c) {
        int fd;

        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        assert_int_equal(close(fd), 0);
    }
}

static void the_manager_is_told_in_its_own_words(void **state)
{
    char folder[] = "/tmp/serviola-stock-XXXXXX";
    char path[64];
    int manager;
    int fd;
    int sent = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/notify", folder);
    assert_int_equal(systemd_open(path, &e), -1);
    assert_int_equal(systemd_open("", &e), -1);
    assert_int_equal(systemd_open("notify", &e), -1);
    assert_int_equal(systemd_open("@", &e), -1);
    manager = manager_at(path);
    fd = systemd_open(path, &e);
    assert_true(fd >= 0);
    assert_int_equal(systemd_store(fd, "serviola-4-c0000201-25", STDERR_FILENO, &e), 0);
    hears(manager, "FDSTORE=1\nFDNAME=serviola-4-c0000201-25", true);
    assert_int_equal(systemd_remove(fd, "serviola-4-c0000201-25", &e), 0);
    hears(manager, "FDSTOREREMOVE=1\nFDNAME=serviola-4-c0000201-25", false);
    while (sent < 10000 && systemd_store(fd, "full", STDERR_FILENO, &e) == 0)
        sent++;
    assert_true(sent < 10000 && e.code == EAGAIN); /* one that does not read stops nobody */
    assert_int_equal(close(manager), 0);
    assert_int_equal(systemd_store(fd, "gone", STDERR_FILENO, &e), -1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- the kernel ---- */

static int alone(void **state)
{
    (void)state;
    return unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0 ? -1 : 0;
}

static int listener(const char *place, bool v6only)
{
    struct hand_listen ask = { .at = at(place), .v6only = v6only };
    int fd = lend_listen(&ask, &e);

    assert_true(fd >= 0);
    return fd;
}

static bool is_taken(int fd)
{
    const struct hand_listen *place = stock_named(&set, fd, &e);

    assert_true(place || e.text[0] != '\0');
    assert_int_equal(close(fd), 0);
    return place;
}

static void only_what_the_settings_name_is_taken(void **state)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(25), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int fd;

    (void)state;
    assert_true(is_taken(listener("127.0.0.1:25", false)));
    assert_true(is_taken(listener("[::]:587", true)));
    assert_true(is_taken(listener("127.0.0.1:9100", false)));
    assert_false(is_taken(listener("[::]:587", false))); /* IPv4 has a socket of its own */
    assert_false(is_taken(listener("127.0.0.2:25", false)));
    assert_false(is_taken(listener("0.0.0.0:25", false)));
    assert_false(is_taken(listener("127.0.0.1:601", false))); /* the log opens its own */
    assert_int_equal(bind(bound, (const struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(bind(datagrams, (const struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_false(is_taken(bound)); /* it does not listen */
    assert_false(is_taken(datagrams));
    assert_false(is_taken(open("/dev/null", O_RDONLY | O_CLOEXEC)));
    assert_false(is_taken(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(close(fd), 0);
    assert_null(stock_named(&set, fd, &e));
}

static void the_hand_adopts_a_socket_once_and_gives_it_to_who_asks(void **state)
{
    struct lent lent = { .count = 0 };
    struct hand_listen ask = set.listens[0];
    int fd = listener("127.0.0.1:25", false);
    int flags = 0;
    socklen_t len = sizeof(flags);

    (void)state;
    assert_int_equal(lent_adopt(&lent, &set, listener("127.0.0.2:25", false), &e), -1);
    assert_int_equal(lent_adopt(&lent, &set, fd, &e), 0);
    assert_int_equal(lent_adopt(&lent, &set, fcntl(fd, F_DUPFD_CLOEXEC, 0), &e), -1);
    assert_int_equal(lent.count, 1);
    assert_int_equal(lent_listen(&lent, &ask, &e), fd);
    ask.early = ask.transparent = 1; /* it becomes what it is asked to be */
    assert_int_equal(lent_listen(&lent, &ask, &e), fd);
    assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &flags, &len), 0);
    assert_int_equal(flags, 1);
    lent_close(&lent);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* In a child, as at its start: its descriptors 3, 4, 5 and the environment are the manager's. */
static void start_with(const char *fds, uint32_t taken, bool closes)
{
    static struct stock s;
    const char *const places[] = { "127.0.0.1:25", "127.0.0.1:26", "[::]:587" };
    char pid[16];

    for (int i = 0; i < 3; i++) {
        int fd = listener(places[i], true);

        assert_int_equal(dup3(fd, 200 + i, O_CLOEXEC), 200 + i);
        assert_int_equal(close(fd), 0);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dup2(200 + i, SYSTEMD_FIRST + i), SYSTEMD_FIRST + i); /* not close-on-exec */
        assert_int_equal(close(200 + i), 0);
    }
    (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
    assert_true(setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDS", fds, 1) == 0 &&
                setenv("LISTEN_FDNAMES", "a::serviola-x\n:::", 1) == 0);
    stock_open(&s, &set);
    assert_int_equal(s.count, taken);
    assert_int_equal(s.manager, -1);
    assert_null(getenv("LISTEN_FDS"));
    assert_true((fcntl(SYSTEMD_FIRST + 1, F_GETFD) < 0) == closes);
    for (uint32_t i = 0; i < s.count; i++)
        assert_true(s.place[i].stored && fcntl(s.place[i].fd, F_GETFD) & FD_CLOEXEC);
    stock_close(&s);
    for (int i = 0; i < 3 && !closes; i++)
        assert_int_equal(close(SYSTEMD_FIRST + i), 0);
}

static void the_start_takes_what_is_named_and_no_descriptor_of_its_own(void **state)
{
    (void)state;
    start_with("3", 2, true);
}

static void nonsense_takes_nothing(void **state)
{
    (void)state;
    start_with("-3", 0, false);
}

static void more_than_there_is_does_no_harm(void **state)
{
    int own = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 300);

    (void)state;
    start_with("1000", 2, true);
    assert_int_equal(close(own), 0); /* it is ours, and was left alone */
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(only_what_was_given_to_this_process_is_counted),
        cmocka_unit_test(a_name_is_what_stands_between_colons),
        cmocka_unit_test(a_socket_is_stored_under_its_address_and_port),
        cmocka_unit_test(the_manager_is_told_in_its_own_words),
    };
    const struct CMUnitTest kernel[] = {
        cmocka_unit_test_setup(only_what_the_settings_name_is_taken, named),
        cmocka_unit_test_setup(the_hand_adopts_a_socket_once_and_gives_it_to_who_asks, named),
        cmocka_unit_test_setup(the_start_takes_what_is_named_and_no_descriptor_of_its_own, named),
        cmocka_unit_test_setup(nonsense_takes_nothing, named),
        cmocka_unit_test_setup(more_than_there_is_does_no_harm, named),
    };
    int failed = cmocka_run_group_tests(pure, NULL, NULL);

    return geteuid() == 0 ? failed + cmocka_run_group_tests(kernel, alone, NULL) : failed;
}
