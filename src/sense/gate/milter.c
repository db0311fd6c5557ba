/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/milter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/askers.h"
#include "sense/gate/warden.h"
#include "wire/milter.h"

_Static_assert((int)ASKER_BYTES >= (int)MILTER_BYTES, "a packet fits");

struct milter {
    struct askers *askers;
    struct warden *warden;
    uint64_t messages;
};

struct client {          /* of the mail server; asker.own */
    struct visit *visit; /* owned; NULL: not connected, or from nowhere that can be checked */
    struct addr local;
    bool tls;
    uint64_t message;
};

/* ---- answers ---- */

static void go_on(struct asker *a)
{
    char room[16];
    struct text t = TEXT_IN(room);

    milter_go_on_write(&t);
    asker_say(a, slice_of(room, t.len));
}

static void say_verdict(struct asker *a, const struct verdict *r)
{
    char room[640];
    struct text t = TEXT_IN(room);

    if (r->act == VERDICT_PASS) {
        go_on(a);
        return;
    }
    milter_reply_write(r->code, r->enhanced, r->text, &t);
    asker_say(a, slice_of(room, t.len));
}

static void on_verdict(struct visit *v, const struct verdict *r)
{
    askers_tell(v, r);
    say_verdict(v->owner, r);
}

static void ask(struct asker *a, struct visit *v, enum stage stage)
{
    asker_wait(a);
    verdict_ask(v, stage, on_verdict);
}

/* ---- packets ---- */

static void end_visit(struct client *c)
{
    visit_free(c->visit);
    *c = (struct client){ 0 };
}

static void on_connection(struct asker *a, struct client *c, struct slice body)
{
    struct addr client;

    visit_free(c->visit);
    c->visit = NULL;
    if (!milter_connection(body, &client)) {
        a->gone = true;
        return;
    }
    if (client.family != 0)
        c->visit = askers_visit(a, client, c->local);
    if (!c->visit) {
        go_on(a);
        return;
    }
    ask(a, c->visit, STAGE_CONNECT);
}

/* `MAIL`'s and `RCPT`'s first argument: `<a@b>`. */
static char *path(struct slice body)
{
    struct slice text = { NULL, 0 };

    (void)milter_text(&body, &text);
    if (text.len >= 2 && text.at[0] == '<' && text.at[text.len - 1] == '>')
        text = slice_of(text.at + 1, text.len - 2);
    return askers_text(text);
}

static void on_helo(struct asker *a, struct client *c, struct slice body)
{
    struct visit *v = c->visit;
    struct slice name = { NULL, 0 };

    (void)milter_text(&body, &name);
    visit_reset_mail(v);
    free(v->helo);
    v->helo = askers_text(name);
    v->tls = c->tls;
    visit_forget_helo(v);
    if (v->user)
        go_on(a);
    else
        ask(a, v, STAGE_HELO);
}

static void on_mail(struct asker *a, struct client *c, struct slice body)
{
    struct milter *f = askers_ctx(a->all);
    struct visit *v = c->visit;

    visit_reset_mail(v);
    v->sender = path(body);
    c->message = ++f->messages;
    if (v->user)
        go_on(a);
    else
        ask(a, v, STAGE_MAIL);
}

static void on_rcpt(struct asker *a, struct client *c, struct slice body)
{
    struct verdict verdict = { .act = VERDICT_PASS, .by = CHECKS, .code = 250 };
    const struct milter *f = askers_ctx(a->all);
    struct gate_means *m = askers_means(a->all);
    struct visit *v = c->visit;

    visit_next_recipient(v, path(body));
    if (!v->user) {
        ask(a, v, STAGE_RCPT);
        return;
    }
    if (f->warden)
        warden_recipient(f->warden, slice_text(v->user), v->peer, slice_of(&c->message, sizeof(c->message)),
                         m->wall_us(m->ctx), &verdict);
    on_verdict(v, &verdict);
}

/* What the server tells besides: who logged in, where it was connected to, whether TLS is on. */
static void on_macros(struct client *c, struct slice body)
{
    struct slice rest, name, value;
    char command;
    uint64_t port;

    if (!milter_macros(body, &command, &rest))
        return;
    while (milter_text(&rest, &name) && milter_text(&rest, &value)) {
        if (slice_eq(name, SLICE("{daemon_addr}")))
            (void)addr_read(value, &c->local);
        else if (slice_eq(name, SLICE("{daemon_port}")) && slice_to_u64(value, &port) && port <= UINT16_MAX)
            c->local.port = (uint16_t)port;
        else if (slice_eq(name, SLICE("{tls_version}")))
            c->tls = value.len > 0;
        else if (slice_eq(name, SLICE("{auth_authen}")) && value.len > 0 && c->visit) {
            free(c->visit->user);
            c->visit->user = askers_text(value);
        }
    }
}

static void on_options(struct asker *a, struct slice body)
{
    char room[32];
    struct text t = TEXT_IN(room);

    if (milter_options_write(body, &t))
        asker_say(a, slice_of(room, t.len));
    else
        a->gone = true;
}

/* True: it was one of the envelope's. */
static bool take_envelope(struct asker *a, struct client *c, const struct milter_packet *p)
{
    void (*on)(struct asker *, struct client *, struct slice) = p->letter == 'H' ? on_helo
                                                              : p->letter == 'M' ? on_mail
                                                              : p->letter == 'R' ? on_rcpt
                                                                                 : NULL;

    if (!on)
        return false;
    if (c->visit)
        on(a, c, p->body);
    else
        go_on(a);
    return true;
}

static ssize_t take(struct asker *a, struct slice in)
{
    struct milter_packet p;
    enum milter_got got = milter_packet_read(in, &p);
    struct client *c = a->own ? a->own : (a->own = calloc(1, sizeof(*c)));

    if (got != MILTER_OK || !c)
        return got == MILTER_MORE && c ? 0 : -1;
    if (take_envelope(a, c, &p))
        return (ssize_t)p.used;
    switch (p.letter) {
    case 'O':
        on_options(a, p.body);
        break;
    case 'D':
        on_macros(c, p.body);
        break;
    case 'C':
        on_connection(a, c, p.body);
        break;
    case 'A':
        if (c->visit)
            visit_reset_mail(c->visit);
        break;
    case 'K':
        end_visit(c);
        break;
    case 'Q':
        a->gone = true;
        break;
    default: /* the end of a message, and what we said that we don't want */
        go_on(a);
        break;
    }
    return (ssize_t)p.used;
}

static void late(struct asker *a)
{
    struct client *c = a->own;

    verdict_expire(c->visit);
}

static void leave(struct asker *a)
{
    if (a->own)
        end_visit(a->own);
    free(a->own);
}

static const struct askers_kind kind = { .name = "milter", .take = take, .late = late, .leave = leave };

void milter_reload(struct milter *f)
{
    askers_reload(f->askers);
}

struct milter *milter_new(struct gate_means *m, struct warden *w, int fd, struct err *e)
{
    struct milter *f = calloc(1, sizeof(*f));

    if (!f) {
        (void)close(fd);
        (void)err_set(e, ENOMEM, "milter");
        return NULL;
    }
    f->askers = askers_new(m, &kind, f, fd, e);
    if (!f->askers) {
        free(f);
        return NULL;
    }
    f->warden = w;
    return f;
}

void milter_free(struct milter *f)
{
    if (!f)
        return;
    askers_free(f->askers);
    free(f);
}
