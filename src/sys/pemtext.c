/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/pemtext.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/whole.h"

static ssize_t read_text(const char *path, int fd, char *room, size_t cap, bool *open_to_all, struct err *e)
{
    struct stat st;
    ssize_t len;

    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, 0, "%s is no file", path);
    len = whole_read(fd, room, cap);
    if (len < 0)
        return err_set(e, errno, "%s", path);
    if (len == 0 || (size_t)len == cap)
        return err_set(e, 0, "%s has %s in it; a PEM text of 1 to %zu bytes is expected", path,
                       len == 0 ? "nothing" : "too much", cap - 1);
    if (!memmem(room, (size_t)len, "-----BEGIN ", 11))
        return err_set(e, 0,
                       "%s is no PEM text (it has no line -----BEGIN ...); openssl x509 or openssl pkey, with -inform "
                       "DER, makes one of a DER file",
                       path);
    if (open_to_all)
        *open_to_all = st.st_mode & S_IROTH;
    return len;
}

ssize_t pemtext_read(const char *path, char *room, size_t cap, bool *open_to_all, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t len;

    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return err_set(e, errno,
                       "%s: root reads it here without the right to override its mode; let root own it, or give its "
                       "group root the right to read",
                       path);
    if (fd < 0)
        return err_set(e, errno, "%s", path);
    len = read_text(path, fd, room, cap, open_to_all, e);
    (void)close(fd);
    return len;
}
