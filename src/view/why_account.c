/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/why_account.h"

#include "base/words.h"
#include "view/tell.h"
#include "view/when.h"

enum { CUT = 48 }; /* from this length on an event may hold the beginning of a name alone */

const char *account_state_name(enum account_state s)
{
    static const char *const names[ACCOUNT_STATES] = {
        [ACCOUNT_UNKNOWN] = "unknown",        [ACCOUNT_SUSPECTED] = "suspected", [ACCOUNT_STOPPED] = "stopped",
        [ACCOUNT_OVER] = "no longer stopped", [ACCOUNT_RELEASED] = "released",
    };

    return s < ACCOUNT_STATES ? names[s] : "?";
}

bool account_is_meant(const struct event *ev, struct slice account)
{
    struct slice user;

    if (ev->kind != EV_GATE_ACCOUNT_ABUSED && ev->kind != EV_GATE_ACCOUNT_STOPPED &&
        ev->kind != EV_GATE_ACCOUNT_RELEASED)
        return false;
    if (!event_get(ev, F_USER, &user) || user.len == 0)
        return false;
    if (user.len >= CUT)
        account = slice_first(account, user.len);
    return slice_eq_nocase(user, account);
}

struct account_verdict account_judge(const struct event *about, size_t count, int64_t now_us)
{
    struct account_verdict v = { .state = ACCOUNT_UNKNOWN };

    for (size_t i = 0; i < count; i++) {
        const struct event *ev = &about[i];
        uint64_t until = 0;

        if (ev->kind == EV_GATE_ACCOUNT_ABUSED) {
            v.abused = ev;
            if (v.state == ACCOUNT_STOPPED)
                continue;
            v.state = ACCOUNT_SUSPECTED;
        } else if (ev->kind == EV_GATE_ACCOUNT_STOPPED) {
            (void)event_get_number(ev, F_UNTIL, &until);
            v.state = ACCOUNT_STOPPED;
            v.until_us = (int64_t)until;
        } else {
            v.state = ACCOUNT_RELEASED;
        }
        v.decision = ev;
    }
    if (v.state == ACCOUNT_STOPPED && v.until_us <= now_us)
        v.state = ACCOUNT_OVER; /* nobody was there to say so */
    return v;
}

static void put_abuse(struct text *t, const struct account_verdict *v, int64_t now_us)
{
    if (!v->abused)
        return;
    text_addf(t, _(" At %s "), when_near(v->abused->at_us, now_us).text);
    tell(t, v->abused, NULL, now_us);
    text_word(t, ".");
    (void)tell_as(t, _(" The first of them came from {src}."), v->abused, NULL, now_us);
}

void account_answer(struct text *t, struct slice account, const struct account_verdict *v, int64_t now_us)
{
    char words[160];
    struct text name = TEXT_IN(words);

    text_visible(&name, slice_first(account, 128));
    switch (v->state) {
    case ACCOUNT_STOPPED:
        text_addf(t, _("The mail of the account %s is stopped until %s (%s left)"), words,
                  when_near(v->until_us, now_us).text, when_long(v->until_us - now_us).text);
        (void)tell_as(t, _("[: {why}]"), v->decision, NULL, now_us);
        text_word(t, _(". Where its user was at home before, and in our own networks, mail goes on."));
        put_abuse(t, v, now_us);
        text_addf(t, _(" When its password is changed: serviola mail release %s."), words);
        break;
    case ACCOUNT_OVER:
        text_addf(t, _("The account %s may send: its mail was stopped until %s."), words,
                  when_near(v->until_us, now_us).text);
        put_abuse(t, v, now_us);
        break;
    case ACCOUNT_RELEASED:
        text_addf(t, _("The account %s may send: at %s its mail was let through again"), words,
                  when_near(v->decision->at_us, now_us).text);
        (void)tell_as(t, _("[, {why}]"), v->decision, NULL, now_us);
        text_word(t, ".");
        put_abuse(t, v, now_us);
        break;
    case ACCOUNT_SUSPECTED:
        text_addf(t, _("The account %s may send, but was noticed."), words);
        put_abuse(t, v, now_us);
        text_addf(t, _(" To stop it: serviola mail hold %s; to have such accounts stopped: gate.accounts.response."),
                  words);
        break;
    case ACCOUNT_UNKNOWN:
    case ACCOUNT_STATES:
        text_addf(t, _("Nothing speaks against the account %s."), words);
        break;
    }
}
