/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/part.h"

#include <string.h>

#include "base/text.h"
#include "part/link.h"
#include "sense/log/intake.h"
#include "sys/say.h"

enum { LAST_WORDS_US = 3000000, PATH_ROOM = 208 };

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

static int log_open(struct role *r, struct err *e)
{
    const struct intake_calls calls = { .ctx = r, .event = on_event, .say = on_say, .all_said = on_all_said };

    r->own = intake_new(r->loop, r->settings, &calls, e);
    return r->own ? 0 : -1;
}

/* The store, and the folders of the files that are followed: a file that was rotated is another one. */
static void log_confine(struct role *r, struct jail *j)
{
    static char parents[LOG_FILES][PATH_ROOM];
    static const char *read_only[LOG_FILES + 3];
    static const char *folders[2];
    static uint16_t ports[LOG_FORWARDS];
    const struct log_settings *s = r->settings;
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

static int log_run(struct role *r, struct err *e)
{
    return intake_start(r->own, e);
}

static void log_reload(struct role *r)
{
    intake_reload(r->own, r->settings);
    say("new rules of the section log hold at once, its other settings from its next start on");
}

static void log_stop(struct role *r)
{
    intake_free(r->own, LAST_WORDS_US);
    r->own = NULL;
    loop_stop(r->loop);
}

const struct part sense_log = {
    .name = "log",
    .what = "receives and keeps what other programs and hosts log",
    .user = "serviola-log",
    .keys = log_keys,
    .settings_size = sizeof(struct log_settings),
    .calls = JAIL_FILES | JAIL_ACCEPT | JAIL_THREADS | JAIL_CONNECT,
    .confine = log_confine,
    .open = log_open,
    .run = log_run,
    .reload = log_reload,
    .stop = log_stop,
};
