/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client says, a command at a time, and what it is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/callback.h"
#include "sense/gate/inner.h"
#include "sense/gate/tls.h"
#include "sys/say.h"
#include "wire/smtp.h"

enum { HELO_MOST = 255, PATH_MOST = 512 };

/* ---- small things ---- */

static void letter(struct session *s, char c)
{
    size_t n = strlen(s->commands);

    if (n > 1 && s->commands[n - 1] == c && s->commands[n - 2] == c)
        return; /* three of a kind are told as two */
    if (n + 1 < sizeof(s->commands))
        s->commands[n] = c;
}

static char *owned(struct slice in, size_t most)
{
    char *copy = malloc(in.len < most ? in.len + 1 : most + 1);

    if (!copy)
        return NULL;
    in = slice_first(in, most);
    if (in.len > 0)
        memcpy(copy, in.at, in.len);
    copy[in.len] = '\0';
    return copy;
}

static void refuse(struct session *s, unsigned code, const char *enhanced, const char *text)
{
    session_say(s, code, enhanced, text);
    if (++s->errors < s->gate->set.limits.errors)
        return;
    session_decide(s, OUTCOME_REFUSED, 421, "too many bad commands");
    session_last_words(s, 421, "4.7.0", "too many errors");
}

/* A finding of the session's own; true when the policy ends it for that. */
static bool found_out(struct session *s, enum check_id id, const char *why)
{
    struct verdict r;

    if (visit_act(s->visit, id) == GATE_OFF)
        return false;
    visit_found(s->visit, id, FOUND_HIT, "%s", why);
    r = verdict_now(s->visit, STAGE_CONNECT);
    if (r.act == VERDICT_PASS)
        return false;
    session_decide(s, OUTCOME_REFUSED, r.code, r.text);
    s->unread = true;
    session_last_words(s, r.code, r.enhanced, r.text);
    return true;
}

/* One line as it came, on request; secrets are never among them. */
static void transcribe(struct session *s, struct slice line)
{
    const struct key_prefixes *nets = &s->gate->set.transcripts;
    struct event ev = event_new(EV_GATE_LINE_SAID);

    for (uint32_t i = 0; i < nets->count; i++) {
        if (!prefix_has(nets->at[i], s->visit->peer))
            continue;
        event_add_text(&ev, F_COMMAND, slice_first(line, smtp_secret_at(line)));
        gate_tell(s->gate, &ev, s->visit, 0);
        return;
    }
}

/* ---- the greeting, EHLO ---- */

void dialogue_greet(struct session *s)
{
    char line[GATE_NAME + 8];

    (void)snprintf(line, sizeof(line), "%s ESMTP", gate_name(s->backend));
    session_say(s, 220, NULL, line);
    session_enter(s, S_COMMAND);
}

static uint32_t offered(const struct session *s)
{
    const struct gate_listener *at = s->visit->at;
    uint32_t can = SMTP_CAN_FORWARD;

    if (at->kind == GATE_SUBMISSION && (s->visit->tls || at->tls != GATE_TLS_END))
        can |= SMTP_CAN_AUTH;
    if ((at->tls == GATE_TLS_END && s->gate->tls && !s->visit->tls) || at->tls == GATE_TLS_PASS)
        can |= SMTP_CAN_STARTTLS;
    return can;
}

/* Those that tell the account's name on the way: with others nobody would know whose mail it is. */
static struct slice readable_mechanisms(struct slice all)
{
    bool plain = false;
    bool login = false;

    while (all.len > 0) {
        struct slice one = slice_until(all, ' ', &all);

        plain = plain || slice_eq_nocase(one, SLICE("PLAIN"));
        login = login || slice_eq_nocase(one, SLICE("LOGIN"));
    }
    return plain && login ? SLICE("PLAIN LOGIN") : plain ? SLICE("PLAIN") : login ? SLICE("LOGIN") : slice_of(NULL, 0);
}

