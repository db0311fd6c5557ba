/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "sense/watch/places.h"
#include "sys/iter/read.h"
#include "wire/proc.h"

enum {
    STAT_ROOM = 1024,
    FULL_EVERY = 30, /* who never runs is read in full once in so many samples: its memory can change all the same */
    KERNEL_EVERY = 4,
    LIST_EVERY = 10, /* and /proc listed, whatever the newest pid says */
};

struct kept {
    int brief;     /* of its schedstat, when it has one thread; -1: none */
    int full;      /* of its stat, when it runs often or has more; -1: none */
    uint8_t len;   /* what schedstat last said, */
    char said[39]; /* if it fits */
    /* Of the walk: when it was last met, what its threads have run in all by then, and by now. */
    uint64_t met, ran_ns, runs_ns;
};

struct tasks {
    int proc; /* borrowed */
    DIR *dir;
    struct places places; /* by pid */
    struct fact_process *at;
    struct kept *kept; /* beside it */
    uint32_t descriptors, open;
    uint64_t last_pid, tick, refused;
    bool listed;
    int link;               /* of the iterator, borrowed; -1: none */
    struct iter_bytes told; /* owned */
    uint64_t tick_ns;
};

struct tasks *tasks_new(int proc, uint32_t most, uint32_t descriptors, struct err *e)
{
    struct tasks *t = calloc(1, sizeof(*t));
    uint64_t seed = 0;
    int again = -1;

    (void)!getrandom(&seed, sizeof(seed), 0);
    if (t && places_init(&t->places, most, seed, e) == 0) {
        t->proc = proc;
        t->link = -1;
        t->tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
        t->descriptors = descriptors;
        t->at = calloc(most, sizeof(*t->at));
        t->kept = calloc(most, sizeof(*t->kept));
        again = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        t->dir = again < 0 ? NULL : fdopendir(again);
    }
    if (t && t->at && t->kept && t->dir)
        return t;
    (void)err_set(e, errno, "/proc");
    if (again >= 0 && !t->dir)
        close(again);
    tasks_free(t);
    return NULL;
}

static void drop_fd(struct tasks *t, int *fd)
{
    if (*fd < 0)
        return;
    close(*fd);
    *fd = -1;
    t->open--;
}

static void drop_both(struct tasks *t, struct kept *k)
{
    drop_fd(t, &k->brief);
    drop_fd(t, &k->full);
}

void tasks_free(struct tasks *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; t->kept && i < t->places.room; i++)
        if (t->at[i].state)
            drop_both(t, &t->kept[i]);
    if (t->dir)
        (void)closedir(t->dir);
    places_done(&t->places);
    free(t->told.at);
    free(t->at);
    free(t->kept);
    free(t);
}

static int open_of(const struct tasks *t, int32_t pid, const char *what)
{
    char path[40];

    (void)snprintf(path, sizeof(path), "%d/%s", (int)pid, what);
    return openat(t->proc, path, O_RDONLY | O_CLOEXEC);
}

static void fill(struct fact_process *p, const struct proc_stat *s)
{
    p->pid = (int32_t)s->pid;
    p->parent = (int32_t)s->ppid;
    p->start_ticks = s->start_ticks;
    p->cpu_ticks = s->cpu_ticks;
    p->rss_pages = s->rss_pages;
    p->threads = s->threads < UINT32_MAX ? (uint32_t)s->threads : UINT32_MAX;
    p->state = s->state;
    p->kernel = (s->flags & PROC_KERNEL_THREAD) != 0;
    memset(p->comm, 0, sizeof(p->comm));
    memcpy(p->comm, s->comm.at, s->comm.len < FACT_COMM ? s->comm.len : FACT_COMM);
}

/* From a descriptor of its stat, or one opened for this alone. */
static bool read_full(const struct tasks *t, struct fact_process *p, int32_t pid, int stat_fd)
{
    char text[STAT_ROOM];
    struct proc_stat s;
    int fd = stat_fd >= 0 ? stat_fd : open_of(t, pid, "stat");
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);
    bool ok = n > 0 && proc_stat_read(slice_of(text, (size_t)n), &s) && s.pid == pid &&
              (p->state == 0 || p->start_ticks == s.start_ticks); /* else its number is another's now */

    if (ok)
        fill(p, &s);
    if (fd >= 0 && fd != stat_fd)
        close(fd);
    return ok;
}

