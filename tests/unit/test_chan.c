/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/chan.h"
#include "sys/clock.h"

enum { OP_NUMBER = 10, OP_FILE = 11, OP_REFUSED = 12, OP_FREE = 13, OP_TEXT = 14 };

struct pair {
    struct chan *a, *b; /* b listens */
    struct loop *loop;
    int raw; /* a's end when the test itself speaks */
    unsigned got, ended;
    uint64_t sum, last_cause;
    uint32_t last_id;
    size_t last_len;
    bool in_order;
    char why[256];
};

static int on_number(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct pair *p = ctx;
    uint64_t n;

    (void)from;
    assert_int_equal((uintptr_t)body % 16, 0);
    assert_int_equal(fd, -1);
    memcpy(&n, body, sizeof(n));
    p->in_order = n == p->got;
    p->got++;
    p->sum += n;
    p->last_id = m->id;
    p->last_cause = m->cause;
    return 0;
}

static int on_file(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct pair *p = ctx;
    char byte = 0;

    (void)from;
    (void)m;
    (void)body;
    p->got++;
    if (fd < 0)
        return 0;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    p->sum += pread(fd, &byte, 1, 0) == 1 && byte == 'x';
    return close(fd);
}

static int on_refused(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)ctx;
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    return -1;
}

static int on_free(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct pair *p = ctx;

    (void)m;
    (void)body;
    (void)fd;
    p->got++;
    chan_free(from);
    p->b = NULL;
    return 0;
}

static int on_text(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct pair *p = ctx;

    (void)from;
    (void)fd;
    p->got++;
    p->last_len = m->len;
    for (size_t i = 0; i < m->len; i++)
        assert_int_equal(((const uint8_t *)body)[i], 't');
    return 0;
}

static const struct chan_op ops[] = {
    { OP_NUMBER, "number", 8, 8, false, on_number },    { OP_FILE, "file", 0, 0, true, on_file },
    { OP_REFUSED, "refused", 0, 0, false, on_refused }, { OP_FREE, "free", 0, 0, false, on_free },
    { OP_TEXT, "text", 0, CHAN_BODY, false, on_text },
};
enum { OPS = sizeof(ops) / sizeof(ops[0]) };

static int open_pair(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    int fds[2];

    *state = p;
    if (!p || chan_pair(fds, NULL) < 0)
        return -1;
    p->raw = fds[0];
    p->a = chan_new(dup(fds[0]), "a", ops, OPS, p, NULL);
    p->b = chan_new(fds[1], "b", ops, OPS, p, NULL);
    p->loop = loop_new(NULL);
    return p->a && p->b && p->loop ? 0 : -1;
}

static int close_pair(void **state)
{
    struct pair *p = *state;

    chan_free(p->a);
    chan_free(p->b);
    loop_free(p->loop);
    (void)close(p->raw);
    free(p);
    return 0;
}

static int say_number(struct chan *c, uint64_t n)
{
    return chan_send(c, OP_NUMBER, (uint32_t)n, n * 2, &n, sizeof(n), -1);
}

static int file_with_x(void)
{
    int fd = memfd_create("x", MFD_CLOEXEC);

    assert_int_equal(write(fd, "x", 1), 1);
    return fd;
}

