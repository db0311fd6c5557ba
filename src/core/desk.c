/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk: commands that people type come to it over the control socket and get one answer each. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "core/core.h"
#include "core/crew.h"
#include "core/doors.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { CLIENT_QUEUE = 256 * 1024 };

struct client {
    struct desk *desk;
    struct chan *chan; /* owned; NULL: a free place */
    uint32_t number;   /* never reused: late answers find nobody */
    bool follows;
    uint32_t listing; /* the id of its CTL_BLOCKS under way; 0: none */
    uint32_t list_id; /* and ours to the hand */
    int32_t pid;
    uint32_t uid;
};

struct desk {
    struct core *core;
    struct client *clients;
    size_t places;
    int listening; /* -1: none */
    uint32_t next_number;
    uint32_t reload_number, reload_id; /* who asked for a reload */
};

/* ---- answers ---- */

static struct client *find(struct desk *d, uint32_t number)
{
    for (size_t i = 0; i < d->places; i++)
        if (d->clients[i].chan && d->clients[i].number == number)
            return &d->clients[i];
    return NULL;
}

static void done_with(struct client *cl, uint16_t op, uint32_t id, struct ctl_done answer, const char *words, int fd)
{
    struct slice s = slice_first(slice_text(words), sizeof(answer.text) - 1);

    memcpy(answer.text, s.at, s.len);
    (void)chan_send(cl->chan, op, id, 0, &answer, sizeof(answer), fd);
}

static void done(struct client *cl, uint32_t id, int32_t code, uint64_t seq, const char *words)
{
    done_with(cl, CTL_ANSWER, id, (struct ctl_done){ .code = code, .seq = seq }, words, -1);
}

void desk_answer(struct desk *d, uint32_t waiter, uint32_t id, int32_t code, uint64_t seq, const char *text)
{
    struct client *cl = find(d, waiter);

    if (cl)
        done(cl, id, code, seq, text);
}

/* ---- what may be asked ---- */

static void add_who(const struct client *cl, struct event *ev)
{
    char words[48];
    struct text t = TEXT_IN(words);

    if (cl->uid == 0) /* other names stand in a file, and the core has no files */
        text_addf(&t, "root, pid %d", cl->pid);
    else
        text_addf(&t, "uid %u, pid %d", cl->uid, cl->pid);
    event_add_words(ev, F_WHO, words);
}

static void add_why(const char text[CTL_TEXT], struct event *ev)
{
    struct slice s = slice_of(text, strnlen(text, CTL_TEXT));

    if (s.len > 0)
        event_add_text(ev, F_WHY, s);
}

static bool is_host(struct addr who)
{
    return (who.family == 4 || who.family == 6) && who.port == 0 && who.zero == 0;
}

static int on_block(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct core *c = cl->desk->core;
    const struct ctl_block *ask = body;
    struct event ev = event_new(EV_ACT_BLOCK_ASKED);
    struct act_ask act = {
        .who = ask->who,
        .span_us = ask->span_us,
        .rule = "by hand",
        .waiter = cl->number,
        .waiter_id = m->id,
        .outside = doors_block(c->conf),
    };
    enum hand_code code;

    (void)from;
    (void)fd;
    if (!is_host(ask->who) || ask->span_us < 0)
        return -1;
    if (ask->span_us > HAND_SECONDS_MAX * 1000000LL) {
        done(cl, m->id, HAND_WRONG, 0, "a block lasts 366 days at most");
        return 0;
    }
    ev.src = ask->who;
    add_who(cl, &ev);
    add_why(ask->why, &ev);
    act.cause = core_emit(c, &ev, 0);
    code = acts_block(c, &act);
    if (code != HAND_OK)
        done(cl, m->id, (int32_t)code, act.cause, hand_code_words(code));
    return 0;
}

static int on_unblock(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct core *c = cl->desk->core;
    const struct ctl_block *ask = body;
    struct block *b;
    struct event ev = event_new(EV_ACT_UNBLOCKED);
    uint64_t seq;

    (void)from;
    (void)fd;
    if (!is_host(ask->who))
        return -1;
    b = blocks_find(c->blocks, ask->who);
    if (!b) {
        done(cl, m->id, HAND_NOT_THERE, 0, hand_code_words(HAND_NOT_THERE));
        return 0;
    }
    ev.src = ask->who;
    add_who(cl, &ev);
    add_why(ask->why, &ev);
    seq = core_emit(c, &ev, b->seq ? b->seq : b->cause);
    if (b->state == BLOCK_STANDS || b->state == BLOCK_ASKED)
        acts_unblock(c, ask->who, seq);
    blocks_remove(c->blocks, ask->who);
    rules_forget(c->rules, ask->who);
    peers_tell_forget(c, ask->who);
    done(cl, m->id, HAND_OK, seq, "");
    return 0;
}

