/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policy service and mail filter, each on a real socket, with a real loop and a name server of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include <cmocka.h>

#include "nameserver.h"
#include "sense/gate/askers.h"
#include "sense/gate/dns.h"
#include "sense/gate/milter.h"
#include "sense/gate/policy.h"

struct world {
    struct loop *loop;
    struct ns *ns;
    struct gate_settings *set;
    struct gate_means means;
    struct self self;
    struct addr own;
    struct policy *policy;
    struct milter *milter;
    int fd; /* the mail server's end */
    char got[1024];
    size_t got_len, wanted; /* bytes that are waited for */
    bool over, hung_up;
    unsigned told;
};

static void on_tell(void *ctx, struct event *ev, const struct visit *v)
{
    (void)ev;
    (void)v;
    ((struct world *)ctx)->told++;
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static int listening(struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof(*at);

    *at = (struct sockaddr_un){ .sun_family = AF_UNIX }; /* a name of the kernel's choice */
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(at->sun_family)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void on_answer(void *ctx, int fd, int events)
{
    struct world *w = ctx;
    ssize_t n = recv(fd, w->got + w->got_len, sizeof(w->got) - 1 - w->got_len, 0);

    (void)events;
    w->hung_up |= n <= 0;
    w->got_len += n > 0 ? (size_t)n : 0;
    w->got[w->got_len] = '\0';
    w->over = w->hung_up || w->got_len >= w->wanted;
    if (w->hung_up)
        loop_unwatch(w->loop, fd);
}

static void open_world(struct world *w, bool milter)
{
    struct sockaddr_un at;
    struct err e = { 0 };
    int fd = listening(&at);

    memset(w, 0, sizeof(*w));
    w->loop = loop_new(&e);
    w->ns = ns_new(w->loop);
    w->set = ns_settings(w->ns);
    w->set->policy_checks.helo = GATE_REFUSE;
    assert_true(addr_read(SLICE("198.18.0.1"), &w->own));
    w->self = (struct self){ .own = &w->own, .count = 1 };
    w->means = (struct gate_means){ .set = w->set,
                                    .self = &w->self,
                                    .loop = w->loop,
                                    .name = "mx.house.example",
                                    .now_us = now,
                                    .wall_us = now,
                                    .tell = on_tell,
                                    .ctx = w };
    w->means.dns = dns_new(w->loop, w->set, NULL, NULL, &e);
    assert_non_null(w->means.dns);
    if (milter)
        w->milter = milter_new(&w->means, NULL, fd, &e);
    else
        w->policy = policy_new(&w->means, NULL, fd, &e);
    w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(w->fd, (struct sockaddr *)&at, sizeof(at.sun_family) + 6), 0);
    assert_int_equal(loop_watch(w->loop, w->fd, LOOP_IN, on_answer, w, &e), 0);
}

static void close_world(struct world *w)
{
    loop_unwatch(w->loop, w->fd);
    policy_free(w->policy);
    milter_free(w->milter);
    dns_free(w->means.dns);
    ns_free(w->ns);
    loop_free(w->loop);
    (void)close(w->fd);
    free(w->set);
}

static void put(const struct world *w, struct slice s)
{
    assert_int_equal(send(w->fd, s.at, s.len, MSG_NOSIGNAL), s.len);
}

static void hear(struct world *w, size_t bytes)
{
    w->wanted = bytes;
    w->over = w->got_len >= bytes;
    if (!w->over)
        ns_run_until(w->loop, &w->over);
}

#define REQUEST(helo)                                                                                                  \
    "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=198.51.9.9\nhelo_name=" helo                     \
    "\nsender=a@b.example\nrecipient=c@house.example\ninstance=1\n\n"

static void requests_are_answered_in_their_order(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, false);
    put(&w, SLICE(REQUEST("client.example") REQUEST("mx.house.example")));
    hear(&w, 50);
    assert_memory_equal(w.got, "action=DUNNO\n\naction=550 5.7.1 that is not your name", 50);
    assert_int_equal(w.told, 2);
    close_world(&w);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] = REQUEST("mx.house.example");
    struct world w;

    (void)state;
    open_world(&w, false);
    for (size_t i = 0; i < sizeof(request) - 1; i++)
        put(&w, slice_of(request + i, 1));
    hear(&w, 20);
    assert_memory_equal(w.got, "action=550 5.7.1", 16);
    close_world(&w);
}

static void local_programs_may_use_our_name(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, false);
    put(&w, SLICE("protocol_state=RCPT\nclient_address=127.0.0.1\nserver_address=127.0.0.1\n"
                  "helo_name=mx.house.example\nsender=\nrecipient=c@house.example\n\n"));
    hear(&w, 14);
    assert_string_equal(w.got, "action=DUNNO\n\n");
    close_world(&w);
}

static void nonsense_is_hung_up_on(void **state)
{
    static char long_one[ASKER_BYTES + 1024];
    struct world w;

    (void)state;
    open_world(&w, false);
    put(&w, SLICE("GET / HTTP/1.0\n\n"));
    hear(&w, 1);
    assert_true(w.hung_up);
    close_world(&w);
    open_world(&w, false);
    memset(long_one, 'x', sizeof(long_one));
    memcpy(long_one, "sender=", 7);
    put(&w, slice_of(long_one, sizeof(long_one)));
    hear(&w, 1);
    assert_true(w.hung_up);
    close_world(&w);
}

static void who_hangs_up_before_the_answer_leaves_nothing(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, false);
    w.set->policy_checks.bogus_mx = GATE_REFUSE;
    policy_reload(w.policy);
    ns_add(w.ns, "b.example", DNS_MX, "mx.b.example");
    put(&w, SLICE(REQUEST("client.example")));
    assert_int_equal(shutdown(w.fd, SHUT_WR), 0);
    hear(&w, sizeof(w.got));
    assert_true(w.hung_up);
    close_world(&w);
}

static void a_mail_filter_says_the_same(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, true);
    put(&w, SLICE("\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377"));
    hear(&w, 17);
    put(&w, SLICE("\0\0\0\026Cclient\0"
                  "4\234\100"
                  "198.51.9.9\0"));
    hear(&w, 17 + 5);
    assert_memory_equal(w.got + 17, "\0\0\0\1c", 5);
    put(&w, SLICE("\0\0\0\022Hmx.house.example\0"));
    hear(&w, 17 + 5 + 25);
    assert_memory_equal(w.got + 17 + 5 + 4, "y550 5.7.1 that is not", 22);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_in_their_order),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(local_programs_may_use_our_name),
        cmocka_unit_test(nonsense_is_hung_up_on),
        cmocka_unit_test(who_hangs_up_before_the_answer_leaves_nothing),
        cmocka_unit_test(a_mail_filter_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
