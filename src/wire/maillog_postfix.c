/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Postfix: what its daemons log, from 2.x to 3.9. */
#include <string.h>

#include "wire/maillog_inner.h"

/* `4104E3D: ` or, with long queue ids, `3Pt2mN2VXxznjll: `; NOQUEUE is none. */
static bool queue_id(struct slice *text, struct slice *id)
{
    size_t n = 0;

    while (n < text->len && ((text->at[n] >= '0' && text->at[n] <= '9') || (text->at[n] >= 'A' && text->at[n] <= 'Z') ||
                             (text->at[n] >= 'a' && text->at[n] <= 'z')))
        n++;
    if (n < 5 || n > 24 || n + 1 >= text->len || text->at[n] != ':' || text->at[n + 1] != ' ')
        return false;
    *id = slice_first(*text, n);
    *text = slice_skip(*text, n + 2);
    if (slice_eq(*id, SLICE("NOQUEUE")))
        *id = slice_of(NULL, 0);
    else
        for (size_t i = 0; i < n; i++) /* `warning: ` and its like hold no digit and no upper case */
            if (id->at[i] < 'a')
                return true;
    return id->len == 0;
}

/* reject: RCPT from name[ip]: 550 5.1.1 ...; from=<a> to=<b> proto=ESMTP helo=<c> */
static bool rejected(struct slice text, struct maillog *m)
{
    static const char *const kinds[] = { "reject: ", "milter-reject: ", "proxy-reject: ", "discard: " };
    struct slice head, rest, after;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        rest = text;
        if (!maillog_take(&rest, kinds[i]))
            continue;
        m->what = MAILLOG_REJECTED;
        if (maillog_split(rest, " from ", &head, &after) && maillog_peer(after, &m->name, &m->client, &rest))
            (void)maillog_split(rest, ": ", &head, &rest);
        m->reason = rest;
        if (maillog_split(rest, "; from=", &m->reason, &after))
            after = slice_skip(rest, m->reason.len + 2);
        else
            after = rest;
        m->from = maillog_value(after, "from=");
        m->to = maillog_value(after, "to=");
        m->helo = maillog_value(after, "helo=");
        m->status = maillog_status(m->reason);
        return true;
    }
    return false;
}

/* to=<a>, orig_to=<b>, relay=mx[192.0.2.1]:25, delay=1.2, delays=..., dsn=2.0.0, status=sent (why) */
static void outcome(struct slice text, struct maillog *m)
{
    struct slice head, status, rest;

    if (!maillog_split(text, " status=", &head, &status))
        return;
    if (maillog_take(&status, "sent"))
        m->what = MAILLOG_SENT;
    else if (maillog_take(&status, "deferred"))
        m->what = MAILLOG_DEFERRED;
    else if (maillog_take(&status, "bounced") || maillog_take(&status, "expired"))
        m->what = MAILLOG_BOUNCED;
    else
        return;
    m->to = maillog_value(head, "to=");
    m->from = maillog_value(head, "from=");
    m->relay = maillog_value(head, "relay=");
    m->delay_us = maillog_seconds(maillog_value(head, "delay="));
    m->status = maillog_value(head, "dsn=");
    (void)maillog_peer(m->relay, &m->relay, &m->server_at, &rest);
    status = slice_trim(status);
    m->reason = status;
    if (status.len > 1 && status.at[0] == '(' && status.at[status.len - 1] == ')')
        m->reason = slice_of(status.at + 1, status.len - 2);
}

/* warning: name[ip]: SASL LOGIN authentication failed: words */
static bool login_failed(struct slice text, struct maillog *m)
{
    struct slice rest, head;

    (void)maillog_take(&text, "warning: ");
    if (!maillog_peer(text, &m->name, &m->client, &rest) || !maillog_take(&rest, ": SASL ") ||
        !maillog_split(rest, " authentication failed", &head, &m->reason))
        return false;
    m->what = MAILLOG_LOGIN_FAILED;
    m->method = head;
    m->service = SLICE("smtp");
    m->attempts = 1;
    (void)maillog_take(&m->reason, ": ");
    m->account = maillog_value(m->reason, "sasl_username=");
    return true;
}

static void from_client(struct slice text, struct maillog *m)
{
    static const struct {
        const char *begins;
        enum maillog_what what;
    } words[] = { { "connect from ", MAILLOG_CONNECTED },
                  { "disconnect from ", MAILLOG_DISCONNECTED },
                  { "lost connection after ", MAILLOG_LOST },
                  { "timeout after ", MAILLOG_LOST } };
    struct slice head, rest = text;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!maillog_take(&rest, words[i].begins))
            continue;
        if (words[i].what == MAILLOG_LOST && !maillog_split(rest, " from ", &m->reason, &rest))
            return;
        if (maillog_peer(rest, &m->name, &m->client, &head))
            m->what = words[i].what;
        return;
    }
    (void)login_failed(text, m);
}

/* client=name[ip], sasl_method=PLAIN, sasl_username=a@b */
static bool accepted(struct slice text, struct maillog *m)
{
    struct slice rest;

    if (!maillog_take(&text, "client=") || !maillog_peer(text, &m->name, &m->client, &rest))
        return false;
    m->what = MAILLOG_ACCEPTED;
    m->method = maillog_value(rest, "sasl_method=");
    m->account = maillog_value(rest, "sasl_username=");
    m->service = SLICE("smtp");
    return true;
}

void maillog_postfix(struct slice part, struct slice text, struct maillog *m)
{
    struct slice rest = text;

    if (!queue_id(&rest, &m->id)) {
        m->id = slice_of(NULL, 0);
        if (slice_eq(part, SLICE("smtpd")))
            from_client(text, m);
        return;
    }
    if (slice_eq(rest, SLICE("removed"))) {
        m->what = MAILLOG_REMOVED;
    } else if (maillog_take(&rest, "message-id=")) {
        m->what = MAILLOG_NAMED;
        m->from = maillog_angle(rest);
    } else if (rejected(rest, m) || accepted(rest, m)) {
        return;
    } else if (maillog_has(rest, "nrcpt=") && rest.len > 5 && memcmp(rest.at, "from=", 5) == 0) {
        m->what = MAILLOG_QUEUED;
        m->from = maillog_value(rest, "from=");
        m->size = maillog_number(maillog_value(rest, "size="));
        m->recipients = maillog_number(maillog_value(rest, "nrcpt="));
    } else
        outcome(rest, m);
}
