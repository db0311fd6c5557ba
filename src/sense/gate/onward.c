/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes on to the server, and what it answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/inner.h"
#include "sense/gate/tls.h"

static void not_now(struct session *s, const char *why)
{
    session_decide(s, OUTCOME_DEFERRED, 451, why);
    session_say(s, 451, "4.3.2", "the mail server does not answer, please come again");
    session_enter(s, S_COMMAND);
}

bool onward_open(struct session *s)
{
    const struct visit *v = s->visit;

    s->server = server_open(s->backend, v->peer, v->local, v->rdns == RDNS_CONFIRMED ? v->rdns_name : NULL, v->helo,
                            &onward_hooks, s);
    if (s->server)
        session_enter(s, S_OPENING);
    else
        not_now(s, "no connection to the mail server");
    return s->server != NULL;
}

void onward_line(struct session *s, struct slice line, enum waits waits)
{
    if (!s->server) {
        not_now(s, "the mail server went away");
        return;
    }
    s->waits = (uint8_t)waits;
    session_enter(s, S_SERVER);
    server_say(s->server, line);
}

static void say_both(struct session *s)
{
    char room[8300];
    struct text t = TEXT_IN(room);

    text_addf(&t, "%s\r\n", s->mail);
    s->piped = (s->backend->offer.can & SMTP_CAN_PIPELINING) != 0;
    if (s->piped)
        text_addf(&t, "%s\r\n", s->rcpt);
    onward_line(s, slice_of(room, t.len), WAITS_MAIL);
}

static void say_rcpt(struct session *s)
{
    char room[4200];
    struct text t = TEXT_IN(room);

    text_addf(&t, "%s\r\n", s->rcpt);
    onward_line(s, slice_of(room, t.len), WAITS_RCPT);
}

void onward_rcpt(struct session *s)
{
    if (!s->mail || !s->rcpt)
        not_now(s, "no memory");
    else if (s->server_lost && s->recipients > 0) /* those before were told 250: another server would not know them */
        not_now(s, "the mail server went away");
    else if (!s->server && s->visit->user) { /* nobody is logged in at another connection */
        session_decide(s, OUTCOME_DEFERRED, 421, "the mail server went away");
        session_last_words(s, 421, "4.3.2", "the mail server went away, please come again");
    } else if (!s->server) {
        s->server_lost = false;
        (void)onward_open(s);
    } else if (s->mail_open)
        say_rcpt(s);
    else
        say_both(s);
}

void onward_starttls(struct session *s)
{
    if (s->server)
        onward_line(s, SLICE("STARTTLS\r\n"), WAITS_TLS);
    else
        (void)onward_open(s);
}

/* ---- the server's answers ---- */

static void on_ready(void *ctx, const struct smtpreply *ehlo)
{
    struct session *s = ctx;
    struct smtp_offer o;

    if (s->state != S_OPENING)
        return;
    if (s->visit->at->kind == GATE_SUBMISSION && !s->mail) {
        if (smtp_offer_read(ehlo, &o))
            dialogue_ehlo(s, &o);
    } else if (!s->mail)
        onward_starttls(s);
    else
        say_both(s);
}

static void on_mail(struct session *s, const struct smtpreply *r)
{
    if (r->code / 100 == 2) {
        s->mail_open = true;
        if (s->piped)
            s->waits = WAITS_RCPT;
        else
            say_rcpt(s);
        return;
    }
    session_decide(s, r->code / 100 == 4 ? OUTCOME_DEFERRED : OUTCOME_REFUSED, r->code,
                   "the mail server refuses the sender");
    session_say_reply(s, r);
    if (s->piped)
        s->waits = WAITS_SKIP; /* RCPT without MAIL will be refused, too */
    else
        session_enter(s, S_COMMAND);
}

static void on_rcpt(struct session *s, const struct smtpreply *r)
{
    session_say_reply(s, r);
    if (s->visit->user)
        warden_outcome(s->gate->warden, slice_text(s->visit->user), r->code / 100 == 5,
                       s->visit->means->wall_us(s->gate));
    if (r->code / 100 == 2) {
        s->recipients++;
        session_enter(s, s->visit->at->blind && !s->tls ? S_BLIND : S_COMMAND);
        return;
    }
    session_decide(s, r->code / 100 == 4 ? OUTCOME_DEFERRED : OUTCOME_REFUSED, r->code,
                   "the mail server refuses the recipient");
    session_enter(s, S_COMMAND);
    if (r->code / 100 != 5 || ++s->refused < s->gate->set.limits.unknown_recipients)
        return;
    session_decide(s, OUTCOME_REFUSED, 421, "too many unknown recipients");
    session_last_words(s, 421, "4.7.0", "too many unknown recipients");
}

