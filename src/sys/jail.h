/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * jail - another user, no capabilities, no new privileges, Landlock and seccomp; then proof of it.
 *
 * A part that can't be jailed does not start.  What the kernel is too old to
 * enforce is returned as bits, and `serviola status` says it.  Enter it with
 * one thread: the jail holds for the thread that enters and for what it starts.
 *
 *   jail.c      the order of things, ids, capabilities, proof
 *   landlock.c  which files, ports and peers
 *   calls.c     which system calls
 */
#ifndef SERVIOLA_SYS_JAIL_H
#define SERVIOLA_SYS_JAIL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum jail_gap {
    JAIL_NO_LANDLOCK = 1,       /* before 5.13, or switched off: seccomp alone */
    JAIL_NO_LANDLOCK_NET = 2,   /* before 6.7: TCP ports are seccomp's matter alone */
    JAIL_NO_LANDLOCK_SCOPE = 4, /* before 6.12: signals and abstract sockets likewise */
    JAIL_NO_TRUNCATE = 8,       /* before 6.2: truncation of what may be opened read-only */
};
const char *jail_gap_words(enum jail_gap one); /* "TCP ports (Linux 6.7)" */

/* seccomp sets; each includes JAIL_BASE (memory, clocks, epoll, messages on open descriptors, exit) */
enum jail_calls {
    JAIL_BASE = 0,
    JAIL_RING = 1,      /* packet ring: getsockopt and setsockopt on an open packet socket */
    JAIL_FILES = 2,     /* open, read, write, sync, rename, unlink inside the Landlock folders */
    JAIL_NETLINK = 4,   /* send and receive on netlink sockets, open new ones */
    JAIL_ACCEPT = 8,    /* accept4 on listening sockets */
    JAIL_THREADS = 16,  /* more threads */
    JAIL_PROC = 32,     /* open (read-only) and read below `read_only`: /proc */
    JAIL_SPAWN = 64,    /* fork, exec, wait, and all that a child needs until its own jail: the supervisor alone */
    JAIL_PACKET = 128,  /* open packet sockets, bind and filter them: the hand */
    JAIL_LISTEN = 256,  /* open TCP sockets, bind and listen: the hand */
    JAIL_CONNECT = 512, /* open TCP and UDP sockets, bind, connect, splice, and set what a connection needs: the gate */
    JAIL_WALK = 1024,   /* begin walks of iterators that others have loaded (sys/iter): the watch */
};

enum jail_tcp {
    JAIL_TCP_BIND = 1,    /* to any port */
    JAIL_TCP_SOURCE = 2,  /* to an address, with a port that the kernel chooses (Linux 6.7) */
    JAIL_TCP_CONNECT = 4, /* to any port, or to those in tcp_ports alone */
};

struct jail_ids {
    uid_t uid;
    gid_t gid;
};

struct jail {
    /* Must exist; its uid and primary gid are taken, groups cleared.  NULL: who we are, unless that is root. */
    const char *user;
    const struct jail_ids *ids;   /* the user's, asked for before; NULL: not yet */
    unsigned calls;               /* enum jail_calls */
    const char *const *folders;   /* may read and write below these (NULL-ended; NULL: no files at all) */
    const char *const *read_only; /* may read these, or below these; one that does not exist grants nothing */
    /*
     * 1 << CAP_...; the hand alone keeps any.  With CAP_SYS_PTRACE there is no
     * Landlock: it would refuse exactly what that capability is for (the stack
     * of a process outside the jail), and seccomp then lets files be opened
     * for reading alone (JAIL_PROC).
     */
    uint64_t keep_caps;
    uint64_t lend_caps;        /* held for children only (JAIL_SPAWN): permitted and bounding, not in effect */
    unsigned tcp;              /* enum jail_tcp: what Landlock leaves of TCP */
    const uint16_t *tcp_ports; /* with JAIL_TCP_CONNECT; NULL: every port */
    size_t tcp_ports_count;
};

/*
 * 0, with *gaps (enum jail_gap) filled; -1: not jailed, or half, and the caller must end.
 * Checks itself: ids, groups, capability sets, bounding set, no_new_privs and seccomp are read back, and a forbidden
 * file is tried.  The parent-death signal survives it (the kernel clears it when ids change).
 */
int jail_enter(const struct jail *j, unsigned *gaps, struct err *e);

/* The ids of a local user (/etc/passwd); -1 with the way out (tools/users). */
int jail_user(const char *name, uid_t *uid, gid_t *gid, struct err *e);
#endif