struct inside {
    struct prefix net;
    struct addr found[HAND_BATCH];
    size_t count;
};

static void collect_inside(void *ctx, struct block *b)
{
    struct inside *in = ctx;

    if (prefix_has(in->net, b->who) && in->count < HAND_BATCH)
        in->found[in->count++] = b->who;
}

/* A host that is allowed now is unblocked at once. */
static void unblock_inside(struct core *c, struct prefix net, uint64_t cause)
{
    struct inside in = { .net = net };

    do {
        in.count = 0;
        blocks_each(c->blocks, collect_inside, &in);
        for (size_t i = 0; i < in.count; i++) {
            struct block *b = blocks_find(c->blocks, in.found[i]);
            struct event ev = event_new(EV_ACT_UNBLOCKED);

            ev.src = in.found[i];
            event_add_words(&ev, F_WHY, "it is on the allow list now");
            if (b && b->state == BLOCK_STANDS)
                core_emit(c, &ev, cause);
            acts_unblock(c, in.found[i], cause);
            blocks_remove(c->blocks, in.found[i]);
        }
    } while (in.count == HAND_BATCH);
}

static int on_allow(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct core *c = cl->desk->core;
    const struct ctl_allow *ask = body;
    struct link_allow allow = { .net = ask->net, .add = ask->add != 0 };
    struct event ev = event_new(allow.add ? EV_ACT_ALLOWED : EV_ACT_DISALLOWED);
    uint64_t seq;

    (void)from;
    (void)fd;
    if (!is_host(ask->net.net) || ask->net.bits > (ask->net.net.family == 4 ? 32 : 128))
        return -1;
    event_add_words(&ev, F_PREFIX, prefix_text(ask->net).text);
    add_who(cl, &ev);
    add_why(ask->why, &ev);
    if (!peers_fold_allow(c, &ev)) {
        done(cl, m->id, allow.add ? HAND_ALREADY : HAND_NOT_THERE, 0,
             !allow.add ? "it was not put there by a command; see hunt.allow in the configuration"
             : c->allowed_count < CORE_ALLOWED
                 ? "it is on the allow list already"
                 : "too many were allowed by command: put them under hunt.allow in the configuration");
        return 0;
    }
    seq = core_emit(c, &ev, 0);
    peers_tell_allow(c, &allow);
    if (allow.add)
        unblock_inside(c, allow.net, seq);
    done(cl, m->id, HAND_OK, seq, "");
    return 0;
}

static struct peer *gate_peer(struct core *c)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (strcmp(roster[i].name, "gate") == 0)
            return &c->peers[i];
    return NULL;
}

static int on_account(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    const struct link_account *ask = body;
    struct peer *gate = gate_peer(cl->desk->core);

    (void)from;
    (void)fd;
    if (ask->name[0] == '\0' || ask->name[sizeof(ask->name) - 1] != '\0' || ask->stop > 1)
        return -1;
    if (!gate || !gate->chan || !peer_say(gate, LINK_ACCOUNT, 0, 0, ask, sizeof(*ask), -1))
        done(cl, m->id, HAND_NOT_THERE, 0, "the gate does not run");
    else
        done(cl, m->id, HAND_OK, 0, "");
    return 0;
}

static int on_ack(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct core *c = cl->desk->core;
    const struct ctl_ack *ask = body;
    struct event ev = event_new(EV_NOTIFY_ACKNOWLEDGED);

    (void)from;
    (void)fd;
    if (ask->seq >= tail_next(c->tail)) {
        done(cl, m->id, HAND_NOT_THERE, 0, "there is no such event yet");
        return 0;
    }
    add_who(cl, &ev);
    add_why(ask->why, &ev);
    if (ask->seq > 0)
        event_add_number(&ev, F_ORIGIN, ask->seq);
    done(cl, m->id, HAND_OK, core_emit(c, &ev, ask->seq), "");
    return 0;
}

static int on_blocks(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct core *c = cl->desk->core;

    (void)from;
    (void)body;
    (void)fd;
    cl->listing = m->id ? m->id : 1;
    cl->list_id = c->next_id++;
    if (!peer_say(core_peer(c, ROW_HAND), HAND_LIST, cl->list_id, 0, NULL, 0, -1))
        desk_listed(cl->desk, cl->list_id, NULL, 0);
    return 0;
}

