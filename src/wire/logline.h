/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logline - a line as log files have it: stamp, host, program[pid], text.
 *
 * Understood are `Dec  5 18:28:00 host prog[1]: text` (also behind <PRI>), the same with an RFC 3339 stamp,
 * `2007-12-05 18:28:00 text` as Exim writes it, and the kernel's `[   12.345678] text`, alone or behind a header.
 * Anything else is a text without a stamp.  Messages of the network are wire/syslog's.
 */
#ifndef SERVIOLA_WIRE_LOGLINE_H
#define SERVIOLA_WIRE_LOGLINE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct logline {
    int64_t stamp_us;     /* since 1970; 0: none, or one that no calendar has */
    int64_t uptime_us;    /* of the kernel's stamp; -1: none */
    struct slice host;    /* empty: none */
    struct slice program; /* without pid */
    struct slice text;
    uint32_t pid;   /* 0: none */
    int priority;   /* 8 * facility + severity; -1: none */
    bool zone_told; /* the stamp says its own zone */
};

/*
 * `zone_s` is added to a stamp without a zone to give UTC's opposite: seconds east of Greenwich.  A stamp without a
 * year is put into the year that makes it the latest one not after `newest_us` (a day's grace is the caller's).
 */
void logline_read(struct slice line, int64_t newest_us, int32_t zone_s, struct logline *l);

/* Days since 1970 of a date; its month 1 to 12.  False: no calendar has it. */
bool logline_day(int64_t year, unsigned month, unsigned day, int64_t *days);
#endif
