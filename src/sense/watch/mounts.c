/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/watch/lookout.h"
#include "sys/clock.h"
#include "wire/proc.h"

enum { BLOCK = 4096, FILL_EVERY = 10, SECOND_US = 1000000, SEARCH_DEPTH = 3, SEARCH_NAMES = 2000 };

struct work { /* what a lookout knows; copied by its fork */
    char point[MOUNT_POINT];
    char device[64]; /* empty: nothing to read */
    int folder, disk;
    uint64_t size, turn;
    void *block;
    bool fill;
};

struct mounts {
    uint32_t count;
    struct {
        struct mount_state state;
        struct lookout *lookout;
        uint64_t major, minor;
    } at[MOUNTS_MOST];
};

/* ---- in the lookout ---- */

struct search { /* for a file that can be read in the place of the device */
    dev_t device;
    unsigned left; /* names that are looked at */
};

/* NOLINTNEXTLINE(misc-no-recursion): SEARCH_DEPTH at most */
static int find_file(int folder, struct search *s, unsigned depth)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;
    int fd = -1;

    while (dir && fd < 0 && s->left > 0 && (entry = readdir(dir)) != NULL) {
        struct stat st;

        s->left--;
        if (entry->d_name[0] == '.' || fstatat(again, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            st.st_dev != s->device)
            continue;
        if (S_ISREG(st.st_mode) && st.st_size >= BLOCK)
            fd = openat(again, entry->d_name, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);
        else if (S_ISDIR(st.st_mode) && depth < SEARCH_DEPTH) {
            int inner = openat(again, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            fd = inner < 0 ? -1 : find_file(inner, s, depth + 1);
            if (inner >= 0)
                close(inner);
        }
    }
    if (dir)
        (void)closedir(dir);
    else if (again >= 0)
        close(again);
    return fd;
}

/* The device itself; where that is not ours to read, or there is none (btrfs, NFS), a file that lies on it. */
static int open_disk(const struct work *w)
{
    struct search s = { .left = SEARCH_NAMES };
    struct stat st;
    int fd = w->device[0] == '/' ? open(w->device, O_RDONLY | O_DIRECT | O_CLOEXEC) : -1;

    if (fd >= 0 || w->device[0] == '\0' || w->folder < 0 || fstat(w->folder, &st) < 0)
        return fd;
    s.device = st.st_dev;
    return find_file(w->folder, &s, 0);
}

static void begin(void *ctx)
{
    struct work *w = ctx;
    off_t end;

    w->folder = open(w->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->disk = open_disk(w);
    end = w->disk < 0 ? 0 : lseek(w->disk, 0, SEEK_END);
    w->size = end > 0 ? (uint64_t)end : 0;
    if (posix_memalign(&w->block, BLOCK, BLOCK) != 0)
        w->block = NULL;
}

static void fill(const struct work *w, struct mount_answer *a)
{
    struct statfs s;

    a->asked = true;
    a->answered = w->folder >= 0 && fstatfs(w->folder, &s) == 0;
    if (!a->answered)
        return;
    a->bytes = s.f_blocks * (uint64_t)s.f_bsize;
    a->bytes_free = s.f_bavail * (uint64_t)s.f_bsize;
    a->inodes = s.f_files;
    a->inodes_free = s.f_ffree;
}

static void work(void *ctx, void *answer)
{
    struct work *w = ctx;
    struct mount_answer *a = answer;
    uint64_t blocks = w->size / BLOCK;

    if (w->turn % FILL_EVERY == 0)
        fill(w, a);
    a->read = blocks > 0 && w->block;
    if (a->read) {
        int64_t begun_us = clock_mono_us();
        off_t at = (off_t)(w->turn * 7919 % blocks * BLOCK);

        a->read_failed = pread(w->disk, w->block, BLOCK, at) != BLOCK;
        a->read_us = clock_mono_us() - begun_us;
    }
    w->turn++;
}

/* ---- which there are ---- */

static bool is_one_of(struct slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_eq(s, slice_text(*words)))
            return true;
    return false;
}

/* Made by the kernel for its own ends, or full by nature. */
static bool is_of_no_interest(const struct proc_mount *m)
{
    static const char *const types[] = { "proc",        "sysfs",       "devpts",     "cgroup",    "cgroup2",
                                         "tracefs",     "debugfs",     "securityfs", "pstore",    "bpf",
                                         "mqueue",      "hugetlbfs",   "configfs",   "fusectl",   "autofs",
                                         "nsfs",        "binfmt_misc", "devtmpfs",   "ramfs",     "rpc_pipefs",
                                         "efivarfs",    "squashfs",    "iso9660",    "selinuxfs", "overlay",
                                         "fuse.portal", "fuse.lxcfs",  NULL };

    /* What programs serve says what it likes of its size; what can't be written does not fill. */
    return is_one_of(m->type, types) || slice_starts_nocase(m->type, SLICE("fuse.")) ||
           slice_eq(m->type, SLICE("fuse")) || proc_option(m->options, "ro");
}

static struct slice last_part(struct slice path)
{
    size_t n = path.len;

    while (n > 0 && path.at[n - 1] != '/')
        n--;
    return slice_skip(path, n);
}

static bool is_known(const struct mounts *m, const struct proc_mount *p)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->at[i].major == p->major && m->at[i].minor == p->minor)
            return true;
    return false;
}

