/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/why.h"

#include <string.h>

#include "base/words.h"
#include "view/mode.h"
#include "view/tell.h"
#include "view/tell_gate.h"
#include "view/tell_log.h"
#include "view/when.h"

const char *why_state_name(enum why_state s)
{
    static const char *const names[WHY_STATES] = {
        [WHY_UNKNOWN] = "unknown",       [WHY_SEEN] = "seen",
        [WHY_NOTICED] = "noticed",       [WHY_WOULD] = "would be blocked",
        [WHY_REFUSED] = "block refused", [WHY_FAILED] = "block failed",
        [WHY_BLOCKED] = "blocked",       [WHY_GONE] = "block lost",
        [WHY_EXPIRED] = "block expired", [WHY_LIFTED] = "block lifted",
        [WHY_ALLOWED] = "allowed",
    };

    return s < WHY_STATES ? names[s] : "?";
}

/* ---- the verdict: a fold over the events, oldest first ---- */

static void fold(struct why_verdict *v, const struct event *ev)
{
    static const uint8_t decides[EV_KINDS] = {
        [EV_ACT_BLOCKED] = WHY_BLOCKED,     [EV_ACT_BLOCK_KEPT] = WHY_BLOCKED,    [EV_ACT_BLOCK_EXPIRED] = WHY_EXPIRED,
        [EV_ACT_UNBLOCKED] = WHY_LIFTED,    [EV_ACT_BLOCK_REFUSED] = WHY_REFUSED, [EV_ACT_BLOCK_FAILED] = WHY_FAILED,
        [EV_RULE_WOULD_BLOCK] = WHY_WOULD,  [EV_ACT_ALLOWED] = WHY_ALLOWED,       [EV_ACT_DISALLOWED] = WHY_SEEN,
        [EV_ACT_CAP_REACHED] = WHY_REFUSED,
    };
    enum why_state next = (enum why_state)decides[ev->kind < EV_KINDS ? ev->kind : EV_NONE];
    bool finding = ev->grade >= GRADE_WARN && ev->kind >= EV_HUNT_STARTED && ev->kind < EV_RULE_WOULD_BLOCK;
    uint64_t until;

    if (next == WHY_UNKNOWN) {
        if (finding && (v->state == WHY_SEEN || v->state == WHY_NOTICED)) {
            v->state = WHY_NOTICED;
            v->decision = ev;
        }
        return;
    }
    if (((next == WHY_REFUSED || next == WHY_FAILED) && v->state == WHY_BLOCKED) ||
        ((next == WHY_ALLOWED || next == WHY_LIFTED) && v->state == WHY_ALLOWED))
        return; /* asked or said again, or a consequence: nothing changes */
    if (next == WHY_BLOCKED) {
        if (ev->kind == EV_ACT_BLOCKED || !v->block)
            v->block = ev;
        if (event_get_number(ev, F_UNTIL, &until))
            v->until_us = (int64_t)until;
    }
    v->state = next;
    v->decision = next == WHY_BLOCKED ? v->block : ev;
}

/* What somebody sent it, and what followed for others, is no matter of its own; an allowance names a network. */
static bool concerns(const struct event *ev, struct addr who)
{
    struct slice words;
    struct prefix net;

    if (ev->kind == EV_ACT_ALLOWED || ev->kind == EV_ACT_DISALLOWED)
        return event_get(ev, F_PREFIX, &words) && prefix_read(words, &net) && prefix_has(net, who);
    return addr_eq_ip(ev->src, who);
}

struct why_verdict why_judge(const struct why_case *c)
{
    struct why_verdict v = { .state = c->count > 0 ? WHY_SEEN : WHY_UNKNOWN };

    for (size_t i = 0; i < c->count; i++)
        if (concerns(&c->about[i], c->who))
            fold(&v, &c->about[i]);
    if (!c->silent && c->block) {
        v.state = WHY_BLOCKED;
        v.until_us = c->block->until_us;
        v.decision = v.block ? v.block : v.decision;
    } else if (v.state == WHY_BLOCKED && v.until_us != 0 && v.until_us <= c->now_us) {
        v.state = WHY_EXPIRED;
    } else if (v.state == WHY_BLOCKED && !c->silent) {
        v.state = WHY_GONE;
    }
    return v;
}

