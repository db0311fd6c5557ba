/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer - who is at the other end of a unix socket: the kernel's word, not the peer's; and the socket it comes to.
 */
#ifndef SERVIOLA_SYS_PEER_H
#define SERVIOLA_SYS_PEER_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct peer_ids {
    pid_t pid; /* for messages: by the time it is read, the number may be another's */
    uid_t uid;
    gid_t gid;
};

/* As they were when it connected. */
int peer_ask(int fd, struct peer_ids *who, struct err *e);
/* Primary or supplementary group. */
bool peer_in_group(int fd, gid_t group);

/* The id of a local group (/etc/group); -1 with the way out (tools/users). */
int peer_group(const char *name, gid_t *group, struct err *e);

/*
 * A listening SEQPACKET socket at `path` (its folder exists), close-on-exec and
 * non-blocking, with this mode and group ((gid_t)-1: as it comes).  A socket
 * that nobody answers at is replaced; one that somebody does is an error.
 */
int peer_listen(const char *path, mode_t mode, gid_t group, struct err *e);
/* Connects to it; non-blocking from then on. */
int peer_connect(const char *path, struct err *e);
#endif
