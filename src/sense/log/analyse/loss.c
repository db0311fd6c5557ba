/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which lines did a source drop itself?  "Suppressed 3421 messages", of journald, rsyslog, syslog-ng and the kernel. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

/* The first number that stands alone in the message. */
static uint64_t lost_in(struct slice text)
{
    static const char *const before[] = { "Suppressed ", "suppressed ", "imuxsock lost ", "imjournal: ", "dropped=" };
    uint64_t n;

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        if (log_number_after(text, before[i], &n))
            return n;
    for (size_t i = 0; i < text.len; i++) {
        size_t to = i;

        while (to < text.len && text.at[to] >= '0' && text.at[to] <= '9')
            to++;
        if (to > i && (i == 0 || text.at[i - 1] == ' ') && to < text.len && text.at[to] == ' ' &&
            slice_to_u64(slice_of(text.at + i, to - i), &n))
            return n;
        i = to > i ? to : i;
    }
    return 0;
}

void loss_line(struct analysis *a, struct reading *r)
{
    struct log_finding f = finding_of(a, "source_loss", GRADE_WARN, r->host->id);

    f.from_us = f.to_us = r->at_us;
    f.count = lost_in(r->text);
    if (f.count == 0)
        return;
    finding_text(&f, _("%s dropped %" PRIu64 " messages itself: they are in no log"), shown_host(a, r->host->id).text,
                 f.count);
    finding_proof(&f, "%s %s: %s", shown_time(r->at_us).text, shown_program(a, r->program).text, shown(r->text).text);
    finding_tell(a, &f, (uint64_t)r->at_us);
}
