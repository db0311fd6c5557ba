/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/tell_gate.h"

#include <string.h>

#include "base/words.h"
#include "view/tell.h"
#include "view/when.h"

enum { PAIRS_TOLD = 5 };

static const char *const templates[EV_KINDS] = {
    [EV_GATE_LISTENING] = N_("the gate takes mail at {dst}[ for the server {server}][ and greets as {name}]"),
    [EV_GATE_SESSION_PASSED] = N_("{src} brought[ {count}] messages[, from <{path}>][ to <{recipient}>][ as {user}][, "
                                  "{bytes} bytes][ in {span}]"),
    [EV_GATE_SESSION_REFUSED] = N_("{src} was refused[ with {code}][: {why}][ (from <{path}>)][, after {span}]"),
    [EV_GATE_SESSION_DEFERRED] = N_("{src} was asked to come again[ with {code}][: {why}][ (from <{path}>)]"),
    [EV_GATE_SESSION_ENDED] = N_("{src} left without mail[ after {span}][: {why}]"),
    [EV_GATE_SESSION_DETAILS] =
        N_("{src} called itself[ {helo}][, its name is {rdns}][, its commands: {commands}][, TLS: {tls}][; {proof}]"),
    [EV_GATE_LOOP_FOUND] = N_("a connection from {src} to {dst} was our own, a loop, and was ended[: {why}]"),
    [EV_GATE_CALLED_BACK] = N_("{src}, which has no name, was called at its own port 25[: {why}][ after {span}]"),
    [EV_GATE_CALLBACK_FAILED] = N_("{src} has no name, and nobody answers at its port 25[: {why}]"),
    [EV_GATE_CALLBACK_BUDGET] =
        N_("[{count} ]more callbacks were asked for than may be made[ ({value} under way, {limit} "
           "allowed)], those clients are greylisted instead"),
    [EV_GATE_BOGUS_MX] = N_("the domain[ {domain}] of the sender[ <{path}>] of {src} takes no mail[: {why}]"),
    [EV_GATE_GREYLISTED] =
        N_("mail from {src}[ (known as {key})][ from <{path}>][ to <{recipient}>] waits[ until {until}]"),
    [EV_GATE_GREYLIST_PASSED] = N_("mail from {src}[ (known as {key})][ from <{path}>][ to <{recipient}>] came again[ "
                                   "after {span}] and passed"),
    [EV_GATE_CLIENT_KNOWN] = N_("{src}[ (as {key})] is known now[, {count} of its pairs have passed]"),
    [EV_GATE_FILLING] = N_("[{value} of {limit} ]places of the gate are taken[; most by {proof}]"),
    [EV_GATE_FULL] =
        N_("every place of the gate is taken[ ({value} of {limit})][; most by {proof}], who comes now hears 421"),
    [EV_GATE_ROOM_AGAIN] = N_("the gate has free places again[ ({value} of {limit} are taken)]"),
    [EV_GATE_CLIENT_CAPPED] = N_("{src} is over a limit[: {why}][, {value} with {limit} allowed]"),
    [EV_GATE_DNS_DOWN] =
        N_("name servers give no answers[ ({count} questions failed)][: {why}], nobody is refused for it"),
    [EV_GATE_DNS_BACK] = N_("name servers answer again[, {count} questions had failed]"),
    [EV_GATE_SMUGGLING] = N_("a message from {src}[ <{path}>] had[ {why}][ at byte {offset}], which could have hidden "
                             "another message, and was refused"),
    [EV_GATE_STARTTLS_INJECTED] = N_("{src} sent commands in plain text behind STARTTLS, they were forgotten"),
    [EV_GATE_TLS_FAILED] = N_("the TLS handshake with {src} failed[: {why}]"),
    [EV_GATE_PROXY_WRONG] = N_("{src} should have begun with a PROXY header[: {why}]"),
    [EV_GATE_SERVER_DOWN] =
        N_("the mail server[ {server}] behind the gate does not answer[: {why}], clients are asked to come again"),
    [EV_GATE_SERVER_BACK] = N_("the mail server[ {server}] behind the gate answers again[ after {span}]"),
    [EV_GATE_SERVER_TRUSTS] = N_("the mail server[ {server}] would relay for anybody who comes through the gate, so "
                                 "the listener[ {listener}] stays closed[: {why}]. The server has to know the client "
                                 "(identity: proxy-v2, and in Postfix smtpd_upstream_proxy_protocol = haproxy for this "
                                 "port, in Exim hosts_proxy, in OpenSMTPD proxy-v2; or identity: xclient or "
                                 "transparent), or must not trust our address (in qmail: no RELAYCLIENT for it in "
                                 "tcp.smtp); then restart serviola"),
    [EV_GATE_IDENTITY_REFUSED] = N_("the mail server[ {server}] does not take the client's address from us, so nothing "
                                    "is passed on[: {why}][; it said {reply}]"),
    [EV_GATE_NAME_DIFFERS] =
        N_("the mail server[ {server}] is called[ {name}], and the listener[ {listener}] stays closed[: {why}]"),
    [EV_GATE_OUTCOME_UNKNOWN] = N_("the mail server went away before it said whether it took a message[ from <{path}>] "
                                   "of {src}, who was asked to come again[: {why}]"),
    [EV_GATE_LISTS_LOADED] = N_("the lists are in force[: {count} entries][, read in {span}]"),
    [EV_GATE_LISTS_REFUSED] = N_("a list has faults[ ({list})], the old lists stay in force[: {why}]"),
    [EV_GATE_BOOK_READ] = N_("the greylist was read back[: {count} entries][ in {span}]"),
    [EV_GATE_BOOK_DAMAGED] = N_("[{count} ]entries of the greylist's file were damaged and left out[: {why}]"),
    [EV_GATE_BOOK_ACCOUNTS_LOST] =
        N_("what was known of accounts was damaged on disk[ and is kept as {name}], they are learned anew"),
    [EV_GATE_BOOK_STUCK] = N_(
        "the greylist can't be written[ to {name}][: {why}], it goes on in memory and is lost if this host stops now"),
    [EV_GATE_BOOK_BACK] = N_("the greylist is written[ to {name}] again"),
    [EV_GATE_OWN_CUT] =
        N_("this host has more than the[ {count}] addresses that the gate knows, and a loop over one of the "
           "others would not be seen[: {why}]"),
    [EV_GATE_OWN_LISTED] = N_("our own address {src} is on the DNS list[ {domain}][: {why}]"),
    [EV_GATE_ACCOUNT_ABUSED] = N_("the account[ {user}] sends as if it were stolen[: {why}][, to {recipients} "
                                  "recipients][ in {span}][, from {countries}]["
                                  ", while it was first seen in {home}]"),
    [EV_GATE_ACCOUNT_STOPPED] = N_("the mail of the account[ {user}] is stopped[ until {until}][: {why}]"),
    [EV_GATE_ACCOUNT_RELEASED] = N_("the mail of the account[ {user}] is let through again[: {why}]"),
    [EV_GATE_PASSWORD_GUESSING] = N_("{src}[ with its network {prefix}] tries passwords[: {why}][, and may not log in "
                                     "until {until}]"),
    [EV_GATE_PASSWORD_GUESSER] =
        N_("{src}[ with its network {prefix}] tries passwords[: {why}], and is to be blocked[, "
           "it may not log in until {until}]"),
    [EV_GATE_LINE_SAID] = N_("{src} said[ {command}]"),
};

