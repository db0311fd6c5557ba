/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Processes and sockets as the iterators in the kernel tell them (sys/iter/walk.bpf.c).
 *
 * /proc is asked only for what the kernel's walk can't give: arguments, and
 * the text of each executable, folder and control group once, however many
 * processes share it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "sys/iter/load.h"
#include "sys/iter/read.h"
#include "wire/proc.h"

enum {
    SHARED = 1 << 13, /* texts that processes share; half full at most */
    STREAM = 1,
    DATAGRAM = 2,
    RAW = 3,
    UDP = 17,
    TCP = 6,
    KERNEL_THREAD = 0x00200000,
    AHEAD = 1024, /* pids that the kernel may give while a picture is taken */
    NANO = 1000000000,
    RECORDS_BYTES = XRAY_PIDS * sizeof(uint32_t),
};

/* In record_of: one process of that pid ended between the walks, and another one has it. */
static const uint32_t GIVEN_ANEW = 1U << 31;

/* The same pair of numbers, the same text. */
struct shared {
    uint64_t key[3];
    struct slice text;
};

struct iterate {
    int link[ITER_LINKS];
    bool loaded_here; /* the links are ours to close */
    struct iter_bytes tasks, files;
    int64_t last_pid;                  /* given before the walks */
    size_t second;                     /* where in `tasks` the second look begins */
    const struct iter_process **found; /* owned: into tasks, as they came */
    size_t found_count;
    uint32_t *record_of; /* mapped: XRAY_PIDS of them, 0 or the index in the part and one, and GIVEN_ANEW; only touched
                            pages cost */
    struct shared *shared; /* owned */
    size_t shared_count;
    uint64_t *sockets; /* owned: who was seen, by identity; a power of two, at most half full */
    size_t sockets_cap, sockets_count;
    uint64_t held_before, held_still, held_since; /* TCP of our own namespace, at the first look and the second */
};

/* What was told is in the picture: forks that come later would have to copy it. */
static void forget(struct iterate *it)
{
    free(it->tasks.at);
    free(it->files.at);
    free(it->found);
    it->tasks = it->files = (struct iter_bytes){ .at = NULL };
    it->found = NULL;
    it->found_count = 0;
}

void iterate_free(struct iterate *it)
{
    if (!it)
        return;
    if (it->loaded_here)
        iter_unload(it->link);
    forget(it);
    if (it->record_of)
        (void)munmap(it->record_of, RECORDS_BYTES);
    free(it->shared);
    free(it->sockets);
    free(it);
}

static bool load_links(struct iterate *it, const struct xray_wish *wish, struct text *why)
{
    struct err e;

    if (wish->iterators) {
        memcpy(it->link, wish->iterators, sizeof(it->link));
        return true;
    }
    it->loaded_here = iter_load(it->link, &e) == 0;
    if (!it->loaded_here)
        text_addf(why, "iterators can't be loaded: %s", e.text);
    return it->loaded_here;
}

/* Processes before and after descriptors: whoever came or went between is in one of the two. */
static bool look_once(struct iterate *it, int64_t self, struct text *why)
{
    int status = iter_take(it->link[ITER_TASKS], &it->tasks);

    it->second = it->tasks.len;
    if (status < 0 || iter_take(it->link[ITER_FILES], &it->files) < 0 ||
        iter_take(it->link[ITER_TASKS], &it->tasks) < 0) {
        text_addf(why, "iterators can't be read: %s", strerror(errno));
        return false;
    }
    if (!iter_tells_of(&it->tasks, self) || !iter_tells_of(&it->files, self)) {
        text_word(why, "iterators load and then tell nothing");
        return false;
    }
    return true;
}