/* 535: a wrong password; what the server could not find out (454) is nobody's fault. */
static void note_login(struct session *s, unsigned code)
{
    struct gate *g = s->gate;
    struct visit *v = s->visit;
    struct slice user = slice_text(v->user);
    int64_t now_us = v->means->wall_us(g);

    if (code == 235)
        guesses_passed(g->guesses, v->peer, user, now_us);
    else if (code == 535)
        guesses_failed(g->guesses, v->peer, user, s->tried, warden_at_home(g->warden, user, v->peer, now_us), now_us);
}

static void on_auth(struct session *s, const struct smtpreply *r)
{
    session_say_reply(s, r);
    if (r->code == 334) {
        session_enter(s, S_SECRET);
        return;
    }
    note_login(s, r->code);
    if (r->code != 235) {
        free(s->visit->user);
        s->visit->user = NULL;
        session_decide(s, OUTCOME_REFUSED, r->code, "the mail server refuses the login");
        if (session_guesses(s))
            return;
        if (++s->errors >= s->gate->set.limits.errors) {
            session_last_words(s, 421, "4.7.0", "too many errors");
            return;
        }
    }
    session_enter(s, S_COMMAND);
}

static void on_reply(void *ctx, const struct smtpreply *r)
{
    struct session *s = ctx;
    enum waits waits = (enum waits)s->waits;

    if (s->state != S_SERVER && s->state != S_VERDICT)
        return; /* a 421 that nobody asked for: the end follows */
    s->waits = WAITS_NOTHING;
    switch (waits) {
    case WAITS_MAIL:
        on_mail(s, r);
        break;
    case WAITS_RCPT:
        on_rcpt(s, r);
        break;
    case WAITS_DATA:
        session_say_reply(s, r);
        if (r->code == 354)
            message_begin(s);
        else { /* this message is over; the next one finds a server that knows nothing of it */
            free(s->mail);
            s->mail = NULL;
            session_drop_server(s, true);
            session_enter(s, S_COMMAND);
        }
        break;
    case WAITS_DOT:
        message_answered(s, r);
        break;
    case WAITS_AUTH:
        on_auth(s, r);
        break;
    case WAITS_TLS:
        session_say_reply(s, r);
        session_enter(s, r->code == 220 ? S_BLIND : S_COMMAND);
        if (r->code == 220)
            session_decide(s, OUTCOME_PASSED, 220, "the server ends TLS: not read");
        break;
    case WAITS_RSET:
        session_say_reply(s, r);
        session_enter(s, S_COMMAND);
        break;
    case WAITS_SKIP:
    case WAITS_NOTHING:
        session_enter(s, S_COMMAND);
        break;
    }
}

/* The server is gone; what that means to the client depends on what it was about. */
static void on_failed(void *ctx, const char *why, const struct smtpreply *said)
{
    struct session *s = ctx;
    enum session_state was = (enum session_state)s->state;
    struct event ev = event_new(EV_GATE_OUTCOME_UNKNOWN);

    session_drop_server(s, false);
    s->server_lost = s->mail != NULL;
    switch (was) {
    case S_OPENING:
    case S_SERVER:
        if (said && said->code >= 500)
            session_decide(s, OUTCOME_REFUSED, said->code, "the mail server refuses the client");
        if (said && said->code >= 400) {
            session_say_reply(s, said);
            session_enter(s, S_COMMAND);
        } else
            not_now(s, why);
        break;
    case S_DATA:
        s->data_lost = true;
        break;
    case S_VERDICT:
        event_add_words(&ev, F_WHY, why);
        event_add_bytes(&ev, F_SERVER, &s->backend->at->to, sizeof(s->backend->at->to));
        if (s->visit->sender)
            event_add_text(&ev, F_PATH, slice_first(slice_text(s->visit->sender), 64));
        gate_tell(s->gate, &ev, s->visit, 0);
        not_now(s, "the mail server went away before it said whether it took the message");
        break;
    case S_BLIND:
        session_enter(s, S_LINGER);
        break;
    case S_PROXY:
    case S_TLS:
    case S_GREETING:
    case S_COMMAND:
    case S_ASKING:
    case S_SECRET:
    case S_LINGER:
    case S_DEAD:
    case S_STATES:
        break;
    }
}

static void on_drained(void *ctx)
{
    struct session *s = ctx;

    if (s->state == S_DATA)
        session_enter(s, S_DATA); /* it reads again */
}

const struct server_hooks onward_hooks = { on_ready, on_reply, on_failed, on_drained };
