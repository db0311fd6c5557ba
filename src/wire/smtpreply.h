/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smtpreply - what a server answers (RFC 5321, 4.2), and what it says it can do (EHLO, 4.1.1.1).
 *
 * The reader is tolerant where servers are sloppy (LF alone, no text, any
 * letter case) and firm where a reply could mean two things: another code in
 * a later line, no code, a bare CR, a NUL.
 */
#ifndef SERVIOLA_WIRE_SMTPREPLY_H
#define SERVIOLA_WIRE_SMTPREPLY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/text.h"

enum { SMTPREPLY_LINES = 64, SMTPREPLY_BYTES = 8192 };
enum smtpreply_got { SMTPREPLY_OK, SMTPREPLY_MORE, SMTPREPLY_BAD };

struct smtpreply {
    unsigned code;        /* 200 to 599 */
    unsigned lines;       /* 1 to SMTPREPLY_LINES */
    struct slice all;     /* every line with its line end: as many bytes were used */
    struct slice first;   /* the first line's text, without code and line end */
    unsigned enhanced[3]; /* 5.1.1 (RFC 3463) of the first line; all 0 without one */
};

/*
 * `in` begins with a reply.  SMTPREPLY_MORE: it goes on behind `in`, which
 * never has to exceed SMTPREPLY_BYTES.  SMTPREPLY_BAD: no reply, or more
 * lines or bytes than are kept; the connection is of no use any more.
 */
enum smtpreply_got smtpreply_read(struct slice in, struct smtpreply *r);
/* The text of the next line; `rest` is r->all at first.  False: that was the last. */
bool smtpreply_line(struct slice *rest, struct slice *text);
/* The reply as a client may read it: CRLF at each line's end, a control byte is a question mark. */
void smtpreply_write(const struct smtpreply *r, struct text *t);
/* The first word of the first line: the server's name in a 220 or in the answer to EHLO. */
struct slice smtpreply_name(const struct smtpreply *r);

enum smtp_can { /* extensions that are known; each is a bit */
                SMTP_CAN_SIZE = 1 << 0,
                SMTP_CAN_8BITMIME = 1 << 1,
                SMTP_CAN_PIPELINING = 1 << 2,
                SMTP_CAN_DSN = 1 << 3,
                SMTP_CAN_SMTPUTF8 = 1 << 4,
                SMTP_CAN_ENHANCED = 1 << 5, /* ENHANCEDSTATUSCODES */
                SMTP_CAN_AUTH = 1 << 6,
                SMTP_CAN_STARTTLS = 1 << 7,
                SMTP_CAN_REQUIRETLS = 1 << 8,
                SMTP_CAN_DELIVERBY = 1 << 9,
                SMTP_CAN_CHUNKING = 1 << 10,     /* known, but BDAT is not for a reader of DATA: leave it out */
                SMTP_CAN_XCLIENT = 1 << 11,      /* for a proxy, never for a client */
                SMTP_CAN_FORWARD = (1 << 6) - 1, /* what can be offered to anybody when the server does */
};

struct smtp_offer { /* what an EHLO was answered; slices of the reply */
    struct slice name;
    uint32_t can;   /* enum smtp_can */
    bool size_told; /* SIZE had a number; 0 is "no limit that I know of" */
    uint64_t size;
    struct slice auth;    /* mechanisms, blanks between */
    struct slice xclient; /* attributes */
    struct slice deliverby;
};

/* What is not known is left out.  False: not a 250. */
bool smtp_offer_read(const struct smtpreply *r, struct smtp_offer *o);
/* The lines of an answer to EHLO: `250-name`, then each extension of o->can that is in `can`. */
void smtp_offer_write(const struct smtp_offer *o, uint32_t can, struct slice name, struct text *t);
#endif
