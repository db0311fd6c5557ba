/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's connection: its states, its bytes, its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/gate/inner.h"
#include "sense/gate/tls.h"
#include "sys/loop.h"
#include "wire/proxyproto.h"

enum { PROXY_WAIT_S = 5, TLS_WAIT_S = 10, LINGER_WAIT_S = 2, ASKING_WAIT_S = 40, WHY_MOST = 160 };
#define SECOND_US 1000000LL

static const struct {
    const char *name; /* for events */
    bool reads;       /* what the client sends is read */
} states[S_STATES] = {
    [S_PROXY] = { "proxy", true },      [S_TLS] = { "tls", true },        [S_GREETING] = { "greeting", true },
    [S_COMMAND] = { "command", true },  [S_ASKING] = { "checks", false }, [S_OPENING] = { "server", false },
    [S_SERVER] = { "server", false },   [S_SECRET] = { "auth", true },    [S_DATA] = { "data", true },
    [S_VERDICT] = { "verdict", false }, [S_BLIND] = { "blind", true },    [S_LINGER] = { "over", true },
    [S_DEAD] = { "over", false },
};

static void begin(struct session *s);
static void on_socket(void *ctx, int fd, int events);
static void on_time(void *ctx);

static void touch(struct session *s)
{
    if (s->dirty)
        return;
    s->dirty = true;
    s->next_dirty = s->gate->dirty;
    s->gate->dirty = s;
}

static int64_t wait_us(const struct session *s)
{
    const struct gate_limits *l = &s->gate->set.limits;

    switch ((enum session_state)s->state) {
    case S_PROXY:
        return PROXY_WAIT_S * SECOND_US;
    case S_TLS:
        return TLS_WAIT_S * SECOND_US;
    case S_GREETING:
        return s->visit->known ? 0 : s->visit->at->greet_us;
    case S_COMMAND:
    case S_SECRET:
        return l->command_us;
    case S_ASKING:
        return ASKING_WAIT_S * SECOND_US;
    case S_OPENING:
        return SERVER_WAIT_S * SECOND_US;
    case S_SERVER:
        return SERVER_REPLY_S * SECOND_US;
    case S_VERDICT:
        return SERVER_VERDICT_S * SECOND_US;
    case S_DATA:
    case S_BLIND:
        return l->data_us;
    case S_LINGER:
        return LINGER_WAIT_S * SECOND_US;
    case S_DEAD:
    case S_STATES:
        break;
    }
    return 0;
}

/* The timer is only set when it would fire too late: most states end long before their time. */
static void set_deadline(struct session *s)
{
    int64_t now = gate_now_us(s->gate);
    int64_t whole = s->began_us + s->gate->set.limits.session_us;
    int64_t at = now + wait_us(s);

    if (at > whole && s->state != S_VERDICT && s->state != S_LINGER)
        at = whole > now ? whole : now;
    if (s->timer != 0 && s->deadline_us <= at) {
        s->deadline_us = at;
        return;
    }
    timers_remove(s->gate->timers, s->timer);
    s->deadline_us = at;
    s->timer = timers_add(s->gate->timers, at, 0, on_time, s);
    gate_arm(s->gate);
}

static void hear(struct session *s, bool in)
{
    bool out = s->out.len > 0 && s->sends;
    struct err e;

    if (!s->watched || s->hears == in)
        return;
    s->hears = in;
    (void)loop_change(s->gate->role->loop, s->fd, (in ? LOOP_IN : 0) | (out ? LOOP_OUT : 0), &e);
}

void session_enter(struct session *s, enum session_state state)
{
    if (s->state == S_DEAD)
        return;
    s->state = (uint8_t)state;
    if (states[state].reads)
        hear(s, true);
    set_deadline(s);
    touch(s);
}

void session_deafen(struct session *s)
{
    hear(s, false);
}

/* ---- replies ---- */

