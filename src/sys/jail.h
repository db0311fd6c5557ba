/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * jail - another user, no capabilities, no new privileges, Landlock and seccomp; then proof of it.
 *
 * A part that can't be jailed does not start.  What the kernel is too old to
 * enforce is returned as bits, and `serviola status` says it.
 */
#ifndef SERVIOLA_SYS_JAIL_H
#define SERVIOLA_SYS_JAIL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum jail_gap { JAIL_NO_LANDLOCK = 1, JAIL_NO_LANDLOCK_NET = 2, JAIL_NO_LANDLOCK_SCOPE = 4, JAIL_NO_TRUNCATE = 8 };

enum jail_calls { /* seccomp sets; each includes JAIL_BASE (memory, clocks, epoll, messages on open descriptors, exit)
                   */
                  JAIL_BASE = 0,
                  JAIL_RING = 1,    /* packet ring: setsockopt, mmap of a socket */
                  JAIL_FILES = 2,   /* open, read, write, sync, rename, unlink inside the Landlock folders */
                  JAIL_NETLINK = 4, /* send and receive on netlink sockets, open new ones */
                  JAIL_ACCEPT = 8,  /* accept4 on listening sockets */
                  JAIL_THREADS = 16,
                  JAIL_PROC = 32,  /* open and read /proc */
                  JAIL_SPAWN = 64, /* fork, exec, wait, setuid: the supervisor alone */
};

struct jail {
    const char *user;             /* must exist; its uid and primary gid are taken, groups cleared */
    unsigned calls;               /* enum jail_calls */
    const char *const *folders;   /* may read and write below these (NULL-ended; NULL: no files at all) */
    const char *const *read_only; /* may read below these */
    uint64_t keep_caps;           /* 1 << CAP_...; the hand alone keeps any */
    bool tcp;                     /* may connect or bind TCP (the gate, later) */
};

/* 0, with *gaps filled; -1: not jailed, the caller must end. Checks itself: uid, capability sets, bounding set,
 * no_new_privs, seccomp mode 2 are read back, and a forbidden file is tried. */
int jail_enter(const struct jail *j, unsigned *gaps, struct err *e);
#endif