/* The kernel's counters, joined with what we know of each block. */
void desk_listed(struct desk *d, uint32_t id, const struct hand_entry *entries, size_t count)
{
    static struct ctl_blocks out; /* 8 KiB, sent and forgotten */
    struct client *cl = NULL;
    int64_t now_us = clock_wall_us();

    for (size_t i = 0; i < d->places; i++)
        if (d->clients[i].chan && d->clients[i].listing && d->clients[i].list_id == id)
            cl = &d->clients[i];
    if (!cl)
        return;
    for (size_t from = 0; from < count || count == 0; from += CTL_BATCH) {
        memset(&out, 0, sizeof(out));
        for (size_t i = from; i < count && out.count < CTL_BATCH; i++) {
            const struct block *b = blocks_find(d->core->blocks, entries[i].who);
            struct ctl_entry *to = &out.at[out.count++];

            to->who = entries[i].who;
            to->packets = entries[i].packets;
            to->bytes = entries[i].bytes;
            to->until_us = now_us + (int64_t)entries[i].expires_ms * 1000;
            if (b) {
                to->cause = b->seq;
                to->since_us = b->since_us;
                to->until_us = b->until_us;
            }
        }
        (void)chan_send(cl->chan, CTL_BLOCKS, cl->listing, 0, &out, sizeof(out), -1);
        if (count == 0)
            break;
    }
    if (count == 0)
        cl->listing = 0;
}

static struct ctl_door *door_of(struct core *c, const struct event *ev)
{
    char name[sizeof(c->doors->name)] = "";
    struct slice said;

    if (!event_get(ev, F_LISTENER, &said))
        return NULL;
    said = slice_first(said, 12); /* as sessions tell it */
    memcpy(name, said.at, said.len);
    for (uint32_t i = 0; i < c->doors_count; i++)
        if (memcmp(c->doors[i].name, name, sizeof(name)) == 0)
            return &c->doors[i];
    if (c->doors_count == CTL_DOORS)
        return NULL;
    memset(&c->doors[c->doors_count], 0, sizeof(c->doors[0]));
    memcpy(c->doors[c->doors_count].name, name, sizeof(name));
    return &c->doors[c->doors_count++];
}

void desk_note_gate(struct core *c, const struct event *ev)
{
    struct ctl_door *d;

    if (ev->kind == EV_GATE_FULL || ev->kind == EV_GATE_ROOM_AGAIN)
        c->doors_full = ev->kind == EV_GATE_FULL;
    if (strncmp(event_name(ev->kind), "gate.", 5) != 0 || !(d = door_of(c, ev)))
        return;
    d->passed += ev->kind == EV_GATE_SESSION_PASSED;
    d->refused += ev->kind == EV_GATE_SESSION_REFUSED;
    d->deferred += ev->kind == EV_GATE_SESSION_DEFERRED;
    d->ended += ev->kind == EV_GATE_SESSION_ENDED;
    if (ev->kind == EV_GATE_LISTENING) {
        d->open = 1;
        d->closed = 0;
    } else if (ev->kind == EV_GATE_SERVER_TRUSTS || ev->kind == EV_GATE_NAME_DIFFERS) {
        d->open = 0;
        d->closed = 1;
    } else if (ev->kind == EV_GATE_SERVER_DOWN || ev->kind == EV_GATE_SERVER_BACK)
        d->down = ev->kind == EV_GATE_SERVER_DOWN;
}