/* What it came from: a checkpoint repeats an older event and goes back to that one.  0: nothing, or no sound number. */
static uint64_t led_by(const struct event *ev)
{
    uint64_t origin;
    uint64_t from = event_get_number(ev, F_ORIGIN, &origin) && origin != 0 ? origin : ev->cause;

    return from < ev->seq ? from : 0;
}

size_t why_chain(const struct why_case *c, const struct event *from, struct event chain[WHY_DEPTH])
{
    size_t n = 1;

    chain[0] = *from;
    while (n < WHY_DEPTH && led_by(&chain[n - 1]) != 0 && c->get(c->ctx, led_by(&chain[n - 1]), &chain[n]))
        n++;
    return n;
}

/* ---- the answer ---- */

struct answer { /* what the sentences need */
    struct text *t;
    const struct why_case *c;
    const struct why_verdict *v;
    struct event cause; /* what led to the decision; kind EV_NONE: nothing known */
    char who[64];
};

/* A part of a sentence; what is told is shorter. */
struct clause {
    char text[2048];
};

static void cause_of(struct answer *a, const struct event *ev)
{
    struct event before;

    a->cause = (struct event){ 0 };
    if (!ev || led_by(ev) == 0 || !a->c->get(a->c->ctx, led_by(ev), &before))
        return;
    if (ev->kind == EV_ACT_BLOCK_KEPT && before.kind == EV_ACT_BLOCKED)
        cause_of(a, &before); /* one step only: an act.blocked repeats nothing */
    else
        a->cause = before;
}

static struct clause told(const struct answer *a, const struct event *ev)
{
    struct clause c = { "" };
    struct text t = TEXT_IN(c.text);

    tell(&t, ev, addr_eq_ip(ev->src, a->c->who) ? _("it") : NULL, a->c->now_us);
    return c;
}

static struct when_words near_now(const struct answer *a, int64_t at_us)
{
    return when_near(at_us, a->c->now_us);
}

/* A sentence of its own by a template of view/tell.h, behind what stands there. */
static void add_told(struct answer *a, const char *template, const struct event *ev)
{
    struct text before = *a->t;

    text_word(a->t, a->t->len > 0 ? " " : "");
    if (tell_as(a->t, template, ev, a->who, a->c->now_us))
        return;
    *a->t = before;
    a->t->at[a->t->len] = '\0';
}

/* Nothing led to it: the rule, or a person, and the number of what is forgotten. */
static void put_forgotten(struct text *t, const struct answer *a, const struct event *decision)
{
    char reason[512];
    struct text r = TEXT_IN(reason);

    if (!decision || !tell_as(&r, _("the rule {rule} said so"), decision, a->who, a->c->now_us)) {
        r = TEXT_IN(reason);
        text_word(&r, _("it was asked for"));
    }
    if (decision && led_by(decision) != 0)
        text_addf(t, _("%s (event #%llu, which the journal no longer holds)"), reason,
                  (unsigned long long)led_by(decision));
    else
        text_word(t, reason);
}

/* "at 13:03:22 it spoke SMTP to ..." of the cause; else who asked, else that nothing is recorded. */
static struct clause because(const struct answer *a, const struct event *decision)
{
    struct clause c = { "" };
    struct text t = TEXT_IN(c.text);
    bool unknown = a->cause.kind == EV_HUNT_MAIL_SEEN || a->cause.kind == EV_HUNT_TLS_SEEN;

    if (a->cause.kind == EV_ACT_BLOCK_ASKED)
        (void)tell_as(&t, _("it was asked for by command at {at}[ ({who})][, with the words: {why}]"), &a->cause,
                      a->who, a->c->now_us);
    else if (a->cause.kind == EV_NONE)
        put_forgotten(&t, a, decision);
    else
        text_addf(&t, unknown ? _("at %s %s; it is not on the allow list") : _("at %s %s"),
                  near_now(a, a->cause.at_us).text, told(a, &a->cause).text);
    return c;
}

/* The proof, and the machine: who looks for it wants its network card more than its address. */
static void put_proof(struct answer *a)
{
    struct slice vlan;

    add_told(a, _("Proof: {proof}."), &a->cause);
    if (event_get(&a->cause, F_VLAN, &vlan) && vlan.len > 0)
        add_told(a, _("It came from the network card {mac} in VLAN {vlan}."), &a->cause);
    else
        add_told(a, _("It came from the network card {mac}."), &a->cause);
}

static void put_standing(struct answer *a)
{
    if (a->c->standing)
        text_addf(a->t, " %s", a->c->standing);
}

