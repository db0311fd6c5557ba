/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/eye.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "part/link.h"
#include "sys/iter/load.h"
#include "sys/lock.h"

enum { ORDERS_FD = 3, IMAGE_FD = 4, FIRST_FREE_FD = EYE_ITERATORS_FD + ITER_LINKS, GLANCE_MS = 3000 };

/* What a picture needs; it gives all of it up before it reads what it saw. */
static const uint64_t kept_caps = 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_SYSLOG |
                                  1ull << CAP_SYS_ADMIN | 1ull << CAP_NET_ADMIN | 1ull << CAP_SETUID |
                                  1ull << CAP_SETGID | 1ull << CAP_SETPCAP | 1ull << CAP_KILL;

static void become_small(void)
{
    for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (!(kept_caps >> cap & 1))
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* an exec gives no more than what is left here */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A byte, and a descriptor unless it is -1. */
static int say_with(int to, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char byte = 'x';
    struct iovec part = { &byte, 1 };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

    if (fd >= 0) {
        struct cmsghdr *c = &control.head;

        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    return sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* The descriptor that came with the next byte; -1: there was none, or nobody is there any more. */
static int hear(int from)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec part = { &byte, 1 };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    const struct cmsghdr *c;
    ssize_t n;
    int fd;

    do
        n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    c = n == 1 ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

static void run_part(int link)
{
    char name[] = "serviola";
    char option[] = "-x";
    char part[] = "xray";
    char *argv[] = { name, option, part, NULL };
    int image = dup(IMAGE_FD);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGCHLD, SIG_DFL);
    if (image >= 0 && dup2(link, LINK_FD) == LINK_FD) {
        close(SETTINGS_FD);
        (void)fexecve(image, argv, environ);
    }
    _exit(3);
}

/* Our end of it; -1: there is no memory for it now. */
static int begin_spare(void)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        run_part(ends[1]);
    close(ends[1]);
    if (pid > 0)
        return ends[0];
    close(ends[0]);
    return -1;
}

/* Once, and for all pictures: descriptors from EYE_ITERATORS_FD on, or none of them. */
static void load_iterators(void)
{
    int links[ITER_LINKS];
    struct err e;

    if (iter_load(links, &e) < 0) { /* the picture tries again, and says why not */
        (void)say_with(ORDERS_FD, -1);
        return;
    }
    (void)say_with(ORDERS_FD, links[ITER_GLANCE]);
    for (int i = 0; i < ITER_LINKS; i++)
        if (dup2(links[i], EYE_ITERATORS_FD + i) < 0)
            _exit(3);
    iter_unload(links);
}

static void be_eye(int orders, int image)
{
    int link;
    int spare;

    (void)prctl(PR_SET_NAME, "serviola-eye", 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN); /* nobody waits for a picture */
    orders = dup(orders);
    image = dup(image);
    if (orders < 0 || image < 0 || dup2(orders, ORDERS_FD) < 0 || dup2(image, IMAGE_FD) < 0 ||
        close_range(FIRST_FREE_FD, ~0u, 0) < 0)
        _exit(3);
    load_iterators();
    become_small();
    spare = begin_spare();
    while ((link = hear(ORDERS_FD)) >= 0) {
        if (say_with(spare, link) < 0) { /* it was ended */
            (void)close(spare);
            spare = begin_spare();
            (void)say_with(spare, link);
        }
        close(link);
        (void)close(spare);
        spare = begin_spare();
    }
    _exit(0);
}

int eye_wait(void)
{
    int link;

    (void)prctl(PR_SET_NAME, "serviola-spare", 0, 0, 0);
    lock_read_in();
    link = hear(LINK_FD);
    if (link < 0 || dup2(link, LINK_FD) < 0)
        return -1;
    close(link);
    return 0;
}

int eye_start(int image, struct err *e)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(e, errno, "the eye");
    pid = fork();
    if (pid == 0)
        be_eye(ends[1], image);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_set(e, errno, "the eye");
    }
    return ends[0];
}

int eye_glance(int eye)
{
    struct pollfd wait = { .fd = eye, .events = POLLIN };

    return poll(&wait, 1, GLANCE_MS) == 1 ? hear(eye) : -1;
}

int eye_open(int eye, int link, struct err *e)
{
    return say_with(eye, link) == 0 ? 0 : err_set(e, errno, "the eye");
}
