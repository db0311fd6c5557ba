/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that the hand lends: who gets one, what it can do, and how long it is kept.  The kernel's part runs in a
 * namespace of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hand/lend.h"

static struct hand_settings set;
static struct never never;
static struct err e;

static struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read_port(slice_text(text), &a));
    return a;
}

static void name(const char *place, bool transparent)
{
    set.listens[set.listens_count++] = (struct hand_listen){ .at = at(place), .transparent = transparent };
}

static int named(void **state)
{
    (void)state;
    memset(&set, 0, sizeof(set));
    name("0.0.0.0:25", false);
    name("[::]:25", false);
    name("192.0.2.9:587", true);
    never_init(&never, &set);
    never.facts.known = true;
    never.facts.own[never.facts.own_count++] = addr_ip(at("192.0.2.9"));
    never_sort(&never);
    return 0;
}

static enum hand_code may_listen(const char *place, bool transparent)
{
    struct hand_listen ask = { .at = at(place), .transparent = transparent };

    return lend_may_listen(&set, &ask);
}

static void only_named_places_are_listened_at(void **state)
{
    struct hand_listen nonsense = { .at = at("0.0.0.0:25"), .early = 2 };

    (void)state;
    assert_int_equal(may_listen("0.0.0.0:25", false), HAND_OK);
    assert_int_equal(may_listen("[::]:25", false), HAND_OK);
    assert_int_equal(may_listen("0.0.0.0:26", false), HAND_NOT_NAMED);
    assert_int_equal(may_listen("127.0.0.1:25", false), HAND_NOT_NAMED);
    assert_int_equal(may_listen("0.0.0.0:25", true), HAND_NOT_NAMED); /* to intercept has to be named as well */
    assert_int_equal(may_listen("192.0.2.9:587", true), HAND_OK);
    assert_int_equal(lend_may_listen(&set, &nonsense), HAND_WRONG);
}

static void nobody_listens_at_a_place_of_another_part(void **state)
{
    struct hand_listen ask = { .at = at("0.0.0.0:25"), .tenant = HAND_FOR_METRICS };

    (void)state;
    assert_int_equal(lend_may_listen(&set, &ask), HAND_NOT_NAMED);
    set.listens[0].tenant = HAND_FOR_METRICS;
    assert_int_equal(lend_may_listen(&set, &ask), HAND_OK);
    assert_int_equal(may_listen("0.0.0.0:25", false), HAND_NOT_NAMED);
    ask.tenant = HAND_FOR_LOG + 1;
    assert_int_equal(lend_may_listen(&set, &ask), HAND_WRONG);
}

static void who_may_receive_datagrams_may_not_listen_for_streams_there(void **state)
{
    struct hand_listen ask = { .at = at("0.0.0.0:514"), .tenant = HAND_FOR_LOG };

    (void)state;
    set.listens[set.listens_count++] =
        (struct hand_listen){ .at = at("0.0.0.0:514"), .tenant = HAND_FOR_LOG, .datagrams = 1 };
    assert_int_equal(lend_may_listen(&set, &ask), HAND_NOT_NAMED);
    ask.datagrams = 1;
    assert_int_equal(lend_may_listen(&set, &ask), HAND_OK);
    ask.buffer = UINT32_MAX;
    assert_int_equal(lend_may_listen(&set, &ask), HAND_WRONG);
}

static struct hand_link link_of(int32_t index, uint32_t addresses)
{
    return (struct hand_link){ .ifindex = index, .up = 1, .count = addresses };
}

static void interfaces_are_added_replaced_and_removed_as_they_are_told(void **state)
{
    struct hand_link all[2];
    struct hand_link now = link_of(3, 1);
    uint32_t count = 0;

    (void)state;
    assert_true(hand_links_fold(all, &count, 2, &now));
    now = link_of(4, 2);
    assert_true(hand_links_fold(all, &count, 2, &now));
    assert_int_equal(count, 2);
    now = link_of(3, 7);
    assert_true(hand_links_fold(all, &count, 2, &now));
    assert_int_equal(count, 2);
    assert_int_equal(all[0].count, 7);
    now.gone = 1;
    assert_true(hand_links_fold(all, &count, 2, &now));
    assert_int_equal(count, 1);
    assert_int_equal(all[0].ifindex, 4);
    assert_true(hand_links_fold(all, &count, 2, &now)); /* gone twice is gone */
    assert_int_equal(count, 1);
}

static void what_does_not_fit_is_known_to_be_cut(void **state)
{
    struct hand_link all[1];
    struct hand_link now = link_of(3, HAND_LINK_ADDRS);
    uint32_t count = 0;

    (void)state;
    assert_false(hand_links_fold(all, &count, 1, &now)); /* as many as one telling holds: there may be more */
    assert_int_equal(count, 1);
    now = link_of(4, 1);
    assert_false(hand_links_fold(all, &count, 1, &now));
    assert_int_equal(count, 1);
    assert_int_equal(all[0].ifindex, 3);
}

