/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/sockaddr.h"

static struct addr parse(const char *s)
{
    struct addr a;

    assert_true(addr_read_port(slice_text(s), &a));
    return a;
}

static void an_address_comes_back_as_it_went(void **state)
{
    static const char *const there[] = { "192.0.2.7:25", "[2001:db8::7]:465", "0.0.0.0:1", "[::]:65535" };
    struct sockaddr_storage room;

    (void)state;
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        struct addr a = parse(there[i]), back;

        memset(&room, 0xff, sizeof(room));
        assert_int_equal(sockaddr_from(a, &room),
                         a.family == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        back = sockaddr_read(&room);
        assert_memory_equal(&a, &back, sizeof(a));
    }
}

static void the_kernel_takes_it_and_gives_it(void **state)
{
    struct sockaddr_storage room;
    struct addr a = parse("127.0.0.1:1"), back;
    socklen_t len;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_true(fd >= 0);
    a.port = 0;
    len = sockaddr_from(a, &room);
    assert_int_equal(bind(fd, (const struct sockaddr *)&room, len), 0);
    len = sizeof(room);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&room, &len), 0);
    back = sockaddr_read(&room);
    assert_true(addr_eq_ip(a, back));
    assert_int_not_equal(back.port, 0);
    (void)close(fd);
}

static void a_mapped_one_is_ipv4_and_no_address_is_none(void **state)
{
    struct sockaddr_storage room;
    struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
    struct addr a = parse("192.0.2.7:25"), back;

    (void)state;
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    memcpy(mapped.sin6_addr.s6_addr + 12, a.ip, 4);
    memset(&room, 0, sizeof(room));
    memcpy(&room, &mapped, sizeof(mapped));
    back = sockaddr_read(&room);
    assert_memory_equal(&a, &back, sizeof(a));
    room.ss_family = AF_UNIX;
    assert_int_equal(sockaddr_read(&room).family, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_comes_back_as_it_went),
        cmocka_unit_test(the_kernel_takes_it_and_gives_it),
        cmocka_unit_test(a_mapped_one_is_ipv4_and_no_address_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
