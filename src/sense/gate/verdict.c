/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/limits.h"
#include "sense/gate/lists.h"
#include "sense/gate/ports.h"
#include "sys/say.h"

enum { REASONS_MOST = 1024 };

/* What exists only while checks run: most visits of known clients never have one. */
struct inquiry {
    void *own[CHECKS];
    void (*done)(struct visit *v, const struct verdict *r);
    enum stage stage;
    bool busy; /* checks are being started: answers wait for the end of it */
};

static bool is_asked(const struct visit *v, unsigned id);

#define BIT(id) ((uint16_t)(1U << (id)))

/* The session itself finds these; they need no start. */
static const struct check check_early = { .name = "early_talker", .starts = STAGE_CONNECT, .due = STAGE_CONNECT };
static const struct check check_pipelining = { .name = "pipelining", .starts = STAGE_CONNECT, .due = STAGE_CONNECT };
static const struct check check_junk = { .name = "junk", .starts = STAGE_CONNECT, .due = STAGE_CONNECT };
static const struct check check_limits = { .name = "limits", .starts = STAGE_CONNECT, .due = STAGE_CONNECT };

static const struct check *const checks[CHECKS] = {
    [CHECK_SELF] = &check_self,           [CHECK_LIST] = &check_list,         [CHECK_LIST_NAME] = &check_list_name,
    [CHECK_LIMITS] = &check_limits,       [CHECK_EARLY] = &check_early,       [CHECK_PIPELINING] = &check_pipelining,
    [CHECK_JUNK] = &check_junk,           [CHECK_HELO] = &check_helo,         [CHECK_RDNS] = &check_rdns,
    [CHECK_CONFIRMED] = &check_confirmed, [CHECK_GENERIC] = &check_generic,   [CHECK_DNSBL] = &check_dnsbl,
    [CHECK_CALLBACK] = &check_callback,   [CHECK_BOGUS_MX] = &check_bogus_mx, [CHECK_GREYLIST] = &check_greylist,
};

/* What a client reads when a check refuses it; the reason follows. */
static const struct answer {
    unsigned code;
    const char *enhanced, *text;
} answers[CHECKS] = {
    [CHECK_SELF] = { 554, "5.4.6", "a connection from ourselves would be a loop" },
    [CHECK_LIST] = { 554, "5.7.1", "listed here" },
    [CHECK_LIST_NAME] = { 554, "5.7.1", "listed here" },
    [CHECK_LIMITS] = { 421, "4.7.0", "too many connections" },
    [CHECK_EARLY] = { 554, "5.5.1", "talking before the greeting" },
    [CHECK_PIPELINING] = { 554, "5.5.0", "more commands at once than were allowed" },
    [CHECK_JUNK] = { 521, "5.5.1", "this is SMTP" },
    [CHECK_HELO] = { 550, "5.7.1", "that is not your name" },
    [CHECK_RDNS] = { 550, "5.7.25", "your address has no name" },
    [CHECK_CONFIRMED] = { 550, "5.7.25", "your name does not lead back to your address" },
    [CHECK_GENERIC] = { 550, "5.7.1", "a name made from an address; send through your provider's mail server" },
    [CHECK_DNSBL] = { 554, "5.7.1", "listed" },
    [CHECK_CALLBACK] = { 550, "5.7.25", "your address has no name and no mail server" },
    [CHECK_BOGUS_MX] = { 550, "5.1.8", "the sender's domain takes no mail" },
    [CHECK_GREYLIST] = { 451, "4.7.1", "greylisted, please come again" },
};

struct visit *visit_new(struct gate_means *m, const struct gate_listener *at, struct addr peer, struct addr local)
{
    struct visit *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    v->means = m;
    v->at = at;
    v->peer = peer;
    v->local = local;
    return v;
}

static void stop_checks(struct visit *v)
{
    for (unsigned id = 0; v->inquiry && id < CHECKS; id++)
        if (checks[id]->stop && ((v->open & BIT(id)) || v->inquiry->own[id]))
            checks[id]->stop(v);
    v->open = 0;
    free(v->inquiry);
    v->inquiry = NULL;
}

