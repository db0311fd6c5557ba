/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "sys/ring.h"

enum { TYPE = 0x88b5, RING_BYTES = 256 << 10 }; /* an EtherType for experiments (IEEE 802) */

/* A network namespace of our own, whose loopback echoes what is sent into it. */
static int own_network(void **state)
{
    struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    int fd;

    (void)state;
    if (unshare(CLONE_NEWNET) < 0)
        return 0; /* no root: each test says that it was skipped */
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) < 0)
        return -1;
    close(fd);
    return 0;
}

static int packet_socket(void)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(TYPE),
                              .sll_ifindex = (int)if_nametoindex("lo") };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 && errno == EPERM)
        skip();
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static struct ring *opened(void)
{
    struct err e = { 0 };
    struct ring *r = ring_open(packet_socket(), RING_BYTES, &e);

    if (!r)
        print_message("%s\n", e.text);
    assert_non_null(r);
    return r;
}

static void send_frame(uint8_t mark, size_t len)
{
    static uint8_t frame[60000];
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("lo"), .sll_halen = 6 };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    memset(frame, mark, sizeof(frame));
    memset(frame, 0, 12);
    frame[12] = TYPE >> 8;
    frame[13] = TYPE & 0xff;
    assert_true(fd >= 0);
    assert_int_equal(sendto(fd, frame, len, 0, (const struct sockaddr *)&to, sizeof(to)), len);
    close(fd);
}

struct seen {
    size_t count, whole;
    size_t len[64];
    uint8_t mark[64];
    int64_t at_us;
};

static void keep(void *ctx, const struct ring_frame *f)
{
    struct seen *s = ctx;

    assert_int_equal(f->way, RING_TO_US);
    assert_true(s->count < 64);
    assert_true(f->bytes.len >= 15);
    s->len[s->count] = f->bytes.len;
    s->mark[s->count] = f->bytes.at[f->bytes.len - 1];
    s->whole += f->bytes.len == f->wire_len;
    s->at_us = f->at_us;
    s->count++;
}

static void look_away(void *ctx, const struct ring_frame *f)
{
    (void)ctx;
    assert_int_equal(f->bytes.len, 60);
}

static bool readable(const struct ring *r)
{
    struct pollfd p = { .fd = ring_fd(r), .events = POLLIN };

    return poll(&p, 1, 0) == 1;
}

static void frames_come_in_order_with_their_time(void **state)
{
    struct ring *r = opened();
    struct seen s = { 0 };

    (void)state;
    for (uint8_t i = 0; i < 10; i++)
        send_frame(i, 100 + i);
    assert_true(readable(r));
    assert_int_equal(ring_read(r, 4, keep, &s), 4);
    assert_true(readable(r));
    assert_int_equal(ring_read(r, 1000, keep, &s), 6);
    assert_false(readable(r));
    assert_int_equal(s.count, 10);
    assert_int_equal(s.whole, 10);
    for (uint8_t i = 0; i < 10; i++) {
        assert_int_equal(s.len[i], 100 + i);
        assert_int_equal(s.mark[i], i);
    }
    assert_true(s.at_us > INT64_C(1600000000000000));
    assert_int_equal(ring_seen(r), 10);
    assert_int_equal(ring_counts(r).lost, 0);
    ring_close(r);
}

static void frames_larger_than_a_slot_arrive_whole_and_in_their_place(void **state)
{
    struct ring *r = opened();
    struct seen s = { 0 };

    (void)state;
    send_frame(1, 100);
    send_frame(2, 9000);
    send_frame(3, 100);
    send_frame(4, 50000);
    send_frame(5, 1514);
    (void)ring_read(r, 1000, keep, &s);
    assert_int_equal(s.count, 5);
    assert_int_equal(s.whole, 5);
    for (uint8_t i = 0; i < 5; i++)
        assert_int_equal(s.mark[i], i + 1);
    assert_int_equal(s.len[1], 9000);
    assert_int_equal(s.len[3], 50000);
    assert_int_equal(ring_counts(r).cut, 0);
    ring_close(r);
}

static void what_has_no_room_is_counted_and_the_ring_goes_on(void **state)
{
    struct ring *r = opened();
    struct seen s = { 0 };
    size_t got;

    (void)state;
    for (int i = 0; i < 400; i++)
        send_frame(9, 60);
    got = ring_read(r, SIZE_MAX, look_away, NULL);
    assert_in_range(got, 1, 399);
    assert_int_equal(ring_counts(r).lost, 400 - got);
    send_frame(7, 60);
    (void)ring_read(r, 1000, keep, &s);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.mark[0], 7);
    assert_int_equal(ring_counts(r).lost, 400 - got);
    ring_close(r);
}

static void large_frames_without_room_in_the_queue_come_cut_not_mixed_up(void **state)
{
    struct ring *r = opened();
    struct seen s = { 0 };

    (void)state;
    for (uint8_t i = 0; i < 40; i++)
        send_frame(i, 50000);
    (void)ring_read(r, 1000, keep, &s);
    assert_true(s.count > 0);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.mark[i] > s.mark[i - 1]);
    assert_int_equal(s.whole == s.count, ring_counts(r).cut == 0);
    ring_close(r);
}

static void naps_begin_with_a_rate_and_end_with_it(void **state)
{
    struct ring *r = opened();
    int64_t now_us = 1000000;
    int naps = 0;

    (void)state;
    for (int i = 0; i < 1000; i++, now_us += 3000) /* a frame each 3 ms: one at a time */
        naps += ring_nap_us(r, 1, now_us) > 0;
    assert_int_equal(naps, 0);
    for (int i = 0; i < 1000; i++, now_us += 300) /* 300,000 a second */
        naps += ring_nap_us(r, 90, now_us) > 0;
    assert_in_range(naps, 990, 1000);
    (void)ring_nap_us(r, 0, now_us += 1000);
    assert_int_equal(ring_nap_us(r, 0, now_us += 1000), 0);
    ring_close(r);
}

static void an_interface_that_goes_down_is_told_once(void **state)
{
    struct ring *r = opened();
    struct ifreq down = { .ifr_name = "lo" };
    struct seen s = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &down), 0);
    assert_int_equal(ring_error(r), ENETDOWN);
    assert_int_equal(ring_error(r), 0);
    down.ifr_flags = IFF_UP | IFF_RUNNING;
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &down), 0);
    send_frame(1, 9000); /* and is read again when it is back */
    (void)ring_read(r, 1000, keep, &s);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.whole, 1);
    close(fd);
    ring_close(r);
}

static void a_ring_of_an_odd_size_is_refused_and_the_descriptor_kept(void **state)
{
    int fd = packet_socket();
    struct err e;

    (void)state;
    assert_null(ring_open(fd, 1000, &e));
    assert_null(ring_open(fd, (size_t)2 << 30, &e));
    assert_int_equal(close(fd), 0);
    assert_null(ring_open(-1, RING_BYTES, &e));
    ring_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_order_with_their_time),
        cmocka_unit_test(frames_larger_than_a_slot_arrive_whole_and_in_their_place),
        cmocka_unit_test(what_has_no_room_is_counted_and_the_ring_goes_on),
        cmocka_unit_test(large_frames_without_room_in_the_queue_come_cut_not_mixed_up),
        cmocka_unit_test(naps_begin_with_a_rate_and_end_with_it),
        cmocka_unit_test(an_interface_that_goes_down_is_told_once),
        cmocka_unit_test(a_ring_of_an_odd_size_is_refused_and_the_descriptor_kept),
    };

    return cmocka_run_group_tests(tests, own_network, NULL);
}
