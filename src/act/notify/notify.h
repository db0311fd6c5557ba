/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notify - the part that tells people: it reads the journal's tail in memory, and waits for no disk.
 *
 *   incident.c  which events make notices         letter.c, letter_chat.c  notices as text
 *   tray.c    what waits for a way out          past.c    what the journal on disk knows from before
 *   post.c      SMTP and HTTP                     servers.c   addresses of the servers
 *   ways.c      one message on one way (programs: sys/runner.h)
 *
 * Everything is a fold over events: killed and started again, it goes on
 * with what notify.sent does not name; so a notice goes out at least once,
 * under the same key each time.
 */
#ifndef SERVIOLA_NOTIFY_NOTIFY_H
#define SERVIOLA_NOTIFY_NOTIFY_H
#include "act/notify/settings.h"
#include "base/text.h"
#include "part/part.h"

/* `tell`: an event as a sentence. */
int notify_open(struct role *r, void (*tell)(struct text *t, const struct event *ev, const char *who, int64_t now_us),
                struct err *e);
void notify_confine(struct role *r, struct jail *j);
int notify_run(struct role *r, struct err *e);
void notify_stop(struct role *r);

enum { NOTIFY_OPS = 2 };
extern const struct chan_op notify_ops[NOTIFY_OPS];
#endif
