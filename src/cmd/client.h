/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client - a command's side of the control socket: connect, ask, wait for the answer, not for ever.
 *
 * The texts of errors are whole sentences for the person who typed the
 * command: what is wrong and the way out.
 */
#ifndef SERVIOLA_CMD_CLIENT_H
#define SERVIOLA_CMD_CLIENT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/tail.h"
#include "part/control.h"
#include "part/link.h"

struct client;

/* NULL with e->code ENOENT or ECONNREFUSED: it is not running; EACCES: not for this user. */
struct client *client_open(const char *path, struct err *e);
void client_close(struct client *c);        /* NULL is fine */
bool client_says_down(const struct err *e); /* whether client_open failed because nobody runs */

/* 0 with the answer filled, -1: none came (the core hangs, or ended). */
int client_status(struct client *c, struct ctl_status *s, struct err *e);
int client_block(struct client *c, const struct ctl_block *ask, struct ctl_done *done, struct err *e);
int client_unblock(struct client *c, const struct ctl_block *ask, struct ctl_done *done, struct err *e);
int client_allow(struct client *c, const struct ctl_allow *ask, struct ctl_done *done, struct err *e);
int client_ack(struct client *c, const struct ctl_ack *ask, struct ctl_done *done, struct err *e);
int client_reload(struct client *c, struct ctl_done *done, struct err *e);
int client_account(struct client *c, const struct link_account *ask, struct ctl_done *done, struct err *e);
/* Calls `each` for every block. */
int client_blocks(struct client *c, void (*each)(void *own, const struct ctl_entry *entry), void *own, struct err *e);

struct tail *client_tail(struct client *c, struct err *e); /* the caller's; tail_free */
int client_recorder(struct client *c, struct err *e);      /* the recorder's memory file; the caller's to close */
/*
 * A picture of the whole host, taken by serviola: its sealed memory file, the
 * caller's to close.  `taking` is called when it is one that is being taken
 * already.  `kept` is the name that it is kept by, empty when it was not to be.
 */
int client_xray(struct client *c, bool keep, void (*taking)(void), char kept[CTL_TEXT], struct err *e);
int client_follow(struct client *c, struct err *e); /* from here on client_wait hears news */
/* Sleeps until there is news, or the time is over.  1 news, 0 none, -1 the core is gone. */
int client_wait(struct client *c, int64_t timeout_us, struct err *e);
#endif
