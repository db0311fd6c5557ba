/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What mail servers that are not behind the gate log of their accounts: judged as what comes through it. */
#include <string.h>

#include "part/link.h"
#include "sense/gate/inner.h"
#include "sys/clock.h"

/* What is older has come late, and nobody can be stopped for it now. */
#define OLDEST_US (2 * 86400 * (int64_t)1000000)

int heard_on_mail(void *ctx, struct chan *from, const struct msg *head, const void *body, int fd)
{
    struct gate *g = ((struct role *)ctx)->own;
    const struct link_mail *m = body;
    struct slice user = slice_of(m->account, strnlen(m->account, sizeof(m->account)));
    int64_t now_us = clock_wall_us();
    int64_t at_us = m->at_us < now_us ? m->at_us : now_us;

    (void)from;
    (void)head;
    (void)fd;
    if (!g->set.accounts.logs || !link_mail_is_sound(m) || at_us < now_us - OLDEST_US)
        return 0; /* whoever sent it is the core's to end */
    switch ((enum link_mails)m->what) {
    case LINK_MAIL_MESSAGE:
        warden_heard(g->warden, user, m->client, m->count, at_us);
        break;
    case LINK_MAIL_RECIPIENTS:
        warden_heard_recipients(g->warden, user, m->count, at_us);
        break;
    case LINK_MAIL_SENT:
        warden_heard_outcome(g->warden, user, ACCOUNT_SENT, m->count, at_us);
        break;
    case LINK_MAIL_DEFERRED:
        warden_heard_outcome(g->warden, user, ACCOUNT_DEFERRED, m->count, at_us);
        break;
    case LINK_MAIL_BOUNCED:
        warden_heard_outcome(g->warden, user, ACCOUNT_BOUNCED, m->count, at_us);
        break;
    case LINK_MAIL_LOGIN:
        guesses_passed(g->guesses, m->client, user, at_us);
        break;
    case LINK_MAIL_LOGIN_FAILED: /* what was tried is not told: it may be an old password, again and again */
        for (uint32_t i = 0; i < m->count; i++)
            guesses_failed(g->guesses, m->client, user, 0, true, at_us);
        break;
    case LINK_MAILS:
        break;
    }
    return 0;
}
