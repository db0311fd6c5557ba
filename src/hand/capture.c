/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "hand/filter.h"

static int lock_filter(int fd, struct sock_filter *steps, size_t count, struct err *e)
{
    struct sock_fprog program = { .len = (unsigned short)count, .filter = steps };
    int yes = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
        return err_set(e, errno, "attaching the packet filter");
    if (setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes)) < 0)
        return err_set(e, errno, "locking the packet filter");
    return 0;
}

int capture_open(int ifindex, uint32_t *link_type, const uint16_t *ports, size_t count, struct err *e)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex };
    enum filter_frame frame = filter_frame_of(*link_type);
    struct sock_filter steps[FILTER_STEPS];
    size_t used = filter_build(frame, ports, count, steps);
    int fd;

    if (used == 0)
        return err_set(e, EINVAL, "a capture needs 1 to 16 ports");
    /* Protocol 0: not one frame arrives before the bind. */
    fd = socket(AF_PACKET, (frame == FILTER_ETHERNET ? SOCK_RAW : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, errno, "packet socket");
    if (lock_filter(fd, steps, used, e) < 0)
        goto fail;
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
        (void)err_set(e, errno, "packet socket: bind");
        goto fail;
    }
    if (frame != FILTER_ETHERNET)
        *link_type = ARPHRD_NONE;
    return fd;
fail:
    (void)close(fd);
    return -1;
}
