/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log receive: the part `log` by itself, in the foreground, with a store of one's own. */
#include "cmd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "journal/json.h"
#include "sense/log/intake.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/line.h"

enum { LAST_WORDS_US = 10000000 };

struct receive_options {
    struct common_options common;
    const char *store, *udp, *tcp, *relp, *tls, *socket, *certificate, *key, *clients, *revoked;
    const char *journald;
    bool input;
};

static const struct option_row rows[] = {
    { "store", 0, OPTION_TEXT, offsetof(struct receive_options, store), "FOLDER",
      N_("where lines are kept; otherwise the configured folder"), NULL },
    { "udp", 0, OPTION_TEXT, offsetof(struct receive_options, udp), "ADDR:PORT", N_("syslog over UDP"), NULL },
    { "tcp", 0, OPTION_TEXT, offsetof(struct receive_options, tcp), "ADDR:PORT", N_("syslog over TCP"), NULL },
    { "relp", 0, OPTION_TEXT, offsetof(struct receive_options, relp), "ADDR:PORT",
      N_("RELP; what is acknowledged is on the disk"), NULL },
    { "tls", 0, OPTION_TEXT, offsetof(struct receive_options, tls), "ADDR:PORT", N_("syslog over TLS"), NULL },
    { "certificate", 0, OPTION_TEXT, offsetof(struct receive_options, certificate), "FILE",
      N_("for TLS: our certificate"), NULL },
    { "key", 0, OPTION_TEXT, offsetof(struct receive_options, key), "FILE", N_("for TLS: its key"), NULL },
    { "clients", 0, OPTION_TEXT, offsetof(struct receive_options, clients), "FILE",
      N_("for TLS: who must have signed the clients' certificates; otherwise none is asked for"), NULL },
    { "revoked", 0, OPTION_TEXT, offsetof(struct receive_options, revoked), "FILE",
      N_("for TLS: the lists of clients' certificates that hold no longer"), NULL },
    { "socket", 0, OPTION_TEXT, offsetof(struct receive_options, socket), "PATH", N_("a unix socket, as /dev/log"),
      NULL },
    { "journald", 0, OPTION_TEXT, offsetof(struct receive_options, journald), "FOLDER",
      N_("systemd's journal there, usually /var/log/journal"), NULL },
    { "input", 0, OPTION_FLAG, offsetof(struct receive_options, input), NULL,
      N_("standard input, line by line; ends at its end"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log receive",
    .what =
        N_("log receive takes lines from the network, sockets, files and standard input and keeps them, in the\n"
           "foreground.  FILEs are followed through rotation.  serviola run does the same as the section log says."),
    .synopsis = "[--store FOLDER] [--udp ADDR:PORT] [--tcp ADDR:PORT] [--relp ADDR:PORT] [--socket PATH] [--input] "
                "[FILE...]",
    .rows = rows,
    .least = 0,
    .most = LOG_FILES,
    .examples = N_("serviola log receive --store /tmp/st --tcp 127.0.0.1:5140|what comes there is kept in /tmp/st\n"
                   "dmesg | serviola log receive --store /tmp/st --input|what a command says is kept"),
};

struct receiver {
    struct loop *loop;
    bool json;
};

static void on_event(void *ctx, struct event *ev)
{
    const struct receiver *r = ctx;
    char line[2048];
    struct text t = TEXT_IN(line);
    struct slice value;
    enum field f;

    (void)r;
    text_addf(&t, "%s", event_name((enum event_kind)ev->kind));
    if (ev->src.family)
        text_addf(&t, " %s", addr_text(ev->src).text);
    for (unsigned i = 0; event_field_at(ev, i, &f, &value); i++) {
        uint64_t n;

        text_addf(&t, " %s=", field_name(f));
        if (field_type(f) != FIELD_TEXT && event_number(value, &n))
            text_addf(&t, "%llu", (unsigned long long)n);
        else
            text_visible(&t, value);
    }
    say("%s", line);
}

static void on_ended(void *ctx)
{
    loop_stop(((struct receiver *)ctx)->loop);
}

static void on_signal(void *ctx, int signal)
{
    (void)signal;
    loop_stop(((struct receiver *)ctx)->loop);
}

static bool add_address(const char *text, struct key_addrs *to)
{
    if (!text)
        return true;
    to->count = 1;
    return addr_read_port(slice_text(text), &to->at[0]);
}

/* False: something was wrong, and said. */
static bool settle(const struct receive_options *o, struct log_settings *s, int *code)
{
    const struct {
        const char *text;
        struct key_addrs *to;
        const char *name;
    } addresses[] = { { o->udp, &s->udp, "udp" },
                      { o->tcp, &s->tcp, "tcp" },
                      { o->relp, &s->relp, "relp" },
                      { o->tls, &s->tls, "tls" } };

    if (o->store) { /* a store of one's own: nothing of the configured receivers */
        s->udp.count = s->tcp.count = s->tls.count = s->relp.count = s->peers.count = 0;
        s->files_count = s->forwards_count = 0;
        s->kernel = s->journald = false;
        s->socket[0] = '\0';
        (void)snprintf(s->folder, sizeof(s->folder), "%s", o->store);
    }
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        if (!add_address(addresses[i].text, addresses[i].to)) {
            *code = options_wrong(&usage, _("--%s: an address and a port, as 127.0.0.1:514"), addresses[i].name);
            return false;
        }
    s->mode = LOG_KEEP;
    if (o->socket)
        (void)snprintf(s->socket, sizeof(s->socket), "%s", o->socket);
    s->journald |= o->journald != NULL;
    if (o->journald)
        (void)snprintf(s->journald_folder, sizeof(s->journald_folder), "%s", o->journald);
    if (o->certificate)
        (void)snprintf(s->certificate, sizeof(s->certificate), "%s", o->certificate);
    if (o->key)
        (void)snprintf(s->key, sizeof(s->key), "%s", o->key);
    if (o->clients)
        (void)snprintf(s->clients, sizeof(s->clients), "%s", o->clients);
    else if (o->tls)
        s->client = LOG_CLIENT_ANY;
    if (o->revoked)
        (void)snprintf(s->revoked, sizeof(s->revoked), "%s", o->revoked);
    for (int i = 0; i < o->common.count && s->files_count < LOG_FILES; i++)
        (void)snprintf(s->files[s->files_count++].path, sizeof(s->files[0].path), "%s", o->common.words[i]);
    return true;
}

static int run(const struct receive_options *o, const struct log_settings *s)
{
    struct receiver r = { .json = o->common.json };
    const struct intake_calls calls = { .ctx = &r, .event = on_event, .ended = on_ended };
    struct papers *papers = calloc(1, sizeof(*papers));
    struct intake *in = NULL;
    struct err e = { 0 };
    int code = EXIT_CANNOT;

    (void)signal(SIGPIPE, SIG_IGN);
    r.loop = loop_new(&e);
    if (!papers)
        (void)err_set(&e, ENOMEM, "log");
    if (r.loop && papers && papers_read(papers, s, &e) == 0 && loop_signal(r.loop, SIGINT, on_signal, &r, &e) == 0 &&
        loop_signal(r.loop, SIGTERM, on_signal, &r, &e) == 0 && (in = intake_new(r.loop, s, papers, &calls, &e)) &&
        (!o->input || intake_read(in, STDIN_FILENO, LOG_STDIN, SLICE("-"), &e) == 0) && intake_start(in, &e) == 0 &&
        loop_run(r.loop, &e) == 0)
        code = EXIT_FINE;
    else
        say("%s", e.text);
    intake_free(in, LAST_WORDS_US);
    if (papers)
        papers_forget(papers);
    free(papers);
    loop_free(r.loop);
    return code;
}

int log_receive(int argc, char **argv)
{
    struct receive_options o = { 0 };
    struct sight sight = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    code = sight_configure(&sight, &o.common);
    if (code == EXIT_FINE && settle(&o, &sight.conf->log, &code))
        code = run(&o, &sight.conf->log);
    sight_close(&sight);
    return code;
}
