/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * story_log - a mail command as one line of `gusanos.log`, the log of the third story.
 *
 *   18:28:03.123456 IP 10.1.0.2.40312 > 203.0.113.31.25: Flags [P.], length 28: SMTP: mail from:<a@b.example>
 *
 * That is what `tcpdump -l -nn | grep "mail from"` left there, so that scripts
 * which read it (the sender is the third word, its port behind the last dot)
 * go on working.  Unlike there, bytes from the wire can't break the line, and
 * a text in a mail's body never looks like one.  The time is local: call
 * tzset() before a jail that takes the zone's file away.
 */
#ifndef SERVIOLA_VIEW_STORY_LOG_H
#define SERVIOLA_VIEW_STORY_LOG_H
#include <stdbool.h>

#include "base/text.h"
#include "journal/event.h"

enum { STORY_LINE = 512 };

/* Without a newline.  False, and nothing written, for any other event than hunt.mail_seen. */
bool story_line(const struct event *ev, struct text *t);
/* The same as a JSON object: journal/json.h's, for hunt.mail_seen alone. */
bool story_json(const struct event *ev, struct text *t);
#endif
