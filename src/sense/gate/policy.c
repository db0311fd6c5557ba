/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/askers.h"
#include "sense/gate/warden.h"
#include "wire/policyproto.h"

enum { ANSWER_MOST = 512 };
_Static_assert((int)ASKER_BYTES >= (int)POLICY_BYTES, "a request fits");

struct policy {
    struct askers *askers;
    struct warden *warden;
};

static void answer(struct asker *a, struct slice action)
{
    char room[ANSWER_MOST + 32];
    struct text t = TEXT_IN(room);

    policy_answer_write(slice_first(action, ANSWER_MOST), &t);
    asker_say(a, slice_of(room, t.len));
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

static void on_verdict(struct visit *v, const struct verdict *r)
{
    struct asker *a = v->owner;

    askers_tell(v, r);
    visit_free(v);
    a->own = NULL;
    say_verdict(a, r);
}

/* One who logged in is asked for by name, where recipients are named. */
static void ask_warden(struct asker *a, const struct policy_request *r, struct visit *v)
{
    struct verdict verdict = { .act = VERDICT_PASS, .by = CHECKS, .code = 250 };
    const struct policy *p = askers_ctx(a->all);

    if (r->state == POLICY_AT_RCPT && p->warden)
        warden_recipient(p->warden, r->user, v->peer, r->instance, v->means->wall_us(v->means->ctx), &verdict);
    askers_tell(v, &verdict);
    visit_free(v);
    say_verdict(a, &verdict);
}

static struct addr address(struct slice ip, struct slice port)
{
    struct addr a = { 0 };
    uint64_t number = 0;

    if (addr_read(ip, &a) && slice_to_u64(port, &number) && number <= UINT16_MAX)
        a.port = (uint16_t)number;
    return a;
}

static struct visit *visit_for(struct asker *a, const struct policy_request *r)
{
    struct addr client = address(r->client_address, r->client_port);
    struct visit *v = NULL;

    if (r->state <= POLICY_AT_RCPT && client.family != 0)
        v = askers_visit(a, client, address(r->server_address, r->server_port));
    if (!v)
        return NULL;
    v->helo = r->helo.len > 0 ? askers_text(r->helo) : NULL;
    v->sender = r->state >= POLICY_AT_MAIL ? askers_text(r->sender) : NULL;
    v->recipient = r->state >= POLICY_AT_RCPT ? askers_text(r->recipient) : NULL;
    v->user = r->user.len > 0 ? askers_text(r->user) : NULL;
    v->tls = r->encryption.len > 0;
    return v;
}

static ssize_t take(struct asker *a, struct slice in)
{
    static const enum stage stages[] = { [POLICY_AT_CONNECT] = STAGE_CONNECT,
                                         [POLICY_AT_HELO] = STAGE_HELO,
                                         [POLICY_AT_MAIL] = STAGE_MAIL,
                                         [POLICY_AT_RCPT] = STAGE_RCPT };
    struct policy_request r;
    enum policy_got got = policy_request_read(in, &r);
    struct visit *v;

    if (got != POLICY_OK)
        return got == POLICY_MORE ? 0 : -1;
    v = visit_for(a, &r);
    if (!v) {
        answer(a, SLICE("DUNNO")); /* nothing to check, or nobody */
    } else if (v->user) {
        ask_warden(a, &r, v);
    } else {
        a->own = v;
        asker_wait(a);
        verdict_ask(v, stages[r.state], on_verdict);
    }
    return (ssize_t)r.used;
}

static void late(struct asker *a)
{
    verdict_expire(a->own);
}

static void leave(struct asker *a)
{
    visit_free(a->own);
}

static const struct askers_kind kind = { .name = "policy", .take = take, .late = late, .leave = leave };

void policy_reload(struct policy *p)
{
    askers_reload(p->askers);
}

struct policy *policy_new(struct gate_means *m, struct warden *w, int fd, struct err *e)
{
    struct policy *p = calloc(1, sizeof(*p));

    if (p)
        p->askers = askers_new(m, &kind, p, fd, e);
    if (!p || !p->askers) {
        if (!p) {
            (void)err_set(e, ENOMEM, "policy service");
            (void)close(fd);
        }
        free(p);
        return NULL;
    }
    p->warden = w;
    return p;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    askers_free(p->askers);
    free(p);
}