bool iterate_begin(struct xray *x, struct text *why)
{
    struct iterate *it;

    if (x->wish->plain) {
        text_word(why, "iterators were not wanted");
        return false;
    }
    it = calloc(1, sizeof(*it));
    if (it) {
        it->record_of =
            mmap(NULL, RECORDS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (it->record_of == MAP_FAILED)
            it->record_of = NULL;
        it->shared = calloc(SHARED, sizeof(*it->shared));
    }
    if (!it || !it->record_of || !it->shared) {
        text_word(why, "no memory for iterators");
        iterate_free(it);
        return false;
    }
    (void)xray_list(x); /* what /proc shows at the same time */
    it->last_pid = xray_last_pid(x);
    if (!load_links(it, x->wish, why) || !look_once(it, x->self, why)) {
        iterate_free(it);
        return false;
    }
    x->iterate = it;
    text_addf(why, "iterators of the kernel (task, task_file, tcp, udp, unix), %s",
              it->loaded_here ? "loaded for this picture" : "kept loaded");
    return true;
}

/* --- what processes share */

static size_t mix(const uint64_t key[3])
{
    uint64_t h = key[0] * 0x9e3779b97f4a7c15u ^ key[1] * 0xc2b2ae3d27d4eb4fu ^ key[2] * 0x165667b19e3779f9u;

    return (size_t)(h >> 32 ^ h);
}

static struct shared *find(struct iterate *it, const uint64_t key[3])
{
    size_t i = mix(key) % SHARED;

    while (it->shared[i].key[0] != 0 && memcmp(it->shared[i].key, key, sizeof(it->shared[i].key)) != 0)
        i = (i + 1) % SHARED;
    return &it->shared[i];
}

/*
 * The kernel gives numbers in a row: those before the last one are safe, and
 * the next ones may be another's by the time that /proc is asked.
 */
static bool is_soon_given(const struct iterate *it, int64_t pid)
{
    return pid > it->last_pid && pid - it->last_pid <= AHEAD;
}

/* Asked once for each `key`; a text that can't be had is asked for again by the next one. */
static struct slice shared(struct xray *x, const uint64_t key[3], int64_t pid, const char *what,
                           struct slice (*ask)(struct xray *x, int folder, const char *path))
{
    struct iterate *it = x->iterate;
    struct shared *s = find(it, key);
    struct slice text;
    char path[48];

    if (key[0] == 0 || s->key[0] != 0)
        return s->text;
    (void)snprintf(path, sizeof(path), "%lld/%s", (long long)pid, what);
    text = snap_keep(x->s, ask(x, x->proc, path));
    if (text.len > 0 && it->shared_count < SHARED / 2 && !is_soon_given(it, pid)) {
        memcpy(s->key, key, sizeof(s->key));
        s->text = text;
        it->shared_count++;
    }
    return text;
}

static struct slice unit(struct xray *x, int folder, const char *path)
{
    return proc_unit(xray_read_once(x, folder, path));
}

/* --- processes */

static void wait_of(struct xray *x, struct snap_process *p, int64_t thread)
{
    char path[64];
    int folder;

    (void)snprintf(path, sizeof(path), "%lld/task/%lld", (long long)p->pid, (long long)thread);
    folder = openat(x->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    xray_waiter(x, p, folder);
    if (folder >= 0)
        close(folder);
}

/* Is the process of that pid still the one that was seen in the walk? */
static bool is_still_there(struct xray *x, const struct snap_process *p)
{
    struct proc_stat stat;
    char path[48];

    (void)snprintf(path, sizeof(path), "%lld/stat", (long long)p->pid);
    return proc_stat_read(xray_read_once(x, x->proc, path), &stat) &&
           stat.start_ticks * 1000 / x->tick_hz == p->start_ms;
}

/* What the kernel's walk can't give. */
static void texts(struct xray *x, const struct iter_process *r, struct snap_process *p)
{
    const uint64_t exe[3] = { r->exe[0], r->exe[1], r->exe[2] };
    const uint64_t cwd[3] = { r->cwd[0], r->cwd[1], 1 };
    const uint64_t groups[3] = { r->groups, 0, 2 };
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    char path[48];

    if (r->args_bytes > 0) {
        (void)snprintf(path, sizeof(path), "%lld/cmdline", (long long)p->pid);
        xray_arguments(x, p, x->proc, path, r->args_bytes);
        if (p->args.len == 0 && faccessat(x->proc, path, F_OK, 0) < 0 && h)
            h->processes_vanished++;
        else
            xray_shown(x, p->pid);
    } else {
        xray_shown(x, p->pid);
    }
    p->exe = shared(x, exe, p->pid, "exe", xray_link);
    xray_image(p);
    if (p->flags & KERNEL_THREAD)
        return;
    p->cwd = shared(x, cwd, p->pid, "cwd", xray_link);
    p->unit = shared(x, groups, p->pid, "cgroup", unit);
}

/* As /proc has it. */
static uint64_t start_ms_of(const struct xray *x, const struct iter_process *r)
{
    return r->started_ns / (NANO / x->tick_hz) * 1000 / x->tick_hz;
}

/* They were asked for when it was gone: they may be those of whoever has its pid now. */
static void forget_texts(struct xray *x, struct snap_process *p)
{
    struct snap_host *h = x->s->part[SNAP_HOST].at;

    if (p->args.len > 0 && h) /* else it was counted when they were asked for */
        h->processes_vanished++;
    p->args = p->exe = p->cwd = p->unit = p->wait = p->stack = p->wait_path = SLICE("");
    p->args_cut = false;
    p->image = SNAP_IMAGE_NONE;
}

static void process(struct xray *x, const struct iter_process *r)
{
    struct snap_process *p = r->parent == x->self ? NULL : snap_add(x->s, SNAP_PROCESS);

    if (!p) {
        xray_shown(x, r->head.pid); /* a helper of ours */
        return;
    }
    p->pid = r->head.pid;
    p->parent = r->parent;
    p->start_ms = start_ms_of(x, r);
    p->state = snap_keep(x->s, slice_of(&r->state, 1));
    p->comm = snap_keep(x->s, slice_of(r->comm, strnlen(r->comm, sizeof(r->comm))));
    p->flags = r->flags;
    p->threads = r->threads;
    p->uid = r->uid;
    p->rss_kib = r->rss_pages > 0 ? (uint64_t)r->rss_pages * (x->page_bytes / 1024) : 0;
    p->network = r->network;
    p->descriptors_most = r->descriptors_most == RLIM_INFINITY ? UINT64_MAX : r->descriptors_most;
    p->tasks_most = r->tasks_most == RLIM_INFINITY ? UINT64_MAX : r->tasks_most;
    x->iterate->record_of[p->pid] = (uint32_t)x->s->part[SNAP_PROCESS].count;
    texts(x, r, p);
    if (r->state == 'D')
        wait_of(x, p, p->pid);
    if (is_soon_given(x->iterate, p->pid) && !is_still_there(x, p))
        forget_texts(x, p);
}

/* 0: none; else the index in the part and one. */
static uint32_t record_of(const struct xray *x, int64_t pid)
{
    return pid > 0 && pid < XRAY_PIDS ? x->iterate->record_of[pid] & ~GIVEN_ANEW : 0;
}

static struct snap_process *process_of(struct xray *x, int64_t pid)
{
    uint32_t i = record_of(x, pid);

    return i > 0 ? (struct snap_process *)x->s->part[SNAP_PROCESS].at + (i - 1) : NULL;
}

/* The newest first: they are the ones that may be gone in a moment. */
static void processes(struct xray *x)
{
    struct iterate *it = x->iterate;
    const struct iter_head *h;
    size_t at = 0;
    size_t room = it->tasks.len / sizeof(struct iter_process) + 1;

    it->found = calloc(room, sizeof(struct iter_process *));
    if (!it->found)
        return;
    while ((h = iter_next(&it->tasks, &at)))
        if (iter_is(h, ITER_PROCESS, sizeof(struct iter_process)) && h->pid > 0 && h->pid < XRAY_PIDS)
            it->found[it->found_count++] = (const void *)h;
    for (size_t i = it->found_count; i-- > 0;) {
        const struct snap_process *newer = process_of(x, it->found[i]->head.pid);

        if (!newer)
            process(x, it->found[i]);
        else if (newer->start_ms != start_ms_of(x, it->found[i]))
            it->record_of[newer->pid] |= GIVEN_ANEW;
    }
    at = it->second;
    while ((h = iter_next(&it->tasks, &at))) {
        struct snap_process *p = iter_is(h, ITER_WAITER, sizeof(struct iter_waiter)) ? process_of(x, h->pid) : NULL;

        if (p)
            wait_of(x, p, ((const struct iter_waiter *)(const void *)h)->thread);
    }
}

/* --- descriptors and sockets */

static size_t place(const struct iterate *it, uint64_t identity)
{
    size_t i = (size_t)(identity * 0x9e3779b97f4a7c15u >> 32) & (it->sockets_cap - 1);

    while (it->sockets[i] != 0 && it->sockets[i] != identity)
        i = (i + 1) & (it->sockets_cap - 1);
    return i;
}

static bool grow(struct iterate *it)
{
    struct iterate bigger = { .sockets_cap = it->sockets_cap ? 2 * it->sockets_cap : 1 << 13 };

    bigger.sockets = calloc(bigger.sockets_cap, sizeof(*bigger.sockets));
    if (!bigger.sockets)
        return false;
    for (size_t i = 0; i < it->sockets_cap; i++)
        if (it->sockets[i] != 0)
            bigger.sockets[place(&bigger, it->sockets[i])] = it->sockets[i];
    free(it->sockets);
    it->sockets = bigger.sockets;
    it->sockets_cap = bigger.sockets_cap;
    return true;
}

static bool is_seen(const struct iterate *it, uint64_t identity)
{
    return it->sockets_cap > 0 && it->sockets[place(it, identity)] == identity;
}

/* False: it was seen before; what many hold is one socket. */
static bool first_seen(struct iterate *it, uint64_t identity)
{
    if ((2 * it->sockets_count >= it->sockets_cap && !grow(it)) || is_seen(it, identity))
        return false;
    it->sockets[place(it, identity)] = identity;
    it->sockets_count++;
    return true;
}

/* NULL: of no kind that is in a picture. */
static const char *kind_of(const struct iter_socket *r)
{
    if (r->family == AF_UNIX)
        return "unix";
    if (r->family == AF_PACKET)
        return "packet";
    if (r->family != AF_INET && r->family != AF_INET6)
        return NULL;
    if (r->type == RAW)
        return "raw";
    if (r->type == STREAM && r->protocol == TCP)
        return "tcp";
    return r->type == DATAGRAM && r->protocol == UDP ? "udp" : NULL;
}

static void add_socket(struct xray *x, const struct iter_socket *r, const char *kind)
{
    struct diag_socket s = { .state = r->family == AF_PACKET ? 0 : r->state,
                             .timer = r->timer,
                             .retransmits = r->retransmits,
                             .uid = r->uid,
                             .inode = r->inode,
                             .cookie = r->cookie,
                             .receive_queue = r->receive_queue,
                             .send_queue = r->send_queue,
                             .peer_inode = r->peer_inode };
    uint8_t family = r->family == AF_INET ? 4 : 6;

    if (r->family == AF_UNIX) {
        s.path = slice_of(r + 1, r->behind <= r->head.size - sizeof(*r) ? r->behind : 0);
    } else if (r->family != AF_PACKET) {
        s.local = addr_from_ip(family, r->local, r->local_port);
        s.remote = addr_from_ip(family, r->remote, r->remote_port);
    }
    xray_socket(x, kind, r->network, &s);
}

static void held_socket(struct xray *x, const struct iter_socket *r)
{
    struct iterate *it = x->iterate;
    const char *kind = kind_of(r);
    struct snap_holder *h = snap_add(x->s, SNAP_HOLDER);

    if (h)
        *h = (struct snap_holder){ .pid = r->head.pid, .descriptor = (uint64_t)r->descriptor, .inode = r->inode };
    if (!kind || !first_seen(it, r->identity))
        return;
    add_socket(x, r, kind);
    it->held_before += strcmp(kind, "tcp") == 0 && r->network == snap_host(x->s)->network && r->remote_port != 0;
}

static void file(struct xray *x, const struct iter_file *r)
{
    struct slice path = slice_of(r + 1, r->behind <= r->head.size - sizeof(*r) ? r->behind : 0);

    if (path.len == 0 || path.at[0] != '/')
        return;
    if ((r->flags & O_ACCMODE) != O_RDONLY && xray_log_named(path))
        xray_log_seen(x, r->head.pid, (uint64_t)r->descriptor, path);
    xray_open_file(x, r->head.pid, (uint64_t)r->descriptor, path);
}

/* Whose the descriptors between are, nobody can tell. */
static bool was_given_anew(const struct xray *x, int64_t pid)
{
    return (x->iterate->record_of[pid] & GIVEN_ANEW) != 0;
}

static void descriptors(struct xray *x)
{
    const struct iter_head *h;
    size_t at = 0;

    while ((h = iter_next(&x->iterate->files, &at))) {
        struct snap_process *p = process_of(x, h->pid);

        if (h->pid <= 0 || (!p && h->pid == x->self) || (p && was_given_anew(x, h->pid)))
            continue;
        if (p)
            p->descriptors++;
        if (iter_is(h, ITER_SOCKET, sizeof(struct iter_socket)))
            held_socket(x, (const void *)h);
        else if (iter_is(h, ITER_FILE, sizeof(struct iter_file)))
            file(x, (const void *)h);
    }
}

static bool has_record(const struct xray *x, int64_t pid)
{
    return record_of(x, pid) != 0;
}

bool iterate_records(struct xray *x)
{
    unsigned left;

    processes(x);
    descriptors(x);
    left = xray_processes_left(x, has_record);
    forget(x->iterate);
    if (left > 0)
        snap_note(x->s, "process", "%u process%s kept from the iterators: /proc was asked", left,
                  left == 1 ? " is" : "es are");
    return left == 0;
}

/* --- what nobody holds */

bool iterate_open_rest(const struct iterate *it, int fds[ITERATE_REST])
{
    static const int links[ITERATE_REST] = { ITER_TCP, ITER_UDP, ITER_UNIX };
    bool all = true;

    for (size_t i = 0; i < ITERATE_REST; i++) {
        fds[i] = iter_open(it->link[links[i]]);
        all = all && fds[i] >= 0;
    }
    return all;
}

void iterate_rest(struct xray *x, const int fds[ITERATE_REST])
{
    struct iterate *it = x->iterate;
    struct iter_bytes b = { .at = NULL };
    const struct iter_head *h;
    size_t at = 0;

    for (size_t i = 0; i < ITERATE_REST; i++)
        if (fds[i] >= 0 && iter_take_rest(fds[i], &b) < 0)
            snap_note(x->s, "socket", "sockets that nobody holds: %s", strerror(errno));
    while ((h = iter_next(&b, &at))) {
        if (iter_is(h, ITER_OWNED, sizeof(struct iter_owned))) {
            bool before = is_seen(it, ((const struct iter_owned *)(const void *)h)->identity);

            it->held_still += before;
            it->held_since += !before;
        } else if (iter_is(h, ITER_SOCKET, sizeof(struct iter_socket))) {
            const struct iter_socket *r = (const void *)h;
            const char *kind = kind_of(r);

            if (kind && first_seen(it, r->identity))
                add_socket(x, r, kind);
        }
    }
    free(b.at);
}

void iterate_end(struct xray *x)
{
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    const struct iterate *it = x->iterate;

    if (!h)
        return;
    h->sockets_vanished = it->held_before > it->held_still ? it->held_before - it->held_still : 0;
    h->sockets_appeared = it->held_since;
}
