/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ping.  The socket was opened before the jail: the kernel's own for that (ping_group_range), or a raw one that hears
 * echo replies alone.  One packet may get lost: it is sent again each second until the deadline.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "sense/watch/services/attempt.h"
#include "sys/sockaddr.h"

enum { AGAIN_US = 1000000, PACKETS_A_TURN = 64, ICMP_FILTER_OPTION = 1, ICMP6_FILTER_OPTION = 1 };

static int open_raw(uint8_t family)
{
    int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    uint32_t but_replies_4 = ~(1u << ICMP_ECHOREPLY);
    uint32_t but_replies_6[8];

    if (fd < 0)
        return -1;
    memset(but_replies_6, 0xff, sizeof(but_replies_6));
    but_replies_6[ICMPV6_ECHO_REPLY / 32] &= ~(1u << (ICMPV6_ECHO_REPLY % 32));
    if ((family == 4 ? setsockopt(fd, SOL_RAW, ICMP_FILTER_OPTION, &but_replies_4, sizeof(but_replies_4))
                     : setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER_OPTION, but_replies_6, sizeof(but_replies_6))) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int echo_open(uint8_t family)
{
    int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

    return fd >= 0 ? fd : open_raw(family);
}

void echo_heard(void *prober, int fd, int events)
{
    struct prober *p = prober;
    uint8_t family = fd == p->echo[0] ? 4 : 6;
    uint8_t bytes[512];
    struct slice token;
    ssize_t n;

    (void)events;
    for (int k = 0; k < PACKETS_A_TURN && (n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >= 0; k++) {
        if (!echo_read(slice_of(bytes, (size_t)n), family, &token))
            continue;
        for (uint32_t i = 0; i < SERVICES_MOST; i++)
            if (p->waiting[i] && p->waiting[i]->kind == &kind_echo &&
                memcmp(p->waiting[i]->token, token.at, ECHO_TOKEN) == 0) {
                attempt_well(p->waiting[i]);
                break;
            }
    }
}

static void send_one(void *ctx)
{
    struct attempt *a = ctx;
    struct prober *p = a->prober;
    int fd = p->echo[a->to.family == 4 ? 0 : 1];
    uint8_t bytes[ECHO_BYTES];
    struct sockaddr_storage sa;
    struct addr to = addr_ip(a->to);
    socklen_t len = sockaddr_from(to, &sa);

    a->resend = loop_timer(p->loop, AGAIN_US, 0, send_one, a);
    echo_write(bytes, to.family, (uint16_t)(getpid() & 0xffff), a->number++, a->token);
    if (sendto(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&sa, len) < 0 &&
        errno != EAGAIN)
        attempt_failed(a, "a ping does not leave this host", errno);
}

static void start(struct attempt *a)
{
    struct prober *p = a->prober;

    if (p->echo[a->to.family == 4 ? 0 : 1] < 0) {
        attempt_missed(a, "this host lets nobody ping");
        return;
    }
    if (getrandom(a->token, sizeof(a->token), 0) != sizeof(a->token)) {
        attempt_missed(a, "no random numbers");
        return;
    }
    if (!attempt_wait(a))
        return; /* at the next one there is room */
    send_one(a);
}

const struct kind kind_echo = { .start = start, .end = attempt_wait_no_more };
