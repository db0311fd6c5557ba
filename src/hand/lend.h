/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lend - sockets that only we may open, for a process that may not.
 *
 * A listening socket on an address and port that the configuration named, and
 * a socket that speaks in a client's name (IP_TRANSPARENT), so that a mail
 * server which knows neither PROXY nor XCLIENT still sees who the client is.
 * A listening socket outlives who listens at it: a part that dies or starts
 * anew finds those who came meanwhile in the backlog.
 */
#ifndef SERVIOLA_HAND_LEND_H
#define SERVIOLA_HAND_LEND_H
#include "base/err.h"
#include "hand/never.h"
#include "hand/op.h"

enum { LEND_BACKLOG = 4096 };

/* HAND_OK, HAND_NOT_NAMED or HAND_WRONG: whether the settings name this address and port, and that it intercepts. */
enum hand_code lend_may_listen(const struct hand_settings *set, const struct hand_listen *ask);
/* May a socket speak in this host's name?  Never in our own: that would be a loop, or a stranger in our clothes. */
enum hand_code lend_may_borrow(const struct never *n, struct addr who);

/* The sockets that were lent, and stay with us: while who listened is away, those who come wait in them. */
struct lent {
    struct hand_listen at[HAND_LISTENS];
    int fd[HAND_LISTENS]; /* own; first `count` */
    uint32_t count;
    /* Hears of each that is opened, and (fd -1) of each that is let go; NULL: nobody does. */
    void (*tell)(void *ctx, const struct hand_listen *at, int fd);
    void *ctx;
};

/* One of an earlier life; `fd` is ours from here on.  -1: the settings name no such place. */
int lent_adopt(struct lent *l, const struct hand_settings *set, int fd, struct err *e);
/* The kept one, or a new one that is kept from now on: it stays ours.  -1 with the kernel's error. */
int lent_listen(struct lent *l, const struct hand_listen *ask, struct err *e);
/* No longer kept; without an address: none of them. */
void lent_let_go(struct lent *l, const struct hand_listen *which);
/* Keeps what these settings name for the same tenant. */
void lent_sift(struct lent *l, const struct hand_settings *set);
void lent_close(struct lent *l); /* we end: nobody hears of it */

/* Descriptors, close-on-exec and non-blocking; -1 with the kernel's error. */
int lend_listen(const struct hand_listen *ask, struct err *e);
int lend_borrow(struct addr who, struct err *e); /* bound, not connected */
#endif
