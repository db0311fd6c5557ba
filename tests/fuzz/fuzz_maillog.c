/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of a mail log: first the program, then the message.  All that comes out lies in what went in. */
#include <stdlib.h>

#include "wire/logline.h"
#include "wire/maillog.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

static void inside(struct slice part, struct slice whole)
{
    if (part.len == 0)
        return;
    MUST(part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void check_mail(struct slice program, struct slice text)
{
    struct slice list;
    struct addr host;
    struct maillog m;

    if (!maillog_read(program, text, &m))
        return;
    MUST(m.server < MAILLOG_SERVERS && m.what < MAILLOG_WHATS);
    inside(m.id, text);
    inside(m.delivery, text);
    inside(m.account, text);
    inside(m.from, text);
    inside(m.to, text);
    inside(m.name, text);
    inside(m.helo, text);
    inside(m.relay, text);
    inside(m.method, text);
    inside(m.status, text);
    inside(m.reason, text);
    MUST(m.delay_us >= 0);
    if (maillog_is_listed(m.reason, &list, &host))
        inside(list, m.reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const programs[] = { "postfix/smtpd", "postfix/qmgr", "exim", "qmail", "vpopmail", "dovecot" };
    struct slice line = slice_of(data, size);
    struct logline l;

    logline_read(line, INT64_C(1196035200000000), 3600, &l);
    inside(l.host, line);
    inside(l.text, line);
    MUST(l.priority >= -1 && l.priority < 192 && l.uptime_us >= -1);
    if (!slice_eq(l.program, SLICE("kernel")) && !slice_eq(l.program, SLICE("exim")))
        inside(l.program, line);
    check_mail(l.program, l.text);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        check_mail(slice_text(programs[i]), line);
    return 0;
}