static size_t open_files(void)
{
    size_t n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void a_message_comes_with_id_and_cause(void **state)
{
    struct pair *p = *state;

    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(say_number(p->a, i), 0);
    assert_int_equal(chan_read(p->b, NULL), 0);
    assert_int_equal(p->got, 5);
    assert_true(p->in_order);
    assert_int_equal(p->last_id, 4);
    assert_true(p->last_cause == 8);
    assert_string_equal(chan_what(p->b), "b");
}

static void the_largest_message_passes_and_a_larger_one_is_refused(void **state)
{
    struct pair *p = *state;
    static uint8_t body[CHAN_BODY + 1];

    memset(body, 't', sizeof(body));
    assert_int_equal(chan_send(p->a, OP_TEXT, 0, 0, body, CHAN_BODY, -1), 0);
    assert_int_equal(chan_send(p->a, OP_TEXT, 0, 0, body, CHAN_BODY + 1, -1), -1);
    assert_true(chan_lost(p->a) == 1);
    assert_int_equal(chan_read(p->b, NULL), 0);
    assert_int_equal(p->last_len, CHAN_BODY);
}

static void a_descriptor_comes_along_or_not(void **state)
{
    struct pair *p = *state;
    int fd = file_with_x();
    size_t before = open_files();

    assert_int_equal(chan_send(p->a, OP_FILE, 0, 0, NULL, 0, fd), 0);
    assert_int_equal(chan_send(p->a, OP_FILE, 0, 0, NULL, 0, -1), 0);
    assert_int_equal(chan_read(p->b, NULL), 0);
    assert_int_equal(p->got, 2);
    assert_true(p->sum == 1);
    assert_int_equal(open_files(), before);
    (void)close(fd);
}

/* --- what breaks the rules ends the peer, and leaves no descriptor behind --- */

static void send_raw(int to, const void *bytes, size_t len, const int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
    struct iovec part = { .iov_len = len };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

    memcpy(&part.iov_base, &bytes, sizeof(bytes));
    if (count > 0) {
        struct cmsghdr *h = (struct cmsghdr *)(void *)control;

        m.msg_control = control;
        m.msg_controllen = CMSG_SPACE(count * sizeof(int));
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(h), fds, count * sizeof(int));
    }
    assert_true(sendmsg(to, &m, MSG_NOSIGNAL) >= 0);
}

static void expect_breach(struct pair *p, const char *words)
{
    struct err e = { 0 };

    assert_int_equal(chan_read(p->b, &e), -1);
    if (!strstr(e.text, words))
        fail_msg("\"%s\" does not say \"%s\"", e.text, words);
    assert_int_equal(p->got, 0);
}

static void an_unknown_word_ends_the_peer(void **state)
{
    struct pair *p = *state;
    struct msg m = { .op = 77 };

    send_raw(p->raw, &m, sizeof(m), NULL, 0);
    expect_breach(p, "nobody here knows");
    m.op = 65535;
    send_raw(p->raw, &m, sizeof(m), NULL, 0);
    expect_breach(p, "nobody here knows");
}

static void a_wrong_size_ends_the_peer(void **state)
{
    struct pair *p = *state;
    struct {
        struct msg m;
        uint8_t body[8];
    } one = { .m = { .op = OP_NUMBER, .len = 7 } };

    send_raw(p->raw, &one, sizeof(struct msg) + 7, NULL, 0);
    expect_breach(p, "not that of its kind");
    one.m.len = 8;
    send_raw(p->raw, &one, sizeof(struct msg) + 7, NULL, 0);
    expect_breach(p, "not what it says");
    send_raw(p->raw, &one, sizeof(struct msg) - 1, NULL, 0);
    expect_breach(p, "shorter than a header");
}

static void a_datagram_larger_than_any_message_ends_the_peer(void **state)
{
    struct pair *p = *state;
    static uint8_t huge[sizeof(struct msg) + CHAN_BODY + 100];
    struct msg m = { .op = OP_TEXT, .len = CHAN_BODY };

    memcpy(huge, &m, sizeof(m));
    send_raw(p->raw, huge, sizeof(huge), NULL, 0);
    expect_breach(p, "not what it says");
}

static void a_descriptor_where_none_belongs_is_closed(void **state)
{
    struct pair *p = *state;
    struct {
        struct msg m;
        uint64_t n;
    } one = { .m = { .op = OP_NUMBER, .len = 8 } };
    int fd = file_with_x();
    size_t before = open_files();

    send_raw(p->raw, &one, sizeof(one), &fd, 1);
    expect_breach(p, "too many descriptors");
    assert_int_equal(open_files(), before);
    (void)close(fd);
}

static void two_or_more_descriptors_are_closed(void **state)
{
    struct pair *p = *state;
    struct msg m = { .op = OP_FILE };
    int fd = file_with_x();
    const int many[8] = { fd, fd, fd, fd, fd, fd, fd, fd };
    size_t before = open_files();

    send_raw(p->raw, &m, sizeof(m), many, 2);
    expect_breach(p, "too many descriptors");
    assert_int_equal(open_files(), before);
    send_raw(p->raw, &m, sizeof(m), many, 8); /* more than our room: the kernel cuts, and says so */
    expect_breach(p, "too many descriptors");
    assert_int_equal(open_files(), before);
    (void)close(fd);
}

