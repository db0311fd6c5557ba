/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * syslog - what a log message claims about itself (RFC 3164, RFC 5424, and the forms that files and old devices have).
 *
 * Nothing is changed, nothing is believed: all slices lie in the message,
 * what does not fit a form stays part of the text.  A stamp without a year
 * gets the year that brings it nearest to a time the caller names.
 */
#ifndef SERVIOLA_WIRE_SYSLOG_H
#define SERVIOLA_WIRE_SYSLOG_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SYSLOG_NO_PRI = 255, SYSLOG_NAME_MAX = 255 };

struct syslog {
    uint8_t facility; /* 0 to 23, or SYSLOG_NO_PRI */
    uint8_t severity; /* 0 to 7, or SYSLOG_NO_PRI */
    bool is_5424;
    bool stamped;     /* stamp_us is a time */
    bool zoned;       /* the stamp names its zone; else it was read as UTC */
    bool yearless;    /* the year was guessed */
    int64_t stamp_us; /* since 1970 */
    struct slice host, program, pid, msgid;
    struct slice data;    /* 5424: the structured data, with its brackets */
    struct slice message; /* behind all that; without a byte order mark */
};
/* Never fails. */
void syslog_read(struct slice raw, int64_t near_us, struct syslog *s);

/*
 * A stamp at the beginning of `s`: its length, or 0.  "Dec  5 18:28:00[.123]", "Dec 5 2007 18:28:00",
 * "2007-12-05T18:28:00[.123456][Z|+02:00]", the same with a blank, "@4000000047570f20...".
 */
size_t syslog_stamp(struct slice s, int64_t near_us, struct syslog *into);
/* 2007-12-05T18:28:00.000000Z in 27 bytes; the same back (any RFC 3339 stamp). */
enum { SYSLOG_STAMP_BYTES = 27 };
void syslog_stamp_write(int64_t at_us, char out[SYSLOG_STAMP_BYTES]);

/*
 * Frames of a stream (RFC 6587): octet-counted "LEN <PRI>...", or ended by a newline; told apart message by
 * message.  What begins like a count and is none is a line; who got counts before calls that a framing error.
 * `max` is the longest that is waited for.
 */
enum syslog_frame {
    SYSLOG_FRAME_MORE,  /* not there yet */
    SYSLOG_FRAME_WHOLE, /* *message, *used */
    SYSLOG_FRAME_LONG,  /* longer than max: *message is its beginning, *used of it; `*left` octets still come to be
                           skipped, or until a newline when it is SYSLOG_LINE */
};
#define SYSLOG_LINE UINT64_MAX
enum syslog_frame syslog_frame_read(struct slice stream, size_t max, struct slice *message, size_t *used,
                                    uint64_t *left);
#endif
