/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailqueue - the messages of one account in the mail server's queue: Postfix or Exim, through their own programs.
 *
 * Programs are started without a shell; of what they print only queue ids of
 * letters, digits and dashes ever become arguments again.  Bounded: messages
 * looked at, bytes of a line, ids of one call.
 */
#ifndef SERVIOLA_CMD_MAILQUEUE_H
#define SERVIOLA_CMD_MAILQUEUE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { QUEUE_MOST = 100000, QUEUE_ID = 32, QUEUE_TEXT = 256 };
enum queue_kind { QUEUE_POSTFIX, QUEUE_EXIM };
enum queue_act { QUEUE_HOLD, QUEUE_RELEASE, QUEUE_PURGE_HELD, QUEUE_PURGE, QUEUE_ACTS };

struct queue_server {
    enum queue_kind kind;
    const char *config; /* Postfix: its folder (-c), Exim: its file (-C); NULL: the usual one */
};

struct queued {
    char id[QUEUE_ID];
    char account[QUEUE_TEXT]; /* who logged in; empty: nobody */
    char sender[QUEUE_TEXT];  /* as the program prints it: outside bytes */
    bool held;
};
struct queue {
    struct queued *at; /* owned */
    size_t count, cap;
    bool more; /* there are more than QUEUE_MOST */
};

/* Which server's programs are there: Postfix before Exim.  False: neither. */
bool queue_find_server(struct queue_server *s);
/* Every message, with its account.  -1 when the queue can't be read. */
int queue_read(const struct queue_server *s, struct queue *q, struct err *e);
void queue_free(struct queue *q);
/* To all messages of `account` (letter case apart); *count of them. */
int queue_do(const struct queue_server *s, const struct queue *q, enum queue_act act, const char *account,
             size_t *count, struct err *e);
/* Runs it without a shell and waits; its exit code, or -1. */
int queue_run(const char *const *argv, struct err *e);
#endif
