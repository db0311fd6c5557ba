/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A look at ports, here at those of the loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/audit/outside.h"

static struct outside look;

/* A port of the loopback on which `backlog` may wait; -1: it is only held, and nobody listens. */
static int held(int backlog, uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_true(backlog < 0 || listen(fd, backlog) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void a_port_that_listens_is_open_and_one_that_does_not_is_closed(void **state)
{
    uint16_t open_port;
    uint16_t shut_port;
    int open_fd = held(8, &open_port);
    int shut_fd = held(-1, &shut_port);
    struct err e;

    (void)state;
    memset(&look, 0, sizeof(look));
    look.host = addr_v4(INADDR_LOOPBACK, 0);
    look.longest_ms = 60000;
    look.port[open_port] = look.port[shut_port] = OUTSIDE_ASKED;
    assert_int_equal(outside_look(&look, &e), 0);
    assert_int_equal(look.port[open_port], OUTSIDE_OPEN);
    assert_int_equal(look.port[shut_port], OUTSIDE_CLOSED);
    assert_int_equal(look.port[1], OUTSIDE_NOT_ASKED);
    assert_string_equal(addr_ip_text(look.from).text, "127.0.0.1");
    close(open_fd);
    close(shut_fd);
}

static void what_was_not_tried_when_the_time_is_up_stays_asked(void **state)
{
    struct err e;

    (void)state;
    memset(&look, 0, sizeof(look));
    memset(look.port + 1, OUTSIDE_ASKED, OUTSIDE_PORTS - 1);
    look.host = addr_v4(INADDR_LOOPBACK, 0);
    look.longest_ms = 20; /* one begins in a millisecond: a thousandth of them */
    assert_int_equal(outside_look(&look, &e), 0);
    assert_int_equal(look.port[OUTSIDE_PORTS - 1], OUTSIDE_ASKED);
    assert_int_equal(look.port[100], OUTSIDE_ASKED);
    look.longest_ms = 0;
    assert_int_equal(outside_look(&look, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_that_listens_is_open_and_one_that_does_not_is_closed),
        cmocka_unit_test(what_was_not_tried_when_the_time_is_up_stays_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
