/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The greeting, EHLO, STARTTLS where it has to be there, QUIT.  Nothing is sent to anybody. */
#include <stdio.h>

#include "sense/watch/services/attempt.h"
#include "wire/smtpreply.h"

enum step { GREETING, HELLO, STARTING, SECURE_HELLO, LEAVING };

static void say_hello(struct attempt *a, enum step next)
{
    char words[100];

    a->step = next;
    (void)snprintf(words, sizeof(words), "EHLO %s\r\n", a->prober->own_name);
    talk_say(a, words);
}

/* TLS stands: from STARTTLS on they wait for us, else they greet. */
static void begin(struct attempt *a)
{
    if (a->step == STARTING)
        say_hello(a, SECURE_HELLO);
}

static void leave(struct attempt *a)
{
    a->step = LEAVING;
    talk_say(a, "QUIT\r\n");
}

static void after_hello(struct attempt *a, const struct smtpreply *r)
{
    struct smtp_offer offer;

    if (!a->service->starttls || a->step == SECURE_HELLO)
        leave(a);
    else if (!smtp_offer_read(r, &offer) || !(offer.can & SMTP_CAN_STARTTLS))
        attempt_missed(a, "it does not offer STARTTLS");
    else {
        a->step = STARTING;
        talk_say(a, "STARTTLS\r\n");
    }
}

static void heard(struct attempt *a)
{
    struct smtpreply r;
    enum smtpreply_got got = smtpreply_read(slice_of(a->in, a->in_len), &r);
    size_t used;

    if (got == SMTPREPLY_MORE)
        return;
    if (got == SMTPREPLY_BAD) {
        attempt_missed(a, "its answer is no SMTP");
        return;
    }
    used = r.all.len;
    if (a->step == LEAVING) {
        attempt_well(a);
        return;
    }
    if (r.code / 100 != 2) {
        attempt_refused(a, slice_first(r.all, used > 2 ? used - 2 : used));
        return;
    }
    if (a->step == HELLO || a->step == SECURE_HELLO)
        after_hello(a, &r);
    if (!a->open)
        return;
    talk_eat(a, used);
    if (a->step == GREETING)
        say_hello(a, HELLO);
    else if (a->step == STARTING && a->out_len == 0)
        talk_secure(a);
}

/* After QUIT nobody has to be polite. */
static void closed(struct attempt *a)
{
    if (a->step == LEAVING)
        attempt_well(a);
}

const struct kind kind_smtp = { .begin = begin, .heard = heard, .closed = closed };
const struct kind kind_smtps = { .tls = true, .begin = begin, .heard = heard, .closed = closed };
