/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every process, the newest first: those are the ones that may be gone in a moment. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "sys/clock.h"
#include "wire/arguments.h"
#include "wire/proc.h"

enum {
    ARGS_KEPT = 32 << 10,
    TASKS_LOOKED_AT = 512,
    STACK_LINES = 24,
    LIMITS_FROM = 200,
    NEWEST = 32,
    FRESH_US = 5000,
    GAP = 2, /* as many numbers in a row that are not given out: the rest is listed */
};

static void mark(uint8_t *bits, int64_t pid)
{
    if (pid > 0 && pid < XRAY_PIDS)
        bits[pid / 8] = (uint8_t)(bits[pid / 8] | 1U << (pid % 8));
}

void xray_shown(struct xray *x, int64_t pid)
{
    mark(x->shown, pid);
}

/* As the kernel gives them: readdir would take memory, and ask twice more, for each of thousands of folders. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* Calls for each entry of the folder `fd` that is a number, from where it stands. */
static void each_number_of(int fd, void (*found)(void *own, int in, const char *name, int64_t n), void *own)
{
    _Alignas(struct entry) uint8_t room[32 << 10];
    long n;

    while ((n = syscall(SYS_getdents64, fd, room, sizeof(room))) > 0) {
        const struct entry *entry;

        for (long at = 0; at < n; at += entry->len) {
            uint64_t number;

            entry = (const void *)(room + at);
            if (slice_to_u64(slice_text(entry->name), &number) && number <= INT32_MAX)
                found(own, fd, entry->name, (int64_t)number);
        }
    }
}

/* False when the folder can't be read. */
static bool each_number(int folder, const char *path, void (*found)(void *own, int in, const char *name, int64_t n),
                        void *own)
{
    int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return false;
    each_number_of(fd, found, own);
    close(fd);
    return true;
}

struct pids {
    struct xray *x;
    int64_t *at; /* owned */
    size_t count, cap;
};

static void on_pid(void *own, int in, const char *name, int64_t pid)
{
    struct pids *p = own;

    (void)in;
    (void)name;
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 4096;
        int64_t *more = reallocarray(p->at, cap, sizeof(*more));

        if (!more)
            return;
        p->at = more;
        p->cap = cap;
    }
    p->at[p->count++] = pid;
    mark(p->x->listed, pid);
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? 1 : x > y ? -1 : 0;
}

struct descriptors {
    struct xray *x;
    struct snap_process *p;
    int64_t next; /* those below are in the picture */
};

void xray_open_file(struct xray *x, int64_t pid, uint64_t descriptor, struct slice path)
{
    struct snap_file *f;

    if (slice_eq(path, SLICE("/dev/null")) || !(f = snap_add(x->s, SNAP_FILE)))
        return;
    f->pid = pid;
    f->descriptor = descriptor;
    f->path = snap_keep(x->s, path);
}

/* The link's own mode says how it was opened. */
static bool is_written(int folder, const char *descriptor)
{
    struct stat st;

    return fstatat(folder, descriptor, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & 0200) != 0;
}

/* `link`: empty when it may not be read. */
static void descriptor(struct xray *x, struct snap_process *p, int folder, const char *name, int64_t number,
                       struct slice link)
{
    struct slice rest;
    struct snap_holder *h;
    uint64_t inode;

    p->descriptors++;
    if (link.len > 0 && link.at[0] == '/') {
        if (xray_log_named(link) && is_written(folder, name))
            xray_log_seen(x, p->pid, (uint64_t)number, link);
        xray_open_file(x, p->pid, (uint64_t)number, link);
        return;
    }
    if (link.len < 10 || memcmp(link.at, "socket:[", 8) != 0 ||
        !slice_to_u64(slice_until(slice_skip(link, 8), ']', &rest), &inode))
        return;
    h = snap_add(x->s, SNAP_HOLDER);
    if (h)
        *h = (struct snap_holder){ .pid = p->pid, .descriptor = (uint64_t)number, .inode = inode };
}

static void on_descriptor(void *own, int in, const char *name, int64_t number)
{
    struct descriptors *d = own;

    if (number >= d->next)
        descriptor(d->x, d->p, in, name, number, xray_link(d->x, in, name));
}

