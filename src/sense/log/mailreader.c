/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/mailreader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/table.h"
#include "part/link.h"
#include "sense/log/mailfacts.h"
#include "sys/say.h"

enum {
    MESSAGES = 65536, /* on their way */
    A_SECOND = 1024,  /* different facts that are told */
};

struct mailreader {
    struct live *live;
    struct mailfacts *facts;
    struct table *sums; /* hash of what, account and client -> struct link_mail, in the order they came */
    uint64_t seed;
    int64_t at_us; /* of the line that is read */
    bool again;
    uint64_t left_out; /* in this second */
    bool said;
};

static uint64_t key_of(const struct mailreader *r, const struct link_mail *m)
{
    struct link_mail key = *m;

    key.count = 0;
    key.at_us = 0;
    return hash_bytes(&key, sizeof(key), r->seed);
}

static void on_fact(void *own, const struct mail_fact *f)
{
    static const uint8_t ops[MAIL_FACT_WHATS] = {
        [MAIL_FACT_MESSAGE] = LINK_MAIL_MESSAGE,
        [MAIL_FACT_RECIPIENTS] = LINK_MAIL_RECIPIENTS,
        [MAIL_FACT_SENT] = LINK_MAIL_SENT,
        [MAIL_FACT_DEFERRED] = LINK_MAIL_DEFERRED,
        [MAIL_FACT_BOUNCED] = LINK_MAIL_BOUNCED,
        [MAIL_FACT_LOGIN] = LINK_MAIL_LOGIN,
        [MAIL_FACT_LOGIN_FAILED] = LINK_MAIL_LOGIN_FAILED,
    };
    struct mailreader *r = own;
    struct link_mail m = { .at_us = r->at_us,
                           .client = addr_ip(f->client),
                           .count = f->count < LINK_MAIL_MOST ? f->count : LINK_MAIL_MOST,
                           .what = ops[f->what] };
    struct slice account = slice_first(f->account, sizeof(m.account) - 1);
    struct link_mail *sum;
    uint64_t key;

    if (account.len > 0)
        memcpy(m.account, account.at, account.len);
    if (r->again || !link_mail_is_sound(&m)) /* a name with control bytes is nobody's */
        return;
    key = key_of(r, &m);
    sum = table_find(r->sums, &key);
    if (!sum && table_count(r->sums) == A_SECOND) {
        r->left_out++;
        return;
    }
    if (!sum) {
        sum = table_add(r->sums, &key, NULL, NULL, NULL);
        *sum = m;
    } else {
        sum->count = sum->count + m.count < LINK_MAIL_MOST ? sum->count + m.count : LINK_MAIL_MOST;
        sum->at_us = m.at_us;
    }
}

static void on_line(void *own, const struct log_line *l, bool again)
{
    struct mailreader *r = own;
    struct maillog m;

    if (!maillog_read(l->program, l->text, &m))
        return;
    r->at_us = l->at_us > 0 ? l->at_us : 0;
    r->again = again;
    mailfacts_take(r->facts, hash_bytes(l->host.at, l->host.len, l->source), &m, r->at_us);
}

static void on_tick(void *own, int64_t now_us, bool again)
{
    struct mailreader *r = own;

    (void)now_us;
    (void)again;
    for (struct link_mail *m = table_oldest(r->sums); m; m = table_newer(r->sums, m))
        live_send(r->live, LINK_MAIL, m, sizeof(*m));
    table_clear(r->sums);
    if (r->left_out > 0 && !r->said) {
        r->said = true;
        say("mail servers log of more than %d accounts and addresses a second; what is above that is not judged",
            (int)A_SECOND);
    }
    r->left_out = 0;
}

static void on_end(void *own)
{
    struct mailreader *r = own;

    mailfacts_free(r->facts);
    table_free(r->sums);
    free(r);
}

int mailreader_add(struct live *l, struct err *e)
{
    struct live_reader reader = { .name = "mail", .line = on_line, .tick = on_tick, .end = on_end };
    struct mailreader *r = calloc(1, sizeof(*r));

    if (!r || getrandom(&r->seed, sizeof(r->seed), 0) != (ssize_t)sizeof(r->seed)) {
        free(r);
        return err_set(e, errno, "log: accounts of mail servers");
    }
    r->live = l;
    r->facts = mailfacts_new(MESSAGES, r->seed, on_fact, r, e);
    r->sums = table_new(A_SECOND, sizeof(uint64_t), sizeof(struct link_mail), r->seed, e);
    reader.own = r;
    if (r->facts && r->sums && live_add(l, &reader, e) == 0)
        return 0;
    on_end(r);
    return -1;
}