static void nobody_speaks_in_our_own_name_or_in_none(void **state)
{
    struct addr mapped = { .family = 6, .ip = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } };

    (void)state;
    assert_int_equal(lend_may_borrow(&never, at("198.51.100.7:40000")), HAND_NOT_NAMED);
    set.borrow = 1;
    assert_int_equal(lend_may_borrow(&never, at("198.51.100.7:40000")), HAND_OK);
    assert_int_equal(lend_may_borrow(&never, at("2001:db8::7")), HAND_OK);
    assert_int_equal(lend_may_borrow(&never, at("192.0.2.9:40000")), HAND_NEVER_OWN);
    assert_int_equal(lend_may_borrow(&never, at("127.0.1.50")), HAND_NEVER_SPECIAL);
    assert_int_equal(lend_may_borrow(&never, at("0.0.0.0")), HAND_NEVER_SPECIAL);
    assert_int_equal(lend_may_borrow(&never, at("::")), HAND_NEVER_SPECIAL);
    assert_int_equal(lend_may_borrow(&never, at("224.0.0.1")), HAND_NEVER_SPECIAL);
    assert_int_equal(lend_may_borrow(&never, mapped), HAND_WRONG);
    assert_int_equal(lend_may_borrow(&never, (struct addr){ 0 }), HAND_WRONG);
    never.facts.known = false; /* then it might be ours */
    assert_int_equal(lend_may_borrow(&never, at("198.51.100.7:40000")), HAND_NEVER_OWN);
}

/* ---- the kernel ---- */

static int alone(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up && ip route add local 198.51.100.0/24 dev lo") != 0)
        return -1;
    return 0;
}

static int listener(const char *place, bool v6only, bool early)
{
    struct hand_listen ask = { .at = at(place), .v6only = v6only, .early = early };

    return lend_listen(&ask, &e);
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(close(fds[i]), 0);
}

static void a_lent_listener_waits_for_nobody_and_both_families_share_a_port(void **state)
{
    int fds[3];

    (void)state;
    fds[0] = listener("0.0.0.0:25", false, false);
    fds[1] = listener("[::]:25", true, false);
    assert_true(fds[0] >= 0 && fds[1] >= 0);
    assert_int_equal(listener("0.0.0.0:25", false, false), -1);
    assert_int_equal(e.code, EADDRINUSE);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(accept(fds[0], NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(listener("192.0.2.77:25", false, false), -1);
    assert_int_equal(e.code, EADDRNOTAVAIL);
    close_all(fds, 2);
    fds[2] = listener("192.0.2.77:25", false, true); /* an address that comes later */
    assert_true(fds[2] >= 0);
    close_all(&fds[2], 1);
}

static int comes(const struct hand_listen *to) /* a client, or -1 with errno */
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(to->at.port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(&sa.sin_addr, to->at.ip, sizeof(sa.sin_addr));
    if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* What a part does with what it got: here a copy, as one comes through a link. */
static int take(struct lent *lent, const struct hand_listen *ask)
{
    int fd = lent_listen(lent, ask, &e);

    assert_true(fd >= 0);
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void who_comes_while_the_gate_is_away_is_served_by_the_next_one(void **state)
{
    struct lent lent = { .count = 0 };
    struct hand_listen ask = { .at = at("127.0.0.1:2600") };
    int fds[4];

    (void)state;
    fds[0] = take(&lent, &ask);
    assert_int_equal(close(fds[0]), 0); /* it died */
    fds[1] = comes(&ask);
    assert_true(fds[1] >= 0);
    fds[2] = take(&lent, &ask);
    assert_int_equal(lent.count, 1);
    assert_int_equal(poll(&(struct pollfd){ .fd = fds[2], .events = POLLIN }, 1, 2000), 1);
    fds[3] = accept(fds[2], NULL, NULL);
    assert_true(fds[3] >= 0);
    close_all(&fds[1], 3);
    lent_let_go(&lent, &ask);
    assert_int_equal(lent.count, 0);
    assert_int_equal(comes(&ask), -1);
    assert_int_equal(errno, ECONNREFUSED);
}

static void what_the_settings_name_no_more_is_not_kept(void **state)
{
    struct lent lent = { .count = 0 };
    struct hand_listen first = { .at = at("127.0.0.1:2601") };
    struct hand_listen second = { .at = at("127.0.0.1:2602") };
    struct hand_listen other = { .at = at("127.0.0.1:2602"), .tenant = HAND_FOR_METRICS };

    (void)state;
    assert_true(lent_listen(&lent, &first, &e) >= 0 && lent_listen(&lent, &second, &e) >= 0);
    lent_let_go(&lent, &other);
    assert_int_equal(lent.count, 2);
    memset(&set, 0, sizeof(set));
    name("127.0.0.1:2602", false);
    lent_sift(&lent, &set);
    assert_int_equal(lent.count, 1);
    assert_int_equal(comes(&first), -1);
    set.listens[0].tenant = HAND_FOR_METRICS; /* of the gate it is not kept for another */
    lent_sift(&lent, &set);
    assert_int_equal(lent.count, 0);
    assert_true(lent_listen(&lent, &first, &e) >= 0);
    lent_let_go(&lent, &(struct hand_listen){ 0 });
    assert_int_equal(lent.count, 0);
}

static void another_kind_of_socket_takes_the_place_of_the_kept_one(void **state)
{
    struct lent lent = { .count = 0 };
    struct hand_listen ask = { .at = at("127.0.0.1:2603") };
    int value = 0;
    socklen_t len = sizeof(value);

    (void)state;
    assert_true(lent_listen(&lent, &ask, &e) >= 0);
    ask.transparent = 1;
    assert_true(lent_listen(&lent, &ask, &e) >= 0);
    assert_int_equal(lent.count, 1);
    assert_int_equal(getsockopt(lent.fd[0], IPPROTO_IP, IP_TRANSPARENT, &value, &len), 0);
    assert_int_equal(value, 1);
    lent_let_go(&lent, &ask);
}

static void the_server_sees_the_client_whose_name_was_borrowed(void **state)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(2525) };
    struct sockaddr_in peer = { 0 };
    socklen_t len = sizeof(peer);
    int fds[3];

    (void)state;
    fds[0] = listener("127.0.0.1:2525", false, false);
    fds[1] = lend_borrow(at("198.51.100.7:40000"), &e);
    assert_true(fds[0] >= 0 && fds[1] >= 0);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
    assert_int_equal(connect(fds[1], (const struct sockaddr *)&to, sizeof(to)), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, 2000), 1);
    fds[2] = accept(fds[0], (struct sockaddr *)&peer, &len);
    assert_true(fds[2] >= 0);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), 0xc6336407);
    assert_int_equal(ntohs(peer.sin_port), 40000);
    close_all(fds, 3);
}

