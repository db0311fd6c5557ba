/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pressure stall information: how much of the time somebody had to wait, and a call from the kernel when it begins. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

enum { KINDS = 3 };
static const char *const names[KINDS][2] = { { "psi.io", "psi.io.full" },
                                             { "psi.cpu", "psi.cpu.full" },
                                             { "psi.memory", "psi.memory.full" } };
static const char *const paths[KINDS] = { "pressure/io", NULL, "pressure/memory" };

struct own {
    uint64_t total_us[KINDS][2];
    int fds[KINDS]; /* with a trigger each; -1: none */
};

/* More than a fifth of a second lost within two: without CAP_SYS_RESOURCE the window must be a multiple of 2 s. */
static const char trigger[] = "some 200000 2000000";

static int open_it(const struct watch_world *w, void **own_, struct err *e)
{
    struct own *own = calloc(1, sizeof(*own));

    if (!own)
        return err_set(e, 0, "no memory");
    *own_ = own;
    for (unsigned i = 0; i < KINDS; i++) {
        struct epoll_event stirs = { .events = EPOLLPRI };

        own->fds[i] = paths[i] && w->edges >= 0 ? openat(w->proc, paths[i], O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
        if (own->fds[i] >= 0 && write(own->fds[i], trigger, sizeof(trigger)) == (ssize_t)sizeof(trigger))
            (void)epoll_ctl(w->edges, EPOLL_CTL_ADD, own->fds[i], &stirs);
    }
    return 0;
}

static void close_it(void *own_)
{
    struct own *own = own_;

    for (unsigned i = 0; own && i < KINDS; i++)
        if (own->fds[i] >= 0)
            close(own->fds[i]);
    free(own);
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    struct slice texts[KINDS] = { f->pressure_io, f->pressure_cpu, f->pressure_memory };

    (void)w;
    for (unsigned i = 0; i < KINDS; i++)
        while (texts[i].len > 0) {
            struct proc_pressure p;
            uint64_t before;

            if (!proc_pressure_read(slice_until(texts[i], '\n', &texts[i]), &p))
                continue;
            before = own->total_us[i][p.full];
            own->total_us[i][p.full] = p.total_us;
            if (f->step_us > 0 && p.total_us >= before)
                (void)values_set(out, names[i][p.full],
                                 fmin(100, 100 * (double)(p.total_us - before) / (double)f->step_us));
        }
}

static const struct indicator_help values[] = {
    { "psi.io", "%", "of the last second in which some task waited for a disk" },
    { "psi.io.full", "%", "of the last second in which every task that could run waited for a disk" },
    { "psi.cpu", "%", "the same for a CPU" },
    { "psi.cpu.full", "%", "the same for a CPU, every task" },
    { "psi.memory", "%", "the same for memory" },
    { "psi.memory.full", "%", "the same for memory, every task" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_pressure = { "pressure", values, open_it, sample, close_it };
