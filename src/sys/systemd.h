/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * systemd - descriptors that the service manager gives us at the start, and keeps for the next one.
 *
 * sd_listen_fds(3) and sd_notify(3), as their protocol is documented: LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES in the
 * environment, and datagrams to the socket that NOTIFY_SOCKET names.  Nothing else of systemd is needed.
 */
#ifndef SERVIOLA_SYS_SYSTEMD_H
#define SERVIOLA_SYS_SYSTEMD_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

enum { SYSTEMD_FIRST = 3, SYSTEMD_MOST = 1024 };

/* How many descriptors are ours, from SYSTEMD_FIRST on; both as getenv gave them.  0: none, or they are another
 * process'.  -1: nonsense. */
int systemd_count(const char *listen_pid, const char *listen_fds, pid_t self, struct err *e);
/* The name of the one with this index in LISTEN_FDNAMES (NULL is fine); empty: it has none. */
struct slice systemd_name(const char *listen_fdnames, int index);

/* To the manager; `path` is NOTIFY_SOCKET's.  -1: it can't be reached. */
int systemd_open(const char *path, struct err *e);
/* Keeps a duplicate of fd for the next start, under this name (no colon, no control character).  -1, EAGAIN: later. */
int systemd_store(int manager, const char *name, int fd, struct err *e);
int systemd_remove(int manager, const char *name, struct err *e); /* all under this name */
#endif