void visit_free(struct visit *v)
{
    if (!v)
        return;
    stop_checks(v);
    free(v->helo);
    free(v->sender);
    free(v->recipient);
    free(v->user);
    free(v->rdns_name);
    free(v->organisation);
    free(v->reasons);
    free(v);
}

/* What was found out from this stage on is forgotten. */
static void forget(struct visit *v, enum stage from)
{
    for (unsigned id = 0; id < CHECKS; id++) {
        if (checks[id]->starts < from)
            continue;
        if ((v->open & BIT(id)) && checks[id]->stop)
            checks[id]->stop(v);
        v->open &= (uint16_t)~BIT(id);
        v->done &= (uint16_t)~BIT(id);
        v->found[id] = FOUND_NOTHING;
    }
}

void visit_forget_helo(struct visit *v)
{
    forget(v, STAGE_HELO);
}

void visit_next_recipient(struct visit *v, char *recipient)
{
    forget(v, STAGE_RCPT);
    free(v->recipient);
    v->recipient = recipient;
}

void visit_reset_mail(struct visit *v)
{
    forget(v, STAGE_MAIL);
    free(v->sender);
    free(v->recipient);
    v->sender = v->recipient = NULL;
    if (v->stage > STAGE_HELO)
        v->stage = STAGE_HELO;
}

void **visit_own(struct visit *v, enum check_id id)
{
    return &v->inquiry->own[id];
}

bool visit_is_outside(const struct visit *v)
{
    return gate_is_outside(v->at);
}

/* A list may ask for less than the policy allows. */
static int list_act(const struct visit *v)
{
    return v->listed != GATE_OFF && v->listed < v->at->checks.list ? v->listed : v->at->checks.list;
}

enum gate_act visit_act(const struct visit *v, enum check_id id)
{
    const struct gate_policy *p = &v->at->checks;
    const int acts[CHECKS] = {
        [CHECK_SELF] = GATE_REFUSE,
        [CHECK_LIST] = list_act(v),
        [CHECK_LIST_NAME] = list_act(v),
        [CHECK_LIMITS] = p->limits,
        [CHECK_EARLY] = p->early,
        [CHECK_PIPELINING] = p->pipelining,
        [CHECK_JUNK] = p->junk,
        [CHECK_HELO] = p->helo,
        [CHECK_RDNS] = p->rdns,
        [CHECK_CONFIRMED] = p->confirmed,
        [CHECK_GENERIC] = p->generic,
        [CHECK_DNSBL] = p->dnsbl,
        [CHECK_CALLBACK] = p->callback,
        [CHECK_BOGUS_MX] = p->bogus_mx,
        [CHECK_GREYLIST] = p->greylist == GATE_GREY_OFF ? GATE_OFF : GATE_REFUSE,
    };

    return (enum gate_act)acts[id];
}

/* Somebody who is asked waits for what this one finds out.  Lists without names of clients do not. */
static bool is_needed(const struct visit *v, unsigned id)
{
    for (unsigned other = 0; other < CHECKS; other++)
        if ((checks[other]->after & BIT(id)) && is_asked(v, other) &&
            (other != CHECK_LIST_NAME || lists_have(v->means->lists, GATE_LIST_RDNS)))
            return true;
    return false;
}

/* Users log in at a submission listener: their addresses are those of home lines. */
static bool is_asked(const struct visit *v, unsigned id)
{
    if (v->at->kind == GATE_SUBMISSION && id != CHECK_SELF && id != CHECK_LIST)
        return false;
    if (v->known && id != CHECK_SELF && id != CHECK_LIST && !checks[id]->facts && checks[id]->starts > STAGE_HELO)
        return id == CHECK_BOGUS_MX;
    return visit_act(v, (enum check_id)id) != GATE_OFF || (checks[id]->facts && is_needed(v, id));
}