/* Written from the end of the room on; printf would take longer than to find the name. */
static const char *decimal(char room[24], int64_t n)
{
    char *at = room + 23;

    *at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    return at;
}

/*
 * Since Linux 6.2 the folder says how many it holds.  Numbers are given out
 * from 0 on, so they are tried in a row, which costs less than to list them
 * first.  False when some are still to be found, from d->next on.
 */
static bool in_a_row(struct descriptors *d, int folder)
{
    int64_t found = 0;
    unsigned gap = 0;
    struct stat st;

    if (fstat(folder, &st) < 0 || st.st_size <= 0)
        return false;
    for (; found < st.st_size && gap < GAP; d->next++) {
        char room[24];
        const char *name = decimal(room, d->next);
        struct slice link;

        errno = 0;
        link = xray_link(d->x, folder, name);
        if (link.len == 0 && (errno == ENOENT || errno == ESRCH)) {
            gap++;
            continue;
        }
        descriptor(d->x, d->p, folder, name, d->next, link);
        found++;
        gap = 0;
    }
    return found == st.st_size;
}

static uint64_t soft(const struct rlimit *l)
{
    return l->rlim_cur == RLIM_INFINITY ? UINT64_MAX : l->rlim_cur;
}

/* The call is quick, and is for who may; the text is for who has many descriptors. */
static void limits(struct xray *x, struct snap_process *p, int folder)
{
    struct rlimit l;

    if (prlimit((pid_t)p->pid, RLIMIT_NOFILE, NULL, &l) == 0) {
        p->descriptors_most = soft(&l);
        if (prlimit((pid_t)p->pid, RLIMIT_NPROC, NULL, &l) == 0)
            p->tasks_most = soft(&l);
    } else if (p->descriptors >= LIMITS_FROM) {
        struct slice text = xray_read(x, folder, "limits");

        (void)proc_limit(text, "Max open files", &p->descriptors_most);
        (void)proc_limit(text, "Max processes", &p->tasks_most);
    }
}

static void descriptors(struct xray *x, struct snap_process *p, int folder)
{
    struct descriptors d = { .x = x, .p = p };
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    int fd = openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == EACCES && h)
        h->unreadable++;
    if (fd >= 0) {
        /* Number n stands at n + 2, behind "." and "..". */
        if (!in_a_row(&d, fd) && lseek(fd, d.next > 0 ? d.next + 2 : 0, SEEK_SET) >= 0)
            each_number_of(fd, on_descriptor, &d);
        close(fd);
    }
    limits(x, p, folder);
}

/* `[<0>] folio_wait_bit+0x12/0x30` for each frame gives the function's name alone. */
static struct slice stack_of(struct xray *x, int folder)
{
    struct slice text = xray_read(x, folder, "stack");
    char names[2048];
    struct text t = TEXT_IN(names);

    for (unsigned i = 0; i < STACK_LINES && text.len > 0; i++) {
        struct slice name;
        struct slice rest;

        (void)slice_until(slice_until(text, '\n', &text), ']', &name);
        name = slice_until(slice_trim(name), '+', &rest);
        if (name.len == 0 || t.len + name.len + 2 > t.cap)
            continue;
        text_add(&t, name);
        text_word(&t, "\n");
    }
    return snap_keep(x->s, slice_text(names));
}

static bool takes_descriptor(uint64_t call)
{
    static const long calls[] = { SYS_read,       SYS_write, SYS_pread64,   SYS_pwrite64,       SYS_readv,
                                  SYS_writev,     SYS_fsync, SYS_fdatasync, SYS_ftruncate,      SYS_fallocate,
                                  SYS_getdents64, SYS_fstat, SYS_fchmod,    SYS_fchown,         SYS_syncfs,
                                  SYS_sendfile,   SYS_flock, SYS_fadvise64, SYS_sync_file_range };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (call == (uint64_t)calls[i])
            return true;
    return false;
}

/* `1 0x3 0x7ffe...`: the call and its first argument; the descriptor's link needs no disk. */
static struct slice waits_for(struct xray *x, int folder)
{
    struct slice rest;
    struct slice first;
    struct slice path;
    char words[64];
    uint64_t call;
    uint64_t fd;
    char *end;

