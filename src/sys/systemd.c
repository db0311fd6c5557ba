/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/systemd.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE = 320 }; /* bytes; a name is at most 255 */

/* ---- at the start ---- */

/* Digits and nothing else, at most `most`; -1. */
static long number(const char *text, long most)
{
    long value = 0;

    if (*text == '\0')
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > most)
            return -1;
        value = value * 10 + (*text - '0');
    }
    return value <= most ? value : -1;
}

int systemd_count(const char *listen_pid, const char *listen_fds, pid_t self, struct err *e)
{
    long pid;
    long count;

    if (!listen_pid || !listen_fds)
        return 0;
    pid = number(listen_pid, INT32_MAX);
    count = number(listen_fds, SYSTEMD_MOST);
    if (pid < 0)
        return err_set(e, 0, "LISTEN_PID is no number");
    if (pid != self)
        return 0;
    return count < 0 ? err_set(e, 0, "LISTEN_FDS is no number up to %d", SYSTEMD_MOST) : (int)count;
}

struct slice systemd_name(const char *listen_fdnames, int index)
{
    const char *at = listen_fdnames;

    for (; at && index > 0; index--) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    return at ? slice_of(at, strcspn(at, ":")) : slice_of(NULL, 0);
}

/* ---- to the manager ---- */

int systemd_open(const char *path, struct err *e)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    int fd;

    if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(to.sun_path))
        return err_set(e, 0, "NOTIFY_SOCKET is no path");
    memcpy(to.sun_path, path, len);
    if (path[0] == '@') /* without a file */
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, errno, "socket");
    if (connect(fd, (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
        return fd;
    (void)err_set(e, errno, "NOTIFY_SOCKET");
    (void)close(fd);
    return -1;
}

static int tell(int manager, const char *words, int fd, struct err *e)
{
    struct iovec text = { .iov_len = strlen(words) };
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } with = { .room = { 0 } };
    struct msghdr m = { .msg_iov = &text, .msg_iovlen = 1 };

    memcpy(&text.iov_base, &words, sizeof(words)); /* sendmsg does not write there */
    if (fd >= 0) {
        m.msg_control = &with;
        m.msg_controllen = sizeof(with.room);
        with.head.cmsg_level = SOL_SOCKET;
        with.head.cmsg_type = SCM_RIGHTS;
        with.head.cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(&with.head), &fd, sizeof(fd));
    }
    return sendmsg(manager, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? err_set(e, errno, "NOTIFY_SOCKET") : 0;
}

int systemd_store(int manager, const char *name, int fd, struct err *e)
{
    char words[MESSAGE];

    (void)snprintf(words, sizeof(words), "FDSTORE=1\nFDNAME=%.255s", name);
    return tell(manager, words, fd, e);
}

int systemd_remove(int manager, const char *name, struct err *e)
{
    char words[MESSAGE];

    (void)snprintf(words, sizeof(words), "FDSTOREREMOVE=1\nFDNAME=%.255s", name);
    return tell(manager, words, -1, e);
}
