/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qmail-send's log, the stamps of splogger and multilog before it, and the lines of vpopmail's vchkpw. */
#include <string.h>

#include "wire/maillog_inner.h"

/* 1190000000.123456 of splogger, or @4000000047... (TAI64N) of multilog. */
static void skip_stamp(struct slice *text)
{
    struct slice rest;
    struct slice word = slice_until(*text, ' ', &rest);
    bool stamp = word.len > 1 && (word.at[0] == '@' || memchr(word.at, '.', word.len));

    for (size_t i = word.len > 0 && word.at[0] == '@'; i < word.len && stamp; i++)
        stamp = (word.at[i] >= '0' && word.at[i] <= '9') || word.at[i] == '.' ||
                (word.at[0] == '@' && word.at[i] >= 'a' && word.at[i] <= 'f');
    if (stamp && word.len < text->len)
        *text = rest;
}

static struct slice number_word(struct slice s)
{
    size_t n = 0;

    while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9')
        n++;
    return slice_first(s, n);
}

/* delivery 12: success: words/ */
static void delivered(struct slice text, struct maillog *m)
{
    struct slice rest;

    m->delivery = number_word(text);
    if (!maillog_split(text, ": ", &rest, &text))
        return;
    if (maillog_take(&text, "success: "))
        m->what = MAILLOG_SENT;
    else if (maillog_take(&text, "deferral: "))
        m->what = MAILLOG_DEFERRED;
    else if (maillog_take(&text, "failure: "))
        m->what = MAILLOG_BOUNCED;
    m->reason = text;
    if (m->reason.len > 0 && m->reason.at[m->reason.len - 1] == '/')
        m->reason.len--;
    m->status = maillog_status(m->reason);
}

void maillog_qmail(struct slice text, struct maillog *m)
{
    struct slice rest, head;

    skip_stamp(&text);
    if (maillog_take(&text, "new msg ")) {
        m->what = MAILLOG_ACCEPTED;
        m->id = number_word(text);
    } else if (maillog_take(&text, "end msg ")) {
        m->what = MAILLOG_REMOVED;
        m->id = number_word(text);
    } else if (maillog_take(&text, "info msg ")) {
        m->what = MAILLOG_QUEUED;
        m->id = number_word(text);
        m->size = maillog_number(maillog_split(text, "bytes ", &head, &rest) ? rest : slice_of(NULL, 0));
        if (maillog_split(text, " from ", &head, &rest))
            m->from = maillog_angle(slice_until(rest, ' ', &rest));
    } else if (maillog_take(&text, "starting delivery ")) {
        m->what = MAILLOG_STARTED;
        m->delivery = number_word(text);
        if (maillog_split(text, ": msg ", &head, &rest))
            m->id = number_word(rest);
        if (maillog_split(text, " to remote ", &head, &rest) || maillog_split(text, " to local ", &head, &rest))
            m->to = rest;
    } else if (maillog_take(&text, "delivery "))
        delivered(text, m);
}

/* What follows is account:192.0.2.1, at the end of the line. */
static void account_at(struct slice s, struct maillog *m)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.at[i - 1] == ' ')
            break;
        if (s.at[i - 1] != ':' || !addr_read(slice_skip(s, i), &m->client))
            continue;
        m->account = slice_first(s, i - 1);
        for (size_t from = m->account.len; from > 0; from--)
            if (m->account.at[from - 1] == ' ') {
                m->account = slice_skip(m->account, from);
                break;
            }
        return;
    }
}

void maillog_vpopmail(struct slice text, struct maillog *m)
{
    struct slice head, rest;

    if (!maillog_take(&text, "vchkpw-"))
        return;
    m->service = slice_until(text, ':', &text);
    text = slice_trim(text);
    if (maillog_split(text, "login success ", &head, &rest)) {
        m->what = MAILLOG_LOGIN;
        if (maillog_take(&head, "("))
            m->method = slice_until(head, ')', &head);
        account_at(rest, m);
    } else if (maillog_has(text, "password fail") || maillog_has(text, "user not found") ||
               maillog_has(text, "null password")) {
        m->what = MAILLOG_LOGIN_FAILED;
        m->attempts = 1;
        account_at(text, m);
    }
}
