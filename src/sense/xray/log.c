/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logs that processes hold open: since when nothing was written, and whether another file stands at the path by now. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/xray/inner.h"

enum { TAIL = 16 << 10, LOGS_MOST = 1000 };

static bool ends_with(struct slice s, const char *end)
{
    size_t n = strlen(end);

    return s.len >= n && memcmp(s.at + s.len - n, end, n) == 0;
}

/* "/log/" or ".log"; asked of each file that is open on the host. */
static bool has_log(struct slice path)
{
    for (size_t i = 1; i + 3 <= path.len; i++)
        if (path.at[i] == 'l' && path.at[i + 1] == 'o' && path.at[i + 2] == 'g' &&
            (path.at[i - 1] == '.' || (path.at[i - 1] == '/' && i + 3 < path.len && path.at[i + 3] == '/')))
            return true;
    return false;
}

bool xray_log_named(struct slice path)
{
    return path.len >= 5 && path.at[0] == '/' && has_log(path) && !ends_with(path, "/wtmp") &&
           !ends_with(path, "/btmp") && !ends_with(path, "/lastlog");
}

void xray_log_seen(struct xray *x, int64_t pid, uint64_t descriptor, struct slice path)
{
    const struct snap_log *all = x->s->part[SNAP_LOG].at;
    struct snap_log *to;

    for (size_t i = 0; i < x->s->part[SNAP_LOG].count; i++)
        if (slice_eq(all[i].path, path))
            return;
    to = snap_add(x->s, SNAP_LOG);
    if (!to)
        return;
    to->path = snap_keep(x->s, path);
    to->pid = pid;
    to->descriptor = descriptor;
}

/* What the helper says of each. */
struct state {
    uint64_t inode, inode_now, bytes, line_bytes;
    int64_t born_us, changed_us;
};

static int64_t us_of(struct statx_timestamp t)
{
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* mail.log.1, mail.log.old, mail.log-20261122: the name without what rotation hangs on; false: nothing hangs on. */
static bool before_rotation(struct slice path, struct slice *base)
{
    static const char gone[] = " (deleted)";
    size_t n;

    *base = path;
    if (ends_with(path, gone))
        path.len = base->len = path.len - (sizeof(gone) - 1);
    if (ends_with(path, ".old")) {
        base->len = path.len - 4;
        return true;
    }
    for (n = path.len; n > 0 && path.at[n - 1] >= '0' && path.at[n - 1] <= '9'; n--)
        ;
    if (n < path.len && n > 1 && (path.at[n - 1] == '.' || path.at[n - 1] == '-')) {
        base->len = n - 1;
        return true;
    }
    return base->len < path.len;
}

static uint64_t inode_at(const struct snap_log *log)
{
    char path[4400];
    struct text t = TEXT_IN(path);
    struct slice base;
    struct stat st;

    text_addf(&t, "/proc/%lld/root", (long long)log->pid);
    if (before_rotation(log->path, &base)) {
        size_t root = t.len;

        text_add(&t, base);
        if (!t.cut && stat(path, &st) == 0)
            return st.st_ino;
        t.len = root;
    }
    text_add(&t, log->path);
    return !t.cut && stat(path, &st) == 0 ? st.st_ino : 0;
}

static uint64_t line_bytes(const char *path, uint64_t bytes)
{
    static uint8_t tail[TAIL];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = fd < 0 ? 0 : pread(fd, tail, sizeof(tail), bytes > TAIL ? (off_t)(bytes - TAIL) : 0);
    uint64_t lines = 0;

    for (ssize_t i = 0; i < n; i++)
        lines += tail[i] == '\n';
    if (fd >= 0)
        close(fd);
    return lines > 0 ? (uint64_t)n / lines : 0;
}

static struct state state_of(const struct snap_log *log)
{
    struct state s = { .inode = 0 };
    struct statx st;
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%lld/fd/%llu", (long long)log->pid, (unsigned long long)log->descriptor);
    if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &st) < 0 || !S_ISREG(st.stx_mode))
        return s;
    s.inode = st.stx_ino;
    s.bytes = st.stx_size;
    s.changed_us = us_of(st.stx_mtime);
    s.born_us = (st.stx_mask & STATX_BTIME) != 0 ? us_of(st.stx_btime) : 0;
    s.line_bytes = line_bytes(path, s.bytes);
    s.inode_now = inode_at(log);
    return s;
}

static void look_at_logs(int fd, const void *ctx)
{
    const struct xray *x = ctx;

    SNAP_LIST(x->s, SNAP_LOG, struct snap_log, log)
    {
        struct state s = state_of(log);

        helper_say(fd, &s, sizeof(s));
    }
}

void xray_logs_begin(struct xray *x)
{
    if (x->s->part[SNAP_LOG].count > 0 && !helper_start(&x->logs, look_at_logs, x))
        snap_note(x->s, "log", "no process to look at them");
}

void xray_logs_end(struct xray *x)
{
    struct snap_log *all = x->s->part[SNAP_LOG].at;
    struct slice said;
    size_t i = 0;

    if (!x->logs.at)
        return;
    helper_collect(&x->logs, 1, x->deadline_ms);
    for (said = helper_said(&x->logs); said.len >= sizeof(struct state);
         said = slice_skip(said, sizeof(struct state)), i++) {
        struct state s;

        memcpy(&s, said.at, sizeof(s));
        all[i].answer = s.inode != 0 ? SNAP_ANSWERED : SNAP_REFUSED;
        all[i].inode = s.inode;
        all[i].inode_now = s.inode_now;
        all[i].bytes = s.bytes;
        all[i].line_bytes = s.line_bytes;
        all[i].born_us = s.born_us;
        all[i].changed_us = s.changed_us;
    }
    if (!x->logs.ended)
        for (; i < x->s->part[SNAP_LOG].count; i++)
            all[i].answer = SNAP_SILENT;
    helper_done(&x->logs);
}