static void a_client_without_a_port_gets_one_when_it_connects(void **state)
{
    int four = lend_borrow(at("198.51.100.8"), &e);
    int six = lend_borrow(at("2001:db8::8"), &e);

    (void)state;
    assert_true(four >= 0 && six >= 0);
    close_all((const int[]){ four, six }, 2);
}

static void datagrams_find_a_socket_with_much_room(void **state)
{
    struct hand_listen ask = { .at = at("127.0.0.1:514"), .datagrams = 1, .shared = 1, .buffer = 1 << 20 };
    int one = lend_listen(&ask, &e);
    int two = lend_listen(&ask, &e);
    int type = 0;
    int room = 0;
    socklen_t len = sizeof(type);

    (void)state;
    assert_true(one >= 0 && two >= 0);
    assert_int_equal(getsockopt(one, SOL_SOCKET, SO_TYPE, &type, &len), 0);
    assert_int_equal(type, SOCK_DGRAM);
    assert_int_equal(getsockopt(one, SOL_SOCKET, SO_RCVBUF, &room, &len), 0);
    assert_true(room >= 1 << 20);
    close_all((const int[]){ one, two }, 2);
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test_setup(only_named_places_are_listened_at, named),
        cmocka_unit_test_setup(nobody_listens_at_a_place_of_another_part, named),
        cmocka_unit_test_setup(who_may_receive_datagrams_may_not_listen_for_streams_there, named),
        cmocka_unit_test(interfaces_are_added_replaced_and_removed_as_they_are_told),
        cmocka_unit_test(what_does_not_fit_is_known_to_be_cut),
        cmocka_unit_test_setup(nobody_speaks_in_our_own_name_or_in_none, named),
    };
    const struct CMUnitTest kernel[] = {
        cmocka_unit_test(a_lent_listener_waits_for_nobody_and_both_families_share_a_port),
        cmocka_unit_test(who_comes_while_the_gate_is_away_is_served_by_the_next_one),
        cmocka_unit_test(what_the_settings_name_no_more_is_not_kept),
        cmocka_unit_test(another_kind_of_socket_takes_the_place_of_the_kept_one),
        cmocka_unit_test(the_server_sees_the_client_whose_name_was_borrowed),
        cmocka_unit_test(datagrams_find_a_socket_with_much_room),
        cmocka_unit_test(a_client_without_a_port_gets_one_when_it_connects),
    };
    int failed = cmocka_run_group_tests(pure, NULL, NULL);

    return geteuid() == 0 ? failed + cmocka_run_group_tests(kernel, alone, NULL) : failed;
}