void dialogue_ehlo(struct session *s, const struct smtp_offer *o)
{
    char room[1024];
    struct text t = TEXT_IN(room);
    struct smtp_offer now = *o;

    if (!s->esmtp) {
        session_say(s, 250, NULL, gate_name(s->backend));
        session_enter(s, S_COMMAND);
        return;
    }
    if (s->visit->at->tls == GATE_TLS_END)
        now.can |= SMTP_CAN_STARTTLS; /* it ends here, whatever the server can do */
    now.auth = readable_mechanisms(now.auth);
    if (now.auth.len == 0)
        now.can &= ~(uint32_t)SMTP_CAN_AUTH;
    smtp_offer_write(&now, offered(s), slice_text(gate_name(s->backend)), &t);
    s->pipelines = (now.can & SMTP_CAN_PIPELINING) != 0;
    session_say_raw(s, slice_of(room, t.len));
    session_enter(s, S_COMMAND);
}

static void on_hello(struct session *s, const struct smtp_command *c)
{
    struct visit *v = s->visit;

    letter(s, c->verb == SMTP_EHLO ? 'E' : 'H');
    if (c->argument.len == 0 || c->argument.len > HELO_MOST) {
        refuse(s, 501, "5.5.4", "your name is missing, or too long");
        return;
    }
    for (size_t i = 0; i < c->argument.len; i++)
        if (c->argument.at[i] < ' ' || c->argument.at[i] >= 0x7f) {
            refuse(s, 501, "5.5.4", "that is no name");
            return;
        }
    visit_reset_mail(v);
    session_drop_server(s, true);
    free(s->mail);
    s->mail = NULL;
    free(v->helo);
    v->helo = owned(c->argument, HELO_MOST);
    s->esmtp = c->verb == SMTP_EHLO;
    s->pipelines = false;
    visit_forget_helo(v);
    session_enter(s, S_ASKING);
    verdict_ask(v, STAGE_HELO, dialogue_verdict);
}

/* ---- mail ---- */

static void on_mail(struct session *s, const struct smtp_command *c, struct slice line)
{
    struct visit *v = s->visit;

    letter(s, 'M');
    if (!v->helo || v->helo[0] == '\0') {
        refuse(s, 503, "5.5.1", "say EHLO first");
        return;
    }
    if (v->user && !warden_lets(s->gate->warden, slice_text(v->user), v->peer, v->means->wall_us(s->gate))) {
        session_decide(s, OUTCOME_REFUSED, 554, "the account is stopped");
        session_last_words(s, 554, "5.7.1", "this account's mail is stopped; ask your administrator");
        return;
    }
    if (s->mail) {
        refuse(s, 503, "5.5.1", "one MAIL at a time");
        return;
    }
    if (!slice_starts_nocase(slice_skip(line, 4), SLICE(" FROM:")) || !c->path_whole || c->path.len > PATH_MOST) {
        refuse(s, 501, "5.5.4", "MAIL FROM:<address> is what I understand");
        return;
    }
    visit_reset_mail(v);
    v->sender = owned(c->path, PATH_MOST);
    s->mail = owned(line, 4096);
    s->recipients = 0;
    session_enter(s, S_ASKING);
    verdict_ask(v, STAGE_MAIL, dialogue_verdict);
}

static void on_rcpt(struct session *s, const struct smtp_command *c, struct slice line)
{
    letter(s, 'R');
    if (!s->mail) {
        refuse(s, 503, "5.5.1", "say MAIL first");
        return;
    }
    if (!slice_starts_nocase(slice_skip(line, 4), SLICE(" TO:")) || !c->path_whole || c->path.len == 0 ||
        c->path.len > PATH_MOST) {
        refuse(s, 501, "5.5.4", "RCPT TO:<address> is what I understand");
        return;
    }
    if (s->recipients >= s->gate->set.limits.recipients) {
        session_say(s, 452, "4.5.3", "too many recipients");
        return;
    }
    free(s->rcpt);
    s->rcpt = owned(line, 4096);
    visit_next_recipient(s->visit, owned(c->path, PATH_MOST));
    session_enter(s, S_ASKING);
    verdict_ask(s->visit, STAGE_RCPT, dialogue_verdict);
}