void desk_status(struct core *c, struct ctl_status *s)
{
    uint64_t next = tail_next(c->tail);

    memset(s, 0, sizeof(*s));
    (void)text_cstr(s->version, sizeof(s->version), SLICE(SERVIOLA_VERSION));
    s->now_us = clock_wall_us();
    s->started_us = c->started_us;
    s->next_seq = next;
    s->synced_seq = tail_synced(c->tail);
    s->scribe_behind_us = s->synced_seq + 1 < next ? clock_mono_us() - c->disk.moved_us : 0;
    s->mode = (uint32_t)c->conf->hunt.mode;
    s->gate_blocks = doors_block(c->conf);
    s->blocks = (uint32_t)blocks_count(c->blocks, BLOCK_STANDS);
    s->blocks_cap = (uint32_t)c->conf->block.total;
    s->table_whole = c->table.whole;
    s->table_owned = c->table.owned;
    s->table_persists = c->table.persists;
    s->mails = c->mails;
    s->findings = c->findings;
    s->up = c->up;
    s->doors_count = c->doors_count;
    s->doors_full = c->doors_full;
    memcpy(s->doors, c->doors, sizeof(s->doors));
    for (uint32_t i = 0; i < roster_count && s->parts_count < CTL_PARTS; i++) {
        const struct peer *p = &c->peers[i];
        struct ctl_part *to = &s->parts[s->parts_count];
        bool core_itself = p->row->kind == ROW_CORE;

        if (!core_itself && !p->chan && p->pid == 0)
            continue; /* not wanted by the configuration */
        s->parts_count++;
        (void)text_cstr(to->name, sizeof(to->name), slice_text(p->row->name));
        to->pid = core_itself ? (int32_t)getpid() : p->pid;
        to->up = core_itself || (p->chan && p->ready);
        if (to->up && p->row->settings == SETTINGS_GATE)
            s->accounts = c->accounts;
        to->gaps = core_itself ? (uint8_t)c->role->gaps : p->gaps;
        to->restarts = (uint16_t)p->restarts;
        to->since_us = core_itself ? c->started_us : p->since_us;
        to->events = p->events;
        to->lost = p->chan ? chan_lost(p->chan) : 0;
        if (to->up && p->row->settings == SETTINGS_LOG) {
            s->lines_known = 1;
            s->lines = c->lines;
        }
    }
    for (uint32_t i = 0; i < c->links_count && s->links_count < CTL_LINKS; i++) {
        struct ctl_link *to = &s->links[s->links_count++];

        memcpy(to->name, c->links[i].name, sizeof(to->name));
        to->up = c->links[i].up;
        for (uint32_t k = 0; k < c->counters_count; k++)
            if (strncmp(c->counters[k].name, to->name, sizeof(to->name)) == 0) {
                to->captured = 1;
                to->packets = c->counters[k].packets;
                to->lost = c->counters[k].lost;
            }
    }
}

static int on_status(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct ctl_status s;

    (void)from;
    (void)body;
    (void)fd;
    desk_status(cl->desk->core, &s);
    return chan_send(cl->chan, CTL_ANSWER, m->id, 0, &s, sizeof(s), -1);
}

static int on_tail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;

    (void)from;
    (void)body;
    (void)fd;
    return chan_send(cl->chan, CTL_TAIL, m->id, 0, NULL, 0, tail_fd(cl->desk->core->tail));
}

static int on_recorder(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    const struct core *c = cl->desk->core;

    (void)from;
    (void)body;
    (void)fd;
    return chan_send(cl->chan, CTL_RECORDER, m->id, 0, NULL, 0, c->recorder_known ? c->recorder : -1);
}

static int on_xray(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct core *c = cl->desk->core;
    const struct sitter who = { .number = cl->number, .id = m->id, .keep = ((const struct ctl_xray *)body)->keep != 0 };
    struct event ev = event_new(EV_XRAY_ASKED);
    char words[CTL_TEXT];
    struct text no = TEXT_IN(words);

    (void)from;
    (void)fd;
    add_who(cl, &ev);
    switch (watching_ask(c, &who, &ev)) {
    case SITTING_BEGINS:
        break;
    case SITTING_JOINS:
    case SITTING_NEXT:
        return chan_send(cl->chan, CTL_TAKING, m->id, 0, NULL, 0, -1);
    case SITTING_TOO_OFTEN:
        text_addf(&no, "%d pictures were asked for within a minute, and it takes no more", SITTING_A_MINUTE);
        break;
    case SITTING_CROWDED:
        text_addf(&no, "%d others wait for the picture that is being taken", SITTING_WAITERS);
        break;
    }
    if (no.len > 0)
        desk_picture(cl->desk, &who, -1, words, -1);
    return 0;
}

void desk_picture(struct desk *d, const struct sitter *who, int32_t code, const char *text, int fd)
{
    struct client *cl = find(d, who->number);

    if (cl)
        done_with(cl, CTL_XRAY, who->id, (struct ctl_done){ .code = code }, text, fd);
}

static int on_follow(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;
    struct ctl_news news = { tail_next(cl->desk->core->tail) };

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    cl->follows = true;
    return chan_send(cl->chan, CTL_NEWS, 0, 0, &news, sizeof(news), -1);
}

