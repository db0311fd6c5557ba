/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hand_world - a hand in a network namespace of its own: its settings, facts and wall, and hosts that call; shared by
 * the tests of the hand.
 */
#ifndef SERVIOLA_TESTS_HAND_WORLD_H
#define SERVIOLA_TESTS_HAND_WORLD_H
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/filter.h>
#include "hand/act.h"
#include "hand/cut.h"
#include "hand/cutter.h"
#include "hand/facts.h"
#include "hand/hold.h"
#include "hand/valve.h"
#include "hand/wall.h"
#include "sys/clock.h"
#include "sys/memfile.h"

static __attribute__((unused)) struct hand_settings set;
static __attribute__((unused)) struct never never;
static __attribute__((unused)) struct facts facts;
static __attribute__((unused)) struct wall wall;
static __attribute__((unused)) struct err e;
static __attribute__((unused)) int server = -1;

/* Makes the kernel track the house's own connections. */
#define TRACK "nft 'table ip house { chain o { type filter hook output priority 0; ct state established accept; }; }'"

static inline struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read(slice_text(text), &a));
    return a;
}

static inline void shell(const char *command)
{
    assert_int_equal(system(command), 0);
}

static inline bool holds(const char *set_name, const char *who)
{
    char command[200];

    (void)snprintf(command, sizeof(command), "nft list set inet serviola %s 2>/dev/null | grep -qwF %s", set_name, who);
    return system(command) == 0;
}

static inline struct sockaddr_in mail_at(const char *ip, uint16_t port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };

    assert_int_equal(inet_pton(AF_INET, ip, &sa.sin_addr), 1);
    return sa;
}

/* The descriptor, or -1 with errno (ETIMEDOUT after 300 ms). */
static inline int call_from(const char *ip)
{
    struct sockaddr_in from = mail_at(ip, 0);
    struct sockaddr_in to = mail_at("10.1.0.2", 25);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int error = ETIMEDOUT;
    socklen_t len = sizeof(error);

    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno == EINPROGRESS && poll(&p, 1, 300) > 0)
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error == 0)
        return fd;
    (void)close(fd);
    errno = error;
    return -1;
}

static inline int call(void)
{
    return call_from("10.1.0.1");
}

static inline int house(void **state)
{
    struct sockaddr_in sa;
    int yes = 1;

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
        return -1;
    shell("ip link set lo up && ip link add lan0 type veth peer name pc0 && ip addr add 10.1.0.1/24 dev lan0 && "
          "ip addr add 10.1.0.2/24 dev lan0 && ip link set lan0 up && ip link set pc0 up && "
          "ip addr add fd00:1::1/64 dev lan0 nodad");
    sa = mail_at("10.1.0.2", 25);
    server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(server, (const struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(server, 64) < 0)
        return -1;
    return facts_open(&facts, &e);
}

static inline int empty_house(void **state)
{
    (void)state;
    facts_close(&facts);
    return close(server);
}

static inline void know(void)
{
    assert_int_equal(facts_read(&facts, &e), 0);
    facts_tell(&facts, &never.facts);
    never_sort(&never);
}

static inline void begin(void)
{
    assert_int_equal(wall_open(&wall, &set, &never, 7, &e), 0);
    if (wall_begin(&wall, clock_mono_us(), &e) < 0)
        fail_msg("%s", e.text);
}

static inline int walled(void **state)
{
    (void)state;
    memset(&set, 0, sizeof(set));
    strcpy(set.table, "serviola");
    set.acts = 1;
    set.inside_auto = 1;
    set.log_per_minute = 10;
    set.per_minute = 1000;
    set.total = 2000;
    set.ports_count = 2;
    set.ports[0] = 25;
    set.ports[1] = 587;
    set.own_blockable.count = 1;
    set.own_blockable.at[0] = prefix_of(at("10.1.0.1"), 32);
    never_init(&never, &set);
    know();
    begin();
    return 0;
}

static inline int torn_down(void **state)
{
    (void)state;
    wall_end(&wall, true, clock_mono_us());
    wall_close(&wall);
    return 0;
}

static inline enum hand_code block(const char *who, uint32_t seconds)
{
    struct hand_block ask = { .who = at(who), .seconds = seconds };
    struct hand_outcome out;

    wall_block(&wall, &ask, 1, &out, clock_mono_us());
    return (enum hand_code)out.code;
}

static inline enum hand_code unblock(const char *who)
{
    struct addr ask = at(who);
    struct hand_outcome out;

    wall_unblock(&wall, &ask, 1, &out, clock_mono_us());
    return (enum hand_code)out.code;
}
#endif
