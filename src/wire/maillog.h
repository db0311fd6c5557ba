/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * maillog - what a mail server's log line says: Postfix, Exim, qmail with vpopmail, Dovecot.
 *
 * Pure: a program's name and a message in, slices of that message out; no line is kept.  What belongs to one message
 * is joined by its queue id (`id`), which is the caller's work: in Postfix the account stands in the line ACCEPTED,
 * the sender in QUEUED, each outcome in a line of its own.
 */
#ifndef SERVIOLA_WIRE_MAILLOG_H
#define SERVIOLA_WIRE_MAILLOG_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum maillog_server { MAILLOG_POSTFIX, MAILLOG_EXIM, MAILLOG_QMAIL, MAILLOG_DOVECOT, MAILLOG_SERVERS };

enum maillog_what {
    MAILLOG_OTHER,        /* the program is a mail server's; this line tells nothing of the below */
    MAILLOG_CONNECTED,    /* client, name */
    MAILLOG_DISCONNECTED, /* client, name */
    MAILLOG_ACCEPTED,     /* a message begins: id; client, name, account when it logged in; Exim: from, size too */
    MAILLOG_NAMED,        /* id, its Message-ID in `from` */
    MAILLOG_QUEUED,   /* id, from, size, recipients; Postfix says it again at each retry, qmail without recipients */
    MAILLOG_STARTED,  /* qmail: delivery `delivery` of message id, to `to` */
    MAILLOG_SENT,     /* id (qmail: delivery), to, relay, delay, reason: the other server's answer */
    MAILLOG_DEFERRED, /* the same; it stays in the queue */
    MAILLOG_BOUNCED,  /* the same; it will not arrive */
    MAILLOG_REMOVED,  /* id: it left the queue */
    MAILLOG_REJECTED, /* client was refused: from, to, reason; id may be empty */
    MAILLOG_LOGIN,    /* account, client, method: a password was right */
    MAILLOG_LOGIN_FAILED, /* client, method; account when it is told; attempts */
    MAILLOG_LOGOUT,       /* account */
    MAILLOG_LOST,         /* client, name, reason: the connection broke */
    MAILLOG_WHATS
};

struct maillog {
    enum maillog_server server;
    enum maillog_what what;
    struct slice id;         /* queue id; empty: none */
    struct slice delivery;   /* qmail's delivery number */
    struct slice account;    /* who logged in, as the line spells it */
    struct slice from, to;   /* without brackets; an empty sender is empty */
    struct slice name, helo; /* what the client is called by DNS, and by itself */
    struct slice relay;      /* the other server's name, or `none` */
    struct slice method;     /* LOGIN, PLAIN ... */
    struct slice service;    /* of a login: smtp, submission, imap, pop3 ... */
    struct slice status;     /* the enhanced status code (5.1.1), or the SMTP code alone */
    struct slice reason;     /* why: the other server's words */
    struct addr client;      /* family 0: not told */
    struct addr server_at;   /* the relay's address; family 0: not told */
    uint64_t size, recipients, attempts;
    int64_t delay_us;
};

/* False: `program` is no mail server's.  Else m is filled, what == MAILLOG_OTHER when there is nothing to say. */
bool maillog_read(struct slice program, struct slice text, struct maillog *m);
const char *maillog_what_name(enum maillog_what w); /* "accepted", for tests and JSON */

/* Whether words of another server say that a host is on a black list.  `list` is its name or empty, `host` the address
 * that is listed, family 0 when it is not told. */
bool maillog_is_listed(struct slice reason, struct slice *list, struct addr *host);
#endif
