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
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { LOG_UNKNOWN = 255 }; /* a facility or severity that the line does not tell */

enum log_way { /* how it came */
               LOG_UDP = 1,
               LOG_TCP,
               LOG_TLS,
               LOG_RELP,
               LOG_UNIX, /* /dev/log */
               LOG_KMSG,
               LOG_STDIN,
               LOG_FILE,
               LOG_JOURNALD,
               LOG_PEER, /* another serviola */
               LOG_WAYS
};

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

    struct slice peer;    /* the same in words: "10.1.0.2:49152", "/var/log/syslog", "pid=812,uid=0" */
    int64_t near_us;      /* a stamp without a year is the one nearest to this: at_us, or the time of an old file */
    uint64_t origin_seq;  /* its number in the store of the serviola that sent it; 0: it came from elsewhere */
    uint64_t whole_bytes; /* its true length when it was cut to the limit; 0: it is whole */
    enum log_way way;
    bool zoned; /* the stamp names its zone; without, it was read as UTC */
};

/* Fills host, program, text, pid, facility, severity, stamp_us and zoned from `raw`, which keeps its bytes. */
void log_line_read(struct log_line *line);
/* When it happened, as well as we know: its stamp, unless there is none or it is more than two days from near_us. */
int64_t log_line_time(const struct log_line *line);

const char *log_way_name(enum log_way way); /* "tcp"; never NULL */
enum log_way log_way_of(struct slice name); /* 0: no such way */
#endif
