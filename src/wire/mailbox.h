/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailbox - lines of IMAP (RFC 9051) and POP3 (RFC 1939) servers, as far as a greeting and a good-bye need them.
 */
#ifndef SERVIOLA_WIRE_MAILBOX_H
#define SERVIOLA_WIRE_MAILBOX_H
#include <stdbool.h>

#include "base/slice.h"

enum mailbox_said {
    MAILBOX_OK,      /* also PREAUTH */
    MAILBOX_NO,      /* NO, BAD, -ERR */
    MAILBOX_BYE,     /* it ends the connection */
    MAILBOX_OTHER,   /* a line that goes with an answer */
    MAILBOX_NONSENSE /* no such line */
};
enum { MAILBOX_LINE = 4096 };

/* `in` begins with a line.  False: its end has not come yet.  *used counts its line end too. */
bool mailbox_line(struct slice in, struct slice *line, size_t *used);
/* `tag` is what we called our command; empty: none is under way. */
enum mailbox_said mailbox_imap(struct slice line, struct slice tag);
enum mailbox_said mailbox_pop3(struct slice line);
#endif
