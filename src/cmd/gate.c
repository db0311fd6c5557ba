/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola gate: the SMTP front alone, as `run` with one listener named on the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "conf/read.h"
#include "core/settings.h"
#include "core/supervise.h"
#include "sys/say.h"

struct gate_options {
    struct common_options common;
    const char *listen, *to, *state, *certificate, *key;
    int tls, identity, kind;
    bool no_relay_test, no_console;
};

static const char *const tls_words[] = { "strip", "end", "pass", NULL };
static const char *const identity_words[] = { "proxy-v2", "proxy-v1", "xclient", "transparent", "none", NULL };
static const char *const kind_words[] = { "mx", "submission", NULL };

static const struct option_row rows[] = {
    { "listen", 'l', OPTION_TEXT, offsetof(struct gate_options, listen), "ADDR:PORT[,...]",
      N_("where mail comes in: 0.0.0.0:25,[::]:25"), NULL },
    { "to", 't', OPTION_TEXT, offsetof(struct gate_options, to), "ADDR:PORT", N_("the mail server behind"), NULL },
    { "identity", 0, OPTION_WORD, offsetof(struct gate_options, identity), "HOW",
      N_("how the server learns who the client is: proxy-v2, proxy-v1, xclient, transparent, none"), identity_words },
    { "kind", 0, OPTION_WORD, offsetof(struct gate_options, kind), "KIND",
      N_("mx: everybody's mail; submission: users who log in at the server"), kind_words },
    { "tls", 0, OPTION_WORD, offsetof(struct gate_options, tls), "WHAT",
      N_("STARTTLS: end it here, pass it on blindly, or strip it"), tls_words },
    { "certificate", 0, OPTION_TEXT, offsetof(struct gate_options, certificate), "FILE", N_("PEM, with its chain"),
      NULL },
    { "key", 0, OPTION_TEXT, offsetof(struct gate_options, key), "FILE", N_("PEM"), NULL },
    { "no-relay-test", 0, OPTION_FLAG, offsetof(struct gate_options, no_relay_test), NULL,
      N_("do not ask the server to relay for a stranger first"), NULL },
    { "state", 0, OPTION_TEXT, offsetof(struct gate_options, state), "DIR",
      N_("keep journal, greylist and control socket below this folder"), NULL },
    { "no-console", 0, OPTION_FLAG, offsetof(struct gate_options, no_console), NULL,
      N_("print no live events (for services)"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "gate",
    .what = N_("An SMTP front for any mail server: it looks at who brings mail before the server does, and can't be\n"
               "talked into a loop.  Without --listen, the listeners of the configuration are used."),
    .synopsis = "[--listen ADDR:PORT[,...] --to ADDR:PORT] [-c FILE]",
    .rows = rows,
    .examples = N_("serviola gate --listen 0.0.0.0:25,[::]:25 --to 127.0.0.1:2525|in front of a server that moved to "
                   "port 2525\n"
                   "serviola gate --listen 0.0.0.0:25 --to 127.0.0.1:2525 --identity xclient|the same, for a server "
                   "that knows XCLIENT alone"),
    .no_json = true,
};

/* One address after the other, in quotes: the reader of the configuration judges them. */
static void add_listens(struct text *t, const char *list)
{
    struct slice rest = slice_text(list);

    text_word(t, "[");
    for (bool first = true; rest.len > 0; first = false) {
        struct slice one = slice_until(rest, ',', &rest);

        text_addf(t, "%s\"", first ? "" : ", ");
        text_ascii(t, one);
        text_word(t, "\"");
    }
    text_word(t, "]");
}

static bool read_listener(const struct gate_options *o, struct run_options *run)
{
    static struct house_settings house; /* large */
    static struct conf_faults faults;
    void *places[HOUSE_SECTIONS];
    char yaml[2048];
    struct text t = TEXT_IN(yaml);

    text_word(&t, "gate: { listeners: { gate: { listen: ");
    add_listens(&t, o->listen);
    text_word(&t, ", to: \"");
    text_ascii(&t, slice_text(o->to));
    text_addf(&t, "\", identity: %s, kind: %s, tls: %s, relay_test: %s } } }\n", identity_words[o->identity],
              kind_words[o->kind], tls_words[o->tls], o->no_relay_test ? "no" : "yes");
    house_places(&house, places);
    if (!t.cut && conf_read(slice_of(yaml, t.len), "serviola gate", house_sections, places, &faults) == 0) {
        run->listener = &house.gate.listeners[0];
        return true;
    }
    conf_print_faults(&faults, stderr, false);
    return false;
}

int cmd_gate(int argc, char **argv)
{
    struct gate_options o = { 0 };
    struct run_options run = { .mode = HUNT_OFF, .gate_alone = true };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if ((o.listen == NULL) != (o.to == NULL))
        return options_wrong(&usage, _("--listen and --to belong together"));
    if (o.tls == GATE_TLS_END && (!o.certificate || !o.key) && o.listen)
        return options_wrong(&usage, _("--tls end needs --certificate and --key"));
    run.conf_path = o.common.conf;
    run.console = !o.no_console;
    run.state = o.state;
    run.certificate = o.certificate;
    run.key = o.key;
    if (o.listen && !read_listener(&o, &run))
        return EXIT_USAGE;
    return run_house(&run);
}