void session_say_raw(struct session *s, struct slice bytes)
{
    if (s->state == S_DEAD)
        return;
    s->sent += bytes.len;
    if (!outbox_add(&s->out, bytes)) {
        session_decide(s, OUTCOME_ENDED, 0, "the client does not read its replies");
        session_end(s);
        return;
    }
    touch(s);
}

void session_say(struct session *s, unsigned code, const char *enhanced, const char *text)
{
    char line[512];
    struct text t = TEXT_IN(line);

    text_addf(&t, "%u %s%s%s", code, enhanced ? enhanced : "", enhanced ? " " : "", text);
    if (t.len > sizeof(line) - 3)
        t.len = sizeof(line) - 3;
    memcpy(line + t.len, "\r\n", 2);
    session_say_raw(s, slice_of(line, t.len + 2));
}

void session_say_reply(struct session *s, const struct smtpreply *r)
{
    char room[SMTPREPLY_BYTES + 2 * SMTPREPLY_LINES];
    struct text t = TEXT_IN(room);

    smtpreply_write(r, &t);
    session_say_raw(s, slice_of(room, t.len));
}

void session_last_words(struct session *s, unsigned code, const char *enhanced, const char *text)
{
    session_say(s, code, enhanced, text);
    session_drop_server(s, true);
    session_enter(s, S_LINGER);
}

bool session_stick(struct session *s, const struct verdict *r)
{
    char line[TARPIT_REPLY];
    struct text t = TEXT_IN(line);

    text_addf(&t, "%u %s %.200s\r\n", r->code, r->enhanced, r->text);
    if (s->tls || s->out.len > 0)
        return false;
    loop_unwatch(s->gate->role->loop, s->fd);
    if (tarpit_take(s->gate->tarpit, s->fd, slice_of(line, t.len))) {
        s->fd = -1;
        session_end(s);
        return true;
    }
    s->watched = false; /* the reply still goes out, and nothing more is read */
    return false;
}

/* The first word counts, and a worse one. */
void session_decide(struct session *s, enum outcome o, unsigned code, const char *why)
{
    if (s->why && o <= (enum outcome)s->outcome)
        return;
    s->outcome = (uint8_t)o;
    s->code = (uint16_t)code;
    free(s->why);
    s->why = strndup(why, WHY_MOST);
}

/* ---- the end ---- */

static void tell_more(struct session *s)
{
    const struct visit *v = s->visit;
    struct event ev = event_new(EV_GATE_SESSION_DETAILS);

    event_add_number(&ev, F_FLOW, v->number);
    if (v->helo)
        event_add_text(&ev, F_HELO, slice_first(slice_text(v->helo), 48));
    if (v->rdns_name)
        event_add_text(&ev, F_RDNS, slice_first(slice_text(v->rdns_name), 48));
    if (v->recipient)
        event_add_text(&ev, F_RECIPIENT, slice_first(slice_text(v->recipient), 40));
    if (s->commands[0])
        event_add_words(&ev, F_COMMANDS, s->commands);
    if (s->tls)
        event_add_words(&ev, F_TLS, tls_words(s->tls));
    if (v->reasons) {
        for (char *c = v->reasons; *c; c++)
            *c = *c == '\n' ? ';' : *c;
        event_add_text(&ev, F_PROOF, slice_text(v->reasons));
    }
    gate_tell(s->gate, &ev, v, 0);
}