const char *tell_gate_template(enum event_kind kind)
{
    return kind < EV_KINDS ? templates[kind] : NULL;
}

/* ---- why ---- */

static bool is_session(const struct event *ev)
{
    return ev->kind == EV_GATE_SESSION_PASSED || ev->kind == EV_GATE_SESSION_REFUSED ||
           ev->kind == EV_GATE_SESSION_DEFERRED || ev->kind == EV_GATE_LOOP_FOUND;
}

static bool same_field(const struct event *a, const struct event *b, enum field f)
{
    struct slice x = { 0 };
    struct slice y = { 0 };

    (void)event_get(a, f, &x);
    (void)event_get(b, f, &y);
    return slice_eq(x, y);
}

/* A pair that waits and has not passed since: false for one that has, or that was told anew later. */
static bool still_waits(const struct why_case *c, size_t at)
{
    const struct event *ev = &c->about[at];

    if (ev->kind != EV_GATE_GREYLISTED)
        return false;
    for (size_t i = at + 1; i < c->count; i++)
        if ((c->about[i].kind == EV_GATE_GREYLISTED || c->about[i].kind == EV_GATE_GREYLIST_PASSED) &&
            same_field(ev, &c->about[i], F_PATH) && same_field(ev, &c->about[i], F_RECIPIENT))
            return false;
    return true;
}