    first = slice_until(xray_read(x, folder, "syscall"), ' ', &rest);
    if (!slice_to_u64(first, &call) || !takes_descriptor(call) ||
        !text_cstr(words, sizeof(words), slice_until(rest, ' ', &rest)))
        return SLICE("");
    fd = strtoull(words, &end, 16);
    if (*end != '\0' || fd > INT32_MAX)
        return SLICE("");
    (void)snprintf(words, sizeof(words), "fd/%u", (unsigned)fd);
    path = xray_link(x, folder, words);
    return path.len > 0 && path.at[0] == '/' ? snap_keep(x->s, path) : SLICE("");
}

struct tasks {
    struct xray *x;
    struct snap_process *p;
    unsigned looked_at;
};

void xray_waiter(struct xray *x, struct snap_process *p, int folder)
{
    if (p->waiting++ > 0)
        return;
    p->state = SLICE("D");
    p->wait = xray_keep(x, folder, "wchan");
    p->stack = stack_of(x, folder);
    p->wait_path = waits_for(x, folder);
}

static void on_task(void *own, int in, const char *name, int64_t number)
{
    struct tasks *t = own;
    struct proc_stat stat;
    int folder;

    (void)number;
    if (t->looked_at++ >= TASKS_LOOKED_AT)
        return;
    folder = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    if (proc_stat_read(xray_read(t->x, folder, "stat"), &stat) && stat.state == 'D')
        xray_waiter(t->x, t->p, folder);
    close(folder);
}

void xray_arguments(struct xray *x, struct snap_process *p, int folder, const char *path, uint64_t wanted)
{
    struct slice args = xray_read_once(x, folder, path);
    uint8_t shown[ARGS_KEPT];

    p->args_cut = args.len > ARGS_KEPT || args.len < wanted;
    args = slice_first(args, ARGS_KEPT);
    if (args.len == 0 || slice_eq(args, slice_of(x->args.raw, x->args.len))) {
        p->args = args.len > 0 ? x->args.shown : SLICE("");
        return;
    }
    memcpy(shown, args.at, args.len);
    p->args = snap_keep(x->s, slice_of(shown, arguments_mask(shown, args.len)));
    x->args.len = args.len <= sizeof(x->args.raw) && p->args.len > 0 ? args.len : 0;
    memcpy(x->args.raw, args.at, x->args.len);
    x->args.shown = p->args;
}

void xray_image(struct snap_process *p)
{
    static const char gone[] = " (deleted)";
    size_t n = sizeof(gone) - 1;

    if (p->exe.len == 0)
        p->image = SNAP_IMAGE_NONE;
    else if (p->exe.len > 7 && memcmp(p->exe.at, "/memfd:", 7) == 0)
        p->image = SNAP_IMAGE_MEMORY;
    else if (p->exe.len > n && memcmp(p->exe.at + p->exe.len - n, gone, n) == 0)
        p->image = SNAP_IMAGE_DELETED; /* xray_images looks closer */
    else
        p->image = SNAP_IMAGE_FILE;
}

static void image(struct xray *x, struct snap_process *p, int folder)
{
    p->exe = snap_keep(x->s, xray_link(x, folder, "exe"));
    xray_image(p);
}

static uint64_t network_of(struct xray *x, int folder)
{
    struct slice rest;
    struct slice link = xray_link(x, folder, "ns/net");
    uint64_t inode = 0;

    (void)slice_until(link, '[', &rest);
    (void)slice_to_u64(slice_until(rest, ']', &rest), &inode);
    return inode;
}

