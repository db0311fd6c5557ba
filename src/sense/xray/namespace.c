/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel is asked in each network namespace: sockets, the network, the firewall.
 *
 * A forked child visits the other namespaces and hands back descriptors out
 * of each: a socket stays in the namespace that it was made in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sense/xray/inner.h"

enum { NAMESPACES = 256, ANSWER_S = 2 };

/* One descriptor each; -1: it can't be had there. */
enum eye {
    EYE_DIAG,
    EYE_ROUTE,
    EYE_NETFILTER,
    EYE_LEGACY,
    EYE_REST = EYE_LEGACY + LEGACY_EYES,
    EYES = EYE_REST + ITERATE_REST
};

struct eyes {
    int fd[EYES];
};

/* False: some of what every kernel has can't be had. */
static bool open_all(const struct xray *x, struct eyes *e)
{
    bool all = true;

    memset(e, 0xff, sizeof(*e));
    e->fd[EYE_DIAG] = netlink_open(NETLINK_SOCK_DIAG);
    e->fd[EYE_ROUTE] = netlink_open(NETLINK_ROUTE);
    e->fd[EYE_NETFILTER] = netlink_open(NETLINK_NETFILTER);
    for (size_t i = 0; i < EYE_LEGACY; i++)
        all = all && e->fd[i] >= 0;
    legacy_open(e->fd + EYE_LEGACY);
    return (!x->iterate || iterate_open_rest(x->iterate, e->fd + EYE_REST)) && all;
}

static void close_all(const struct eyes *e)
{
    for (size_t i = 0; i < EYES; i++)
        if (e->fd[i] >= 0)
            close(e->fd[i]);
}

static void ask_all(struct xray *x, const struct eyes *e, uint64_t network)
{
    if (x->iterate)
        iterate_rest(x, e->fd + EYE_REST);
    else
        xray_sockets_listed(x, e->fd[EYE_DIAG], network);
    xray_network(x, e->fd[EYE_ROUTE], network);
    xray_firewall(x, e->fd[EYE_NETFILTER], network);
    xray_legacy(x, e->fd + EYE_LEGACY, network);
    xray_tracks(x, e->fd[EYE_NETFILTER], network);
}

void xray_sockets_here(struct xray *x)
{
    struct eyes e;

    if (!open_all(x, &e))
        snap_note(x->s, "socket", "some sockets can't be listed: %s", strerror(errno));
    ask_all(x, &e, snap_host(x->s)->network);
    close_all(&e);
}

/* --- other namespaces */

struct places {
    struct {
        uint64_t network;
        char path[256];
    } at[NAMESPACES];
    size_t count;
    bool more;
};

static void add_place(struct places *p, uint64_t own, uint64_t network, const char *path)
{
    if (network == 0 || network == own)
        return;
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].network == network)
            return;
    if (p->count == NAMESPACES) {
        p->more = true;
        return;
    }
    p->at[p->count].network = network;
    (void)snprintf(p->at[p->count].path, sizeof(p->at[0].path), "%s", path);
    p->count++;
}

static void find_places(struct xray *x, struct places *p)
{
    uint64_t own = snap_host(x->s)->network;
    char path[256];

    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, process)
    {
        (void)snprintf(path, sizeof(path), "/proc/%lld/ns/net", (long long)process->pid);
        add_place(p, own, process->network, path);
    }
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, m)
    {
        struct slice rest;
        uint64_t network = 0;

        if (!slice_eq(m->type, SLICE("nsfs")) || m->root.len < 5 || memcmp(m->root.at, "net:[", 5) != 0)
            continue;
        (void)slice_to_u64(slice_until(slice_skip(m->root, 5), ']', &rest), &network);
        if (text_cstr(path, sizeof(path), m->point))
            add_place(p, own, network, path);
    }
}

/* --- out of a namespace and back */

/* What goes with the descriptors: whose they are, and a bit for each that is among them. */
struct parcel {
    size_t number;
    uint32_t has;
};

union control {
    char room[CMSG_SPACE(EYES * sizeof(int))];
    struct cmsghdr align;
};

static void hand_over(int to, const struct eyes *e, size_t number)
{
    struct parcel parcel = { .number = number };
    union control control = { .room = { 0 } };
    struct iovec iov = { .iov_base = &parcel, .iov_len = sizeof(parcel) };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control)
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    size_t count = 0;

    for (size_t i = 0; i < EYES; i++)
        if (e->fd[i] >= 0) {
            memcpy(CMSG_DATA(c) + count++ * sizeof(int), &e->fd[i], sizeof(int));
            parcel.has |= 1U << i;
        }
    if (count == 0)
        return;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    m.msg_controllen = CMSG_SPACE(count * sizeof(int));
    if (sendmsg(to, &m, 0) < 0)
        _exit(1);
}

static void visit(const struct xray *x, int to, const struct places *p)
{
    for (size_t i = 0; i < p->count; i++) {
        int place = open(p->at[i].path, O_RDONLY | O_CLOEXEC);
        struct eyes e;

        if (place < 0)
            continue;
        if (setns(place, CLONE_NEWNET) == 0) {
            (void)open_all(x, &e);
            hand_over(to, &e, i);
            close_all(&e);
        }
        close(place);
    }
}

/* The next namespace's; false when there is none any more. */
static bool take_over(int from, struct eyes *e, size_t *number)
{
    struct parcel parcel;
    union control control;
    struct iovec iov = { .iov_base = &parcel, .iov_len = sizeof(parcel) };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control)
    };
    struct cmsghdr *c;
    size_t count = 0;

    memset(e, 0xff, sizeof(*e));
    if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != sizeof(parcel))
        return false;
    c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len != CMSG_LEN((size_t)__builtin_popcount(parcel.has) * sizeof(int)))
        return false;
    for (size_t i = 0; i < EYES; i++)
        if (parcel.has & 1U << i)
            memcpy(&e->fd[i], CMSG_DATA(c) + count++ * sizeof(int), sizeof(int));
    *number = parcel.number;
    return true;
}

static void look_into(struct xray *x, const struct places *p, int from)
{
    bool seen[NAMESPACES] = { false };
    unsigned missed = 0;
    size_t number;
    struct eyes e;

    while (take_over(from, &e, &number)) {
        if (number < p->count && !seen[number]) {
            seen[number] = true;
            ask_all(x, &e, p->at[number].network);
        }
        close_all(&e);
    }
    for (size_t i = 0; i < p->count; i++)
        missed += !seen[i];
    if (missed > 0)
        snap_note(x->s, "socket", "%u other network namespaces could not be entered: they ended, or we are not root",
                  missed);
}

void xray_sockets_elsewhere(struct xray *x)
{
    struct places *p = calloc(1, sizeof(*p));
    struct timeval patience = { .tv_sec = ANSWER_S };
    int pair[2];
    pid_t child;

    if (!p)
        return;
    find_places(x, p);
    if (p->more)
        snap_note(x->s, "socket", "more than %d network namespaces: the others were not looked into", NAMESPACES);
    if (p->count == 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        free(p);
        return;
    }
    (void)setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    child = fork();
    if (child == 0) {
        close(pair[0]);
        visit(x, pair[1], p);
        _exit(0);
    }
    close(pair[1]);
    if (child > 0) {
        look_into(x, p, pair[0]);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
    close(pair[0]);
    free(p);
}
