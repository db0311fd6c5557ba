/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sense/watch/past.h"
#include "wire/diag.h"

static void add_host(struct snap *s, const struct reel_picture *p)
{
    struct snap_host *h = snap_add(s, SNAP_HOST);

    if (!h)
        return;
    h->begun_us = h->ended_us = p->at_us;
    h->booted_us = p->at_us - p->mono_us;
    h->back_end = snap_keep_text(s, "recorder");
    h->back_end_why = snap_keep_text(s, "this moment is gone; who holds which connection was not recorded");
    h->taken_by = snap_keep_text(s, "serviola " SERVIOLA_VERSION);
}

static void add_processes(struct snap *s, const struct reel_picture *p)
{
    uint64_t page_kib = (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
    uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

    for (uint32_t i = 0; i < p->processes_room; i++) {
        const struct fact_process *is = &p->processes[i].is;
        struct snap_process *to = is->state ? snap_add(s, SNAP_PROCESS) : NULL;

        if (!to)
            continue;
        to->pid = is->pid;
        to->parent = is->parent;
        to->start_ms = is->start_ticks * 1000 / hz;
        to->state = snap_keep(s, slice_of(&is->state, 1));
        to->comm = snap_keep(s, slice_of(is->comm, strnlen(is->comm, FACT_COMM)));
        to->threads = is->threads;
        to->rss_kib = is->rss_pages * page_kib;
        to->flags = is->kernel ? 0x00200000 : 0; /* PROC_KERNEL_THREAD */
        to->waiting = is->state == 'D';
    }
}

static void add_sockets(struct snap *s, const struct reel_picture *p)
{
    struct slice tcp = snap_keep_text(s, "tcp");

    for (uint32_t i = 0; i < p->sockets_room; i++) {
        const struct fact_socket *is = &p->sockets[i];
        struct snap_socket *to = is->state ? snap_add(s, SNAP_SOCKET) : NULL;

        if (!to)
            continue;
        *to = (struct snap_socket){
            .kind = tcp, .local = is->local, .remote = is->remote, .inode = is->inode, .uid = is->uid
        };
        to->state = snap_keep_text(s, diag_state_name(is->state));
    }
    for (uint32_t i = 0; i < p->listeners_count; i++) {
        const struct fact_listener *is = &p->listeners[i];
        struct snap_socket *to = snap_add(s, SNAP_SOCKET);

        if (!to)
            return;
        *to = (struct snap_socket){ .kind = tcp,
                                    .local = is->local,
                                    .inode = is->inode,
                                    .uid = is->uid,
                                    .receive_queue = is->waiting,
                                    .send_queue = is->most };
        to->state = snap_keep_text(s, "LISTEN");
    }
}

/* watch.disk.latency_thousandth ...: as the watch names them, in thousandths. */
static void add_values(struct snap *s, const struct reel_picture *p)
{
    for (uint32_t i = 0; i < p->values.count; i++) {
        char name[VALUE_NAME + 8];
        struct snap_gauge *g;

        if (isnan(p->values.at[i].number) || p->values.at[i].number < 0 || p->values.at[i].number > 1e15)
            continue;
        (void)snprintf(name, sizeof(name), "watch.%s", p->values.at[i].name);
        g = snap_add(s, SNAP_GAUGE);
        if (!g)
            return;
        g->name = snap_keep_text(s, name);
        g->value = (uint64_t)llround(p->values.at[i].number * 1000);
    }
}

struct snap *past_snap(const struct reel_picture *p, struct err *e)
{
    struct snap *s = snap_new(e);

    if (!s)
        return NULL;
    add_host(s, p);
    add_processes(s, p);
    add_sockets(s, p);
    add_values(s, p);
    snap_note(s, "host", "from the recorder: processes, TCP connections and figures alone");
    return s;
}
