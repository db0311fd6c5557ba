/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The greeting, STARTTLS where it has to be there, LOGOUT.  Nobody logs in. */
#include "sense/watch/services/attempt.h"
#include "wire/mailbox.h"

enum step { GREETING, STARTING, LEAVING };

static void leave(struct attempt *a)
{
    a->step = LEAVING;
    talk_say(a, "b LOGOUT\r\n");
}

static void begin(struct attempt *a)
{
    if (a->step == STARTING)
        leave(a);
}

static void on_line(struct attempt *a, struct slice line, size_t used)
{
    static const char *const tags[] = { "", "a", "b" };
    enum mailbox_said said = mailbox_imap(line, slice_text(tags[a->step]));

    if (a->step == LEAVING && (said == MAILBOX_BYE || said == MAILBOX_OK)) {
        attempt_well(a);
        return;
    }
    if (said == MAILBOX_NONSENSE || (a->step == GREETING && said == MAILBOX_OTHER)) {
        attempt_missed(a, "its answer is no IMAP");
        return;
    }
    if (said == MAILBOX_NO || said == MAILBOX_BYE) {
        attempt_refused(a, line);
        return;
    }
    talk_eat(a, used);
    if (said == MAILBOX_OTHER)
        return;
    if (a->step == STARTING)
        talk_secure(a);
    else if (a->service->starttls) {
        a->step = STARTING;
        talk_say(a, "a STARTTLS\r\n");
    } else
        leave(a);
}

static void heard(struct attempt *a)
{
    struct slice line;
    size_t used;

    while (a->open && a->out_len == 0 && mailbox_line(slice_of(a->in, a->in_len), &line, &used))
        on_line(a, line, used);
    if (a->open && a->in_len > MAILBOX_LINE)
        attempt_missed(a, "its answer is no IMAP");
}

static void closed(struct attempt *a)
{
    if (a->step == LEAVING)
        attempt_well(a);
}

const struct kind kind_imap = { .begin = begin, .heard = heard, .closed = closed };
const struct kind kind_imaps = { .tls = true, .begin = begin, .heard = heard, .closed = closed };