/* One process, out of its folder; false when it went away. */
static bool process(struct xray *x, struct snap_process *p, int folder)
{
    struct slice text = xray_read_once(x, folder, "stat");
    struct tasks tasks = { .x = x, .p = p };
    struct proc_stat stat;
    struct stat st;

    if (!proc_stat_read(text, &stat))
        return false;
    p->pid = stat.pid;
    p->parent = stat.ppid;
    p->start_ms = stat.start_ticks * 1000 / x->tick_hz;
    p->state = snap_keep(x->s, slice_of(&stat.state, 1));
    p->comm = snap_keep(x->s, stat.comm);
    p->flags = stat.flags;
    p->threads = stat.threads;
    p->rss_kib = stat.rss_pages * (x->page_bytes / 1024);
    p->uid = fstat(folder, &st) == 0 ? st.st_uid : UINT32_MAX;
    p->network = network_of(x, folder);
    descriptors(x, p, folder);
    if ((stat.flags & PROC_KERNEL_THREAD) == 0) {
        xray_arguments(x, p, folder, "cmdline", stat.args_bytes);
        image(x, p, folder);
        p->cwd = snap_keep(x->s, xray_link(x, folder, "cwd"));
        p->unit = snap_keep(x->s, proc_unit(xray_read_once(x, folder, "cgroup")));
    } else {
        /* A disguise has a command line or an executable; the real ones have neither. */
        xray_arguments(x, p, folder, "cmdline", 0);
        image(x, p, folder);
    }
    if (stat.threads > 1)
        (void)each_number(folder, "task", on_task, &tasks);
    else if (stat.state == 'D')
        xray_waiter(x, p, folder);
    return true;
}

static void look_at(struct xray *x, int64_t pid)
{
    struct snap_array *part = &x->s->part[SNAP_PROCESS];
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    struct snap_process *p = snap_add(x->s, SNAP_PROCESS);
    char name[32];
    int folder;

    if (!p)
        return;
    (void)snprintf(name, sizeof(name), "%lld", (long long)pid);
    folder = openat(x->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || !process(x, p, folder)) {
        part->count--;
        if (h)
            h->processes_vanished++;
    } else if (p->parent == x->self) {
        part->count--; /* a helper of ours */
        xray_shown(x, pid);
    } else {
        xray_shown(x, pid);
    }
    if (folder >= 0)
        close(folder);
}

/* All that are listed now, the newest first. */
static bool list(struct xray *x, struct pids *pids)
{
    *pids = (struct pids){ .x = x };
    if (!each_number(x->proc, ".", on_pid, pids))
        return false;
    if (pids->count > 0)
        qsort(pids->at, pids->count, sizeof(pids->at[0]), newest_first);
    return true;
}

static bool has_early(const struct xray *x, int64_t pid)
{
    const struct snap_process *all = x->s->part[SNAP_PROCESS].at;

    for (size_t i = 0; i < x->early_processes; i++)
        if (all[i].pid == pid)
            return true;
    return false;
}

static void look_early(struct xray *x, int64_t pid)
{
    size_t before = x->s->part[SNAP_HOLDER].count;

    if (has_early(x, pid))
        return;
    look_at(x, pid);
    xray_partners_of(x, before);
    x->early_processes = x->s->part[SNAP_PROCESS].count;
    x->early_holders = x->s->part[SNAP_HOLDER].count;
    x->early_files = x->s->part[SNAP_FILE].count;
}

/* The number that the kernel gave last, to a process or a thread; 0: not known. */
int64_t xray_last_pid(struct xray *x)
{
    struct proc_load load;

    return proc_load_read(xray_read_once(x, x->proc, "loadavg"), &load) ? (int64_t)load.last_pid : 0;
}

/*
 * Who lives for a moment only is gone when the sockets have been listed: the
 * newest few are looked at before that, and right after the connections.
 */
void xray_newest(struct xray *x)
{
    struct pids pids;

    x->fresh.last_pid = xray_last_pid(x);
    x->fresh.count = 0;
    if (list(x, &pids))
        for (size_t i = 0; i < pids.count && i < NEWEST; i++)
            look_early(x, pids.at[i]);
    free(pids.at);
}