static void say_blocked(struct answer *a)
{
    const struct why_case *c = a->c;

    cause_of(a, a->v->decision);
    if (a->v->until_us != 0)
        text_addf(a->t, _("%s is blocked until %s (%s left) because %s."), a->who, near_now(a, a->v->until_us).text,
                  when_long(a->v->until_us - c->now_us).text, because(a, a->v->decision).text);
    else
        text_addf(a->t, _("%s is blocked because %s."), a->who, because(a, a->v->decision).text);
    put_proof(a);
    if (c->block)
        text_addf(a->t,
                  words_many(" %llu packet has been dropped since.", " %llu packets have been dropped since.",
                             c->block->packets),
                  (unsigned long long)c->block->packets);
    else if (c->silent)
        text_addf(a->t, _(" (This is what the journal says; %s.)"), c->silent);
    put_standing(a);
    text_addf(a->t, _(" To lift it: serviola unblock %s; to allow it for good: serviola allow %s."), a->who, a->who);
}

static void say_would(struct answer *a)
{
    const char *mode = mode_name((unsigned)a->c->mode);
    bool blocks_now = mode_blocks((unsigned)a->c->mode);

    cause_of(a, a->v->decision);
    if (blocks_now)
        text_addf(a->t, _("%s is not blocked: serviola only observed when %s."), a->who,
                  because(a, a->v->decision).text);
    else
        text_addf(a->t, _("%s would be blocked, but is not, because this is %s mode: %s."), a->who, mode,
                  because(a, a->v->decision).text);
    put_proof(a);
    put_standing(a);
    if (blocks_now)
        text_addf(a->t, _(" The mode is %s by now: its next mail will block it."), mode);
    else
        text_word(a->t, _(" To block such hosts, start `serviola run --mode block`, or put `mode: block` below `hunt:` "
                          "in the configuration and reload."));
    text_addf(a->t, _(" If it is a mail server of yours: serviola allow %s."), a->who);
}

/* "It had been blocked at T because ..." for a block that is over. */
static void put_past_block(struct answer *a)
{
    if (!a->v->block)
        return;
    cause_of(a, a->v->block);
    text_addf(a->t, _(" It had been blocked at %s because %s."), near_now(a, a->v->block->at_us).text,
              because(a, a->v->block).text);
    put_proof(a);
}

static void say_expired(struct answer *a)
{
    const struct event *d = a->v->decision;
    int64_t at_us = d && d->kind == EV_ACT_BLOCK_EXPIRED ? d->at_us : a->v->until_us;

    text_addf(a->t, _("%s is not blocked now: its block ended by itself at %s."), a->who, near_now(a, at_us).text);
    put_past_block(a);
    put_standing(a);
    if (a->cause.kind != EV_NONE && a->cause.kind != EV_ACT_BLOCK_ASKED)
        text_word(a->t, _(" If it does so again, it will be blocked again."));
}

static void say_lifted(struct answer *a)
{
    (void)tell_as(a->t, _("{src} is not blocked: its block was lifted at {at}[ by {who}][ ({why})]."), a->v->decision,
                  a->who, a->c->now_us);
    put_past_block(a);
    put_standing(a);
}

static void say_refused(struct answer *a)
{
    const struct event *d = a->v->decision;
    char reason[512];
    struct text r = TEXT_IN(reason);

    cause_of(a, d);
    if (!tell_as(&r, "{why}", d, a->who, a->c->now_us))
        text_word(&r, _("the journal holds no reason"));
    text_addf(a->t,
              a->v->state == WHY_REFUSED
                  ? _("%s is not blocked: a block was asked for at %s and refused: %s.")
                  : _("%s is not blocked: a block was asked for at %s and the kernel did not take it: %s."),
              a->who, near_now(a, d->at_us).text, reason);
    if (a->cause.kind == EV_ACT_BLOCK_ASKED)
        add_told(a, _("It was asked for by command at {at}[ ({who})][, with the words: {why}]."), &a->cause);
    else if (a->cause.kind != EV_NONE) {
        text_addf(a->t, _(" It was asked for because %s."), because(a, d).text);
        put_proof(a);
    }
    put_standing(a);
}

/* The gate's findings block whatever the hunt's mode is. */
static bool was_at_the_gate(const struct event *block)
{
    uint64_t outside;

    return block && event_get_number(block, F_OUTSIDE, &outside) && outside != 0;
}