bool visit_is_flagged(const struct visit *v)
{
    for (unsigned id = 0; id < CHECKS; id++) {
        enum gate_act act = visit_act(v, (enum check_id)id);

        if (id == CHECK_GREYLIST || id == CHECK_LIMITS)
            continue;
        if ((v->found[id] == FOUND_HIT && act == GATE_GREYLIST) ||
            (v->found[id] == FOUND_UNSURE && act >= GATE_GREYLIST))
            return true;
    }
    return false;
}

struct slice visit_reason(const struct visit *v, enum check_id id)
{
    struct slice rest = slice_text(v->reasons);
    struct slice name = slice_text(checks[id]->name);

    while (rest.len > 0) {
        struct slice one = slice_until(rest, '\n', &rest);

        if (one.len > name.len + 2 && slice_eq(slice_first(one, name.len), name) && one.at[name.len] == ':')
            return slice_skip(one, name.len + 2);
    }
    return slice_of(NULL, 0);
}

static void keep_reason(struct visit *v, enum check_id id, const char *words)
{
    size_t had = v->reasons ? strlen(v->reasons) : 0;
    size_t room = had + strlen(words) + strlen(checks[id]->name) + 4;
    char *longer = room <= REASONS_MOST ? realloc(v->reasons, room) : NULL;

    if (!longer)
        return;
    (void)snprintf(longer + had, room - had, "%s%s: %s", had ? "\n" : "", checks[id]->name, words);
    v->reasons = longer;
}

/* ---- the verdict ---- */

static void say_no(struct verdict *r, const struct visit *v, enum check_id id, bool temporary)
{
    const bool unsure = id != CHECK_GREYLIST && v->found[id] == FOUND_UNSURE; /* RFC 3463: directory server failure */
    struct text t = TEXT_IN(r->text);

    r->act = temporary ? VERDICT_DEFER : VERDICT_REFUSE;
    r->by = id;
    r->code = temporary && answers[id].code >= 500 ? 451 : answers[id].code;
    r->enhanced = unsure ? "4.4.3" : temporary && answers[id].code >= 500 ? "4.7.1" : answers[id].enhanced;
    text_word(&t, unsure ? "please come again" : answers[id].text);
    if (visit_reason(v, id).len > 0) {
        text_word(&t, ": ");
        text_ascii(&t, visit_reason(v, id));
    }
}

struct verdict verdict_now(const struct visit *v, enum stage stage)
{
    struct verdict r = { .act = VERDICT_PASS, .by = CHECKS, .code = 250, .enhanced = "2.0.0" };

    if (v->found[CHECK_SELF] == FOUND_HIT) {
        say_no(&r, v, CHECK_SELF, false);
        return r;
    }
    if (v->found[CHECK_LIST] == FOUND_GOOD || v->found[CHECK_LIST_NAME] == FOUND_GOOD)
        return r;
    for (unsigned id = 0; id < CHECKS; id++) {
        enum gate_act act = visit_act(v, (enum check_id)id);

        if (checks[id]->due > stage || act != GATE_REFUSE || id == CHECK_GREYLIST)
            continue;
        if (v->found[id] == FOUND_HIT) {
            say_no(&r, v, (enum check_id)id, id == CHECK_LIMITS);
            return r;
        }
        if (id == CHECK_BOGUS_MX && v->found[id] == FOUND_UNSURE) {
            say_no(&r, v, (enum check_id)id, true);
            return r;
        }
    }
    if (stage >= checks[CHECK_GREYLIST]->due && visit_act(v, CHECK_GREYLIST) != GATE_OFF &&
        (v->found[CHECK_GREYLIST] == FOUND_HIT || v->found[CHECK_GREYLIST] == FOUND_UNSURE))
        say_no(&r, v, CHECK_GREYLIST, true);
    return r;
}

/* ---- asking ---- */

/* Our own call is not looked into: that would be another.  Whom a list refuses at the door is not, either. */
static bool is_settled(const struct visit *v)
{
    return v->found[CHECK_SELF] == FOUND_HIT ||
           (v->stage == STAGE_CONNECT && v->found[CHECK_LIST] == FOUND_HIT && visit_act(v, CHECK_LIST) == GATE_REFUSE);
}

