/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * line - one line of a log, as it was received and as it was read; what receiving gives, the store keeps, search
 * finds and analysis reads.
 *
 * All slices are borrowed from who made the line.  What the line claims (host, program, stamp) stands beside what we
 * know ourselves (source, arrival); nothing is corrected here.
 */
#ifndef SERVIOLA_SENSE_LOG_LINE_H
#define SERVIOLA_SENSE_LOG_LINE_H
#include <stdint.h>

#include "base/slice.h"

enum { LOG_UNKNOWN = 255 }; /* a facility or severity that the line does not tell */

struct log_line {
    struct slice raw;     /* the octets as they came, without framing */
    struct slice host;    /* as the line claims it; empty: it does not say */
    struct slice program; /* "postfix/smtpd", without pid; may be empty */
    struct slice text;    /* the message behind the header */
    uint32_t pid;         /* 0: not told */
    uint8_t facility;     /* RFC 5424: 0 to 23, or LOG_UNKNOWN */
    uint8_t severity;     /* 0 (emergency) to 7 (debug), or LOG_UNKNOWN */
    int64_t stamp_us;     /* the sender's clock, since 1970; 0: none */
    int64_t at_us;        /* our clock when it arrived; a file's reader gives its best estimate */
    uint64_t seq;         /* its place in the store; 0: not stored */
    uint64_t source;      /* who handed it to us (peer address, certificate or file): equal for equal ones */
};
#endif
