/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Processes that live and are not shown, and executables that are not where they were.
 *
 * pidfd_open knows only leaders of thread groups, so threads are no false
 * alarm; a process born meanwhile is in the second listing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "sys/clock.h"
#include "wire/proc.h"

enum { SCAN_MOST = 1 << 18, SUSPECTS = 256, IMAGES_ASKED = 1024, IMAGE_HELPERS = 8, IMAGE_PATIENCE_MS = 300 };

static bool lives(int64_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_listed(const struct xray *x, int64_t pid)
{
    return pid < XRAY_PIDS && (x->listed[pid / 8] >> (pid % 8) & 1) != 0;
}

static bool is_shown(const struct xray *x, int64_t pid)
{
    return pid < XRAY_PIDS && (x->shown[pid / 8] >> (pid % 8) & 1) != 0;
}

/* Who walks in the kernel has seen it all the same; the rest knows no more than that it lives. */
static struct snap_process *record_of(struct snap *s, int64_t pid)
{
    struct snap_process *all = s->part[SNAP_PROCESS].at;
    struct snap_process *p;

    for (size_t i = 0; i < s->part[SNAP_PROCESS].count; i++)
        if (all[i].pid == pid)
            return &all[i];
    p = snap_add(s, SNAP_PROCESS);
    if (p) {
        p->pid = pid;
        p->state = SLICE("?");
    }
    return p;
}

/* Does /proc show it now: by name in its listing, and with something behind the name? */
static bool shows_now(struct xray *x, int64_t pid)
{
    char name[40];
    struct proc_stat stat;
    bool named = false;
    int fd = openat(x->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!d) {
        if (fd >= 0)
            close(fd);
        return true;
    }
    (void)snprintf(name, sizeof(name), "%lld", (long long)pid);
    while (!named && (entry = readdir(d)))
        named = strcmp(entry->d_name, name) == 0;
    (void)closedir(d);
    (void)snprintf(name, sizeof(name), "%lld/stat", (long long)pid);
    return named && proc_stat_read(xray_read(x, x->proc, name), &stat);
}

static void suspect(struct xray *x, int64_t pid)
{
    struct snap_process *p;

    if (!lives(pid) || shows_now(x, pid) || !lives(pid) || !(p = record_of(x->s, pid)))
        return;
    p->unlisted = true;
}

/* With hidepid= most processes are hidden from us by design. */
static void note_hidepid(struct xray *x)
{
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, m)
    if (slice_eq(m->point, SLICE("/proc")) && memmem(m->super_options.at, m->super_options.len, "hidepid=", 8))
        snap_note(x->s, "process", "/proc hides the processes of other users from us (hidepid): run as root");
}

void xray_unlisted(struct xray *x)
{
    int64_t most = 0;
    unsigned suspects = 0;
    struct proc_load load;

    if (geteuid() != 0) {
        note_hidepid(x);
        return;
    }
    if (proc_load_read(xray_read(x, x->proc, "loadavg"), &load))
        most = (int64_t)load.last_pid;
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    most = p->pid > most ? p->pid : most;
    if (most >= SCAN_MOST) {
        snap_note(x->s, "process", "hidden processes were looked for up to pid %d only", SCAN_MOST - 1);
        most = SCAN_MOST - 1;
    }
    for (int64_t pid = 1; pid <= most && suspects < SUSPECTS; pid++) {
        if (!is_listed(x, pid) ? !lives(pid) : is_shown(x, pid))
            continue;
        suspects++;
        suspect(x, pid);
    }
}

/* --- executables */

struct images {
    struct xray *x;
    size_t at[IMAGES_ASKED]; /* index into the part */
    size_t count, next;
};

/* Runs in the helper: is another file at the path now, as the process sees it? */
static uint8_t image_now(const struct snap_process *p)
{
    static const size_t suffix = sizeof(" (deleted)") - 1;
    char path[4200];
    char own[48];
    struct stat at_path;
    struct stat running;
    struct text t = TEXT_IN(path);

    (void)snprintf(own, sizeof(own), "/proc/%lld/exe", (long long)p->pid);
    if (stat(own, &running) < 0)
        return SNAP_IMAGE_DELETED;
    if (running.st_nlink > 0) /* its name ends so, or another name of it is left */
        return SNAP_IMAGE_FILE;
    text_addf(&t, "/proc/%lld/root", (long long)p->pid);
    text_add(&t, slice_first(p->exe, p->exe.len - suffix));
    return !t.cut && lstat(path, &at_path) == 0 && S_ISREG(at_path.st_mode) ? SNAP_IMAGE_REPLACED : SNAP_IMAGE_DELETED;
}

static void ask_images(int fd, const void *ctx)
{
    const struct images *images = ctx;
    const struct snap_process *all = images->x->s->part[SNAP_PROCESS].at;

    for (size_t i = images->next; i < images->count; i++) {
        uint8_t image = image_now(&all[images->at[i]]);

        helper_say(fd, &image, 1);
    }
}

void xray_images(struct xray *x)
{
    struct images *images = calloc(1, sizeof(*images));
    struct snap_process *all = x->s->part[SNAP_PROCESS].at;

    if (!images)
        return;
    images->x = x;
    for (size_t i = 0; i < x->s->part[SNAP_PROCESS].count && images->count < IMAGES_ASKED; i++)
        if (all[i].image == SNAP_IMAGE_DELETED)
            images->at[images->count++] = i;
    /* Where one hangs, the next helper goes on behind it. */
    for (unsigned tries = 0; images->next < images->count && tries < IMAGE_HELPERS; tries++) {
        struct helper h;
        struct slice said;

        if (!helper_start(&h, ask_images, images))
            break;
        helper_collect(&h, 1, clock_mono_us() / 1000 + IMAGE_PATIENCE_MS);
        said = helper_said(&h);
        for (size_t i = 0; i < said.len && images->next < images->count; i++)
            all[images->at[images->next++]].image = said.at[i];
        if (images->next < images->count) {
            const struct snap_process *p = &all[images->at[images->next++]];

            snap_note(x->s, "process",
                      "whether the executable of pid %lld was replaced can't be told: its disk does "
                      "not answer",
                      (long long)p->pid);
        }
        helper_done(&h);
    }
    free(images);
}
