/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * part - what every sensor, and every other process of the house, is made of.
 *
 * core/roster.c lists them.  A part is started as `serviola -x NAME`: role.c
 * takes its two descriptors, calls open (outside the jail), enters the jail,
 * then calls run, which registers with the loop; role.c runs the loop.
 */
#ifndef SERVIOLA_PART_PART_H
#define SERVIOLA_PART_PART_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/schema.h"
#include "journal/event.h"
#include "journal/tail.h"
#include "sys/chan.h"
#include "sys/jail.h"
#include "sys/loop.h"

enum { ROLE_TRAY = 32 };
struct role { /* a running part, from its own point of view */
    const struct part *part;
    struct loop *loop;
    struct chan *core;
    const void *settings; /* the part's own struct, read-only; changes on reload */
    size_t settings_size;
    void *own;                    /* the part's state */
    unsigned gaps;                /* enum jail_gap: what the kernel can't enforce */
    struct event tray[ROLE_TRAY]; /* of role_emit_soon, on their way */
    size_t tray_count;
};

struct part {
    const char *name;
    const char *what;       /* one line for people */
    const char *user;       /* "serviola-hunt" */
    const struct key *keys; /* its section in the configuration; may be NULL */
    size_t settings_size;
    unsigned calls; /* enum jail_calls: what its seccomp list allows */
    bool locked;    /* its memory is locked */
    /* Before its link is read, when it is begun before it is wanted; -1: it is not wanted any more.  May be NULL. */
    int (*wait)(void);
    /* Adds folders to its jail; NULL: no files at all.  What it points to must live as long as the process. */
    void (*confine)(struct role *r, struct jail *j);
    /* -1 with an error: the part does not start.  Both may be NULL. */
    int (*open)(struct role *r, struct err *e);
    int (*run)(struct role *r, struct err *e);
    void (*reload)(struct role *r); /* r->settings is new */
    const struct chan_op *ops;      /* what the core may say to it, besides link.h's own */
    size_t ops_count;
    void (*stop)(struct role *r); /* last words; the loop ends after it */
};

/* The body of `serviola -x NAME`; returns an exit code. */
int role_main(const struct part *p);

/* Stamps both clocks and sends it to the core; `cause` 0: the world did it.  False when it could not be queued
 * (counted). */
bool role_emit(struct role *r, struct event *ev, uint64_t cause);
/* For parts with thousands of them a second: as role_emit, but it may leave together with others, when there are
 * ROLE_TRAY of them, when role_emit says something, at role_emit_all, or when the part ends.  Their order stays. */
void role_emit_soon(struct role *r, struct event *ev, uint64_t cause);
bool role_emit_all(struct role *r); /* false: they could not be queued (counted) */

/* The journal's tail, as LINK_TAIL brings it: *tail is opened by the first of them, fd is closed.  -1: it can't be
 * read, which was said. */
int role_take_tail(struct tail **tail, int fd);
#endif
