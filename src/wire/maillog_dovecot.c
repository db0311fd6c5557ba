/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dovecot: logins, their failures, and who logged out. */
#include <string.h>

#include "wire/maillog_inner.h"

/* imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.1, ... */
static void login(struct slice text, struct maillog *m)
{
    struct slice head, rest;

    m->account = maillog_value(text, "user=");
    m->method = maillog_value(text, "method=");
    (void)addr_read(maillog_value(text, "rip="), &m->client);
    if (maillog_take(&text, "Login: ")) {
        m->what = MAILLOG_LOGIN;
    } else if (maillog_split(text, "(auth failed", &head, &rest)) {
        m->what = MAILLOG_LOGIN_FAILED;
        m->attempts = maillog_take(&rest, ", ") ? maillog_number(rest) : 1;
        m->attempts += m->attempts == 0;
    } else if (maillog_has(text, "rip="))
        m->what = MAILLOG_DISCONNECTED;
}

/* sql(user,192.0.2.1,<session>): Password mismatch */
static void authority(struct slice text, struct maillog *m)
{
    struct slice inner, rest, ip;

    if (!maillog_has(text, "assword mismatch") && !maillog_has(text, "own user"))
        return;
    (void)slice_until(text, '(', &rest);
    inner = slice_until(rest, ')', &rest);
    m->account = slice_until(inner, ',', &rest);
    ip = slice_until(rest, ',', &inner);
    if (!addr_read(ip, &m->client))
        return;
    m->what = MAILLOG_LOGIN_FAILED;
    m->attempts = 1;
}

void maillog_dovecot(struct slice text, struct maillog *m)
{
    struct slice rest, head;

    if (maillog_split(text, "-login: ", &head, &rest) && head.len < 16) {
        m->service = head;
        login(rest, m);
    } else if (maillog_take(&text, "auth: ") ||
               (maillog_take(&text, "auth-worker(") && maillog_split(text, "): ", &head, &text))) {
        authority(text, m);
    } else if (maillog_has(text, "ogged out") && maillog_split(text, "(", &head, &rest) && head.len < 16) {
        m->service = head;
        m->account = slice_until(rest, ')', &rest);
        m->what = MAILLOG_LOGOUT;
    }
}