static void put_pair(struct text *t, const struct why_case *c, const struct event *ev)
{
    uint64_t until = 0;

    (void)event_get_number(ev, F_UNTIL, &until);
    (void)tell_as(t, _(" Mail[ from <{path}>][ to <{recipient}>][, known as {key},] was greylisted at {at}: "), ev,
                  NULL, c->now_us);
    if ((int64_t)until > c->now_us)
        text_addf(t, _("it passes when it is sent again after %s (%s from now)."),
                  when_near((int64_t)until, c->now_us).text, when_long((int64_t)until - c->now_us).text);
    else
        text_word(t, _("it passes when it is sent again; it has not come back yet."));
}

static void put_waiting(struct text *t, const struct why_case *c)
{
    unsigned told = 0;
    unsigned more = 0;

    for (size_t i = c->count; i-- > 0;) {
        if (!still_waits(c, i))
            continue;
        if (told == PAIRS_TOLD)
            more++;
        else {
            put_pair(t, c, &c->about[i]);
            told++;
        }
    }
    if (more > 0)
        text_addf(t, words_many(" %u more pair waits.", " %u more pairs wait.", more), more);
}

/* The newest time that it tried passwords. */
static void put_guesses(struct text *t, const struct why_case *c)
{
    const struct event *ev = NULL;

    for (size_t i = 0; i < c->count; i++)
        if ((c->about[i].kind == EV_GATE_PASSWORD_GUESSING || c->about[i].kind == EV_GATE_PASSWORD_GUESSER) &&
            addr_eq_ip(c->about[i].src, c->who))
            ev = &c->about[i];
    if (!ev)
        return;
    text_addf(t, _(" At %s "), when_near(ev->at_us, c->now_us).text);
    tell(t, ev, _("it"), c->now_us);
    text_word(t, ".");
}

/* The details of that session: told right behind it, with the same number. */
static const struct event *details_of(const struct why_case *c, size_t at)
{
    for (size_t i = at + 1; i < c->count; i++)
        if (c->about[i].kind == EV_GATE_SESSION_DETAILS && same_field(&c->about[at], &c->about[i], F_FLOW))
            return &c->about[i];
    return NULL;
}

bool why_gate_answer(struct text *t, const struct why_case *c)
{
    const struct event *last = NULL;
    const struct event *more = NULL;
    const struct event *loop = NULL;
    size_t met = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (!addr_eq_ip(c->about[i].src, c->who) || !is_session(&c->about[i]))
            continue;
        if (c->about[i].kind == EV_GATE_LOOP_FOUND) {
            loop = &c->about[i];
            continue;
        }
        last = &c->about[i];
        more = details_of(c, i);
        met++;
    }
    if (!last)
        return false;
    if (loop && same_field(loop, last, F_FLOW)) { /* that says more than the refusal that followed */
        last = loop;
        more = NULL;
    }
    text_addf(t, _("At %s "), when_near(last->at_us, c->now_us).text);
    tell(t, last, addr_ip_text(c->who).text, c->now_us);
    text_word(t, ".");
    if (more) {
        (void)tell_as(t,
                      _("[ It called itself {helo}.][ Its name is {rdns}.][ The mail was for <{recipient}>.][ What the "
                        "checks said: {proof}.]"),
                      more, NULL, c->now_us);
    }
    put_guesses(t, c);
    put_waiting(t, c);
    if (met > 1)
        text_addf(t, words_many(" The gate has met it %zu time.", " The gate has met it %zu times.", met), met);
    return true;
}
