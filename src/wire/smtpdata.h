/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smtpdata - a message as it passes: where it ends, and what may be handed on (RFC 5321, 4.1.1.4 and 4.5.2).
 *
 * Only CRLF "." CRLF ends it (the CRLF of the DATA command counts as the
 * first).  A server behind us may believe in other ends, "\n.\n" or
 * "\r\n.\r"; so no bare LF, bare CR or NUL ever leaves here:
 *
 *   refuse      from the first fault on nothing is handed on, and the message must be refused at its true end
 *   normalise   a bare LF becomes CRLF, a stray CR and a NUL a space.  What was no line start for the client but is one
 *               for the server gets the dot that RFC 5321 asks for: no new end, no lost dot.  (A dot at the true start
 *               of a line and a bare LF behind it become ".." and CRLF, so the server reads one dot.)
 *
 * Pure, 16 bytes a message; lines may have any length, as nothing is held but
 * a CR until the byte behind it is seen.  What is fed byte by byte comes out
 * the same as what is fed in one piece.
 */
#ifndef SERVIOLA_WIRE_SMTPDATA_H
#define SERVIOLA_WIRE_SMTPDATA_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum smtpdata_mode { SMTPDATA_REFUSE, SMTPDATA_NORMALISE };
enum smtpdata_fault { SMTPDATA_CLEAN, SMTPDATA_BARE_LF, SMTPDATA_BARE_CR, SMTPDATA_NUL };

struct smtpdata {
    uint64_t bytes; /* of the message as it came; once ended, without the final ".\r\n" */
    uint8_t mode;   /* enum smtpdata_mode */
    uint8_t fault;  /* enum smtpdata_fault: the first one */
    bool ended;
    uint8_t state; /* its own */
};

void smtpdata_init(struct smtpdata *d, enum smtpdata_mode mode);

/*
 * Reads some of `in` and says how much; *forward is what is to be sent on for
 * it: a part of `in` as it is, or a constant, or empty.  To be called until
 * all of `in` is used or the message has ended; then what is left of `in`
 * belongs to the next command.  The final ".\r\n" is forwarded too.
 *
 *     while (in.len > 0 && !d.ended) {
 *         in = slice_skip(in, smtpdata_next(&d, in, &forward));
 *         send(forward);
 *     }
 *
 * A call may use nothing and only forward; it gets on with the next one.
 */
size_t smtpdata_next(struct smtpdata *d, struct slice in, struct slice *forward);

const char *smtpdata_words(enum smtpdata_fault f); /* "a bare LF" */
#endif
