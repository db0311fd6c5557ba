/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/whole.h"

static bool read_on(struct seg_scan *s)
{
    struct pieces *p = (struct pieces *)s; /* its first member */
    const size_t kept = s->file.len - s->at;
    const size_t want = s->left < PIECES_ROOM - kept ? (size_t)s->left : PIECES_ROOM - kept;
    ssize_t n;

    if (want == 0)
        return false;
    memmove(p->room, p->room + s->at, kept);
    s->base += s->at;
    s->at = 0;
    n = whole_pread(p->fd, p->room + kept, want, s->base + kept);
    if (n < (ssize_t)want)
        p->error = n < 0 ? errno : EIO;
    n = p->error ? 0 : n;
    s->file = slice_of(p->room, kept + (size_t)n);
    s->left = p->error ? 0 : s->left - (size_t)n;
    return n > 0;
}

int pieces_open(struct pieces *p, int dir, const char *name, struct err *e)
{
    struct stat st;

    *p = (struct pieces){ .fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) };
    if (p->fd < 0)
        return err_set(e, errno, "%s", name);
    p->room = malloc(PIECES_ROOM);
    if (!p->room || fstat(p->fd, &st) < 0) {
        err_set(e, errno, "%s", name);
        pieces_close(p);
        return -1;
    }
    p->scan = (struct seg_scan){ .file = slice_of(p->room, 0), .left = (uint64_t)st.st_size, .more = read_on };
    (void)read_on(&p->scan);
    return 0;
}

int pieces_done(struct pieces *p, struct err *e)
{
    return p->error ? err_set(e, p->error, "read at %llu", (unsigned long long)(p->scan.base + p->scan.file.len)) : 0;
}

void pieces_close(struct pieces *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    free(p->room);
    *p = (struct pieces){ .fd = -1 };
}