static int on_reload(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *cl = ctx;

    (void)from;
    (void)body;
    (void)fd;
    if (find(cl->desk, cl->desk->reload_number)) {
        done(cl, m->id, -1, 0, "another reload is under way; try again when it is over");
        return 0;
    }
    cl->desk->reload_number = cl->number;
    cl->desk->reload_id = m->id;
    return chan_send(cl->desk->core->role->core, CREW_RELOAD, 0, 0, NULL, 0, -1);
}

void desk_reloaded(struct desk *d, int32_t code, const char *text)
{
    if (d->reload_number)
        desk_answer(d, d->reload_number, d->reload_id, code, 0, text);
    d->reload_number = 0;
}

static const struct chan_op client_ops[] = {
    { CTL_STATUS, "status", 0, 0, false, on_status },
    { CTL_BLOCK, "block", sizeof(struct ctl_block), sizeof(struct ctl_block), false, on_block },
    { CTL_UNBLOCK, "unblock", sizeof(struct ctl_block), sizeof(struct ctl_block), false, on_unblock },
    { CTL_ALLOW, "allow", sizeof(struct ctl_allow), sizeof(struct ctl_allow), false, on_allow },
    { CTL_BLOCKS, "blocks", 0, 0, false, on_blocks },
    { CTL_TAIL, "tail", 0, 0, false, on_tail },
    { CTL_RECORDER, "recorder", 0, 0, false, on_recorder },
    { CTL_ACCOUNT, "account", sizeof(struct link_account), sizeof(struct link_account), false, on_account },
    { CTL_ACK, "acknowledge", sizeof(struct ctl_ack), sizeof(struct ctl_ack), false, on_ack },
    { CTL_XRAY, "xray", sizeof(struct ctl_xray), sizeof(struct ctl_xray), false, on_xray },
    { CTL_FOLLOW, "follow", 0, 0, false, on_follow },
    { CTL_RELOAD, "reload", 0, 0, false, on_reload },
};

/* ---- who comes and goes ---- */

static void on_ended(void *ctx, struct chan *chan, const char *why)
{
    struct client *cl = ctx;

    (void)why;
    chan_free(chan);
    cl->chan = NULL;
}

static struct client *free_place(struct desk *d)
{
    for (size_t i = 0; i < d->places; i++)
        if (!d->clients[i].chan)
            return &d->clients[i];
    return NULL;
}

/* The socket's mode keeps strangers out; the kernel tells who came in. */
static void on_knock(void *ctx, int listening, int events)
{
    struct desk *d = ctx;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *cl = free_place(d);
    struct ucred who = { 0 };
    socklen_t len = sizeof(who);
    struct err e;

    (void)events;
    if (fd < 0)
        return;
    if (!cl || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0) {
        close(fd); /* a full desk: the command says that it was turned away */
        return;
    }
    *cl = (struct client){ .desk = d, .number = ++d->next_number, .pid = who.pid, .uid = who.uid };
    cl->chan = chan_new(fd, "a command", client_ops, sizeof(client_ops) / sizeof(client_ops[0]), cl, &e);
    if (cl->chan && chan_attach(cl->chan, d->core->role->loop, on_ended, &e) < 0) {
        chan_free(cl->chan);
        cl->chan = NULL;
    }
    if (cl->chan)
        chan_limit(cl->chan, CLIENT_QUEUE);
}

struct desk *desk_new(struct core *c, struct err *e)
{
    struct desk *d = calloc(1, sizeof(*d));

    if (d)
        d->clients = calloc((size_t)c->conf->core.clients, sizeof(d->clients[0]));
    if (!d || !d->clients) {
        free(d);
        err_set(e, 0, "no memory for the desk");
        return NULL;
    }
    d->core = c;
    d->places = (size_t)c->conf->core.clients;
    d->listening = -1;
    return d;
}

int desk_open(struct desk *d, int listening_fd, struct err *e)
{
    if (d->listening >= 0) {
        close(listening_fd);
        return 0;
    }
    d->listening = listening_fd;
    return loop_watch(d->core->role->loop, listening_fd, LOOP_IN, on_knock, d, e);
}

/* News coalesce: who has not read the last one yet needs no other. */
void desk_news(struct desk *d, uint64_t next)
{
    struct ctl_news news = { next };

    for (size_t i = 0; i < d->places; i++) {
        struct client *cl = &d->clients[i];

        if (cl->chan && cl->follows && chan_queued(cl->chan) == 0)
            (void)chan_send(cl->chan, CTL_NEWS, 0, 0, &news, sizeof(news), -1);
    }
}
