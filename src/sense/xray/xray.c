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

/* What may hang is asked first and heard last; sockets go before processes, which last longer. */
static void look(struct xray *x)
{
    xray_host(x);
    xray_mounts(x);
    xray_names_begin(x);
    xray_queues_begin(x);
    xray_disks(x);
    xray_sockets_here(x);
    xray_processes(x);
    xray_sockets_elsewhere(x);
    xray_sockets_again(x);
    xray_unlisted(x);
    xray_figures(x);
    xray_kmsg(x);
    xray_images(x);
    xray_names_end(x);
    xray_queues_end(x);
    xray_mounts_answers(x);
    xray_disks_again(x);
}

struct snap *xray_take(struct err *e)
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
    x->deadline_ms = clock_mono_us() / 1000 + XRAY_PATIENCE_MS;
    x->self = getpid();
    x->tick_hz = (uint64_t)sysconf(_SC_CLK_TCK);
    x->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    if (x->proc < 0 || !x->room || !x->listed) {
        err_set(e, errno, "/proc");
        goto out;
    }
    look(x);
    note_bounds(s);
    status = join_owners(s, e);
    if (s->part[SNAP_HOST].count > 0)
        ((struct snap_host *)s->part[SNAP_HOST].at)->ended_us = clock_wall_us();
out:
    if (x && x->proc > 0)
        close(x->proc);
    if (x) {
        free(x->room);
        free(x->listed);
    }
    free(x);
    if (status == 0)
        return s;
    snap_free(s);
    return NULL;
}
