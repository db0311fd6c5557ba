/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola mail: the queue's messages of one account; who guards it when an account seems stolen. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/mailqueue.h"
#include "cmd/sight.h"
#include "sys/say.h"

enum { WAIT_US = 60000000, RETRY_S = 1 };

struct mail_options {
    struct common_options common;
    const char *server_config;
    int server; /* index into servers */
    bool no_queue, all;
};

static const char *const servers[] = { "auto", "postfix", "exim", NULL };
static const struct option_row rows[] = {
    { "server", 0, OPTION_WORD, offsetof(struct mail_options, server), "S",
      N_("postfix or exim, where both are installed"), servers },
    { "server-config", 0, OPTION_TEXT, offsetof(struct mail_options, server_config), "PATH",
      N_("the mail server's configuration, where it is not the usual one"), NULL },
    { "no-queue", 0, OPTION_FLAG, offsetof(struct mail_options, no_queue), NULL,
      N_("leave the queue alone: only stop or release the account, or run the hook"), NULL },
    { "all", 0, OPTION_FLAG, offsetof(struct mail_options, all), NULL, N_("purge: the messages that are not held, too"),
      NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "mail",
    .what =
        N_("Messages in the mail server's queue (Postfix or Exim) by the account that sent them, and accounts that\n"
           "send as if they were stolen.\n"
           "list shows them; hold stops an account and holds its messages, release lets both go again, purge\n"
           "removes the messages that are held.  guard waits: when an account is suspected, it holds its messages\n"
           "(unless gate.accounts.response is note) and runs gate.accounts.hook."),
    .synopsis = "list [USER] | hold USER | release USER | purge USER | guard",
    .rows = rows,
    .least = 1,
    .most = 2,
    .examples = N_("serviola mail list ana|what the account ana has in the queue\n"
                   "serviola mail release ana|the password is changed: her mail may go\n"
                   "serviola mail purge ana|all of it was the thief's"),
};

struct mail {
    struct mail_options o;
    struct sight sight;
    struct queue_server server;
    const char *user; /* NULL: none was named */
    char visible[512];
};

/* An account's name becomes a program's argument: it must look like a name. */
static bool is_account(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] == 0x7f)
            return false;
    return s.len > 0 && s.len < sizeof(((struct link_account *)0)->name) && s.at[0] != '-';
}

/* ---- list ---- */

static void print_one(const struct mail *m, const struct queued *q)
{
    char line[4 * QUEUE_TEXT];
    struct text t = TEXT_IN(line);

    if (m->o.common.json) {
        text_addf(&t, "{\"id\":\"%s\",\"account\":\"", q->id);
        text_json(&t, slice_text(q->account));
        text_word(&t, "\",\"sender\":\"");
        text_json(&t, slice_text(q->sender));
        text_addf(&t, "\",\"held\":%s}", q->held ? "true" : "false");
    } else {
        text_addf(&t, "%-20s %-5s ", q->id, q->held ? _("held") : "");
        text_visible(&t, slice_text(q->account[0] ? q->account : "-"));
        text_word(&t, "  <");
        text_visible(&t, slice_text(q->sender));
        text_word(&t, ">");
    }
    (void)puts(line);
}

