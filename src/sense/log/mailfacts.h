/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailfacts - what the lines of mail servers say of accounts: who sent how much, from where, and what became of it.
 *
 * Joins the lines of a message by its queue id, and a delivery of qmail's by its number: in Postfix the account stands
 * in one line, the recipients in another, each outcome in one of its own.  Pure: wire/maillog reads the lines.
 */
#ifndef SERVIOLA_SENSE_LOG_MAILFACTS_H
#define SERVIOLA_SENSE_LOG_MAILFACTS_H
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "wire/maillog.h"

enum mail_fact_what {
    MAIL_FACT_MESSAGE,      /* client: where it came from; its recipients may follow */
    MAIL_FACT_RECIPIENTS,   /* so many of a message of this account */
    MAIL_FACT_SENT,         /* a recipient */
    MAIL_FACT_DEFERRED,     /* likewise; it is tried again */
    MAIL_FACT_BOUNCED,      /* likewise; refused for good */
    MAIL_FACT_LOGIN,        /* client */
    MAIL_FACT_LOGIN_FAILED, /* client; so many */
    MAIL_FACT_WHATS
};
struct mail_fact {
    enum mail_fact_what what;
    struct slice account; /* borrowed for the call; of a failed login it may be empty */
    struct addr client;   /* family 0: not told, or it does not matter */
    uint32_t count;
};
typedef void mail_fact_found(void *own, const struct mail_fact *f);

struct mailfacts;
/* `messages` are on their way at once; the oldest leaves. */
struct mailfacts *mailfacts_new(size_t messages, uint64_t seed, mail_fact_found *found, void *own, struct err *e);
void mailfacts_free(struct mailfacts *f); /* NULL is fine */
/* A line of this host (any number that tells hosts apart), read by maillog_read. */
void mailfacts_take(struct mailfacts *f, uint64_t host, const struct maillog *m, int64_t at_us);
#endif
