/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/ways.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/notify/servers.h"
#include "act/notify/post.h"
#include "sys/memfile.h"
#include "sys/runner.h"
#include "sys/say.h"
#include "sys/sockaddr.h"

#define DEV_LOG "/dev/log"

struct way {
    struct ways *all;
    const struct notify_way *set;
    struct post_way post;
    char broken[200]; /* it can't be used: why */
    int name;         /* in servers; -1 */
    int socket;       /* syslog */
    uint64_t run_id;  /* of the program that runs; 0: none */
    char key[LETTER_KEY];
    struct text text; /* own */
    void (*done)(void *ctx, bool out, const char *said);
    void *ctx;
};

struct ways {
    struct loop *loop;
    const struct notify_settings *set;
    const char *host;
    struct post *mail; /* libcurl; NULL where no way needs it */
    struct servers *servers;
    uint64_t next_run;
    bool runner;
    struct way at[NOTIFY_WAYS];
};

static bool is_posted(const struct notify_way *w)
{
    return w->by != BY_SYSLOG && w->by != BY_RUN;
}

static void done(struct way *w, bool out, const char *said)
{
    void (*tell)(void *ctx, bool out, const char *said) = w->done;

    w->done = NULL;
    w->run_id = 0;
    if (tell)
        tell(w->ctx, out, said);
}

/* ---- start ---- */

static int open_posted(struct ways *all, struct way *w, struct err *e)
{
    char host[256];
    uint16_t port;

    if (!all->servers)
        all->servers = servers_new(all->loop, e);
    if (!all->mail && all->servers)
        all->mail = post_new(all->loop, all->set->timeout_us, e);
    if (!all->mail)
        return -1;
    if (!post_target(w->set, host, &port))
        return err_set(e, 0, "there is no host in its address");
    w->name = servers_add(all->servers, host);
    return post_way_open(&w->post, w->set, all->host, e);
}

static int open_syslog(struct way *w, struct err *e)
{
    struct sockaddr_storage sa;
    struct addr to;
    socklen_t len;

    if (w->set->to[0] == '\0') {
        w->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return w->socket < 0 ? err_set(e, errno, "socket") : 0;
    }
    (void)addr_read_port(slice_text(w->set->to), &to);
    len = sockaddr_from(to, &sa);
    w->socket = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->socket < 0 || connect(w->socket, (const struct sockaddr *)&sa, len) < 0)
        return err_set(e, errno, "%s", w->set->to);
    return 0;
}

static void on_run_over(void *ctx, int fd, int events);

static int open_run(struct ways *all, struct err *e)
{
    if (all->runner)
        return 0;
    if (!runner_is_there(RUNNER_FD))
        return err_set(e, 0, "programs are run from the next start of serviola on");
    (void)fcntl(RUNNER_FD, F_SETFL, O_NONBLOCK);
    all->runner = true;
    return loop_watch(all->loop, RUNNER_FD, LOOP_IN, on_run_over, all, e);
}

static int open_way(struct ways *all, struct way *w, struct err *e)
{
    w->text = text_in(malloc(LETTER_TEXT), LETTER_TEXT);
    if (!w->text.at)
        return err_set(e, ENOMEM, "a way");
    if (w->set->by == BY_RUN)
        return open_run(all, e);
    return w->set->by == BY_SYSLOG ? open_syslog(w, e) : open_posted(all, w, e);
}

struct ways *ways_new(struct loop *l, const struct notify_settings *s, const char *host, struct err *e)
{
    struct ways *all = calloc(1, sizeof(*all));

    if (!all) {
        (void)err_set(e, ENOMEM, "ways");
        return NULL;
    }
    *all = (struct ways){ .loop = l, .set = s, .host = host };
    (void)!getrandom(&all->next_run, sizeof(all->next_run), 0);
    for (uint32_t i = 0; i < s->ways_count; i++) {
        struct way *w = &all->at[i];

        *w = (struct way){ .all = all, .set = &s->ways[i], .name = -1, .socket = -1 };
        if (open_way(all, w, e) < 0) {
            (void)snprintf(w->broken, sizeof(w->broken), "%.*s", (int)sizeof(w->broken) - 1, e->text);
            say("notify.ways.%s can't be used: %s", w->set->name, e->text);
        }
    }
    return all;
}

size_t ways_ports(const struct ways *w, uint16_t at[2 * NOTIFY_WAYS])
{
    size_t count = 0;
    char host[256];

    for (uint32_t i = 0; i < w->set->ways_count; i++)
        if (is_posted(&w->set->ways[i]) && post_target(&w->set->ways[i], host, &at[count]))
            count++;
    at[count++] = 53; /* long answers of name servers */
    return count;
}

