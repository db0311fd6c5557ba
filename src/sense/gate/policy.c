/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/verdict.h"
#include "sense/gate/warden.h"
#include "sys/loop.h"
#include "wire/policyproto.h"

#define SECOND_US 1000000LL
enum { TICK_US = 1000000, ANSWER_MOST = 512 };
#define FIRST_NUMBER (1ull << 40) /* of visits: sessions count from 1 */

struct asker { /* one connection of an smtpd */
    struct policy *policy;
    struct asker *next, *prev;
    struct visit *visit; /* owned; NULL: nothing is being found out */
    int fd;
    int64_t due_us;
    bool reading; /* answers come from below take_requests: it goes on by itself */
    bool gone;    /* an answer could not be sent */
    size_t in_len;
    uint8_t in[POLICY_BYTES];
};

struct policy {
    struct gate_means *means;
    struct warden *warden;
    struct gate_listener at; /* what visits are made with: its checks are settings.policy_checks */
    struct asker *askers;
    uint32_t askers_count, timer;
    uint64_t next_number;
    int fd;
};

/* ---- connections ---- */

static void release(struct asker *a)
{
    struct policy *p = a->policy;

    visit_free(a->visit);
    loop_unwatch(p->means->loop, a->fd);
    (void)close(a->fd);
    if (a->next)
        a->next->prev = a->prev;
    if (a->prev)
        a->prev->next = a->next;
    else
        p->askers = a->next;
    p->askers_count--;
    free(a);
}

static void answer(struct asker *a, struct slice action)
{
    char room[ANSWER_MOST + 32];
    struct text t = TEXT_IN(room);

    policy_answer_write(slice_first(action, ANSWER_MOST), &t);
    a->due_us = a->policy->means->now_us(a->policy->means->ctx) + POLICY_IDLE_S * SECOND_US;
    if (send(a->fd, room, t.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)t.len)
        a->gone = true; /* it asks and does not listen */
}

/* ---- what was found out ---- */

static void tell(const struct visit *v, const struct verdict *r)
{
    static const enum event_kind kinds[] = { [VERDICT_PASS] = EV_GATE_SESSION_PASSED,
                                             [VERDICT_DEFER] = EV_GATE_SESSION_DEFERRED,
                                             [VERDICT_REFUSE] = EV_GATE_SESSION_REFUSED };
    struct event ev = event_new(kinds[r->act]);

    event_add_number(&ev, F_CODE, r->code);
    if (r->act != VERDICT_PASS)
        event_add_text(&ev, F_WHY, slice_first(slice_text(r->text), 80));
    if (v->sender)
        event_add_text(&ev, F_PATH, slice_first(slice_text(v->sender), 32));
    if (v->recipient)
        event_add_text(&ev, F_RECIPIENT, slice_first(slice_text(v->recipient), 32));
    if (v->user)
        event_add_text(&ev, F_USER, slice_first(slice_text(v->user), 24));
    event_add_text(&ev, F_LISTENER, slice_text(v->at->name));
    v->means->tell(v->means->ctx, &ev, v);
}

static void say_verdict(struct asker *a, const struct verdict *r)
{
    char room[ANSWER_MOST];
    struct text t = TEXT_IN(room);

    if (r->act == VERDICT_PASS)
        text_word(&t, "DUNNO");
    else if (r->act == VERDICT_DEFER && r->code != 421)
        text_addf(&t, "DEFER_IF_PERMIT %s %s", r->enhanced, r->text);
    else
        text_addf(&t, "%u %s %s", r->code, r->enhanced, r->text);
    answer(a, slice_of(room, t.len));
}

static void take_requests(struct asker *a);

static void on_verdict(struct visit *v, const struct verdict *r)
{
    struct asker *a = v->owner;

    tell(v, r);
    say_verdict(a, r);
    visit_free(v);
    a->visit = NULL;
    if (!a->reading)
        take_requests(a);
}

/* ---- requests ---- */

static char *owned(struct slice s)
{
    char *copy = strndup(s.len > 0 ? (const char *)s.at : "", s.len);

    for (char *c = copy; c && *c; c++)
        if (*c == '\r')
            *c = '?';
    return copy;
}

static struct addr address(struct slice ip, struct slice port)
{
    struct addr a = { 0 };
    uint64_t number = 0;

    if (addr_read(ip, &a) && slice_to_u64(port, &number) && number <= UINT16_MAX)
        a.port = (uint16_t)number;
    return a;
}

/* One who logged in is asked for by name, where recipients are named. */
static void ask_warden(struct asker *a, const struct policy_request *r, struct visit *v)
{
    struct verdict verdict = { .act = VERDICT_PASS, .by = CHECKS, .code = 250 };
    struct gate_means *m = a->policy->means;

    if (r->state == POLICY_AT_RCPT && a->policy->warden)
        warden_recipient(a->policy->warden, r->user, v->peer, r->instance, m->wall_us(m->ctx), &verdict);
    if (verdict.act != VERDICT_PASS)
        tell(v, &verdict);
    say_verdict(a, &verdict);
    visit_free(v);
}