static void on_data(struct session *s)
{
    letter(s, 'D');
    if (s->server_lost) {
        session_decide(s, OUTCOME_DEFERRED, 451, "the mail server went away");
        session_say(s, 451, "4.3.2", "the mail server went away, please come again");
        return;
    }
    if (!s->server || !s->mail_open || s->recipients == 0) {
        refuse(s, 503, "5.5.1", "no recipient was taken");
        return;
    }
    onward_line(s, SLICE("DATA\r\n"), WAITS_DATA);
}

static void on_reset(struct session *s)
{
    letter(s, 'S');
    visit_reset_mail(s->visit);
    free(s->mail);
    s->mail = NULL;
    s->server_lost = false;
    if (s->server && s->mail_open) {
        s->mail_open = false;
        onward_line(s, SLICE("RSET\r\n"), WAITS_RSET);
    } else
        session_say(s, 250, "2.0.0", "Ok");
}

/* ---- TLS, AUTH, the rest ---- */

static void on_starttls(struct session *s, bool more)
{
    struct event ev = event_new(EV_GATE_STARTTLS_INJECTED);
    struct visit *v = s->visit;
    struct err e;

    letter(s, 'T');
    if (v->tls || !s->esmtp || !(offered(s) & SMTP_CAN_STARTTLS)) {
        refuse(s, v->tls ? 503 : 502, "5.5.1", v->tls ? "TLS is on already" : "not here");
        return;
    }
    if (more) {
        gate_tell(s->gate, &ev, v, 0);
        s->injected = true;
        session_decide(s, OUTCOME_REFUSED, 554, "commands in plain text behind STARTTLS");
        session_last_words(s, 554, "5.5.1", "nothing may follow STARTTLS");
        return;
    }
    if (v->at->tls == GATE_TLS_PASS) { /* nobody will see who mails to whom: the client alone is judged, here */
        visit_reset_mail(v);
        free(s->mail);
        s->mail = NULL;
        session_enter(s, S_ASKING);
        verdict_ask(v, STAGE_RCPT, dialogue_verdict);
        return;
    }
    session_drop_server(s, true);
    visit_reset_mail(v);
    free(s->mail);
    free(v->helo);
    s->mail = v->helo = NULL;
    s->esmtp = s->pipelines = false;
    session_say(s, 220, "2.0.0", "go ahead");
    if (outbox_send(&s->out, s->fd, NULL) != 1 || !(s->tls = tls_new(s->gate->tls, s->fd, &e))) {
        session_end(s);
        return;
    }
    session_enter(s, S_TLS);
}

/* The account, never the password, of AUTH PLAIN (RFC 4616) or the first answer of AUTH LOGIN. */
static void learn_user(struct session *s, struct slice base64, bool plain)
{
    uint8_t secret[1024];
    size_t len = 0;

    if (smtp_base64(base64, secret, sizeof(secret), &len)) {
        struct slice user = slice_of(secret, len);
        struct slice rest;

        if (plain) {
            (void)slice_until(user, '\0', &rest);
            user = slice_until(rest, '\0', &rest);
        }
        free(s->visit->user);
        s->visit->user = owned(user, 255);
    }
    explicit_bzero(secret, sizeof(secret));
}

static void on_auth(struct session *s, const struct smtp_command *c, struct slice line)
{
    bool plain = slice_eq_nocase(c->mechanism, SLICE("PLAIN"));
    bool login = slice_eq_nocase(c->mechanism, SLICE("LOGIN"));

    letter(s, 'A');
    if (!(offered(s) & SMTP_CAN_AUTH) || !s->server || !server_is_ready(s->server)) {
        refuse(s, 503, "5.5.1", "AUTH is not offered here");
        return;
    }
    if (s->visit->user) {
        refuse(s, 503, "5.5.1", "you are logged in already");
        return;
    }
    if (!plain && !login) {
        refuse(s, 504, "5.5.4", "PLAIN and LOGIN are what is offered");
        return;
    }
    if (c->initial.len > 0)
        learn_user(s, c->initial, plain);
    s->plain = plain;
    s->tried = guesses_mark(s->gate->guesses, c->initial);
    s->login_user = c->initial.len == 0;
    onward_line(s, slice_of(line.at, line.len + 2), WAITS_AUTH); /* CR LF stands behind it */
}

