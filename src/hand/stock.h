/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stock - listening sockets that outlive the hand, and all of serviola: the supervisor holds a duplicate of each, and
 * gives it to systemd's file descriptor store.
 *
 * Over a link of their own (HAND_STOCK_FD in the hand): first the supervisor
 * hands over what there is from an earlier life, then the hand tells what
 * it opens and what it lets go.
 */
#ifndef SERVIOLA_HAND_STOCK_H
#define SERVIOLA_HAND_STOCK_H
#include "base/err.h"
#include "hand/op.h"

enum { HAND_STOCK_FD = 5 };

enum stock_op {
    STOCK_SOCKET = 270, /* struct hand_listen, with the socket: both ways */
    STOCK_ALL,          /* nothing: supervisor -> hand, behind the last of them */
    STOCK_GONE,         /* struct hand_listen: hand -> supervisor, it is listened at no more */
};

/* Which of the places in the settings this descriptor listens at.  NULL: none; the error says what it is instead. */
const struct hand_listen *stock_named(const struct hand_settings *set, int fd, struct err *e);
/* Where it listens, as the kernel says.  -1: it is no listening TCP socket. */
int stock_read(int fd, struct hand_listen *place, struct err *e);
#endif
