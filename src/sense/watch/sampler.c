/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sense/watch/sockets.h"
#include "sense/watch/tasks.h"
#include "sys/whole.h"
#include "wire/proc.h"

enum { FILE_ROOM = 64 << 10 };

static const struct {
    const char *path;
    size_t text; /* offset in struct facts */
} files[] = {
    { "stat", offsetof(struct facts, stat) },
    { "meminfo", offsetof(struct facts, meminfo) },
    { "loadavg", offsetof(struct facts, loadavg) },
    { "self/mountinfo", offsetof(struct facts, mountinfo) },
    { "vmstat", offsetof(struct facts, vmstat) },
    { "diskstats", offsetof(struct facts, diskstats) },
    { "pressure/io", offsetof(struct facts, pressure_io) },
    { "pressure/cpu", offsetof(struct facts, pressure_cpu) },
    { "pressure/memory", offsetof(struct facts, pressure_memory) },
};
enum { FILES = sizeof(files) / sizeof(files[0]) };

struct sampler {
    int fds[FILES]; /* -1: this kernel has none */
    uint8_t *room;  /* FILES times FILE_ROOM */
    struct tasks *tasks;
    struct sockets *sockets; /* NULL: no sock_diag here */
    struct facts facts;
};

struct sampler *sampler_new(int proc, const struct sampler_limits *l, struct err *e)
{
    struct sampler *s = calloc(1, sizeof(*s));

    if (!s) {
        err_set(e, ENOMEM, "the sampler");
        return NULL;
    }
    for (size_t i = 0; i < FILES; i++)
        s->fds[i] = openat(proc, files[i].path, O_RDONLY | O_CLOEXEC);
    s->room = malloc((size_t)FILES * FILE_ROOM);
    s->tasks = tasks_new(proc, l->processes, l->descriptors, e);
    s->sockets = l->sockets > 0 ? sockets_new(l->sockets, e) : NULL;
    if (s->tasks && l->glance >= 0)
        (void)tasks_walk_by(s->tasks, l->glance);
    if (s->room && s->tasks)
        return s;
    sampler_free(s);
    return NULL;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < FILES; i++)
        if (s->fds[i] >= 0)
            close(s->fds[i]);
    tasks_free(s->tasks);
    sockets_free(s->sockets);
    free(s->room);
    free(s);
}

static struct slice read_whole(int fd, uint8_t *room)
{
    ssize_t len = fd < 0 ? 0 : whole_pread(fd, room, FILE_ROOM, 0);

    return slice_of(room, len > 0 ? (size_t)len : 0);
}

/* The newest pid of our process namespace: as long as it stays, nobody was forked.  0: not known. */
static uint64_t last_pid(struct slice loadavg)
{
    struct proc_load load;

    return proc_load_read(loadavg, &load) ? load.last_pid : 0;
}

const struct facts *sampler_sample(struct sampler *s, int64_t sockets_budget_us, int64_t at_us, int64_t mono_us)
{
    struct facts *f = &s->facts;

    f->step_us = f->mono_us ? mono_us - f->mono_us : 0;
    f->at_us = at_us;
    f->mono_us = mono_us;
    for (size_t i = 0; i < FILES; i++) {
        struct slice text = read_whole(s->fds[i], s->room + i * FILE_ROOM);

        memcpy((uint8_t *)f + files[i].text, &text, sizeof(text));
    }
    tasks_sample(s->tasks, last_pid(f->loadavg), f);
    if (s->sockets)
        sockets_sample(s->sockets, sockets_budget_us, f);
    return f;
}

bool sampler_walks(const struct sampler *s)
{
    return tasks_walks(s->tasks);
}

uint64_t sampler_refused(const struct sampler *s)
{
    return tasks_refused(s->tasks) + (s->sockets ? sockets_refused(s->sockets) : 0);
}
