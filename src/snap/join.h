/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * join - what belongs together in a picture: pids, sockets and who holds them, both ends of a local connection.
 *
 * Made once over a finished picture and read only from then on.  The ends of
 * a connection are matched across network namespaces too.
 */
#ifndef SERVIOLA_SNAP_JOIN_H
#define SERVIOLA_SNAP_JOIN_H
#include "snap/snap.h"

struct join;
struct join *join_new(const struct snap *s, struct err *e); /* borrows s */
void join_free(struct join *j);                             /* NULL is fine */

const struct snap_process *join_process(const struct join *j, int64_t pid); /* NULL: not in the picture */

/* The holders of an inode, eldest process first: join_holder(j, inode, 0), 1, ...; NULL at the end. */
const struct snap_holder *join_holder(const struct join *j, uint64_t inode, size_t nth);
bool join_holds(const struct join *j, int64_t pid, uint64_t inode);
/* What a process holds, one socket after the other: *cursor is 0 at first; NULL at the end. */
const struct snap_socket *join_held(const struct join *j, int64_t pid, size_t *cursor);

const struct snap_socket *join_socket(const struct join *j, uint64_t inode); /* NULL: not in the picture */

/* The other end of a connection, also one that is translated (NAT) on its way, when it is on this host too; else NULL.
 */
const struct snap_socket *join_other_end(const struct join *j, const struct snap_socket *s);
/* The listening socket through which a connected one was accepted; NULL: it was opened from here. */
const struct snap_socket *join_listener(const struct join *j, const struct snap_socket *s);

/* Writes the eldest holders into the sockets themselves (pid, peer_pid): for whoever makes the picture. */
int join_owners(struct snap *s, struct err *e);
void join_mark_owners(const struct join *j, struct snap *s); /* the same, with a join that is there already */
#endif