static int try_open(struct tasks *t, int32_t pid, const char *what, uint32_t most)
{
    int fd = t->open < most ? open_of(t, pid, what) : -1;

    t->open += fd >= 0;
    return fd;
}

/* Who has just run may do so again: its stat stays open as long as there is plenty of room. */
static void keep_open(struct tasks *t, const struct fact_process *p, struct kept *k, bool ran)
{
    bool brief = p->threads == 1;

    if (!brief)
        drop_fd(t, &k->brief);
    else if (k->brief < 0) {
        k->len = 0;
        k->brief = try_open(t, p->pid, "schedstat", t->descriptors);
    }
    if (k->full < 0 && (ran || !brief))
        k->full = try_open(t, p->pid, "stat", brief ? t->descriptors / 2 : t->descriptors);
}

/* Whether it has run since; gone: it has ended. */
static bool has_run(struct kept *k, bool *gone)
{
    char said[64];
    ssize_t n = pread(k->brief, said, sizeof(said), 0);

    *gone = n < 0 && errno == ESRCH;
    if (n <= 0 || (size_t)n > sizeof(k->said))
        return true;
    if (n >= 6 && memcmp(said, "0 0 0\n", 6) == 0)
        return true; /* a kernel that does not count, or one that never ran */
    if (k->len == n && memcmp(k->said, said, (size_t)n) == 0)
        return false;
    memcpy(k->said, said, (size_t)n);
    k->len = (uint8_t)n;
    return true;
}

static void forget(struct tasks *t, uint32_t i)
{
    drop_both(t, &t->kept[i]);
    memset(&t->at[i], 0, sizeof(t->at[i]));
    places_remove(&t->places, i);
}

/* One in state D that runs now and then is slow; one that never does is stuck. */
static void note_waiting(struct fact_process *p, bool ran, int64_t mono_us, struct facts *f)
{
    if (p->state != 'D')
        p->waits_us = 0;
    else if (p->waits_us == 0 || ran)
        p->waits_us = mono_us;
    f->going_down += p->state == 'D' && p->waits_us == mono_us && !p->kernel;
}

static void look_at(struct tasks *t, uint32_t i, struct facts *f)
{
    struct fact_process *p = &t->at[i];
    struct kept *k = &t->kept[i];
    bool still = p->state == 'S' || p->state == 'I' || p->state == 'T' || p->state == 'Z';
    bool gone = false;
    bool knew = k->len > 0;
    bool due = k->brief < 0 || (i + t->tick) % FULL_EVERY == 0 || !still;
    bool ran;

    if (p->kernel && still && (i + t->tick) % KERNEL_EVERY != 0)
        return;
    ran = k->brief >= 0 && has_run(k, &gone);
    if (!due && !ran)
        return;
    if (gone || !read_full(t, p, p->pid, k->full)) {
        forget(t, i);
        return;
    }
    keep_open(t, p, k, ran && knew);
    note_waiting(p, ran, f->mono_us, f);
}

static void meet(struct tasks *t, int32_t pid)
{
    uint32_t i;

    if (places_find(&t->places, (uint64_t)pid) != PLACE_NONE)
        return;
    i = places_add(&t->places, (uint64_t)pid);
    if (i == PLACE_NONE) {
        t->refused++;
        return;
    }
    t->kept[i] = (struct kept){ .brief = -1, .full = -1 };
    t->at[i].state = 0;
    if (!read_full(t, &t->at[i], pid, -1))
        forget(t, i); /* and who is still there at the next look is kept open */
}

static void list(struct tasks *t)
{
    struct dirent *entry;

    rewinddir(t->dir);
    while ((entry = readdir(t->dir)) != NULL) {
        uint64_t pid;

        if (slice_to_u64(slice_text(entry->d_name), &pid) && pid > 0 && pid <= INT32_MAX)
            meet(t, (int32_t)pid);
    }
}