static void a_handler_s_no_ends_the_peer_by_name(void **state)
{
    struct pair *p = *state;

    assert_int_equal(chan_send(p->a, OP_REFUSED, 0, 0, NULL, 0, -1), 0);
    expect_breach(p, "b said refused");
}

static void the_peer_s_end_is_told(void **state)
{
    struct pair *p = *state;

    chan_free(p->a);
    p->a = NULL;
    (void)close(p->raw);
    p->raw = -1;
    expect_breach(p, "closed the link");
    assert_int_equal(say_number(p->b, 1), -1);
}

static void last_words_arrive_though_ours_were_not_read(void **state)
{
    struct pair *p = *state;
    struct err e = { 0 };

    assert_int_equal(say_number(p->b, 7), 0); /* never read: the kernel will say ECONNRESET */
    assert_int_equal(say_number(p->a, 0), 0);
    chan_free(p->a);
    p->a = NULL;
    (void)close(p->raw);
    p->raw = -1;
    assert_int_equal(chan_read(p->b, &e), -1);
    assert_int_equal(p->got, 1);
    assert_non_null(strstr(e.text, "closed the link"));
}

static void a_table_with_two_rows_for_a_word_is_refused(void **state)
{
    const struct chan_op twice[] = { ops[0], ops[0] };
    const struct chan_op high[] = { { CHAN_OPS, "high", 0, 0, false, on_refused } };
    struct pair *p = *state;
    struct err e;

    assert_null(chan_new(dup(p->raw), "x", twice, 2, NULL, &e));
    assert_null(chan_new(dup(p->raw), "x", high, 1, NULL, &e));
}

/* --- the queue, and the loop --- */

static void on_ended(void *ctx, struct chan *c, const char *why)
{
    struct pair *p = ctx;

    p->ended++;
    strncpy(p->why, why, sizeof(p->why) - 1);
    chan_free(c);
    *(c == p->a ? &p->a : &p->b) = NULL;
    loop_stop(p->loop);
}

static void what_the_socket_does_not_take_waits_in_order(void **state)
{
    struct pair *p = *state;
    uint64_t n = 0;

    while (chan_queued(p->a) < 10000)
        assert_int_equal(say_number(p->a, n++), 0);
    while (p->got < n) {
        assert_int_equal(chan_read(p->b, NULL), 0);
        if (chan_queued(p->a) > 0) /* nothing can be read here: it sends what waits */
            assert_int_equal(chan_wait(p->a, 1000, NULL), 0);
        assert_true(p->in_order);
    }
    assert_int_equal(chan_queued(p->a), 0);
    assert_true(chan_lost(p->a) == 0);
}

static void a_full_queue_refuses_and_counts(void **state)
{
    struct pair *p = *state;
    uint64_t n = 0;

    chan_limit(p->a, 100);
    while (say_number(p->a, n) == 0)
        n++;
    assert_int_equal(say_number(p->a, n), -1);
    assert_true(chan_lost(p->a) == 2);
    assert_true(chan_queued(p->a) <= 100);
}

static void waiting_descriptors_are_bounded_too_and_closed_at_the_end(void **state)
{
    struct pair *p = *state;
    int fd = file_with_x();
    size_t before = open_files();
    unsigned said = 0;

    while (chan_queued(p->a) < 1000)
        assert_int_equal(chan_send(p->a, OP_TEXT, 0, 0, NULL, 0, -1), 0);
    while (chan_send(p->a, OP_FILE, 0, 0, NULL, 0, fd) == 0)
        said++;
    assert_int_equal(said, CHAN_QUEUED_FDS);
    assert_int_equal(open_files(), before + CHAN_QUEUED_FDS);
    chan_free(p->a);
    p->a = NULL;
    assert_int_equal(open_files(), before - 1); /* and its socket */
    (void)close(fd);
}

static void stop_when_all_came(void *ctx)
{
    struct pair *p = ctx;

    if (p->a && chan_queued(p->a) == 0 && p->got >= 5000)
        loop_stop(p->loop);
}

static void the_loop_sends_what_waits(void **state)
{
    struct pair *p = *state;

    for (uint64_t n = 0; n < 3000; n++)
        assert_int_equal(say_number(p->a, n), 0);
    assert_int_equal(chan_attach(p->a, p->loop, on_ended, NULL), 0);
    assert_int_equal(chan_attach(p->b, p->loop, on_ended, NULL), 0);
    for (uint64_t n = 3000; n < 5000; n++)
        assert_int_equal(say_number(p->a, n), 0);
    loop_before_sleep(p->loop, stop_when_all_came, p);
    assert_int_equal(loop_run(p->loop, NULL), 0);
    assert_int_equal(p->got, 5000);
    assert_int_equal(p->ended, 0);
}