static int add(struct mounts *m, const struct proc_mount *p, bool read_disks, const char *user, struct err *e)
{
    static const char *const nothing[] = { NULL };
    struct mount_state *s = &m->at[m->count].state;
    bool device = slice_eq(slice_first(p->source, 5), SLICE("/dev/"));
    struct work w = { .folder = -1, .disk = -1 };
    struct lookout_job job = { .name = "disk",
                               .user = user,
                               .read_only = nothing,
                               .begin = begin,
                               .work = work,
                               .ctx = &w,
                               .answer_bytes = sizeof(struct mount_answer) };
    struct text point = TEXT_IN(w.point);

    proc_unescape(&point, p->point);
    if (point.cut || !text_cstr(w.device, sizeof(w.device), device && read_disks ? p->source : SLICE("")))
        return 0;
    memcpy(s->point, w.point, sizeof(s->point));
    if (device)
        (void)text_cstr(s->disk, sizeof(s->disk), last_part(p->source));
    s->fills = true;
    s->latency = (double)NAN;
    m->at[m->count].major = p->major;
    m->at[m->count].minor = p->minor;
    m->at[m->count].lookout = lookout_new(&job, e);
    if (!m->at[m->count].lookout)
        return -1;
    m->count++;
    return 0;
}

struct mounts *mounts_new(struct slice mountinfo, bool read_disks, const char *user, struct err *e)
{
    struct mounts *m = calloc(1, sizeof(*m));

    if (!m) {
        err_set(e, ENOMEM, "mounts");
        return NULL;
    }
    while (mountinfo.len > 0 && m->count < MOUNTS_MOST) {
        struct proc_mount p;

        if (!proc_mount_read(slice_until(mountinfo, '\n', &mountinfo), &p) || is_of_no_interest(&p) || is_known(m, &p))
            continue;
        if (add(m, &p, read_disks, user, e) < 0) {
            mounts_free(m);
            return NULL;
        }
    }
    return m;
}

void mounts_free(struct mounts *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->count; i++)
        lookout_free(m->at[i].lookout);
    free(m);
}

void mounts_second(struct mounts *m, int64_t mono_us)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct mount_state *s = &m->at[i].state;
        const struct mount_answer *a = lookout_answer(m->at[i].lookout);
        int64_t waits_us = lookout_waits_us(m->at[i].lookout, mono_us);

        if (lookout_ended(m->at[i].lookout)) { /* nothing is known any more */
            memset(&s->last, 0, sizeof(s->last));
            s->latency = (double)NAN;
            s->hangs = false;
            continue;
        }
        if (a)
            s->last = *a;
        s->latency = a && a->read ? (double)a->read_us / SECOND_US : s->latency;
        if (s->disk[0] && s->last.read && (double)waits_us / SECOND_US > s->latency)
            s->latency = (double)waits_us / SECOND_US;
        s->hangs = waits_us > SECOND_US;
        lookout_ask(m->at[i].lookout, mono_us);
    }
}

const struct mount_state *mounts_at(const struct mounts *m, uint32_t i)
{
    return i < m->count ? &m->at[i].state : NULL;
}
