/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The greeting, STLS where it has to be there, QUIT.  Nobody logs in. */
#include "sense/watch/services/attempt.h"
#include "wire/mailbox.h"

enum step { GREETING, STARTING, LEAVING };

static void leave(struct attempt *a)
{
    a->step = LEAVING;
    talk_say(a, "QUIT\r\n");
}

static void begin(struct attempt *a)
{
    if (a->step == STARTING)
        leave(a);
}

static void on_line(struct attempt *a, struct slice line, size_t used)
{
    enum mailbox_said said = mailbox_pop3(line);

    if (a->step == LEAVING && said == MAILBOX_OK) {
        attempt_well(a);
        return;
    }
    if (said == MAILBOX_NONSENSE) {
        attempt_missed(a, "its answer is no POP3");
        return;
    }
    if (said == MAILBOX_NO) {
        attempt_refused(a, line);
        return;
    }
    talk_eat(a, used);
    if (a->step == STARTING)
        talk_secure(a);
    else if (a->service->starttls) {
        a->step = STARTING;
        talk_say(a, "STLS\r\n");
    } else
        leave(a);
}

static void heard(struct attempt *a)
{
    struct slice line;
    size_t used;

    if (a->out_len == 0 && mailbox_line(slice_of(a->in, a->in_len), &line, &used))
        on_line(a, line, used);
    else if (a->in_len > MAILBOX_LINE)
        attempt_missed(a, "its answer is no POP3");
}

static void closed(struct attempt *a)
{
    if (a->step == LEAVING)
        attempt_well(a);
}

const struct kind kind_pop3 = { .begin = begin, .heard = heard, .closed = closed };
const struct kind kind_pop3s = { .tls = true, .begin = begin, .heard = heard, .closed = closed };