static void the_end_is_told_once_and_the_chan_may_go(void **state)
{
    struct pair *p = *state;

    assert_int_equal(chan_attach(p->b, p->loop, on_ended, NULL), 0);
    assert_int_equal(say_number(p->a, 0), 0);
    chan_free(p->a);
    p->a = NULL;
    (void)close(p->raw);
    p->raw = -1;
    assert_int_equal(loop_run(p->loop, NULL), 0);
    assert_int_equal(p->got, 1); /* its last words first */
    assert_int_equal(p->ended, 1);
    assert_string_equal(p->why, "b closed the link");
}

static void stop_when_freed(void *ctx)
{
    struct pair *p = ctx;

    if (!p->b)
        loop_stop(p->loop);
}

static void a_handler_may_free_its_own_chan(void **state)
{
    struct pair *p = *state;

    assert_int_equal(chan_attach(p->b, p->loop, on_ended, NULL), 0);
    assert_int_equal(chan_send(p->a, OP_FREE, 0, 0, NULL, 0, -1), 0);
    assert_int_equal(say_number(p->a, 1), 0);
    loop_before_sleep(p->loop, stop_when_freed, p);
    assert_int_equal(loop_run(p->loop, NULL), 0);
    assert_int_equal(p->got, 1);
    assert_int_equal(p->ended, 0);
}

static void waiting_ends_in_time(void **state)
{
    struct pair *p = *state;
    int64_t begin_us = clock_mono_us();

    assert_int_equal(chan_wait(p->b, 2000, NULL), 0);
    assert_true(clock_mono_us() - begin_us >= 2000);
    assert_int_equal(say_number(p->a, 0), 0);
    assert_int_equal(chan_wait(p->b, -1, NULL), 0);
    assert_int_equal(p->got, 1);
}

/* --- any bytes at all --- */

static void no_datagram_does_more_than_end_the_peer(void **state)
{
    struct pair *p = *state;
    uint32_t random = 1;

    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        size_t len = (random = random * 1664525 + 1013904223) >> 26;

        for (size_t at = 0; at < sizeof(bytes); at++)
            bytes[at] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        bytes[0] = 9 + bytes[0] % 4; /* often a known word */
        bytes[1] = 0;
        if (bytes[5] & 1) { /* often the right length */
            bytes[2] = (uint8_t)(len >= 16 ? len - 16 : 0);
            bytes[3] = 0;
        }
        send_raw(p->raw, bytes, len ? len : 1, NULL, 0);
        (void)chan_read(p->b, NULL);
    }
    assert_true(p->got > 0);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(a_message_comes_with_id_and_cause),
        WITH_PAIR(the_largest_message_passes_and_a_larger_one_is_refused),
        WITH_PAIR(a_descriptor_comes_along_or_not),
        WITH_PAIR(an_unknown_word_ends_the_peer),
        WITH_PAIR(a_wrong_size_ends_the_peer),
        WITH_PAIR(a_datagram_larger_than_any_message_ends_the_peer),
        WITH_PAIR(a_descriptor_where_none_belongs_is_closed),
        WITH_PAIR(two_or_more_descriptors_are_closed),
        WITH_PAIR(a_handler_s_no_ends_the_peer_by_name),
        WITH_PAIR(the_peer_s_end_is_told),
        WITH_PAIR(last_words_arrive_though_ours_were_not_read),
        WITH_PAIR(a_table_with_two_rows_for_a_word_is_refused),
        WITH_PAIR(what_the_socket_does_not_take_waits_in_order),
        WITH_PAIR(a_full_queue_refuses_and_counts),
        WITH_PAIR(waiting_descriptors_are_bounded_too_and_closed_at_the_end),
        WITH_PAIR(the_loop_sends_what_waits),
        WITH_PAIR(the_end_is_told_once_and_the_chan_may_go),
        WITH_PAIR(a_handler_may_free_its_own_chan),
        WITH_PAIR(waiting_ends_in_time),
        WITH_PAIR(no_datagram_does_more_than_end_the_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