/* A thread has a folder of that number, too. */
static bool is_process(int64_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Without a listing: numbers are given in a row.  After the last one they begin anew, which this does not follow. */
void xray_newcomers(struct xray *x)
{
    int64_t last = xray_last_pid(x);
    int64_t now_us = clock_mono_us();

    if (last - x->fresh.last_pid > XRAY_FRESH)
        x->fresh.last_pid = last - XRAY_FRESH;
    while (x->fresh.last_pid < last && x->fresh.count < XRAY_FRESH) {
        size_t i = (x->fresh.from + x->fresh.count++) % XRAY_FRESH;

        x->fresh.pid[i] = ++x->fresh.last_pid;
        x->fresh.seen_us[i] = now_us;
    }
    while (x->fresh.count > 0 && now_us - x->fresh.seen_us[x->fresh.from] >= FRESH_US) {
        int64_t pid = x->fresh.pid[x->fresh.from];

        x->fresh.from = (x->fresh.from + 1) % XRAY_FRESH;
        x->fresh.count--;
        if (is_process(pid))
            look_early(x, pid);
    }
    x->fresh.last_pid = last;
}

static bool was_read_again(const struct xray *x, int64_t pid)
{
    const struct snap_process *all = x->s->part[SNAP_PROCESS].at;

    for (size_t i = x->early_processes; i < x->s->part[SNAP_PROCESS].count; i++)
        if (all[i].pid == pid)
            return true;
    return false;
}

static int64_t holder_pid(const void *record)
{
    return ((const struct snap_holder *)record)->pid;
}

static int64_t file_pid(const void *record)
{
    return ((const struct snap_file *)record)->pid;
}

static int64_t process_pid(const void *record)
{
    return ((const struct snap_process *)record)->pid;
}

/* A record of that pid, of another process: the early one ended, and its number was given anew. */
static bool was_given_anew(const struct xray *x, const struct snap_process *early)
{
    const struct snap_process *all = x->s->part[SNAP_PROCESS].at;

    for (size_t i = x->early_processes; i < x->s->part[SNAP_PROCESS].count; i++)
        if (all[i].pid == early->pid)
            return all[i].start_ms != early->start_ms;
    return false;
}

/* Of the first `early` records those go whose process is in the picture a second time. */
static void drop_early(struct xray *x, enum snap_part part, size_t early, int64_t (*pid_of)(const void *record))
{
    struct snap_array *a = &x->s->part[part];
    size_t size = snap_kinds[part].size;
    uint8_t *at = a->at;
    size_t kept = 0;
    int64_t last = 0;
    bool again = false;

    for (size_t i = 0; i < early; i++) {
        int64_t pid = pid_of(at + i * size);

        if (pid != last)
            again = was_read_again(x, pid);
        last = pid;
        if (!again)
            memmove(at + kept++ * size, at + i * size, size);
    }
    if (kept < early)
        memmove(at + kept * size, at + early * size, (a->count - early) * size);
    a->count -= early - kept;
}

/* Of those that were listed: who has no record yet. */
unsigned xray_processes_left(struct xray *x, bool (*has_record)(const struct xray *x, int64_t pid))
{
    const struct snap_array *part = &x->s->part[SNAP_PROCESS];
    size_t before = part->count;
    unsigned told = 0;

    for (size_t i = 0; i < x->pids_count; i++)
        if (!has_record(x, x->pids[i])) {
            look_at(x, x->pids[i]);
            told += part->count > before;
            before = part->count;
        }
    return told;
}

bool xray_list(struct xray *x)
{
    struct pids pids;
    bool listed = list(x, &pids);

    x->pids = pids.at;
    x->pids_count = pids.count;
    return listed;
}

void xray_processes(struct xray *x)
{
    struct pids pids;
    struct snap_host *h = x->s->part[SNAP_HOST].at;

    if (!list(x, &pids))
        snap_note(x->s, "process", "/proc can't be listed: %s", strerror(errno));
    for (size_t i = 0; i < pids.count; i++)
        look_at(x, pids.at[i]);
    free(pids.at);
    for (size_t i = 0; h && i < x->early_processes; i++)
        h->processes_vanished += was_given_anew(x, (const struct snap_process *)x->s->part[SNAP_PROCESS].at + i);
    drop_early(x, SNAP_HOLDER, x->early_holders, holder_pid);
    drop_early(x, SNAP_FILE, x->early_files, file_pid);
    drop_early(x, SNAP_PROCESS, x->early_processes, process_pid);
    if (h && h->unreadable > 0)
        snap_note(x->s, "process", "the descriptors of %llu processes may not be read: run as root",
                  (unsigned long long)h->unreadable);
}

static void on_later(void *own, int in, const char *name, int64_t pid)
{
    struct xray *x = own;
    struct snap_host *h = x->s->part[SNAP_HOST].at;

    (void)in;
    (void)name;
    if (h && pid < XRAY_PIDS && (x->listed[pid / 8] >> (pid % 8) & 1) == 0)
        h->processes_appeared++;
}

void xray_processes_again(struct xray *x)
{
    (void)each_number(x->proc, ".", on_later, x);
}
