/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "hand/op.h"
#include "part/link.h"
#include "sense/log/intake.h"
#include "sense/log/libhs.h"

enum { LAST_WORDS_US = 3000000, AGAIN_US = 1000000, SECOND_US = 1000000, LATELY_S = 10, PATH_ROOM = 208 };
_Static_assert((int)LOG_PORTS <= 0x100, "an ask has a byte for its place");

struct log_role {
    struct role *role;
    struct intake *in;
    uint32_t round, timer;
    size_t ports_count; /* as they were asked for last */
    struct log_port ports[LOG_PORTS];
    bool deaf[LOG_PORTS]; /* that it can't be had was told */
    unsigned second;
    uint64_t received[LATELY_S]; /* lines, as of the last seconds */
    struct link_lines told;
};

static void on_event(void *ctx, struct event *ev)
{
    (void)role_emit(ctx, ev, 0);
}

/* Until the core takes it: the readers of lines wait. */
static bool on_say(void *ctx, uint16_t op, const void *body, size_t len)
{
    struct role *r = ctx;
    struct event ev;

    if (chan_queued(r->core) > 0)
        return false;
    if (op != LINK_EVENT || len != sizeof(ev))
        return chan_send(r->core, op, 0, 0, body, len, -1) == 0;
    memcpy(&ev, body, sizeof(ev));
    return role_emit(r, &ev, 0);
}

static bool on_all_said(void *ctx)
{
    return chan_queued(((const struct role *)ctx)->core) == 0;
}

static struct log_role *own(const struct role *r)
{
    return r->own;
}

static int log_open(struct role *r, struct err *e)
{
    const struct intake_calls calls = { .ctx = r, .event = on_event, .say = on_say, .all_said = on_all_said };
    const struct log_house *house = r->settings;
    struct log_role *l = calloc(1, sizeof(*l));

    if (!l)
        return err_set(e, ENOMEM, "log");
    (void)libhs_load(e); /* no library comes into the jail; who wants it and has it not says so */
    l->role = r;
    r->own = l;
    l->in = intake_new(r->loop, &house->set, &house->papers, &calls, e);
    return l->in ? 0 : -1;
}

/* The store, and the folders of the files that are followed: a file that was rotated is another one. */
static void log_confine(struct role *r, struct jail *j)
{
    static char parents[LOG_FILES][PATH_ROOM];
    static const char *read_only[LOG_FILES + 3];
    static const char *folders[2];
    static uint16_t ports[LOG_FORWARDS];
    const struct log_settings *s = &((const struct log_house *)r->settings)->set;
    uint32_t more = s->files_count;

    folders[0] = s->folder;
    for (uint32_t i = 0; i < s->files_count && i < LOG_FILES; i++) {
        struct text t = TEXT_IN(parents[i]);
        const char *slash = strrchr(s->files[i].path, '/');

        text_add(&t, slice_of(s->files[i].path, slash ? (size_t)(slash - s->files[i].path) : 0));
        read_only[i] = parents[i];
    }
    if (s->journald)
        read_only[more++] = s->journald_folder;
    if (s->analyse.logcheck[0])
        read_only[more++] = s->analyse.logcheck;
    for (uint32_t i = 0; i < s->forwards_count && i < LOG_FORWARDS; i++)
        ports[i] = s->forwards[i].to.port;
    j->tcp = s->forwards_count > 0 ? JAIL_TCP_CONNECT : 0;
    j->tcp_ports = ports;
    j->tcp_ports_count = s->forwards_count;
    j->folders = folders;
    j->read_only = read_only;
}

static void tell_figures(void *ctx)
{
    struct log_role *l = ctx;
    struct link_lines now;

    intake_figures(l->in, &now);
    now.lately = now.received - l->received[l->second % LATELY_S];
    l->received[l->second++ % LATELY_S] = now.received;
    if (memcmp(&now, &l->told, sizeof(now)) != 0 &&
        chan_send(l->role->core, LINK_LINES, 0, 0, &now, sizeof(now), -1) == 0)
        l->told = now;
}

static int log_run(struct role *r, struct err *e)
{
    if (intake_start(own(r)->in, e) < 0)
        return -1;
    return loop_timer(r->loop, SECOND_US, SECOND_US, tell_figures, own(r)) ? 0 : err_set(e, 0, "no room for a timer");
}