static int list(struct mail *m)
{
    struct queue q;
    struct err e;
    size_t shown = 0;

    if (queue_read(&m->server, &q, &e) < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    for (size_t i = 0; i < q.count; i++) {
        if (m->user && strcasecmp(q.at[i].account, m->user) != 0)
            continue;
        print_one(m, &q.at[i]);
        shown++;
    }
    if (q.more)
        say(_("the queue holds more than %d messages; the others were not looked at"), (int)QUEUE_MOST);
    queue_free(&q);
    return shown > 0 ? EXIT_FINE : EXIT_FOUND;
}

/* ---- hold, release, purge ---- */

/* To the gate, where it runs: an account is stopped, or let through. */
static int tell_gate(struct mail *m, bool stop)
{
    struct link_account ask = { .stop = stop };
    struct ctl_done done;
    struct err e;

    memcpy(ask.name, m->user, strlen(m->user));
    if (sight_connect(&m->sight) < 0) {
        say("%s", m->sight.core_error.text);
        return EXIT_CANNOT;
    }
    if (client_account(m->sight.client, &ask, &done, &e) < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    if (done.code == 0)
        (void)printf(stop ? _("%s is stopped\n") : _("%s may send again\n"), m->visible);
    else
        say("%s", _(done.text));
    return done.code == 0 ? EXIT_FINE : EXIT_CANNOT;
}

static int do_queue(struct mail *m, enum queue_act act, const char *user)
{
    struct queue q;
    struct err e;
    size_t count = 0;
    int rc;

    if (m->o.no_queue)
        return EXIT_FINE;
    rc = queue_read(&m->server, &q, &e);
    if (rc == 0)
        rc = queue_do(&m->server, &q, act, user, &count, &e);
    if (rc < 0)
        say("%s", e.text);
    else if (act == QUEUE_HOLD)
        (void)printf(_("%zu messages of %s are held\n"), count, m->visible);
    else if (act == QUEUE_RELEASE)
        (void)printf(_("%zu messages of %s go on\n"), count, m->visible);
    else
        (void)printf(_("%zu messages of %s were removed\n"), count, m->visible);
    queue_free(&q);
    return rc < 0 ? EXIT_CANNOT : EXIT_FINE;
}

static int hold(struct mail *m)
{
    int gate = tell_gate(m, true);
    int queue = do_queue(m, QUEUE_HOLD, m->user);

    return gate != EXIT_FINE ? gate : queue;
}

static int release(struct mail *m)
{
    int gate = tell_gate(m, false);
    int queue = do_queue(m, QUEUE_RELEASE, m->user);

    return gate != EXIT_FINE ? gate : queue;
}

static int purge(struct mail *m)
{
    return do_queue(m, m->o.all ? QUEUE_PURGE : QUEUE_PURGE_HELD, m->user);
}

/* ---- guard ---- */

static void run_hook(const struct mail *m, const char *user)
{
    const char *argv[] = { m->sight.conf->gate.accounts.hook, user, NULL };
    struct err e;
    int code;

    if (argv[0][0] == '\0')
        return;
    code = queue_run(argv, &e);
    if (code < 0)
        say("%s", e.text);
    else
        (void)printf(_("%s %s ended with code %d\n"), argv[0], m->visible, code);
}

static void on_abuse(struct mail *m, const struct event *ev)
{
    char user[sizeof(((struct link_account *)0)->name)];
    struct text t = TEXT_IN(m->visible);
    struct slice name;

    if (!event_get(ev, F_USER, &name))
        return;
    text_visible(&t, name);
    if (!is_account(name) || !text_cstr(user, sizeof(user), name)) {
        say(_("\"%s\" is no name that could be given to a program; nothing was done"), m->visible);
        return;
    }
    if (m->sight.conf->gate.accounts.response != GATE_ACCOUNT_NOTE)
        (void)do_queue(m, QUEUE_HOLD, user);
    run_hook(m, user);
    (void)fflush(stdout);
}

/* Until the core is gone. */
static void follow(struct mail *m)
{
    uint64_t next = tail_next(m->sight.tail);
    struct event ev;
    struct err e;

    if (client_follow(m->sight.client, &e) < 0) {
        say("%s", e.text);
        return;
    }
    (void)puts(_("waiting for accounts that send as if they were stolen; Ctrl-C ends"));
    (void)fflush(stdout);
    do {
        enum tail_got got;

        while ((got = tail_get(m->sight.tail, next, &ev)) != TAIL_NOT_YET) {
            next = got == TAIL_GONE ? tail_oldest(m->sight.tail) : next + 1;
            if (got == TAIL_GOT && ev.kind == EV_GATE_ACCOUNT_ABUSED)
                on_abuse(m, &ev);
        }
    } while (client_wait(m->sight.client, WAIT_US, &e) >= 0);
    say("%s", e.text);
}

static int guard(struct mail *m)
{
    bool said = false;

    for (;; (void)sleep(RETRY_S)) {
        if (sight_connect(&m->sight) == 0) {
            said = false;
            follow(m);
            sight_leave_core(&m->sight);
        } else if (!said) {
            said = true;
            say(_("%s (waiting for it; Ctrl-C ends)"), m->sight.core_error.text);
        }
    }
    return EXIT_CANNOT; /* it ends by a signal */
}

/* ---- */

static const struct {
    const char *name;
    int (*run)(struct mail *m);
    int least, most; /* accounts */
} acts[] = {
    { "list", list, 0, 1 },   { "hold", hold, 1, 1 },   { "release", release, 1, 1 },
    { "purge", purge, 1, 1 }, { "guard", guard, 0, 0 },
};

static int choose(struct mail *m)
{
    const struct common_options *o = &m->o.common;
    struct text t = TEXT_IN(m->visible);

    m->user = o->count > 1 ? o->words[1] : NULL;
    text_visible(&t, slice_text(m->user));
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(acts[i].name, o->words[0]) != 0)
            continue;
        if (o->count - 1 < acts[i].least || o->count - 1 > acts[i].most)
            return options_wrong(&usage, acts[i].most == 0 ? _("%s takes no account") : _("%s needs an account"),
                                 acts[i].name);
        if (m->user && !is_account(slice_text(m->user)))
            return options_wrong(&usage, _("\"%s\" is no account's name"), m->visible);
        return acts[i].run(m);
    }
    t = TEXT_IN(m->visible);
    text_visible(&t, slice_text(o->words[0]));
    return options_wrong(&usage, _("there is no \"%s\"; list, hold, release, purge and guard are there"), m->visible);
}

int cmd_mail(int argc, char **argv)
{
    struct mail m = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &m.o, &code))
        return code;
    code = sight_configure(&m.sight, &m.o.common);
    if (m.o.server > 0)
        m.server.kind = m.o.server == 1 ? QUEUE_POSTFIX : QUEUE_EXIM;
    else if (code == EXIT_FINE && !queue_find_server(&m.server) && !m.o.no_queue) {
        say(_("neither Postfix nor Exim is installed here (--no-queue goes on without)"));
        code = EXIT_CANNOT;
    }
    m.server.config = m.o.server_config;
    if (code == EXIT_FINE)
        code = choose(&m);
    sight_close(&m.sight);
    return code;
}
