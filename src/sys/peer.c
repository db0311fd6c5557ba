/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

enum { WAITING = 16, GROUPS = 256 };

int peer_ask(int fd, struct peer_ids *who, struct err *e)
{
    struct ucred u;
    socklen_t len = sizeof(u);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) < 0)
        return err_set(e, errno, "ask who is there");
    *who = (struct peer_ids){ u.pid, u.uid, u.gid };
    return 0;
}

bool peer_in_group(int fd, gid_t group)
{
    struct peer_ids who;
    gid_t groups[GROUPS]; /* more than that: not a member as far as we can see */
    socklen_t len = sizeof(groups);

    if (peer_ask(fd, &who, NULL) == 0 && who.gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
        return false;
    for (size_t i = 0; i < len / sizeof(groups[0]); i++)
        if (groups[i] == group)
            return true;
    return false;
}

int peer_group(const char *name, gid_t *group, struct err *e)
{
    FILE *f = fopen("/etc/group", "re"); /* not getgrnam: it may load modules and ask the network */
    const struct group *found;

    if (!f)
        return err_set(e, errno, "/etc/group");
    do
        found = fgetgrent(f);
    while (found && strcmp(found->gr_name, name) != 0);
    if (found)
        *group = found->gr_gid;
    (void)fclose(f);
    return found ? 0 : err_set(e, 0, "group %s does not exist; tools/users makes it (as root)", name);
}

static int open_at(const char *path, struct sockaddr_un *at, struct err *e)
{
    int fd;

    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (!text_cstr(at->sun_path, sizeof(at->sun_path), slice_text(path)) || path[0] == '\0')
        return err_set(e, ENAMETOOLONG, "socket name");
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? err_set(e, errno, "socket") : fd;
}

int peer_connect(const char *path, struct err *e)
{
    struct sockaddr_un at;
    int fd = open_at(path, &at, e);

    if (fd < 0)
        return err_wrap(e, "%s", path);
    if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
        (void)err_set(e, errno, "%s", path);
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Takes a name away that a process left behind when it died. */
static int clear_name(const char *path, struct err *e)
{
    struct err why = { 0 };
    struct stat st;
    int fd;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_set(e, errno, "look for an old socket");
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, 0, "something that is no socket is there; remove it or name another path");
    fd = peer_connect(path, &why);
    if (fd >= 0) {
        (void)close(fd);
        return err_set(e, 0, "serviola runs already");
    }
    if (why.code != ECONNREFUSED)
        return err_set(e, why.code, "find out whether somebody listens there");
    return unlink(path) < 0 && errno != ENOENT ? err_set(e, errno, "remove an old socket") : 0;
}

static int bind_narrow(int fd, const struct sockaddr_un *at) /* nobody connects before the mode is right */
{
    mode_t before = umask(0777);
    int result = bind(fd, (const struct sockaddr *)at, sizeof(*at));

    (void)umask(before);
    return result;
}

int peer_listen(const char *path, mode_t mode, gid_t group, struct err *e)
{
    struct sockaddr_un at;
    bool named = false;
    int fd = open_at(path, &at, e);

    if (fd < 0 || clear_name(path, e) < 0)
        goto fail;
    named = bind_narrow(fd, &at) == 0;
    if (!named) {
        (void)err_set(e, errno, "bind");
        goto fail;
    }
    if ((group != (gid_t)-1 && lchown(path, (uid_t)-1, group) < 0) || chmod(path, mode) < 0) {
        (void)err_set(e, errno, "set its group and mode");
        goto fail;
    }
    if (listen(fd, WAITING) == 0)
        return fd;
    (void)err_set(e, errno, "listen");
fail:
    if (named)
        (void)unlink(path);
    if (fd >= 0)
        (void)close(fd);
    return err_wrap(e, "%s", path);
}
