/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who sends mail with somebody else's password?  Joins the lines of a message by its queue id, and hands each message,
 * its recipients and what became of them to rule/account.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/words.h"
#include "rule/account.h"
#include "sense/log/analyse/inner.h"
#include "wire/maillog.h"

enum { LOGINS = 8192, SUSPECTS = 64 };
#define LOGIN_US (10 * MINUTE_US) /* so long after a login its mail is its (vpopmail says no queue id) */

struct message {
    uint8_t len;
    bool counted; /* its recipients */
    char account[ACCOUNT_NAME];
};
struct login {
    struct addr client;
    int64_t at_us;
};
struct suspect {
    uint64_t account; /* hash; 0: free */
    uint32_t host;
};

struct mails {
    struct accounts *accounts;
    struct table *messages;   /* hash of host and queue id -> struct message */
    struct table *deliveries; /* hash of host and qmail's delivery -> uint64_t, the hash of its message */
    struct table *logins;     /* hash of host and account -> struct login */
    struct suspect suspect[SUSPECTS];
    uint32_t host; /* of the line that is read */
};

static void on_account(void *own, const struct account_report *r);

int mail_open(struct analysis *a, struct err *e)
{
    struct mails *m = a->mails = calloc(1, sizeof(*m));

    if (!m)
        return err_set(e, ENOMEM, "analysis");
    m->accounts = accounts_new(&account_usual, a->seed, on_account, a, e);
    m->messages = table_new(a->caps.messages, sizeof(uint64_t), sizeof(struct message), a->seed, e);
    m->deliveries = table_new(a->caps.messages, sizeof(uint64_t), sizeof(uint64_t), a->seed, e);
    m->logins = table_new(LOGINS, sizeof(uint64_t), sizeof(struct login), a->seed, e);
    return m->accounts && m->messages && m->deliveries && m->logins ? 0 : -1;
}

void mail_close(struct analysis *a)
{
    if (!a->mails)
        return;
    accounts_free(a->mails->accounts);
    table_free(a->mails->messages);
    table_free(a->mails->deliveries);
    table_free(a->mails->logins);
    free(a->mails);
}

int mail_own(struct analysis *a, struct prefix net, struct err *e)
{
    return accounts_own(a->mails->accounts, net, e);
}

/* --- telling */

static uint32_t host_of(struct analysis *a, const struct account_report *r)
{
    uint64_t hash = hash_bytes(r->account.at, r->account.len, a->seed) | 1;
    struct suspect *free_one = NULL;

    for (size_t i = 0; i < SUSPECTS; i++) {
        struct suspect *s = &a->mails->suspect[i];

        if (s->account == hash) {
            uint32_t host = s->host;

            if (r->over)
                s->account = 0;
            return host;
        }
        if (s->account == 0)
            free_one = s;
    }
    if (free_one && !r->over)
        *free_one = (struct suspect){ hash, a->mails->host };
    return r->over ? 0 : a->mails->host;
}

static void on_account(void *own, const struct account_report *r)
{
    struct analysis *a = own;
    uint32_t host = host_of(a, r);
    struct log_finding f = finding_of(a, "stolen_account", GRADE_ALARM, host);
    struct log_words name = shown(r->account);

    f.phase = r->over ? LOG_ENDED : LOG_BEGAN;
    f.from_us = r->from_us;
    f.to_us = r->over ? r->last_us : 0;
    f.count = r->messages;
    f.rank = r->score;
    finding_text(&f,
                 words_many("the account %s sent %" PRIu64 " messages from %s to %s out of %" PRIu32
                            " address it was never seen at; its busiest hour before had %" PRIu32,
                            "the account %s sent %" PRIu64 " messages from %s to %s out of %" PRIu32
                            " addresses it was never seen at; its busiest hour before had %" PRIu32,
                            r->sources),
                 name.text, r->messages, shown_time(r->from_us).text, shown_time(r->last_us).text, r->sources,
                 r->usual);
    finding_proof(&f, _("recipients: %" PRIu64 "; sent %" PRIu64 ", deferred %" PRIu64 ", refused %" PRIu64),
                  r->recipients, r->sent, r->deferred, r->bounced);
    for (uint32_t i = 0; i < r->source_count; i++)
        finding_proof(&f, "%s", addr_ip_text(r->source[i]).text);
    f.proofs_more += r->sources - r->source_count;
    finding_next(&f, _("change the password of %s, hold its mail in the queue, ask the black lists about our address"),
                 name.text);
    finding_tell(a, &f, hash_bytes(r->account.at, r->account.len, 1) ^ (uint64_t)r->from_us);
}

/* --- reading */

static uint64_t key_of(const struct analysis *a, uint32_t host, struct slice id)
{
    return hash_bytes(id.at, id.len, a->seed + host);
}

static void remember(struct analysis *a, uint64_t key, struct slice account)
{
    struct message *k = table_add(a->mails->messages, &key, NULL, NULL, NULL);

    account = slice_first(account, ACCOUNT_NAME);
    k->len = (uint8_t)account.len;
    k->counted = false;
    if (account.len > 0)
        memcpy(k->account, account.at, account.len);
}