static void tell_end(struct session *s)
{
    static const enum event_kind kinds[] = { [OUTCOME_ENDED] = EV_GATE_SESSION_ENDED,
                                             [OUTCOME_PASSED] = EV_GATE_SESSION_PASSED,
                                             [OUTCOME_DEFERRED] = EV_GATE_SESSION_DEFERRED,
                                             [OUTCOME_REFUSED] = EV_GATE_SESSION_REFUSED };
    enum outcome o = s->messages > 0 ? OUTCOME_PASSED : (enum outcome)s->outcome;
    const struct visit *v = s->visit;
    struct event ev = event_new(kinds[o]);

    event_add_number(&ev, F_FLOW, v->number);
    s->gate->ended += o == OUTCOME_ENDED;
    s->gate->passed += o == OUTCOME_PASSED;
    s->gate->deferred += o == OUTCOME_DEFERRED;
    s->gate->refused += o == OUTCOME_REFUSED;
    event_add_number(&ev, F_SPAN, (uint64_t)(gate_now_us(s->gate) - s->began_us));
    if (s->code != 0)
        event_add_number(&ev, F_CODE, s->code);
    if (s->bytes > 0)
        event_add_number(&ev, F_BYTES, s->bytes);
    event_add_number(&ev, F_OUT, s->sent);
    if (s->messages > 0)
        event_add_number(&ev, F_COUNT, s->messages);
    if (s->recipients > 0)
        event_add_number(&ev, F_RECIPIENTS, s->recipients);
    if (s->why && s->why[0])
        event_add_text(&ev, F_WHY, slice_first(slice_text(s->why), o == OUTCOME_PASSED ? 32 : 110));
    if (v->sender)
        event_add_text(&ev, F_PATH, slice_first(slice_text(v->sender), 32));
    if (v->recipient && o == OUTCOME_PASSED)
        event_add_text(&ev, F_RECIPIENT, slice_first(slice_text(v->recipient), 32));
    if (v->user)
        event_add_text(&ev, F_USER, slice_first(slice_text(v->user), 24));
    event_add_text(&ev, F_LISTENER, slice_first(slice_text(v->at->name), 12));
    gate_tell(s->gate, &ev, v, 0);
    if (o != OUTCOME_PASSED || s->tls)
        tell_more(s);
}

void session_drop_server(struct session *s, bool politely)
{
    server_close(s->server, politely);
    s->server = NULL;
    s->mail_open = false;
}

void session_end(struct session *s)
{
    if (s->state == S_DEAD)
        return;
    s->state = S_DEAD;
    touch(s);
}

static void release(struct session *s)
{
    struct gate *g = s->gate;

    tell_end(s);
    session_drop_server(s, true);
    timers_remove(g->timers, s->timer);
    tls_free(s->tls);
    blind_free(s->blind);
    if (s->fd >= 0)
        loop_close(g->role->loop, s->fd);
    limits_leave(g->means.limits, &s->places);
    visit_free(s->visit);
    outbox_free(&s->out);
    if (s->next)
        s->next->prev = s->prev;
    if (s->prev)
        s->prev->next = s->next;
    else
        g->sessions = s->next;
    g->sessions_count--;
    gate_count_places(g);
    free(s->in.at);
    free(s->mail);
    free(s->rcpt);
    free(s->why);
    free(s);
}

void session_end_all(struct gate *g)
{
    for (struct session *s = g->sessions; s; s = s->next)
        if (s->state < S_DATA && !s->mail) { /* a mail that was begun may still arrive */
            session_decide(s, OUTCOME_DEFERRED, 421, "the gate stops");
            session_last_words(s, 421, "4.3.2", "the gate stops, please come again");
        }
    session_flush_all(g);
}

/* ---- time ---- */

static void on_time(void *ctx)
{
    struct session *s = ctx;
    int64_t now = gate_now_us(s->gate);

    s->timer = 0;
    if (now < s->deadline_us) {
        s->timer = timers_add(s->gate->timers, s->deadline_us, 0, on_time, s);
        return;
    }
    switch ((enum session_state)s->state) {
    case S_GREETING:
        dialogue_greet(s);
        return;
    case S_ASKING:
        verdict_expire(s->visit);
        return;
    case S_OPENING:
    case S_SERVER:
    case S_VERDICT:
        server_expire(s->server);
        return;
    case S_LINGER:
    case S_DEAD:
        session_end(s);
        return;
    case S_PROXY:
    case S_TLS:
        session_decide(s, OUTCOME_ENDED, 0, s->state == S_TLS ? "no TLS handshake in time" : "no PROXY header in time");
        session_end(s);
        return;
    case S_COMMAND:
    case S_SECRET:
    case S_DATA:
    case S_BLIND:
    case S_STATES:
        break;
    }
    session_decide(s, OUTCOME_DEFERRED, 421, s->state == S_DATA ? "the message did not come on" : "no command in time");
    session_last_words(s, 421, "4.4.2", "you took too long");
}

