/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exim: the main log (spec chapter 53), by syslog or from its own file with the stamp taken off. */
#include <string.h>

#include "wire/maillog_inner.h"

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* 1abcde-0000fg-hi, or 1abcde-0000000abcd-wxyz since 4.97. */
static bool message_id(struct slice *text, struct slice *id)
{
    static const size_t shapes[2][3] = { { 6, 6, 2 }, { 6, 11, 4 } };

    for (size_t s = 0; s < 2; s++) {
        size_t n = 0;
        bool fits = true;

        for (size_t part = 0; part < 3 && fits; part++) {
            if (part > 0)
                fits = n < text->len && text->at[n++] == '-';
            for (size_t i = 0; i < shapes[s][part] && fits; i++, n++)
                fits = n < text->len && is_alnum(text->at[n]);
        }
        if (!fits || n >= text->len || text->at[n] != ' ')
            continue;
        *id = slice_first(*text, n);
        *text = slice_skip(*text, n + 1);
        return true;
    }
    return false;
}

/* H=name (helo) [192.0.2.1]:port, in which each may be missing. */
static void host(struct slice text, struct slice *name, struct slice *helo, struct addr *at)
{
    struct slice before, rest, inner, ip;

    if (!maillog_take(&text, "H=") && maillog_split(text, " H=", &before, &rest))
        text = rest;
    if (text.len > 0 && text.at[0] != '(' && text.at[0] != '[')
        *name = slice_until(text, ' ', &text);
    if (text.len > 0 && text.at[0] == '(') {
        inner = slice_until(slice_skip(text, 1), ')', &text);
        if (helo)
            *helo = inner;
        text = slice_trim(text);
    }
    if (text.len > 0 && text.at[0] == '[') {
        ip = slice_until(slice_skip(text, 1), ']', &rest);
        (void)addr_read(ip, at);
    }
}

static void accepted(struct slice text, struct maillog *m)
{
    struct slice method;

    m->what = MAILLOG_ACCEPTED;
    m->from = maillog_angle(slice_until(text, ' ', &text));
    if (slice_eq(m->from, SLICE("<>")))
        m->from = slice_of(NULL, 0);
    if (maillog_has(text, "H="))
        host(text, &m->name, &m->helo, &m->client);
    method = maillog_value(text, "A=");
    m->method = slice_until(method, ':', &m->account);
    m->size = maillog_number(maillog_value(text, "S="));
    m->service = SLICE("smtp");
}

/* `reason` is what stands behind the first ": " that follows the router and the transport. */
static void outcome(struct slice text, enum maillog_what what, struct maillog *m)
{
    struct slice head;

    m->what = what;
    m->to = maillog_angle(slice_until(text, ' ', &text));
    if (m->to.len > 0 && m->to.at[m->to.len - 1] == ':')
        m->to.len--;
    if (maillog_has(text, "H="))
        host(text, &m->relay, NULL, &m->server_at);
    if (what == MAILLOG_SENT)
        (void)(maillog_split(text, " C=\"", &head, &m->reason) && (m->reason.len--, true));
    else if (!maillog_split(text, ": ", &head, &m->reason))
        m->reason = text;
    m->status = maillog_status(m->reason);
    m->delay_us = maillog_seconds(maillog_value(text, "QT="));
}

/* name authenticator failed for host (helo) [ip]: 535 words (set_id=account) */
static bool login_failed(struct slice text, struct maillog *m)
{
    struct slice rest, head;

    if (!maillog_split(text, " authenticator failed for ", &m->method, &rest))
        return false;
    m->what = MAILLOG_LOGIN_FAILED;
    m->attempts = 1;
    m->service = SLICE("smtp");
    host(rest, &m->name, &m->helo, &m->client);
    if (maillog_split(rest, "(set_id=", &head, &rest))
        m->account = slice_until(rest, ')', &rest);
    return true;
}

static void rejected(struct slice text, struct maillog *m)
{
    struct slice head, rest;

    if (!maillog_split(text, "rejected ", &head, &rest) || !maillog_has(head, "H="))
        return;
    m->what = MAILLOG_REJECTED;
    host(head, &m->name, &m->helo, &m->client);
    m->from = maillog_value(head, "F=");
    if (maillog_take(&rest, "RCPT "))
        m->to = maillog_angle(slice_until(rest, ':', &m->reason));
    else
        (void)slice_until(rest, ':', &m->reason);
    m->reason = slice_trim(m->reason);
    m->status = maillog_status(m->reason);
}

void maillog_exim(struct slice text, struct maillog *m)
{
    static const struct {
        const char *sign;
        enum maillog_what what;
    } signs[] = { { "=> ", MAILLOG_SENT },
                  { "-> ", MAILLOG_SENT },
                  { ">> ", MAILLOG_SENT },
                  { "== ", MAILLOG_DEFERRED },
                  { "** ", MAILLOG_BOUNCED } };

    if (message_id(&text, &m->id)) {
        if (maillog_take(&text, "<= ")) {
            accepted(text, m);
            return;
        }
        for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
            if (!maillog_take(&text, signs[i].sign))
                continue;
            outcome(text, signs[i].what, m);
            return;
        }
        if (maillog_take(&text, "Completed")) {
            m->what = MAILLOG_REMOVED;
            return;
        }
    }
    if (maillog_take(&text, "SMTP connection from ")) {
        m->what = maillog_has(text, " lost")   ? MAILLOG_LOST
                : maillog_has(text, " closed") ? MAILLOG_DISCONNECTED
                                               : MAILLOG_CONNECTED;
        host(text, &m->name, &m->helo, &m->client);
        return;
    }
    if (!login_failed(text, m))
        rejected(text, m);
}