static void begins(struct analysis *a, struct reading *r, const struct maillog *m, struct slice account,
                   struct addr client)
{
    remember(a, key_of(a, r->host->id, m->id), account);
    accounts_message(a->mails->accounts, account, client, 0, r->at_us);
}

static void logged_in(struct analysis *a, struct reading *r, const struct maillog *m)
{
    uint64_t key = key_of(a, r->host->id, m->account);
    struct login *l;

    logins_passed(a, r->host->id, r->program, m->client, m->account, r->at_us);
    if (m->server != MAILLOG_QMAIL || !(log_begins(m->service, "smtp") || log_begins(m->service, "submission")))
        return;
    l = table_add(a->mails->logins, &key, NULL, NULL, NULL);
    l->client = m->client;
    l->at_us = r->at_us;
}

static void queued(struct analysis *a, struct reading *r, const struct maillog *m)
{
    uint64_t key = key_of(a, r->host->id, m->id);
    struct message *k = table_find(a->mails->messages, &key);

    if (m->server == MAILLOG_QMAIL) {
        uint64_t login = key_of(a, r->host->id, m->from);
        const struct login *l = m->from.len > 0 ? table_find(a->mails->logins, &login) : NULL;

        if (l && r->at_us - l->at_us < LOGIN_US)
            begins(a, r, m, m->from, l->client);
        else if (k)
            table_remove(a->mails->messages, k); /* its number is used again, by another one */
        return;
    }
    if (!k || k->counted)
        return;
    k->counted = true;
    accounts_recipients(a->mails->accounts, slice_of(k->account, k->len),
                        (uint32_t)(m->recipients < 100000 ? m->recipients : 100000), r->at_us);
}

static void started(struct analysis *a, struct reading *r, const struct maillog *m)
{
    uint64_t of = key_of(a, r->host->id, m->id);
    uint64_t key = key_of(a, r->host->id + a->caps.hosts, m->delivery);
    const struct message *k = table_find(a->mails->messages, &of);

    if (!k)
        return;
    *(uint64_t *)table_add(a->mails->deliveries, &key, NULL, NULL, NULL) = of;
    accounts_recipients(a->mails->accounts, slice_of(k->account, k->len), 1, r->at_us);
}

static void outcome(struct analysis *a, struct reading *r, const struct maillog *m)
{
    uint64_t key = key_of(a, r->host->id, m->id);
    const struct message *k;

    if (m->server == MAILLOG_QMAIL) {
        uint64_t delivery = key_of(a, r->host->id + a->caps.hosts, m->delivery);
        uint64_t *of = table_find(a->mails->deliveries, &delivery);

        if (!of)
            return;
        key = *of;
        table_remove(a->mails->deliveries, of);
    }
    k = table_find(a->mails->messages, &key);
    if (k)
        accounts_outcome(a->mails->accounts, slice_of(k->account, k->len),
                         m->what == MAILLOG_SENT       ? ACCOUNT_SENT
                         : m->what == MAILLOG_DEFERRED ? ACCOUNT_DEFERRED
                                                       : ACCOUNT_BOUNCED,
                         r->at_us);
}

static void removed(struct analysis *a, struct reading *r, const struct maillog *m)
{
    uint64_t key = key_of(a, r->host->id, m->id);
    struct message *k = table_find(a->mails->messages, &key);

    if (k)
        table_remove(a->mails->messages, k);
}

void mail_line(struct analysis *a, struct reading *r)
{
    struct maillog m;

    if (!maillog_read(r->line->program, r->text, &m))
        return;
    a->mails->host = r->host->id;
    if (m.what == MAILLOG_ACCEPTED && m.account.len > 0)
        begins(a, r, &m, m.account, m.client);
    else if (m.what == MAILLOG_LOGIN)
        logged_in(a, r, &m);
    else if (m.what == MAILLOG_LOGIN_FAILED && m.client.family != 0)
        logins_failed(a, r->host->id, r->program, m.client, m.account, (uint32_t)(m.attempts < 100 ? m.attempts : 100),
                      r->at_us);
    else if (m.what == MAILLOG_QUEUED)
        queued(a, r, &m);
    else if (m.what == MAILLOG_STARTED)
        started(a, r, &m);
    else if (m.what == MAILLOG_SENT || m.what == MAILLOG_DEFERRED || m.what == MAILLOG_BOUNCED)
        outcome(a, r, &m);
    else if (m.what == MAILLOG_REMOVED)
        removed(a, r, &m);
    if (m.what != MAILLOG_OTHER)
        mailqueue_line(a, r, &m);
}

void mail_tick(struct analysis *a, int64_t now_us)
{
    if (now_us / MINUTE_US % 10 == 0) /* it looks at each */
        accounts_tick(a->mails->accounts, now_us);
}

void mail_end(struct analysis *a, int64_t now_us)
{
    accounts_end(a->mails->accounts, now_us);
}

void mail_save(struct analysis *a, struct bytes_out *to)
{
    accounts_save(a->mails->accounts, to);
}

int mail_load(struct analysis *a, struct slice kept, struct err *e)
{
    return accounts_load(a->mails->accounts, kept, e);
}