/* ---- input ---- */

static void begin_tls(struct session *s)
{
    struct err e;

    s->tls = tls_new(s->gate->tls, s->fd, &e);
    session_enter(s, S_TLS);
    if (!s->tls)
        session_end(s);
}

static size_t take_proxy(struct session *s, struct slice in)
{
    struct proxyproto p;
    enum proxyproto_got got = proxyproto_read(in, &p);
    struct event ev = event_new(EV_GATE_PROXY_WRONG);

    if (got == PROXYPROTO_MORE)
        return 0;
    if (got == PROXYPROTO_BAD) {
        event_add_words(&ev, F_WHY, "it does not begin with a PROXY header as the specification has it");
        gate_tell(s->gate, &ev, s->visit, 0);
        session_decide(s, OUTCOME_REFUSED, 0, "no PROXY header");
        session_end(s);
        return in.len;
    }
    if (!p.local) {
        s->visit->peer = p.src;
        s->visit->local = p.dst;
    }
    if (s->visit->at->implicit_tls)
        begin_tls(s);
    else
        begin(s);
    return p.used;
}

/* As much as can be taken now; what is left waits in s->in. */
static void take(struct session *s, struct slice in)
{
    while (in.len > 0 && states[s->state].reads) {
        size_t used = 0;

        if (s->state == S_COMMAND || s->state == S_SECRET)
            used = dialogue_line(s, in);
        else if (s->state == S_DATA)
            used = message_take(s, in);
        else if (s->state == S_PROXY)
            used = take_proxy(s, in);
        else if (s->state == S_LINGER) {
            s->unread = true; /* nobody listens any more, but hanging up now would take our words back */
            used = in.len;
        }
        if (used == 0)
            break;
        in = slice_skip(in, used);
    }
    if (s->injected) { /* what came in plain text behind STARTTLS is forgotten */
        s->injected = false;
        in.len = 0;
    }
    if (s->state != S_DEAD && !inbox_keep(&s->in, in))
        session_end(s);
}

static void early(struct session *s)
{
    struct verdict r;

    visit_found(s->visit, CHECK_EARLY, FOUND_HIT, "bytes before the greeting");
    r = verdict_now(s->visit, STAGE_CONNECT);
    if (r.act == VERDICT_PASS) {
        hear(s, false); /* they are read once it is greeted */
        return;
    }
    s->unread = true;
    session_decide(s, OUTCOME_REFUSED, r.code, r.text);
    session_last_words(s, r.code, r.enhanced, r.text);
}

static void gone(struct session *s, const char *why)
{
    if (s->state == S_LINGER) {
        session_end(s);
        return;
    }
    session_decide(s, OUTCOME_ENDED, 0, why);
    session_drop_server(s, false);
    session_end(s);
}

static ssize_t receive(struct session *s, uint8_t *at, size_t len)
{
    return s->tls ? tls_recv(s->tls, at, len) : recv(s->fd, at, len, 0);
}