/* ---- mail and hooks ---- */

static void on_posted(void *ctx, bool out, const char *said)
{
    done(ctx, out, said);
}

static void on_address(void *ctx, const char *addresses, const char *why)
{
    struct way *w = ctx;
    struct err e;

    if (addresses[0] == '\0')
        done(w, false, why);
    else if (post_send(w->all->mail, &w->post, addresses, w->key, slice_of(w->text.at, w->text.len), on_posted, w, &e) <
             0)
        done(w, false, e.text);
}

static void write_text(struct way *w, const struct letter *l)
{
    w->text.len = 0;
    w->text.cut = false;
    letter_key(l, w->key);
    switch ((enum notify_by)w->set->by) {
    case BY_MAIL:
        letter_mail(l, w->post.from, &w->text);
        break;
    case BY_SLACK:
        letter_slack(l, &w->text);
        break;
    case BY_ALERTMANAGER:
        letter_alerts(l, &w->text);
        break;
    case BY_ALERTMANAGER_HOOK:
        letter_alerts_hook(l, &w->text);
        break;
    case BY_HOOK:
    case BY_RUN:
    case BY_SYSLOG:
        letter_json(l, &w->text);
        break;
    }
}

/* ---- syslog ---- */

static bool say_line(const struct way *w, struct slice line)
{
    struct sockaddr_un log = { .sun_family = AF_UNIX, .sun_path = DEV_LOG };

    if (w->set->to[0])
        return send(w->socket, line.at, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
    return sendto(w->socket, line.at, line.len, MSG_NOSIGNAL, (const struct sockaddr *)&log, sizeof(log)) ==
           (ssize_t)line.len;
}

static void send_syslog(struct way *w, const struct letter *l)
{
    char words[LETTER_LINE + 256];
    struct err e;

    for (size_t i = 0; i < l->count; i++) {
        struct text t = TEXT_IN(words);

        letter_syslog(l, &l->at[i].notice, &t);
        if (!say_line(w, slice_of(words, t.len))) {
            (void)err_set(&e, errno, "%s", w->set->to[0] ? w->set->to : DEV_LOG);
            done(w, false, e.text);
            return;
        }
    }
    done(w, true, "");
}

/* ---- programs ---- */

static void on_run_over(void *ctx, int fd, int events)
{
    struct ways *all = ctx;
    struct runner_done over;
    char words[80];

    (void)events;
    if (recv(fd, &over, sizeof(over), MSG_DONTWAIT) != (ssize_t)sizeof(over)) {
        if (events & LOOP_GONE)
            loop_unwatch(all->loop, fd); /* sends will fail, and say so */
        return;
    }
    for (uint32_t i = 0; i < all->set->ways_count; i++) {
        struct way *w = &all->at[i];

        if (w->run_id == 0 || w->run_id != over.id)
            continue;
        if (over.status == -2)
            (void)snprintf(words, sizeof(words), "it did not end in time, and was killed");
        else if (over.status == -1)
            (void)snprintf(words, sizeof(words), "it could not be started");
        else if (WIFSIGNALED(over.status))
            (void)snprintf(words, sizeof(words), "it was ended by signal %d", WTERMSIG(over.status));
        else
            (void)snprintf(words, sizeof(words), "it ended with code %d", WEXITSTATUS(over.status));
        done(w, over.status == 0, words);
        return;
    }
}

static void send_run(struct way *w)
{
    struct runner_ask ask = { .id = ++w->all->next_run, .timeout_us = w->all->set->timeout_us };
    struct err e;
    int text = memfile_from(w->text.at, w->text.len, "serviola-notice", &e);

    memcpy(ask.name, w->set->name, sizeof(ask.name));
    if (text < 0 || runner_send(RUNNER_FD, &ask, text, &e) < 0)
        done(w, false, e.text);
    else
        w->run_id = ask.id;
    memfile_close(text);
}

void ways_send(struct ways *all, uint32_t way, const struct letter *l,
               void (*tell)(void *ctx, bool out, const char *said), void *ctx)
{
    struct way *w = &all->at[way];

    w->done = tell;
    w->ctx = ctx;
    if (w->broken[0]) {
        done(w, false, w->broken);
        return;
    }
    write_text(w, l);
    if (w->set->by == BY_SYSLOG)
        send_syslog(w, l);
    else if (w->set->by == BY_RUN)
        send_run(w);
    else
        servers_ask(all->servers, w->name, on_address, w);
}

void ways_forget(struct ways *all, uint32_t way)
{
    all->at[way].done = NULL;
    all->at[way].run_id = 0;
}
