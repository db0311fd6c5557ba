/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes to a file that appears whole or not at all, whatever lies in the way. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "snap/file.h"
#include "sys/whole.h"

struct target {
    int folder;
    char folder_path[PATH_MAX], name[NAME_MAX + 1], temporary[NAME_MAX + 8];
};

static int open_folder(struct target *t, const char *path, struct err *e)
{
    struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
    char copy[PATH_MAX];
    struct slice whole = slice_text(path);
    const char *name;

    if (!text_cstr(copy, sizeof(copy), whole))
        return err_set(e, ENAMETOOLONG, "the path");
    name = basename(copy);
    if (whole.len == 0 || path[whole.len - 1] == '/' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        !text_cstr(t->name, sizeof(t->name) - 5, slice_text(name)))
        return err_set(e, 0, "this names no file");
    (void)snprintf(t->temporary, sizeof(t->temporary), "%s.part", t->name);
    (void)text_cstr(t->folder_path, sizeof(t->folder_path), whole);
    t->folder = (int)syscall(SYS_openat2, AT_FDCWD, dirname(t->folder_path), &how, sizeof(how));
    if (t->folder < 0 && errno == ELOOP)
        return err_set(e, 0, "a folder on the way is a symbolic link; give the path that it stands for");
    return t->folder < 0 ? err_set(e, errno, "its folder") : 0;
}

/* What may stand there already: nothing, or a plain file that is to be replaced. */
static int look_at_target(const struct target *t, bool replace, struct err *e)
{
    struct stat st;

    if (fstatat(t->folder, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : err_set(e, errno, "stat");
    if (S_ISLNK(st.st_mode))
        return err_set(e, 0, "a symbolic link is there; nothing was written");
    if (!S_ISREG(st.st_mode))
        return err_set(e, 0, "this is no plain file; nothing was written");
    return replace ? 0 : err_set(e, EEXIST, "nothing was written (--force replaces it)");
}

/* A temporary file that a dead writer left is taken away; one that is being written is not. */
static int open_temporary(const struct target *t, struct err *e)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
    int fd = openat(t->folder, t->temporary, FLAGS, 0600);

    if (fd < 0 && errno == EEXIST) {
        int old = openat(t->folder, t->temporary, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        bool busy = old >= 0 && flock(old, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

        if (old >= 0)
            close(old);
        if (busy)
            return err_set(e, EBUSY, "another x-ray is being written there");
        (void)unlinkat(t->folder, t->temporary, 0);
        fd = openat(t->folder, t->temporary, FLAGS, 0600);
    }
    if (fd < 0)
        return err_set(e, errno, "%s", t->temporary);
    (void)flock(fd, LOCK_EX | LOCK_NB);
    return fd;
}

static int write_all(int fd, const struct snap_bytes *b, struct err *e)
{
    if (whole_write(fd, b->at, b->len) < 0)
        return err_set(e, errno, "write");
    return fsync(fd) < 0 ? err_set(e, errno, "fsync") : 0;
}

int snap_write(const char *path, bool replace, const struct snap_bytes *file, struct err *e)
{
    struct target t = { .folder = -1 };
    int fd = -1;
    int status = -1;

    if (open_folder(&t, path, e) < 0 || look_at_target(&t, replace, e) < 0)
        goto out;
    fd = open_temporary(&t, e);
    if (fd < 0)
        goto out;
    if (write_all(fd, file, e) < 0) {
        (void)unlinkat(t.folder, t.temporary, 0);
        goto out;
    }
    if (renameat2(t.folder, t.temporary, t.folder, t.name, replace ? 0 : RENAME_NOREPLACE) < 0) {
        err_set(e, errno, "rename");
        (void)unlinkat(t.folder, t.temporary, 0);
        goto out;
    }
    status = fsync(t.folder) < 0 ? err_set(e, errno, "fsync of its folder") : 0;
out:
    if (fd >= 0)
        close(fd);
    if (t.folder >= 0)
        close(t.folder);
    return status;
}
