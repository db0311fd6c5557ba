/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A message on its way: every byte is looked at, none is kept.
 *
 * The client hears 250 only when the server has said 250.  A message with
 * line ends that another reader could take for its end is read on to its own
 * end and refused there; the server's connection is dropped before any dot,
 * so the server has nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "sense/gate/inner.h"

#define SECOND_US 1000000LL
enum { RATE_AFTER_S = 30 };

void message_begin(struct session *s)
{
    smtpdata_init(&s->data, s->visit->at->lines == GATE_LINES_NORMALISE ? SMTPDATA_NORMALISE : SMTPDATA_REFUSE);
    s->data_us = gate_now_us(s->gate);
    s->data_refused = s->data_lost = false;
    session_enter(s, S_DATA);
}

static void refuse_faulty(struct session *s)
{
    struct event ev = event_new(EV_GATE_SMUGGLING);

    s->data_refused = true;
    session_drop_server(s, false);
    event_add_words(&ev, F_WHY, smtpdata_words((enum smtpdata_fault)s->data.fault));
    event_add_number(&ev, F_OFFSET, s->data.bytes);
    if (s->visit->sender)
        event_add_text(&ev, F_PATH, slice_first(slice_text(s->visit->sender), 64));
    gate_tell(s->gate, &ev, s->visit, 0);
}

static void over(struct session *s)
{
    s->bytes += s->data.bytes;
    free(s->mail);
    s->mail = NULL;
    s->mail_open = false;
    if (s->data_refused) {
        session_decide(s, OUTCOME_REFUSED, 550, smtpdata_words((enum smtpdata_fault)s->data.fault));
        session_say(s, 550, "5.6.0", "lines must end with CR LF; the message has others, and was not taken");
        session_enter(s, S_COMMAND);
    } else if (s->data_lost || !s->server) {
        session_decide(s, OUTCOME_DEFERRED, 451, "the mail server went away");
        session_say(s, 451, "4.3.2", "the mail server went away, please come again");
        session_enter(s, S_COMMAND);
    } else {
        s->waits = WAITS_DOT;
        session_enter(s, S_VERDICT);
    }
}

static bool too_slow(const struct session *s)
{
    int64_t took_us = gate_now_us(s->gate) - s->data_us;
    uint64_t rate = s->gate->set.limits.data_rate;

    return rate > 0 && took_us > RATE_AFTER_S * SECOND_US &&
           s->data.bytes < rate * (uint64_t)(took_us / SECOND_US - RATE_AFTER_S);
}

size_t message_take(struct session *s, struct slice in)
{
    struct slice rest = in;
    bool hold = false;

    while (rest.len > 0 && !s->data.ended) {
        struct slice forward;

        rest = slice_skip(rest, smtpdata_next(&s->data, rest, &forward));
        if (s->data.fault != SMTPDATA_CLEAN && s->data.mode == SMTPDATA_REFUSE && !s->data_refused)
            refuse_faulty(s);
        if (s->server && !s->data_refused && !s->data_lost && !server_feed(s->server, forward))
            hold = true;
    }
    if (s->data.ended)
        over(s);
    else if (too_slow(s)) {
        session_decide(s, OUTCOME_DEFERRED, 421, "the message came too slowly");
        session_last_words(s, 421, "4.4.2", "too slow");
    } else {
        session_enter(s, S_DATA); /* it has its time anew */
        if (hold)
            session_deafen(s);
    }
    s->behind = s->data.ended && rest.len > 0 && !s->pipelines;
    return in.len - rest.len;
}

void message_answered(struct session *s, const struct smtpreply *r)
{
    s->recipients = 0;
    if (r->code / 100 == 2) {
        s->messages++;
        s->idle = 0;
        session_decide(s, OUTCOME_PASSED, r->code, "");
    } else
        session_decide(s, r->code / 100 == 4 ? OUTCOME_DEFERRED : OUTCOME_REFUSED, r->code,
                       "the mail server refuses the message");
    session_say_reply(s, r);
    session_enter(s, S_COMMAND);
}
