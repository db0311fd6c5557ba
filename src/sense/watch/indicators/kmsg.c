/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's own log by classes: what it says about disks, file systems, memory, in the last minute. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/rate.h"
#include "sense/watch/indicator.h"
#include "wire/proc.h"

enum { RECORD = 8192, AT_ONCE = 1000 };
#define MINUTE_US 60000000LL

/* Words as the kernel's sources have them; a line is of the first class of which it holds one. */
static const struct {
    const char *name;
    const char *words[16];
} classes[] = {
    { "kernel.disk",
      { "I/O error", "CHECK CONDITION", "Medium Error", "UNC ", "failed command", "timing out command", "link is slow",
        "abort command", "cmd timeout", "controller is down", "resetting controller", "Unrecovered read error",
        "critical medium error", "Disk failure on", NULL } },
    { "kernel.fs",
      { "EXT4-fs error", "EXT3-fs error", "Remounting filesystem read-only", "Aborting journal", "metadata I/O error",
        "Metadata corruption", "BTRFS error", "BTRFS critical", "Detected aborted journal", "Buffer I/O", "corruption",
        NULL } },
    { "kernel.hung",
      { "blocked for more than", "soft lockup", "rcu_sched self-detected", "rcu_preempt detected stalls", "hard LOCKUP",
        NULL } },
    { "kernel.memory", { "Out of memory", "oom-kill", "page allocation failure", "invoked oom-killer", NULL } },
    { "kernel.hardware", { "Hardware Error", "mce: ", "EDAC ", "Machine check", "PCIe Bus Error", "thermal", NULL } },
    { "kernel.fault", { "BUG: ", "Oops", "general protection fault", "kernel panic", "Call Trace", NULL } },
    { "kernel.table",
      { "table full, dropping packet", "possible SYN flooding", "neighbour: ", "Too many orphaned", NULL } },
};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };

struct own {
    int fd;
    struct rate_window lines[CLASSES];
    uint64_t lost;
};

static int open_it(const struct watch_world *w, void **own_, struct err *e)
{
    struct own *own = calloc(1, sizeof(*own));
    struct epoll_event stirs = { .events = EPOLLIN | EPOLLET };

    if (!own)
        return err_set(e, 0, "no memory");
    own->fd = openat(w->proc, "../dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (own->fd < 0) {
        free(own);
        return err_set(e, errno, "/dev/kmsg");
    }
    (void)lseek(own->fd, 0, SEEK_END);
    *own_ = own;
    if (w->edges >= 0)
        (void)epoll_ctl(w->edges, EPOLL_CTL_ADD, own->fd, &stirs);
    return 0;
}

static void close_it(void *own_)
{
    struct own *own = own_;

    if (own)
        close(own->fd);
    free(own);
}

static bool holds(struct slice text, const char *word)
{
    return memmem(text.at, text.len, word, strlen(word)) != NULL;
}

static int class_of(struct slice text)
{
    for (int c = 0; c < CLASSES; c++)
        for (const char *const *word = classes[c].words; *word; word++)
            if (holds(text, *word))
                return c;
    return -1;
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    char record[RECORD];

    (void)w;
    for (unsigned n = 0; n < AT_ONCE; n++) {
        ssize_t len = read(own->fd, record, sizeof(record));
        struct proc_kmsg line;
        int c;

        if (len < 0 && errno == EPIPE) { /* it was overtaken: the next read goes on with the oldest there is */
            own->lost++;
            continue;
        }
        if (len <= 0)
            break;
        /* A program can write lines too; those are its own facility's, and no word of the kernel. */
        if (!proc_kmsg_read(slice_of(record, (size_t)len), &line) || line.facility != 0)
            continue;
        c = class_of(line.text);
        if (c >= 0)
            (void)rate_add(&own->lines[c], MINUTE_US, f->mono_us, 1);
    }
    for (int c = 0; c < CLASSES; c++)
        (void)values_set(out, classes[c].name, (double)rate_count(&own->lines[c], MINUTE_US, f->mono_us));
}

static const struct indicator_help values[] = {
    { "kernel.disk", "", "the kernel's lines of the last minute about failing disks and controllers" },
    { "kernel.fs", "", "the same about damaged file systems" },
    { "kernel.hung", "", "the same about tasks that have waited for minutes" },
    { "kernel.memory", "", "the same about memory that ran out" },
    { "kernel.hardware", "", "the same about failing hardware" },
    { "kernel.fault", "", "the same about its own faults" },
    { "kernel.table", "", "the same about full tables" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_kmsg = { "kmsg", values, open_it, sample, close_it };