static void say_gone(struct answer *a)
{
    if (a->v->until_us != 0)
        text_addf(
            a->t,
            _("%s is not blocked now, although the journal knows of a block until %s: it is not in the firewall."),
            a->who, near_now(a, a->v->until_us).text);
    else
        text_addf(a->t, _("%s is not blocked now, although the journal knows of a block: it is not in the firewall."),
                  a->who);
    if (!mode_blocks((unsigned)a->c->mode) && !was_at_the_gate(a->v->block))
        text_word(a->t, _(" serviola now runs in a mode that blocks nobody."));
    put_past_block(a);
    put_standing(a);
}

static void say_noticed(struct answer *a)
{
    const struct event *d = a->v->decision;

    a->cause = *d;
    text_addf(a->t, _("%s is not blocked, but was noticed: %s."), a->who, because(a, d).text);
    put_proof(a);
    put_standing(a);
    text_addf(a->t, _(" No rule has acted on it (mode: %s, %s)."), mode_name((unsigned)a->c->mode),
              mode_what((unsigned)a->c->mode));
}

static void say_allowed(struct answer *a)
{
    const struct event *d = a->v->decision;
    struct clause what = { "" };
    struct text t = TEXT_IN(what.text);

    tell(&t, d, NULL, a->c->now_us);
    text_addf(a->t, _("%s is not blocked: at %s %s."), a->who, near_now(a, d->at_us).text, what.text);
    put_past_block(a);
    text_addf(a->t, _(" To take it off the list again: serviola allow %s --remove."), a->who);
}

static void say_seen(struct answer *a)
{
    const struct event *last = &a->c->about[a->c->count - 1];

    text_addf(a->t,
              a->v->block ? _("%s is not blocked, and nothing speaks against it now.")
                          : _("%s is not blocked, and nothing speaks against it."),
              a->who);
    if (a->c->count > 1)
        text_addf(a->t, _(" The last of %zu events about it, at %s: %s."), a->c->count, near_now(a, last->at_us).text,
                  told(a, last).text);
    else
        text_addf(a->t, _(" The only event about it, at %s: %s."), near_now(a, last->at_us).text, told(a, last).text);
    put_past_block(a);
    put_standing(a);
}

static void say_unknown(struct answer *a)
{
    text_addf(a->t, _("%s is not blocked, and nothing is known about it."), a->who);
    if (a->c->looked_at)
        text_addf(a->t, _(" Looked at: %s."), a->c->looked_at);
    put_standing(a);
    text_word(a->t, _(" A host appears here once it sends mail past an interface that the hunt listens on "
                      "(serviola status lists them)."));
}

void why_answer(struct text *t, const struct why_case *c, const struct why_verdict *v)
{
    static void (*const sentences[WHY_STATES])(struct answer * a) = {
        [WHY_UNKNOWN] = say_unknown, [WHY_SEEN] = say_seen,      [WHY_NOTICED] = say_noticed, [WHY_WOULD] = say_would,
        [WHY_REFUSED] = say_refused, [WHY_FAILED] = say_refused, [WHY_BLOCKED] = say_blocked, [WHY_GONE] = say_gone,
        [WHY_EXPIRED] = say_expired, [WHY_LIFTED] = say_lifted,  [WHY_ALLOWED] = say_allowed,
    };
    struct answer a = { .t = t, .c = c, .v = v };

    if (c->asked) {
        struct clause what = { "" };
        struct text told_as = TEXT_IN(what.text);

        tell(&told_as, c->asked, NULL, c->now_us);
        text_addf(t, _("Event #%llu, %s: %s."), (unsigned long long)c->asked->seq, near_now(&a, c->asked->at_us).text,
                  what.text);
        if (why_log_answer(t, c) || c->who.family == 0)
            return;
        text_word(t, _(" By now: "));
    }
    memcpy(a.who, addr_ip_text(c->who).text, sizeof(a.who));
    if ((v->state == WHY_SEEN || v->state == WHY_NOTICED) && why_gate_answer(t, c)) {
        put_standing(&a);
        return;
    }
    if (v->state == WHY_SEEN && why_log_answer(t, c)) {
        put_standing(&a);
        return;
    }
    sentences[v->state](&a);
    if (v->state == WHY_BLOCKED) {
        char more[sizeof(struct event) * 8];
        struct text gate = TEXT_IN(more);

        if (why_gate_answer(&gate, c))
            text_addf(t, " %s", more);
    }
}
