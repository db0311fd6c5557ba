/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * letter - notices as text: a mail, JSON for a hook, Slack's, Alertmanager's two, lines for syslog.
 *
 * The first line says what happened and where; when the journal's disk does
 * not answer, it says that first.  Whatever an event carries, no byte of it
 * makes a header, a second line, or markup.
 */
#ifndef SERVIOLA_NOTIFY_LETTER_H
#define SERVIOLA_NOTIFY_LETTER_H
#include "act/notify/tray.h"
#include "base/text.h"

enum { LETTER_TEXT = 128 * 1024, LETTER_LINE = 2048, LETTER_KEY = 128 };

struct letter {
    const struct tray_entry *at; /* borrowed */
    size_t count;                /* 1 or more */
    uint64_t more, lost;         /* not in it: wait behind it; given up before it */
    const char *host;
    const struct notify_way *way;
    const struct notify_settings *set;
    int64_t frozen_us; /* how long the journal's disk has not answered; 0: it does */
    int64_t now_us;    /* wall clock */
    /* An event as a plain sentence. */
    void (*tell)(struct text *t, const struct event *ev, const char *who, int64_t now_us);
};

/* The same for the same notices, also after a restart: at-least-once becomes once for whoever looks at it. */
void letter_key(const struct letter *l, char key[LETTER_KEY]);
void letter_head(const struct letter *l, struct text *t);                         /* the first line */
void letter_line(const struct letter *l, const struct notice *n, struct text *t); /* one notice, one line */

void letter_mail(const struct letter *l, const char *from, struct text *t); /* RFC 5322, CRLF */
void letter_json(const struct letter *l, struct text *t);
void letter_slack(const struct letter *l, struct text *t);
void letter_alerts(const struct letter *l, struct text *t); /* POST /api/v2/alerts */
void letter_alerts_hook(const struct letter *l, struct text *t);
/* RFC 5424, one notice a message. */
void letter_syslog(const struct letter *l, const struct notice *n, struct text *t);
#endif
