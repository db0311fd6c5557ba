/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server behind a listener: is it there, what is its name, what can it do, and would it relay for anybody.
 *
 * A probe looks like a stranger's session: EHLO, MAIL, RCPT to a foreign
 * domain, QUIT.  A server that answers 250 takes us for a friend, and would
 * take every spammer who comes through us for one: the listener stays closed.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/inner.h"
#include "sys/say.h"

#define SECOND_US 1000000LL
enum { LOOK_AGAIN_S = 60, TRY_AGAIN_S = 1, DOWN_AFTER = 3 };
enum { STEP_OPENING, STEP_MAIL, STEP_RCPT };

/* Not of this world: documentation's network and name (RFC 5737, RFC 2606). */
static const struct addr stranger = { .family = 4, .port = 25252, .ip = { 192, 0, 2, 25 } };
#define STRANGERS_MAIL "MAIL FROM:<relay-test@example.com>\r\n"
#define STRANGERS_RCPT "RCPT TO:<relay-test@example.org>\r\n"

const char *gate_name(const struct backend *b)
{
    return b->gate->set.name[0] ? b->gate->set.name : b->name[0] ? b->name : "localhost";
}

static uint64_t tell(struct backend *b, enum event_kind kind, const char *why, const char *name)
{
    struct event ev = event_new(kind);

    event_add_words(&ev, F_LISTENER, b->at->name);
    event_add_bytes(&ev, F_SERVER, &b->at->to, sizeof(b->at->to));
    if (why)
        event_add_words(&ev, F_WHY, why);
    if (name)
        event_add_words(&ev, F_NAME, name);
    if (kind == EV_GATE_SERVER_BACK && b->since_us > 0)
        event_add_number(&ev, F_SPAN, (uint64_t)(gate_now_us(b->gate) - b->since_us));
    gate_tell(b->gate, &ev, NULL, 0);
    return 0;
}

void backend_failed(struct backend *b, const char *why)
{
    int64_t now = gate_now_us(b->gate);

    b->failures++;
    if (b->state == BACKEND_CLOSED)
        return;
    if (b->state != BACKEND_DOWN && (b->state == BACKEND_UNKNOWN || b->failures >= DOWN_AFTER)) {
        b->state = BACKEND_DOWN;
        b->since_us = now;
        tell(b, EV_GATE_SERVER_DOWN, why, NULL);
        door_open_all(b->gate); /* who comes hears 421, and not nothing */
    }
    if (b->next_us > now + TRY_AGAIN_S * SECOND_US)
        b->next_us = now + TRY_AGAIN_S * SECOND_US;
}

void backend_worked(struct backend *b)
{
    b->failures = 0;
}

static void keep_word(char *to, size_t size, struct slice s)
{
    if (!text_cstr(to, size, slice_first(s, size - 1)))
        to[0] = '\0';
}

static void learn(struct backend *b, const struct smtpreply *ehlo)
{
    struct smtp_offer o;
    size_t used;

    if (!smtp_offer_read(ehlo, &o))
        return;
    keep_word(b->name, sizeof(b->name), o.name);
    gate_named(b->gate);
    used = o.auth.len < sizeof(b->words) ? o.auth.len : 0;
    if (used > 0)
        memcpy(b->words, o.auth.at, used);
    o.auth = slice_of(b->words, used);
    o.name = slice_text(b->name);
    o.xclient = o.deliverby = slice_of(NULL, 0);
    b->offer = o;
}

static void probe_over(struct backend *b, bool polite, int64_t wait_s)
{
    struct server *s = b->probe;

    b->probe = NULL;
    b->next_us = gate_now_us(b->gate) + wait_s * SECOND_US;
    server_close(s, polite);
}

/* It stays closed until the configuration, or the server, is another one: asked again each minute. */
static void close_for(struct backend *b, enum event_kind kind, const char *why)
{
    bool said = b->state == BACKEND_CLOSED;

    b->state = BACKEND_CLOSED;
    if (!said)
        tell(b, kind, why, b->name);
    door_close_listener(b->gate, (uint32_t)(b - b->gate->backends));
    probe_over(b, true, LOOK_AGAIN_S);
}

static void open_for_business(struct backend *b)
{
    enum backend_state was = b->state;

    b->state = BACKEND_UP;
    b->tested = true;
    if (was == BACKEND_DOWN)
        tell(b, EV_GATE_SERVER_BACK, NULL, b->name);
    probe_over(b, true, LOOK_AGAIN_S);
    if (was != BACKEND_UP)
        door_open_all(b->gate);
}

static void on_ready(void *ctx, const struct smtpreply *ehlo)
{
    struct backend *b = ctx;
    const char *wanted = b->gate->set.name;

    learn(b, ehlo);
    if (wanted[0] && !slice_eq_nocase(slice_text(wanted), slice_text(b->name))) {
        close_for(b, EV_GATE_NAME_DIFFERS,
                  "gate.name is not the server's name; write the server's name there, or leave the key out");
        return;
    }
    if (!b->at->relay_test || (b->tested && b->state == BACKEND_UP) || b->at->kind == GATE_SUBMISSION) {
        open_for_business(b);
        return;
    }
    b->step = STEP_MAIL;
    server_say(b->probe, SLICE(STRANGERS_MAIL));
}

static void on_reply(void *ctx, const struct smtpreply *r)
{
    struct backend *b = ctx;

    if (b->step == STEP_MAIL && r->code == 250) {
        b->step = STEP_RCPT;
        server_say(b->probe, SLICE(STRANGERS_RCPT));
    } else if (b->step == STEP_RCPT && r->code / 100 == 2)
        close_for(b, EV_GATE_SERVER_TRUSTS, "it takes a stranger's mail for example.org");
    else if (r->code / 100 == 4 && r->code == 421)
        probe_over(b, true, TRY_AGAIN_S);
    else
        open_for_business(b);
}

static void on_failed(void *ctx, const char *why, const struct smtpreply *said)
{
    struct backend *b = ctx;

    (void)said;
    (void)why; /* backend_failed has told it */
    probe_over(b, false, TRY_AGAIN_S);
}

static void on_drained(void *ctx)
{
    (void)ctx;
}

static const struct server_hooks hooks = { on_ready, on_reply, on_failed, on_drained };

void backend_tick(struct backend *b, int64_t now_us)
{
    if (b->probe && server_due_us(b->probe) <= now_us)
        server_expire(b->probe);
    if (b->probe || now_us < b->next_us)
        return;
    b->next_us = now_us + TRY_AGAIN_S * SECOND_US;
    b->step = STEP_OPENING;
    b->probe = server_open(b, stranger, b->at->listen.at[0], NULL, NULL, &hooks, b);
}

void backend_stop(struct backend *b)
{
    server_close(b->probe, false);
    b->probe = NULL;
}
