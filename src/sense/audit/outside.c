/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/audit/outside.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/sockaddr.h"

struct trial {
    uint16_t port;
    int64_t until_us;
};

struct looker {
    struct outside *l;
    struct pollfd fd[OUTSIDE_AT_ONCE];
    struct trial trial[OUTSIDE_AT_ONCE]; /* of the descriptor in the same place */
    size_t count;
    uint32_t next;             /* port */
    int64_t next_us, until_us; /* when the next may begin; when all of it ends */
};

enum { PACE_US = 1000 };

static enum outside_state state_of(int error)
{
    return error == 0 ? OUTSIDE_OPEN : error == ECONNREFUSED ? OUTSIDE_CLOSED : OUTSIDE_SILENT;
}

static void settle(struct looker *k, size_t i, int error)
{
    k->l->port[k->trial[i].port] = (uint8_t)state_of(error);
    close(k->fd[i].fd);
    k->count--;
    k->fd[i] = k->fd[k->count];
    k->trial[i] = k->trial[k->count];
}

/* The address we come from is known with the first way that is tried. */
static void learn_from(struct outside *l, int fd)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);

    if (l->from.family == 0 && getsockname(fd, (struct sockaddr *)&own, &len) == 0)
        l->from = addr_ip(sockaddr_read(&own));
}

/* -1: there are no descriptors; it is tried again when others are settled. */
static int begin(struct looker *k, uint16_t port, int64_t now_us)
{
    struct addr to = k->l->host;
    struct sockaddr_storage at;
    socklen_t len;
    int fd;
    int status;

    to.port = port;
    len = sockaddr_from(to, &at);
    fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    status = connect(fd, (struct sockaddr *)&at, len) == 0 ? 0 : errno;
    k->fd[k->count] = (struct pollfd){ .fd = fd, .events = POLLOUT };
    k->trial[k->count] = (struct trial){ .port = port, .until_us = now_us + OUTSIDE_PATIENCE_MS * INT64_C(1000) };
    k->count++;
    if (status == 0 || status == EINPROGRESS)
        learn_from(k->l, fd);
    if (status != EINPROGRESS)
        settle(k, k->count - 1, status);
    return 0;
}

static void hear(struct looker *k, int64_t now_us)
{
    for (size_t i = k->count; i-- > 0;) {
        int error = ETIMEDOUT;
        socklen_t len = sizeof(error);

        if (k->fd[i].revents != 0) {
            if (getsockopt(k->fd[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
                error = errno;
            settle(k, i, error);
        } else if (now_us >= k->trial[i].until_us) {
            settle(k, i, ETIMEDOUT);
        }
    }
}

static void skip_to_asked(struct looker *k)
{
    while (k->next < OUTSIDE_PORTS && k->l->port[k->next] != OUTSIDE_ASKED)
        k->next++;
}

/* One more, when its time has come and there is a place for it. */
static int go_on(struct looker *k, int64_t now_us, struct err *e)
{
    if (k->next == OUTSIDE_PORTS || k->count == OUTSIDE_AT_ONCE || now_us < k->next_us)
        return 0;
    k->next_us = now_us + PACE_US;
    if (begin(k, (uint16_t)k->next, now_us) == 0)
        k->next++;
    else if (k->count == 0)
        return err_set(e, errno, "a socket");
    return 0;
}

static void give_up(struct looker *k)
{
    while (k->count > 0)
        close(k->fd[--k->count].fd);
}

int outside_look(struct outside *l, struct err *e)
{
    int64_t now_us = clock_mono_us();
    struct looker k = { .l = l, .next = 1, .until_us = now_us + l->longest_ms * 1000 };
    int status = 0;

    l->from = (struct addr){ .family = 0 };
    for (skip_to_asked(&k); k.next < OUTSIDE_PORTS || k.count > 0; skip_to_asked(&k)) {
        bool is_paced = k.next < OUTSIDE_PORTS && k.count < OUTSIDE_AT_ONCE;

        now_us = clock_mono_us();
        if (now_us >= k.until_us || (status = go_on(&k, now_us, e)) < 0)
            break;
        if (poll(k.fd, k.count, is_paced ? 1 : 20) < 0 && errno != EINTR) {
            status = err_set(e, errno, "poll");
            break;
        }
        hear(&k, clock_mono_us());
    }
    give_up(&k);
    return status;
}