static void on_readable(struct session *s)
{
    struct gate *g = s->gate;
    size_t room = sizeof(g->buffer) - s->in.len;
    ssize_t n;

    if (s->state == S_GREETING) {
        uint8_t one;

        n = recv(s->fd, &one, 1, MSG_PEEK);
        if (n > 0)
            early(s);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            gone(s, "the client left before it was greeted");
        return;
    }
    if (s->in.len > 0)
        memcpy(g->buffer, s->in.at, s->in.len);
    if (s->state == S_PROXY) { /* what follows the header may be TLS, and is not ours to read */
        size_t wants = proxyproto_wants(slice_of(g->buffer, s->in.len));

        room = wants < room ? wants : room;
    }
    if (room == 0) {
        hear(s, false);
        return;
    }
    n = receive(s, g->buffer + s->in.len, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        gone(s, n == 0 ? "the client hung up" : "the connection broke");
    else
        take(s, slice_of(g->buffer, s->in.len + (size_t)n));
}

static void shake(struct session *s)
{
    int done = tls_handshake(s->tls);
    struct event ev = event_new(EV_GATE_TLS_FAILED);
    struct err e;

    if (done == 0) {
        (void)loop_change(s->gate->role->loop, s->fd, LOOP_IN | (tls_wants_write(s->tls) ? LOOP_OUT : 0), &e);
        s->hears = true;
        return;
    }
    if (done < 0) {
        event_add_words(&ev, F_WHY, tls_error(s->tls));
        gate_tell(s->gate, &ev, s->visit, 0);
        session_decide(s, OUTCOME_ENDED, 0, "the TLS handshake failed");
        session_end(s);
        return;
    }
    s->visit->tls = true;
    if (s->visit->at->implicit_tls && s->visit->stage == STAGE_CONNECT && !s->told) {
        s->told = true;
        begin(s);
    } else
        session_enter(s, S_COMMAND);
}

/* In small pieces: as long as some came, there may be more. */
static void read_header(struct session *s)
{
    size_t had;

    do {
        had = s->in.len;
        on_readable(s);
    } while (s->state == S_PROXY && s->in.len > had);
}

static void on_socket(void *ctx, int fd, int events)
{
    struct session *s = ctx;

    (void)fd;
    if (s->state == S_DEAD)
        return;
    touch(s);
    if (s->state == S_TLS) {
        shake(s);
        return;
    }
    if (s->blind) {
        blind_turn(s->blind);
        return;
    }
    if (!(events & (LOOP_IN | LOOP_GONE)))
        return;
    if (s->state == S_PROXY)
        read_header(s);
    else if (states[s->state].reads && s->out.len < SESSION_CHUNK)
        on_readable(s);
    else if (events & LOOP_GONE)
        gone(s, "the client is gone");
    else
        hear(s, false);
    while (s->tls && s->state != S_DEAD && states[s->state].reads && tls_pending(s->tls))
        on_readable(s);
}

/* ---- before sleep ---- */

static void flush(struct session *s)
{
    bool was = s->sends;
    int gone_out = s->fd >= 0 && s->out.len > 0 && s->state != S_TLS ? outbox_send(&s->out, s->fd, s->tls) : 1;
    struct err e;

    if (gone_out < 0 && s->state != S_DEAD)
        gone(s, "the connection broke");
    s->sends = s->out.len > 0;
    if (s->sends != was && s->watched && s->state != S_DEAD)
        (void)loop_change(s->gate->role->loop, s->fd, (s->hears ? LOOP_IN : 0) | (s->sends ? LOOP_OUT : 0), &e);
    if (s->state != S_LINGER || s->out.len > 0)
        return;
    if (!s->unread) {
        session_end(s);
        return;
    }
    if (!s->shut) /* it reads our words before it hears that nobody listens */
        (void)shutdown(s->fd, SHUT_WR);
    s->shut = true;
}

/* Once the client has its last reply: from here on nobody reads along. */
static void go_blind(struct session *s)
{
    s->blind = blind_new(s, slice_of(s->in.at, s->in.len));
    server_close(s->server, false);
    s->server = NULL;
    if (!s->blind) {
        session_decide(s, OUTCOME_DEFERRED, 451, "the sessions' ends could not be joined");
        session_end(s);
        return;
    }
    (void)inbox_keep(&s->in, slice_of(NULL, 0));
    session_decide(s, OUTCOME_PASSED, 0, "");
    blind_turn(s->blind);
}

void session_flush_all(struct gate *g)
{
    while (g->dirty) {
        struct session *s = g->dirty;

        g->dirty = s->next_dirty;
        s->dirty = false;
        if (s->state == S_BLIND && !s->blind && s->out.len == 0)
            go_blind(s);
        if (s->in.len > 0 && s->state != S_BLIND && states[s->state].reads && s->state != S_GREETING &&
            s->state != S_TLS) {
            struct slice in = slice_of(s->in.at, s->in.len);
            uint8_t *old = s->in.at;

            s->in = (struct inbox){ 0 };
            take(s, in);
            free(old);
        }
        flush(s);
        if (s->state == S_BLIND && !s->blind && s->out.len == 0)
            touch(s); /* its last reply has just left */
        if (s->state == S_DEAD && !s->dirty)
            release(s);
    }
}

/* ---- the beginning ---- */

bool session_guesses(struct session *s)
{
    struct visit *v = s->visit;
    int64_t now_us = v->means->wall_us(s->gate);
    int64_t until_us = v->at->kind == GATE_SUBMISSION ? guesses_refuse(s->gate->guesses, v->peer, now_us) : 0;
    char words[100];

    if (until_us == 0)
        return false;
    (void)snprintf(words, sizeof(words),
                   "too many wrong passwords from your address, please come again in %lld minutes",
                   (long long)((until_us - now_us) / 60000000 + 1));
    session_decide(s, OUTCOME_REFUSED, 421, "too many wrong passwords from there");
    session_last_words(s, 421, "4.7.0", words);
    return true;
}

static void begin(struct session *s)
{
    struct gate *g = s->gate;
    struct limit_said said;
    struct verdict r;

    said = limits_enter(g->means.limits, s->visit->peer, false, gate_now_us(g), &s->places);
    if (said.over != LIMIT_NONE && !gate_let_in(s, &said)) {
        r = verdict_now(s->visit, STAGE_CONNECT);
        session_decide(s, OUTCOME_DEFERRED, 421, r.text[0] ? r.text : "no free place");
        session_last_words(s, 421, "4.3.2", r.text[0] ? r.text : "every place is taken, please come again");
        return;
    }
    gate_count_places(g);
    if (session_guesses(s))
        return;
    s->visit->known = greylist_knows(s->visit);
    session_enter(s, S_ASKING);
    verdict_ask(s->visit, STAGE_CONNECT, dialogue_verdict);
}

static void on_settled(struct visit *v, enum check_id id)
{
    struct session *s = v->owner;

    if (id == CHECK_CONFIRMED && v->organisation && s->state != S_DEAD)
        gate_join(s);
    if (v->organisation && !v->known) /* its organisation may be of good standing, where its network is not */
        v->known = greylist_knows(v);
    if (s->state == S_GREETING && v->known)
        session_enter(s, S_GREETING); /* its time is shorter now */
}

static bool is_balancer(const struct gate_listener *at, struct addr peer)
{
    for (uint32_t i = 0; i < at->balancers.count; i++)
        if (prefix_has(at->balancers.at[i], peer))
            return true;
    return false;
}

void session_new(struct door *d, int fd, struct addr peer, struct addr local)
{
    struct gate *g = d->gate;
    struct session *s = calloc(1, sizeof(*s));
    struct err e;

    if (!s || !(s->visit = visit_new(&g->means, d->at, peer, local)))
        goto fail;
    s->gate = g;
    s->fd = fd;
    s->backend = &g->backends[d->listener];
    s->visit->number = ++g->next_number;
    s->visit->owner = s;
    s->visit->settled = on_settled;
    s->began_us = gate_now_us(g);
    if (loop_watch(g->role->loop, fd, LOOP_IN, on_socket, s, &e) < 0)
        goto fail;
    s->watched = s->hears = true;
    s->next = g->sessions;
    if (s->next)
        s->next->prev = s;
    g->sessions = s;
    g->sessions_count++;
    g->accepted++;
    if (s->backend->state != BACKEND_UP) {
        session_decide(s, OUTCOME_DEFERRED, 421, "the mail server behind the gate does not answer");
        session_last_words(s, 421, "4.3.2", "the mail server does not answer, please come again");
    } else if (is_balancer(d->at, peer))
        session_enter(s, S_PROXY);
    else if (d->at->implicit_tls)
        begin_tls(s);
    else
        begin(s);
    return;
fail:
    if (s)
        visit_free(s->visit);
    free(s);
    (void)close(fd);
}