/* ---- places that a reload names: the hand opens them, for we may not any more ---- */

static void tell_place(const struct log_role *l, enum event_kind kind, const struct log_port *port, const char *why)
{
    struct event ev = event_new(kind);
    char words[96];
    struct text t = TEXT_IN(words);

    text_addf(&t, "%s %s", log_way_name(port->way), addr_socket_text(port->at).text);
    event_add_words(&ev, F_NAME, words);
    if (why)
        event_add_words(&ev, F_WHY, why);
    (void)role_emit(l->role, &ev, 0);
}

static void ask_again_in(struct log_role *l, int64_t us);

/* Each ask has a number of its round: an answer of an earlier one is of no use. */
static void ask_for_places(void *ctx)
{
    struct log_role *l = ctx;
    const struct log_settings *s = &((const struct log_house *)l->role->settings)->set;

    l->timer = 0;
    l->round++;
    l->ports_count = log_ports(s, l->ports);
    for (size_t i = 0; i < l->ports_count; i++) {
        const struct log_port *port = &l->ports[i];
        const struct hand_listen ask = { .at = port->at,
                                         .v6only = port->at.family == 6,
                                         .datagrams = port->way == LOG_UDP,
                                         .shared = port->way == LOG_UDP && s->udp_sockets > 1,
                                         .buffer = port->way == LOG_UDP ? (uint32_t)s->udp_buffer / 2 : 0 };

        for (uint64_t lacks = intake_lacks(l->in, port); lacks > 0; lacks--)
            if (chan_send(l->role->core, HAND_LISTEN, l->round << 8 | (uint32_t)i, 0, &ask, sizeof(ask), -1) < 0)
                ask_again_in(l, AGAIN_US);
    }
}

static void ask_again_in(struct log_role *l, int64_t us)
{
    if (l->timer == 0)
        l->timer = loop_timer(l->role->loop, us, 0, ask_for_places, l);
}

static int on_lent(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct log_role *l = own(ctx);
    const struct hand_outcome *o = body;
    const struct log_port *port = &l->ports[m->id & 0xff];
    struct err e;

    (void)from;
    if (m->id >> 8 != (l->round & 0xffffff) || (m->id & 0xff) >= l->ports_count) {
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    if (fd >= 0 && intake_listen(l->in, port, fd, &e) == 0) {
        l->deaf[m->id & 0xff] = false;
        tell_place(l, EV_LOG_LISTENING, port, NULL);
        return 0;
    }
    if (fd < 0)
        (void)err_set(&e, 0, "%s", o->error ? strerror(o->error) : hand_code_words((enum hand_code)o->code));
    if (o->error != EAGAIN && !l->deaf[m->id & 0xff]) { /* EAGAIN: the hand is not there yet */
        l->deaf[m->id & 0xff] = true;
        tell_place(l, EV_LOG_NOT_LISTENING, port, e.text);
    }
    ask_again_in(l, AGAIN_US);
    return 0;
}

static const struct chan_op ops[] = {
    { HAND_LISTEN + HAND_ANSWER, "listening", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true, on_lent },
};

static void log_reload(struct role *r)
{
    const struct log_house *house = r->settings;
    struct log_role *l = own(r);

    intake_reload(l->in, &house->set, &house->papers);
    loop_untimer(r->loop, l->timer);
    memset(l->deaf, 0, sizeof(l->deaf));
    ask_for_places(l);
}

static void log_stop(struct role *r)
{
    intake_free(own(r)->in, LAST_WORDS_US);
    free(r->own);
    r->own = NULL;
    loop_stop(r->loop);
}

const struct part sense_log = {
    .name = "log",
    .what = "receives and keeps what other programs and hosts log",
    .user = "serviola-log",
    .keys = log_keys,
    .settings_size = sizeof(struct log_house),
    .calls = JAIL_FILES | JAIL_ACCEPT | JAIL_THREADS | JAIL_CONNECT,
    .confine = log_confine,
    .open = log_open,
    .run = log_run,
    .reload = log_reload,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
    .stop = log_stop,
};