static void read_proc(struct tasks *t, uint64_t last_pid, struct facts *f)
{
    for (uint32_t i = 0; i < t->places.room; i++)
        if (t->at[i].state)
            look_at(t, i, f);
    if (!t->listed || last_pid == 0 || last_pid != t->last_pid || t->tick % LIST_EVERY == 0)
        list(t);
    t->listed = true;
    t->last_pid = last_pid;
}

/* ---- the kernel's own walk ---- */

/* PLACE_NONE: there is none left. */
static uint32_t place_of(struct tasks *t, int32_t pid)
{
    uint32_t i = places_find(&t->places, (uint64_t)pid);

    if (i != PLACE_NONE)
        return i;
    i = places_add(&t->places, (uint64_t)pid);
    if (i != PLACE_NONE)
        t->kept[i] = (struct kept){ .brief = -1, .full = -1 };
    else
        t->refused++;
    return i;
}

static void glimpsed(struct tasks *t, const struct iter_glimpse *g)
{
    uint32_t i = g->head.pid > 0 ? place_of(t, g->head.pid) : PLACE_NONE;
    uint64_t start_ticks = g->started_ns / t->tick_ns;
    struct fact_process *p;
    struct kept *k;

    if (i == PLACE_NONE)
        return;
    p = &t->at[i];
    k = &t->kept[i];
    if (p->state && p->start_ticks != start_ticks) { /* its number is another's now */
        memset(p, 0, sizeof(*p));
        k->ran_ns = k->runs_ns = 0;
    }
    k->met = t->tick;
    k->runs_ns += g->ran_ns;
    p->pid = g->head.pid;
    p->parent = g->parent;
    p->start_ticks = start_ticks;
    p->rss_pages = g->rss_pages;
    p->threads = g->threads;
    p->state = g->state;
    p->kernel = (g->flags & PROC_KERNEL_THREAD) != 0;
    memset(p->comm, 0, sizeof(p->comm));
    memcpy(p->comm, g->comm, strnlen(g->comm, sizeof(g->comm)));
}

static void thread_ran(struct tasks *t, const struct iter_ran *r)
{
    uint32_t i = places_find(&t->places, (uint64_t)r->head.pid);

    if (i != PLACE_NONE)
        t->kept[i].runs_ns += r->ran_ns;
}

static void sum_up(struct tasks *t, uint32_t i, struct facts *f)
{
    struct kept *k = &t->kept[i];
    bool ran = k->runs_ns != k->ran_ns;

    if (k->met != t->tick) {
        forget(t, i);
        return;
    }
    k->ran_ns = k->runs_ns;
    t->at[i].cpu_ticks = k->ran_ns / t->tick_ns;
    note_waiting(&t->at[i], ran, f->mono_us, f);
}

static bool walk(struct tasks *t, struct facts *f)
{
    const struct iter_head *h;
    size_t at = 0;

    t->told.len = 0;
    if (t->link < 0 || iter_take(t->link, &t->told) < 0)
        return false;
    for (uint32_t i = 0; i < t->places.room; i++)
        t->kept[i].runs_ns = 0;
    while ((h = iter_next(&t->told, &at)))
        if (iter_is(h, ITER_GLIMPSE, sizeof(struct iter_glimpse)))
            glimpsed(t, (const void *)h);
        else if (iter_is(h, ITER_RAN, sizeof(struct iter_ran)))
            thread_ran(t, (const void *)h);
    for (uint32_t i = 0; i < t->places.room; i++)
        if (t->at[i].state)
            sum_up(t, i, f);
    return true;
}

bool tasks_walk_by(struct tasks *t, int link)
{
    t->told.len = 0;
    t->link = iter_take(link, &t->told) == 0 && iter_tells_of(&t->told, getpid()) ? link : -1;
    return t->link >= 0;
}

bool tasks_walks(const struct tasks *t)
{
    return t->link >= 0;
}

void tasks_sample(struct tasks *t, uint64_t last_pid, struct facts *f)
{
    t->tick++;
    f->going_down = 0;
    if (!walk(t, f)) {
        t->link = -1;
        read_proc(t, last_pid, f);
    }
    f->processes = t->at;
    f->processes_room = t->places.room;
    f->processes_count = t->places.count;
}

uint64_t tasks_refused(const struct tasks *t)
{
    return t->refused;
}
