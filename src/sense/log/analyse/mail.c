/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who sends mail with somebody else's password?  Hands each message, its recipients and what became of them, as
 * mailfacts joins them, to rule/account.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/words.h"
#include "rule/account.h"
#include "sense/log/analyse/inner.h"
#include "sense/log/mailfacts.h"
#include "wire/maillog.h"

enum { SUSPECTS = 64 };

struct suspect {
    uint64_t account; /* hash; 0: free */
    uint32_t host;
};

struct mails {
    struct accounts *accounts;
    struct mailfacts *facts;
    struct suspect suspect[SUSPECTS];
    struct reading *line; /* that is read */
    uint32_t host;        /* of it */
};

static void on_account(void *own, const struct account_report *r);
static void on_fact(void *own, const struct mail_fact *f);

int mail_open(struct analysis *a, struct err *e)
{
    struct mails *m = a->mails = calloc(1, sizeof(*m));

    if (!m)
        return err_set(e, ENOMEM, "analysis");
    m->accounts = accounts_new(&account_usual, a->seed, on_account, a, e);
    m->facts = mailfacts_new(a->caps.messages, a->seed, on_fact, a, e);
    return m->accounts && m->facts ? 0 : -1;
}

void mail_close(struct analysis *a)
{
    if (!a->mails)
        return;
    accounts_free(a->mails->accounts);
    mailfacts_free(a->mails->facts);
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

static void on_fact(void *own, const struct mail_fact *f)
{
    struct analysis *a = own;
    struct reading *r = a->mails->line;
    static const enum account_outcome outcomes[] = {
        [MAIL_FACT_SENT] = ACCOUNT_SENT, [MAIL_FACT_DEFERRED] = ACCOUNT_DEFERRED, [MAIL_FACT_BOUNCED] = ACCOUNT_BOUNCED
    };

    switch (f->what) {
    case MAIL_FACT_MESSAGE:
        accounts_message(a->mails->accounts, f->account, f->client, 0, r->at_us);
        break;
    case MAIL_FACT_RECIPIENTS:
        accounts_recipients(a->mails->accounts, f->account, f->count, r->at_us);
        break;
    case MAIL_FACT_SENT:
    case MAIL_FACT_DEFERRED:
    case MAIL_FACT_BOUNCED:
        accounts_outcome(a->mails->accounts, f->account, outcomes[f->what], r->at_us);
        break;
    case MAIL_FACT_LOGIN:
        logins_passed(a, r->host->id, r->program, f->client, f->account, r->at_us);
        break;
    case MAIL_FACT_LOGIN_FAILED:
        logins_failed(a, r->host->id, r->program, f->client, f->account, f->count, r->at_us);
        break;
    case MAIL_FACT_WHATS:
        break;
    }
}

void mail_line(struct analysis *a, struct reading *r)
{
    struct maillog m;

    if (!maillog_read(r->line->program, r->text, &m))
        return;
    a->mails->host = r->host->id;
    a->mails->line = r;
    mailfacts_take(a->mails->facts, r->host->id, &m, r->at_us);
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
