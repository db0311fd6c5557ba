/* SPDX-License-Identifier: GPL-3.0-or-later */
/* maillog_inner - what the readers of the mail servers' lines have in common; maillog.c has it. */
#ifndef SERVIOLA_WIRE_MAILLOG_INNER_H
#define SERVIOLA_WIRE_MAILLOG_INNER_H
#include "wire/maillog.h"

bool maillog_take(struct slice *s, const char *prefix); /* skips it when `s` begins with it */
/* Where `word` first stands; what is before and behind it.  False: nowhere, nothing is set. */
bool maillog_split(struct slice s, const char *word, struct slice *before, struct slice *after);
bool maillog_has(struct slice s, const char *word);
struct slice maillog_angle(struct slice s); /* a@b of <a@b>, and of a@b */
/* name[192.0.2.1] or name[192.0.2.1]:25, as it stands at the beginning; *after is the rest. */
bool maillog_peer(struct slice s, struct slice *name, struct addr *at, struct slice *after);
/* The value of `key`, which stands at the beginning or behind a blank (key is "to="): up to a comma, a blank or the
 * end, <...> as a whole without its brackets.  Empty: it is not there. */
struct slice maillog_value(struct slice s, const char *key);
uint64_t maillog_number(struct slice s);          /* its leading digits */
int64_t maillog_seconds(struct slice s);          /* 12.34 -> microseconds */
struct slice maillog_status(struct slice reason); /* 5.1.1 or 550 at the beginning of an answer, or in it */

void maillog_postfix(struct slice part, struct slice text, struct maillog *m); /* part: smtpd of postfix/smtpd */
void maillog_exim(struct slice text, struct maillog *m);
void maillog_qmail(struct slice text, struct maillog *m);
void maillog_vpopmail(struct slice text, struct maillog *m);
void maillog_dovecot(struct slice text, struct maillog *m);
#endif