static bool is_whole_line(struct slice line)
{
    return line.len >= 2 && line.at[line.len - 2] == '\r' && !memchr(line.at, '\0', line.len) &&
           !memchr(line.at, '\r', line.len - 2);
}

static void on_secret(struct session *s, struct slice line)
{
    if (!is_whole_line(line)) {
        onward_line(s, SLICE("*\r\n"), WAITS_AUTH); /* RFC 4954: the client gives up */
        return;
    }
    if (s->login_user)
        learn_user(s, slice_trim(line), s->plain);
    s->login_user = false;
    s->tried = guesses_mark(s->gate->guesses, line);
    onward_line(s, line, WAITS_AUTH);
}

static void on_else(struct session *s, struct slice line)
{
    static const struct {
        const char *verb;
        unsigned code;
        const char *enhanced, *text;
    } known[] = {
        { "NOOP", 250, "2.0.0", "Ok" },           { "VRFY", 252, "2.5.2", "send some mail, I'll try my best" },
        { "HELP", 214, "2.0.0", "see RFC 5321" }, { "EXPN", 502, "5.5.1", "not here" },
        { "ETRN", 502, "5.5.1", "not here" },     { "XCLIENT", 502, "5.5.1", "not here" },
        { "XFORWARD", 502, "5.5.1", "not here" },
    };

    letter(s, 'N');
    if (++s->idle > s->gate->set.limits.idle_commands) {
        session_decide(s, OUTCOME_REFUSED, 421, "commands and no mail");
        session_last_words(s, 421, "4.7.0", "too many commands and no mail");
        return;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_starts_nocase(line, slice_text(known[i].verb))) {
            session_say(s, known[i].code, known[i].enhanced, known[i].text);
            return;
        }
    refuse(s, 500, "5.5.2", "I don't know that command");
}

static bool is_junk(struct slice line)
{
    static const char *const verbs[] = {
        "GET ", "POST ", "HEAD ", "PUT ", "CONNECT ", "OPTIONS ", "PROXY ", "\x16\x03"
    };

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (slice_starts_nocase(line, slice_text(verbs[i])))
            return true;
    return false;
}

/* Only MAIL, RCPT and what has no effect may be followed by more before they are answered (RFC 2920). */
static bool may_be_followed(const struct session *s, enum smtp_verb verb)
{
    return s->pipelines && (verb == SMTP_MAIL || verb == SMTP_RCPT || verb == SMTP_RSET || verb == SMTP_ELSE);
}

static void obey(struct session *s, struct slice line, bool more)
{
    struct smtp_command c;
    bool known = smtp_command_read(line, &c);

    if (!known && is_junk(line) && found_out(s, CHECK_JUNK, "no SMTP"))
        return;
    if (known && more && c.verb != SMTP_QUIT && c.verb != SMTP_STARTTLS && !may_be_followed(s, c.verb) &&
        found_out(s, CHECK_PIPELINING, "commands before the answer"))
        return;
    transcribe(s, line);
    if (s->gate->stopping && !s->mail) {
        session_last_words(s, 421, "4.3.2", "the gate stops, please come again");
        return;
    }
    switch (known ? c.verb : SMTP_ELSE) {
    case SMTP_HELO:
    case SMTP_EHLO:
        if (++s->idle > s->gate->set.limits.idle_commands)
            on_else(s, line);
        else
            on_hello(s, &c);
        break;
    case SMTP_MAIL:
        on_mail(s, &c, line);
        break;
    case SMTP_RCPT:
        on_rcpt(s, &c, line);
        break;
    case SMTP_DATA:
        on_data(s);
        break;
    case SMTP_BDAT: /* its chunk would follow, and would be read as commands */
        session_decide(s, OUTCOME_REFUSED, 521, "BDAT was not offered");
        session_last_words(s, 521, "5.5.1", "BDAT was not offered");
        break;
    case SMTP_STARTTLS:
        on_starttls(s, more);
        break;
    case SMTP_AUTH:
        on_auth(s, &c, line);
        break;
    case SMTP_RSET:
        if (++s->idle > s->gate->set.limits.idle_commands)
            on_else(s, line);
        else
            on_reset(s);
        break;
    case SMTP_QUIT:
        letter(s, 'Q');
        session_last_words(s, 221, "2.0.0", "Bye");
        break;
    case SMTP_ELSE:
        on_else(s, line);
        break;
    }
}

