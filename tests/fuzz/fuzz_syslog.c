/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A log message of any bytes: what is found in it lies in it, and its frames use up what they say. */
#include <stdint.h>
#include <stdlib.h>

#include "wire/syslog.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_inside(struct slice part, struct slice all)
{
    if (part.len > 0)
        MUST(part.at >= all.at && part.at + part.len <= all.at + all.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t near_us = (int64_t)1196879280 * 1000000;
    const int64_t half_year_s = (int64_t)184 * 86400;
    struct slice all = slice_of(data, size);
    struct slice stream = all;
    struct syslog s;

    syslog_read(all, near_us, &s);
    must_be_inside(s.host, all);
    must_be_inside(s.program, all);
    must_be_inside(s.pid, all);
    must_be_inside(s.msgid, all);
    must_be_inside(s.data, all);
    must_be_inside(s.message, all);
    MUST(s.severity <= 7 || s.severity == SYSLOG_NO_PRI);
    MUST(s.facility <= 23 || s.facility == SYSLOG_NO_PRI);
    MUST(s.stamped || s.stamp_us == 0);
    if (s.stamped && s.yearless)
        MUST(s.stamp_us - near_us < half_year_s * 1000000 && near_us - s.stamp_us < half_year_s * 1000000);
    for (;;) {
        struct slice message;
        uint64_t left;
        size_t used;
        enum syslog_frame f = syslog_frame_read(stream, 64, &message, &used, &left);

        if (f == SYSLOG_FRAME_MORE) {
            MUST(stream.len <= 64 + 16);
            return 0;
        }
        MUST(used > 0 && used <= stream.len && message.len <= 64);
        must_be_inside(message, stream);
        MUST((f == SYSLOG_FRAME_LONG) == (left > 0));
        stream = slice_skip(stream, used);
    }
}
