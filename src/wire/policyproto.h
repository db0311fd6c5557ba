/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * policyproto - what Postfix asks a policy service, and how it is answered (SMTPD_POLICY_README).
 *
 * A request is `name=value` lines and an empty line behind them, LF alone at
 * their ends; an answer is `action=...` and an empty line.  Requests follow
 * each other on one connection, each after the answer to the one before.
 */
#ifndef SERVIOLA_WIRE_POLICYPROTO_H
#define SERVIOLA_WIRE_POLICYPROTO_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/text.h"

enum { POLICY_BYTES = 16384, POLICY_LINES = 100, POLICY_NAME = 64 };
enum policy_got { POLICY_OK, POLICY_MORE, POLICY_BAD };

enum policy_state { /* at which command of the session it is asked */
                    POLICY_AT_CONNECT,
                    POLICY_AT_HELO,
                    POLICY_AT_MAIL,
                    POLICY_AT_RCPT,
                    POLICY_AT_DATA,
                    POLICY_AT_END, /* END-OF-MESSAGE */
                    POLICY_AT_ELSE /* VRFY, ETRN, or one that we don't know */
};

struct policy_request { /* slices of the input; an attribute that is not there is empty */
    enum policy_state state;
    struct slice client_address, client_port, server_address, server_port;
    struct slice helo, sender, recipient, instance, user, queue_id, encryption;
    uint64_t recipients, size; /* 0: not told */
    size_t used;               /* bytes, the empty line included */
};

/* POLICY_BAD: no request, or one over the bounds above; the connection is of no use any more. */
enum policy_got policy_request_read(struct slice in, struct policy_request *r);
/* `action=` and an empty line; bytes that would end the line become question marks. */
void policy_answer_write(struct slice action, struct text *t);

/* The other end: one attribute of a request, made harmless in the same way; then policy_request_end. */
void policy_request_add(struct text *t, const char *name, struct slice value);
void policy_request_end(struct text *t);
/* What stands behind `action=`; lines that say something else are skipped. */
enum policy_got policy_answer_read(struct slice in, struct slice *action, size_t *used);
#endif