static void begin_visit(struct asker *a, const struct policy_request *r)
{
    static const enum stage stages[] = { [POLICY_AT_CONNECT] = STAGE_CONNECT,
                                         [POLICY_AT_HELO] = STAGE_HELO,
                                         [POLICY_AT_MAIL] = STAGE_MAIL,
                                         [POLICY_AT_RCPT] = STAGE_RCPT };
    struct policy *p = a->policy;
    struct addr client = address(r->client_address, r->client_port);
    struct visit *v = NULL;

    if (r->state <= POLICY_AT_RCPT && client.family != 0)
        v = visit_new(p->means, &p->at, client, address(r->server_address, r->server_port));
    if (!v) { /* nothing to check, or nobody */
        answer(a, SLICE("DUNNO"));
        return;
    }
    v->number = p->next_number++;
    v->owner = a;
    v->helo = r->helo.len > 0 ? owned(r->helo) : NULL;
    v->sender = r->state >= POLICY_AT_MAIL ? owned(r->sender) : NULL;
    v->recipient = r->state >= POLICY_AT_RCPT ? owned(r->recipient) : NULL;
    v->user = r->user.len > 0 ? owned(r->user) : NULL;
    v->tls = r->encryption.len > 0;
    if (v->user) {
        ask_warden(a, r, v);
        return;
    }
    a->visit = v;
    a->due_us = p->means->now_us(p->means->ctx) + POLICY_ANSWER_S * SECOND_US;
    verdict_ask(v, stages[r->state], on_verdict);
}

/* What is there, one after the other; each after the answer to the one before.  May free `a`. */
static void take_requests(struct asker *a)
{
    a->reading = true;
    while (!a->visit && !a->gone) {
        struct policy_request r;
        enum policy_got got = policy_request_read(slice_of(a->in, a->in_len), &r);

        if (got == POLICY_MORE)
            break;
        if (got == POLICY_BAD) {
            a->gone = true;
            break;
        }
        begin_visit(a, &r);
        a->in_len -= r.used;
        memmove(a->in, a->in + r.used, a->in_len);
    }
    a->reading = false;
    if (a->gone)
        release(a);
}

static void on_bytes(void *ctx, int fd, int events)
{
    struct asker *a = ctx;
    ssize_t n;

    (void)events;
    if (a->in_len == sizeof(a->in)) { /* asks on and on, and an answer is still due */
        release(a);
        return;
    }
    n = recv(fd, a->in + a->in_len, sizeof(a->in) - a->in_len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        release(a);
        return;
    }
    a->in_len += (size_t)n;
    if (!a->visit)
        take_requests(a);
}

static void on_tick(void *ctx)
{
    struct policy *p = ctx;
    int64_t now = p->means->now_us(p->means->ctx);
    struct asker *next;

    for (struct asker *a = p->askers; a; a = next) {
        next = a->next;
        if (now < a->due_us)
            continue;
        if (a->visit)
            verdict_expire(a->visit); /* answers, and that may free a */
        else
            release(a);
    }
    if (!p->askers) {
        loop_untimer(p->means->loop, p->timer);
        p->timer = 0;
    }
}

static void on_asker(void *ctx, int fd, int events)
{
    struct policy *p = ctx;
    int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct asker *a = got >= 0 && p->askers_count < POLICY_ASKERS ? malloc(sizeof(*a)) : NULL;

    (void)events;
    if (a) {
        memset(a, 0, offsetof(struct asker, in));
        a->policy = p;
        a->fd = got;
        a->due_us = p->means->now_us(p->means->ctx) + POLICY_IDLE_S * SECOND_US;
    }
    if (!a || loop_watch(p->means->loop, got, LOOP_IN, on_bytes, a, NULL) < 0) {
        free(a);
        if (got >= 0)
            (void)close(got);
        return;
    }
    a->next = p->askers;
    if (a->next)
        a->next->prev = a;
    p->askers = a;
    p->askers_count++;
    if (p->timer == 0)
        p->timer = loop_timer(p->means->loop, TICK_US, TICK_US, on_tick, p);
}

/* ---- */

void policy_reload(struct policy *p)
{
    p->at = (struct gate_listener){ .name = "policy", .kind = GATE_MX, .outside = GATE_OUTSIDE_NO };
    p->at.checks = p->means->set->policy_checks;
}

struct policy *policy_new(struct gate_means *m, struct warden *w, int fd, struct err *e)
{
    struct policy *p = calloc(1, sizeof(*p));

    if (!p || loop_watch(m->loop, fd, LOOP_IN, on_asker, p, e) < 0) {
        if (!p)
            (void)err_set(e, ENOMEM, "policy service");
        free(p);
        (void)close(fd);
        return NULL;
    }
    p->means = m;
    p->warden = w;
    p->fd = fd;
    p->next_number = FIRST_NUMBER;
    policy_reload(p);
    return p;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    while (p->askers)
        release(p->askers);
    loop_untimer(p->means->loop, p->timer);
    loop_unwatch(p->means->loop, p->fd);
    (void)close(p->fd);
    free(p);
}
