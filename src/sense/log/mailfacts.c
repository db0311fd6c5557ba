/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/mailfacts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"

enum { LOGINS = 8192, NAME = 128, RECIPIENTS_MOST = 100000, ATTEMPTS_MOST = 100 };
#define LOGIN_US ((int64_t)600 * 1000000) /* so long after a login its mail is its (vpopmail says no queue id) */

struct message {
    uint8_t len;
    bool counted; /* its recipients */
    char account[NAME];
};
struct login {
    struct addr client;
    int64_t at_us;
};

struct mailfacts {
    uint64_t seed;
    struct table *messages;   /* hash of host and queue id -> struct message */
    struct table *deliveries; /* hash of host and qmail's delivery -> uint64_t, the hash of its message */
    struct table *logins;     /* hash of host and account -> struct login */
    mail_fact_found *found;
    void *own;
};

struct mailfacts *mailfacts_new(size_t messages, uint64_t seed, mail_fact_found *found, void *own, struct err *e)
{
    struct mailfacts *f = calloc(1, sizeof(*f));

    if (!f) {
        (void)err_set(e, ENOMEM, "mail");
        return NULL;
    }
    f->seed = seed;
    f->found = found;
    f->own = own;
    f->messages = table_new(messages, sizeof(uint64_t), sizeof(struct message), seed, e);
    f->deliveries = table_new(messages, sizeof(uint64_t), sizeof(uint64_t), seed, e);
    f->logins = table_new(LOGINS, sizeof(uint64_t), sizeof(struct login), seed, e);
    if (f->messages && f->deliveries && f->logins)
        return f;
    mailfacts_free(f);
    return NULL;
}

void mailfacts_free(struct mailfacts *f)
{
    if (!f)
        return;
    table_free(f->messages);
    table_free(f->deliveries);
    table_free(f->logins);
    free(f);
}

/* ---- keys ---- */

static uint64_t key_of(const struct mailfacts *f, uint64_t host, struct slice id)
{
    return hash_bytes(id.at, id.len, f->seed ^ host * 0x9e3779b97f4a7c15u);
}

/* A delivery's number is of another row of numbers than a message's. */
static uint64_t delivery_key(const struct mailfacts *f, uint64_t host, struct slice number)
{
    return key_of(f, ~host, number);
}

/* ---- telling ---- */

static void tell(struct mailfacts *f, enum mail_fact_what what, struct slice account, struct addr client,
                 uint64_t count)
{
    struct mail_fact fact = { what, slice_first(account, NAME), client, (uint32_t)count };

    f->found(f->own, &fact);
}

static void tell_of(struct mailfacts *f, enum mail_fact_what what, const struct message *k, uint64_t count)
{
    tell(f, what, slice_of(k->account, k->len), (struct addr){ 0 }, count);
}

/* ---- reading ---- */

static void begins(struct mailfacts *f, uint64_t host, const struct maillog *m, struct slice account,
                   struct addr client)
{
    uint64_t key = key_of(f, host, m->id);
    struct message *k = table_add(f->messages, &key, NULL, NULL, NULL);

    account = slice_first(account, NAME);
    k->len = (uint8_t)account.len;
    k->counted = false;
    if (account.len > 0)
        memcpy(k->account, account.at, account.len);
    tell(f, MAIL_FACT_MESSAGE, account, client, 1);
}

static bool is_submission(struct slice service)
{
    return slice_starts_nocase(service, SLICE("smtp")) || slice_starts_nocase(service, SLICE("submission"));
}

static void logged_in(struct mailfacts *f, uint64_t host, const struct maillog *m, int64_t at_us)
{
    uint64_t key = key_of(f, host, m->account);
    struct login *l;

    tell(f, MAIL_FACT_LOGIN, m->account, m->client, 1);
    if (m->server != MAILLOG_QMAIL || !is_submission(m->service))
        return;
    l = table_add(f->logins, &key, NULL, NULL, NULL);
    l->client = m->client;
    l->at_us = at_us;
}

static void queued(struct mailfacts *f, uint64_t host, const struct maillog *m, int64_t at_us)
{
    uint64_t key = key_of(f, host, m->id);
    struct message *k = table_find(f->messages, &key);

    if (m->server == MAILLOG_QMAIL) {
        uint64_t login = key_of(f, host, m->from);
        const struct login *l = m->from.len > 0 ? table_find(f->logins, &login) : NULL;

        if (l && at_us - l->at_us < LOGIN_US)
            begins(f, host, m, m->from, l->client);
        else if (k)
            table_remove(f->messages, k); /* its number is used again, by another one */
        return;
    }
    if (!k || k->counted)
        return;
    k->counted = true;
    tell_of(f, MAIL_FACT_RECIPIENTS, k, m->recipients < RECIPIENTS_MOST ? m->recipients : RECIPIENTS_MOST);
}

static void started(struct mailfacts *f, uint64_t host, const struct maillog *m)
{
    uint64_t of = key_of(f, host, m->id);
    uint64_t key = delivery_key(f, host, m->delivery);
    const struct message *k = table_find(f->messages, &of);

    if (!k)
        return;
    *(uint64_t *)table_add(f->deliveries, &key, NULL, NULL, NULL) = of;
    tell_of(f, MAIL_FACT_RECIPIENTS, k, 1);
}

static void outcome(struct mailfacts *f, uint64_t host, const struct maillog *m)
{
    uint64_t key = key_of(f, host, m->id);
    const struct message *k;

    if (m->server == MAILLOG_QMAIL) {
        uint64_t delivery = delivery_key(f, host, m->delivery);
        uint64_t *of = table_find(f->deliveries, &delivery);

        if (!of)
            return;
        key = *of;
        table_remove(f->deliveries, of);
    }
    k = table_find(f->messages, &key);
    if (!k)
        return;
    if (m->server == MAILLOG_EXIM && m->what != MAILLOG_DEFERRED) /* nowhere else does it say how many they are */
        tell_of(f, MAIL_FACT_RECIPIENTS, k, 1);
    tell_of(f,
            m->what == MAILLOG_SENT       ? MAIL_FACT_SENT
            : m->what == MAILLOG_DEFERRED ? MAIL_FACT_DEFERRED
                                          : MAIL_FACT_BOUNCED,
            k, 1);
}

static void removed(struct mailfacts *f, uint64_t host, const struct maillog *m)
{
    uint64_t key = key_of(f, host, m->id);
    struct message *k = table_find(f->messages, &key);

    if (k)
        table_remove(f->messages, k);
}

void mailfacts_take(struct mailfacts *f, uint64_t host, const struct maillog *m, int64_t at_us)
{
    if (m->what == MAILLOG_ACCEPTED && m->account.len > 0)
        begins(f, host, m, m->account, m->client);
    else if (m->what == MAILLOG_LOGIN)
        logged_in(f, host, m, at_us);
    else if (m->what == MAILLOG_LOGIN_FAILED && m->client.family != 0)
        tell(f, MAIL_FACT_LOGIN_FAILED, m->account, m->client,
             m->attempts < ATTEMPTS_MOST ? m->attempts : ATTEMPTS_MOST);
    else if (m->what == MAILLOG_QUEUED)
        queued(f, host, m, at_us);
    else if (m->what == MAILLOG_STARTED)
        started(f, host, m);
    else if (m->what == MAILLOG_SENT || m->what == MAILLOG_DEFERRED || m->what == MAILLOG_BOUNCED)
        outcome(f, host, m);
    else if (m->what == MAILLOG_REMOVED)
        removed(f, host, m);
}
