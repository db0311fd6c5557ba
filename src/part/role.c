/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/words.h"
#include "part/link.h"
#include "part/part.h"
#include "sys/clock.h"
#include "sys/lock.h"
#include "sys/memfile.h"
#include "sys/say.h"

enum { ROLE_OPS = 32 };

struct runner { /* role_main's own: the role, and the table its link is read with */
    struct role role;
    struct chan_op ops[ROLE_OPS];
    size_t ops_count;
    struct jail_ids ids;
    bool ids_known;
    int code;
};

static int on_settings(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct runner *run = ctx;
    const void *fresh = NULL;
    struct err e;

    (void)from;
    (void)m;
    (void)body;
    if (memfile_map(fd, run->role.settings_size, &fresh, &e) < 0) {
        say("new settings are unusable, the old ones stay: %s", e.text);
    } else {
        memfile_unmap(run->role.settings, run->role.settings_size);
        run->role.settings = fresh;
        if (run->role.part->reload)
            run->role.part->reload(&run->role);
    }
    (void)close(fd);
    return 0;
}

static void finish(struct runner *run)
{
    if (run->role.part->stop)
        run->role.part->stop(&run->role);
    else
        loop_stop(run->role.loop);
}

static int on_stop(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    finish(ctx);
    return 0;
}

/* Without a core there is nobody to report to: the part ends, the supervisor starts the house anew. */
static void on_core_gone(void *ctx, struct chan *c, const char *why)
{
    (void)c;
    say_debug("link to the core: %s", why);
    finish(ctx);
}

/* The part's own handlers get the role, not the runner. */
static int add_ops(struct runner *run, struct err *e)
{
    static const struct chan_op own[] = {
        { LINK_SETTINGS, "settings", 0, 0, true, on_settings },
        { LINK_STOP, "stop", 0, 0, false, on_stop },
    };
    const struct part *p = run->role.part;

    if (p->ops_count + sizeof(own) / sizeof(own[0]) > ROLE_OPS)
        return err_set(e, 0, "part %s has too many ops", p->name);
    memcpy(run->ops, own, sizeof(own));
    run->ops_count = sizeof(own) / sizeof(own[0]);
    for (size_t i = 0; i < p->ops_count; i++)
        run->ops[run->ops_count++] = p->ops[i];
    return 0;
}

static int start(struct runner *run, struct err *e)
{
    struct role *r = &run->role;
    const struct part *p = r->part;
    struct jail jail = { .user = p->user, .ids = run->ids_known ? &run->ids : NULL, .calls = p->calls };
    struct link_ready ready = { 0 };

    if (p->settings_size > 0 && memfile_map(SETTINGS_FD, p->settings_size, &r->settings, e) < 0)
        return err_wrap(e, "settings");
    (void)close(SETTINGS_FD);
    r->settings_size = p->settings_size;
    r->loop = loop_new(e);
    if (!r->loop || add_ops(run, e) < 0)
        return -1;
    r->core = chan_new(LINK_FD, "core", run->ops, run->ops_count, r, e);
    if (!r->core || chan_attach(r->core, r->loop, on_core_gone, e) < 0)
        return -1;
    if (p->open && p->open(r, e) < 0)
        return -1;
    if (p->confine)
        p->confine(r, &jail);
    if (p->locked && lock_memory(e) < 0)
        say_debug("memory is not locked: %s", e->text); /* the supervisor has said so */
    if (jail_enter(&jail, &r->gaps, e) < 0)
        return -1;
    if (p->run && p->run(r, e) < 0)
        return -1;
    ready.unenforced = (uint8_t)r->gaps;
    return chan_send(r->core, LINK_READY, 0, 0, &ready, sizeof(ready), -1) < 0 ? err_set(e, 0, "the core is gone") : 0;
}

/* With what a file says read before: when it is wanted, the disk may be dead. */
static int wait_for_link(struct runner *run, const struct part *p)
{
    struct err e;

    run->ids_known = p->user && jail_user(p->user, &run->ids.uid, &run->ids.gid, &e) == 0;
    return p->wait();
}

int role_main(const struct part *p)
{
    static struct runner run; /* the role is reachable from callbacks until the process ends */
    struct err e = { 0 };
    char name[32];

    say_name(p->name);
    if (p->wait && wait_for_link(&run, p) < 0)
        return 0;
    (void)snprintf(name, sizeof(name), "serviola-%s",
                   p->name); /* the kernel keeps 15 letters; it came as "memfd:..." */
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    run.role.part = p;
    (void)signal(SIGINT, SIG_IGN);  /* Ctrl-C is said to the supervisor, which tells us; */
    (void)signal(SIGTERM, SIG_IGN); /* what is said to the whole group, too */
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(&run, &e) < 0) {
        say("does not start: %s", e.text);
        return 3;
    }
    if (loop_run(run.role.loop, &e) < 0) {
        say("%s", e.text);
        return 3;
    }
    (void)role_emit_all(&run.role);
    return 0;
}

static void stamp(struct event *ev, uint64_t cause)
{
    ev->at_us = clock_wall_us();
    ev->mono_us = clock_mono_us();
    if (cause != 0)
        ev->cause = cause;
}

bool role_emit(struct role *r, struct event *ev, uint64_t cause)
{
    stamp(ev, cause);
    (void)role_emit_all(r);
    return chan_send(r->core, LINK_EVENT, 0, ev->cause, ev, sizeof(*ev), -1) == 0;
}

void role_emit_soon(struct role *r, struct event *ev, uint64_t cause)
{
    stamp(ev, cause);
    r->tray[r->tray_count++] = *ev;
    if (r->tray_count == ROLE_TRAY)
        (void)role_emit_all(r);
}

bool role_emit_all(struct role *r)
{
    size_t n = r->tray_count;

    r->tray_count = 0;
    return n == 0 || chan_send(r->core, LINK_EVENT, 0, 0, r->tray, n * sizeof(r->tray[0]), -1) == 0;
}

int role_take_tail(struct tail **tail, int fd)
{
    struct err e;

    if (fd < 0)
        return -1;
    if (!*tail)
        *tail = tail_open(fd, &e);
    (void)close(fd);
    if (!*tail) {
        say(_("the events can't be read: %s"), e.text);
        return -1;
    }
    return 0;
}