static void too_long(struct session *s)
{
    session_decide(s, OUTCOME_REFUSED, 500, "a command line over the limit");
    s->unread = true;
    session_last_words(s, 500, "5.5.2", "the line is too long");
}

size_t dialogue_line(struct session *s, struct slice in)
{
    const uint8_t *end = memchr(in.at, '\n', in.len);
    size_t most = s->gate->set.limits.line_bytes;
    size_t len = end ? (size_t)(end - in.at) + 1 : in.len;
    struct slice line = slice_first(in, len);

    if (s->behind && found_out(s, CHECK_PIPELINING, "commands behind the message"))
        return in.len;
    s->behind = false;
    if (len > most) {
        too_long(s);
        return in.len;
    }
    if (!end) {
        if (in.len >= 2 && in.at[0] == 0x16 && in.at[1] == 0x03)
            (void)found_out(s, CHECK_JUNK, "TLS on a plain port");
        return 0;
    }
    if (s->state == S_SECRET) {
        on_secret(s, line);
        return len;
    }
    if (!is_whole_line(line)) {
        letter(s, '?');
        refuse(s, 500, "5.5.2", "a line ends with CR LF, and holds no other control bytes");
        return len;
    }
    for (size_t i = 0; !(s->backend->offer.can & SMTP_CAN_SMTPUTF8) && i < len; i++)
        if (line.at[i] >= 0x80) {
            letter(s, '?');
            refuse(s, 500, "5.6.7", "8-bit bytes need SMTPUTF8, which the server does not know");
            return len;
        }
    obey(s, slice_first(line, len - 2), in.len > len);
    return len;
}

/* ---- what the checks came to ---- */

static void turn_down(struct session *s, const struct verdict *r)
{
    session_decide(s, r->act == VERDICT_DEFER ? OUTCOME_DEFERRED : OUTCOME_REFUSED, r->code, r->text);
    if (r->act == VERDICT_REFUSE && s->visit->stage == STAGE_CONNECT && session_stick(s, r))
        return;
    if (r->by == CHECK_SELF || s->visit->stage == STAGE_CONNECT || r->code == 421)
        session_last_words(s, r->code, r->enhanced, r->text);
    else {
        session_enter(s, S_COMMAND);
        refuse(s, r->code, r->enhanced, r->text);
    }
}

/* Who logged in is judged by the account, not by the address. */
static bool user_may_send(struct session *s)
{
    struct verdict r = { .act = VERDICT_PASS };
    const uint64_t which[2] = { s->visit->number, s->messages };
    struct slice message = slice_of(which, sizeof(which));

    if (!s->visit->user)
        return true;
    warden_recipient(s->gate->warden, slice_text(s->visit->user), s->visit->peer, message,
                     s->visit->means->wall_us(s->gate), &r);
    if (r.act == VERDICT_PASS)
        return true;
    turn_down(s, &r);
    return false;
}

void dialogue_verdict(struct visit *v, const struct verdict *r)
{
    struct session *s = v->owner;

    if (s->state != S_ASKING)
        return;
    if (r->act != VERDICT_PASS) {
        turn_down(s, r);
        return;
    }
    switch ((enum stage)v->stage) {
    case STAGE_CONNECT:
        if (v->known || v->at->greet_us == 0 || s->tls)
            dialogue_greet(s);
        else
            session_enter(s, S_GREETING);
        break;
    case STAGE_HELO:
        if (v->at->kind == GATE_MX)
            dialogue_ehlo(s, &s->backend->offer);
        else
            (void)onward_open(s);
        break;
    case STAGE_MAIL:
        session_say(s, 250, "2.1.0", "Ok");
        session_enter(s, S_COMMAND);
        break;
    case STAGE_RCPT:
        if (!s->mail)
            onward_starttls(s);
        else if (user_may_send(s))
            onward_rcpt(s);
        break;
    case STAGES:
        break;
    }
}
