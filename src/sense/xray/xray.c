/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/xray/xray.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "snap/join.h"
#include "sys/clock.h"

/* What was cut is as true as what is there. */
static void note_bounds(struct snap *s)
{
    for (size_t i = 0; i < SNAP_PARTS; i++)
        if (s->part[i].lost > 0 && i != SNAP_NOTE)
            snap_note(s, snap_kinds[i].name, "%llu more did not fit", (unsigned long long)s->part[i].lost);
    if (s->texts_lost > 0)
        snap_note(s, "host", "%llu texts did not fit", (unsigned long long)s->texts_lost);
}

/* sock_diag first, then /proc: sockets end sooner than processes. */
static bool always(struct xray *x, struct text *why)
{
    (void)x;
    text_word(why, "sock_diag and /proc, the newest processes first");
    return true;
}

static void by_proc(struct xray *x)
{
    xray_newest(x);
    xray_sockets_here(x);
    xray_processes(x);
    xray_sockets_elsewhere(x);
    xray_sockets_again(x);
}

/* Whoever holds a socket and the socket itself are seen in one walk; what is left is what nobody holds. */
static void by_iterators(struct xray *x)
{
    bool all = iterate_records(x);

    xray_sockets_here(x);
    iterate_end(x);
    xray_sockets_elsewhere(x);
    if (!all)
        xray_sockets_left(x);
}

/* The first that can really begin is taken; what the others said stands in the picture. */
static const struct xray_back_end back_ends[] = {
    { "iterators", iterate_begin, by_iterators },
    { "proc", always, by_proc },
};

static const struct xray_back_end *choose(struct xray *x)
{
    char why[400];
    struct text t = TEXT_IN(why);
    struct snap_host *h = x->s->part[SNAP_HOST].at;

    for (size_t i = 0; i < sizeof(back_ends) / sizeof(back_ends[0]); i++) {
        bool begun = back_ends[i].begin(x, &t);

        if (!begun) {
            text_word(&t, "; ");
            continue;
        }
        if (h) {
            h->back_end = slice_text(back_ends[i].name);
            h->back_end_why = snap_keep(x->s, slice_of(why, t.len));
        }
        return &back_ends[i];
    }
    return &back_ends[sizeof(back_ends) / sizeof(back_ends[0]) - 1];
}

static void own_network(struct xray *x)
{
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    struct slice rest;
    struct slice link = xray_link(x, x->proc, "self/ns/net");

    (void)slice_until(link, '[', &rest);
    if (h)
        (void)slice_to_u64(slice_until(rest, ']', &rest), &h->network);
}

/* What may hang is asked first and heard last; sockets go before processes, which last longer. */
static void look(struct xray *x)
{
    const struct xray_back_end *back;

    xray_host(x);
    own_network(x);
    xray_mounts(x);
    xray_names_begin(x);
    xray_queues_begin(x);
    xray_logins_begin(x);
    xray_jobs_begin(x);
    xray_disks(x);
    xray_health_begin(x);
    back = choose(x); /* after the helpers: what is large, a fork has to copy */
    back->sockets_and_processes(x);
    xray_logs_begin(x);
    xray_processes_again(x);
    xray_unlisted(x);
    xray_figures(x);
    xray_kmsg(x);
    xray_images(x);
    xray_names_end(x);
    xray_queues_end(x);
    xray_logins_end(x);
    xray_jobs_end(x);
    xray_logs_end(x);
    xray_health_end(x);
    xray_mounts_answers(x);
    xray_disks_again(x);
}

/* Who owns what, and which ports nobody seems to own. */
static int finish(struct xray *x, struct err *e)
{
    struct join *j = join_new(x->s, e);

    if (!j)
        return -1;
    join_mark_owners(j, x->s);
    xray_ports(x, j, x->wish->deep);
    join_free(j);
    if (x->wish->packages)
        xray_packages(x, x->wish->against);
    note_bounds(x->s);
    xray_clock_end(x);
    return 0;
}

struct snap *xray_take_as(const struct xray_wish *wish, struct err *e)
{
    struct xray *x = calloc(1, sizeof(*x));
    struct snap *s = snap_new(e);
    int status = -1;

    if (!x || !s) {
        err_set(e, ENOMEM, "a picture");
        goto out;
    }
    x->s = s;
    x->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    x->room = malloc(XRAY_ROOM);
    x->listed = calloc(1, XRAY_PIDS / 8);
    x->shown = calloc(1, XRAY_PIDS / 8);
    x->wish = wish;
    x->deadline_ms = clock_mono_us() / 1000 + XRAY_PATIENCE_MS;
    x->self = getpid();
    x->tick_hz = (uint64_t)sysconf(_SC_CLK_TCK);
    x->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    if (x->proc < 0 || !x->room || !x->listed || !x->shown) {
        err_set(e, errno, "/proc");
        goto out;
    }
    look(x);
    status = finish(x, e);
out:
    if (x && x->proc > 0)
        close(x->proc);
    if (x) {
        free(x->room);
        free(x->listed);
        free(x->shown);
        free(x->pids);
        iterate_free(x->iterate);
    }
    free(x);
    if (status == 0)
        return s;
    snap_free(s);
    return NULL;
}

struct snap *xray_take(struct err *e)
{
    static const struct xray_wish plain;

    return xray_take_as(&plain, e);
}