static bool is_over(const struct visit *v)
{
    if (is_settled(v))
        return true;
    for (unsigned id = 0; id < CHECKS; id++)
        if (checks[id]->start && checks[id]->due <= v->inquiry->stage && is_asked(v, id) && !(v->done & BIT(id)))
            return false;
    return true;
}

/* In their order, until nothing more can be started; what one finds may let others begin, or be left out. */
static void start_checks(struct visit *v)
{
    bool again = true;

    v->inquiry->busy = true;
    while (again && !is_settled(v)) {
        again = false;
        for (unsigned id = 0; id < CHECKS; id++) {
            uint16_t waits = checks[id]->after;

            if (is_settled(v) || !checks[id]->start || ((v->open | v->done) & BIT(id)) ||
                checks[id]->starts > v->stage || !is_asked(v, id))
                continue;
            for (unsigned other = 0; other < CHECKS; other++)
                if ((waits & BIT(other)) && ((v->done & BIT(other)) || !checks[other]->start || !is_asked(v, other)))
                    waits &= (uint16_t)~BIT(other);
            if (waits != 0)
                continue;
            v->open |= BIT(id);
            checks[id]->start(v);
            again = true;
        }
    }
    v->inquiry->busy = false;
}

static void answer_if_over(struct visit *v)
{
    void (*done)(struct visit *, const struct verdict *) = v->inquiry ? v->inquiry->done : NULL;
    struct verdict r;

    if (!done || v->inquiry->busy || !is_over(v))
        return;
    v->inquiry->done = NULL;
    r = verdict_now(v, v->inquiry->stage);
    done(v, &r); /* may free the visit */
}

void visit_found(struct visit *v, enum check_id id, enum found found, const char *reason_format, ...)
{
    char raw[VISIT_REASON];
    char words[VISIT_REASON];
    struct text t = TEXT_IN(words);
    va_list args;

    va_start(args, reason_format);
    (void)vsnprintf(raw, sizeof(raw), reason_format, args);
    va_end(args);
    if (v->done & BIT(id))
        return;
    v->open &= (uint16_t)~BIT(id);
    v->done |= BIT(id);
    v->found[id] = (uint8_t)found;
    text_visible(&t, slice_text(raw));
    if (words[0] != '\0')
        keep_reason(v, id, words);
    if (found == FOUND_GOOD)
        v->known = true;
    if (v->settled)
        v->settled(v, id);
    if (v->inquiry && !v->inquiry->busy) {
        start_checks(v);
        answer_if_over(v);
    }
}

void verdict_ask(struct visit *v, enum stage stage, void (*done)(struct visit *v, const struct verdict *r))
{
    struct verdict busy = { .act = VERDICT_DEFER, .by = CHECKS, .code = 451, .enhanced = "4.3.0" };

    if (!v->inquiry)
        v->inquiry = calloc(1, sizeof(*v->inquiry));
    if (!v->inquiry) {
        (void)snprintf(busy.text, sizeof(busy.text), "out of memory, please come again");
        done(v, &busy);
        return;
    }
    v->stage = (uint8_t)stage;
    v->inquiry->stage = stage;
    v->inquiry->done = done;
    start_checks(v);
    answer_if_over(v);
}

void verdict_expire(struct visit *v)
{
    if (!v->inquiry || !v->inquiry->done)
        return;
    v->inquiry->busy = true;
    for (unsigned id = 0; id < CHECKS; id++) {
        if (!checks[id]->start || checks[id]->due > v->inquiry->stage || !is_asked(v, id) || (v->done & BIT(id)))
            continue;
        if ((v->open & BIT(id)) && checks[id]->stop)
            checks[id]->stop(v);
        visit_found(v, (enum check_id)id, FOUND_UNSURE, "no answer in time");
    }
    v->inquiry->busy = false;
    answer_if_over(v);
}
