/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola hunt: live it is `run` in another mode; with -r it reads a capture file and needs no rights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/live.h"
#include "cmd/sight.h"
#include "core/supervise.h"
#include "journal/json.h"
#include "rule/rule.h"
#include "sense/hunt/learn.h"
#include "sense/hunt/offline.h"
#include "sys/say.h"
#include "view/line.h"
#include "view/number.h"
#include "view/paint.h"

struct hunt_options {
    struct common_options common;
    const char *file, *interfaces, *lan;
    bool block, hold, learn, mails;
};

static const struct option_row rows[] = {
    { "interface", 'i', OPTION_TEXT, offsetof(struct hunt_options, interfaces), "IF[,IF]",
      N_("listen here instead of on every interface that carries a route"), NULL },
    { "lan", 'l', OPTION_TEXT, offsetof(struct hunt_options, lan), "NET[,NET]",
      N_("these networks are the inside, instead of those without a default route"), NULL },
    { "block", 0, OPTION_FLAG, offsetof(struct hunt_options, block), NULL, N_("block what is found"), NULL },
    { "hold", 0, OPTION_FLAG, offsetof(struct hunt_options, hold), NULL,
      N_("let nothing of an unknown host leave before it is judged"), NULL },
    { "learn", 0, OPTION_FLAG, offsetof(struct hunt_options, learn), NULL,
      N_("propose an allow list from what is seen"), NULL },
    { "read", 'r', OPTION_TEXT, offsetof(struct hunt_options, file), "FILE",
      N_("read a capture (pcap, pcapng; - is standard input) instead of listening"), NULL },
    { "mails", 0, OPTION_FLAG, offsetof(struct hunt_options, mails), NULL,
      N_("with -r: one line a command: client, port, server, port, MAIL or RCPT, address"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "hunt",
    .what = N_(
        "Finds who inside sends mail to the outside: live (nobody is blocked unless it is asked for), or in a\n"
        "capture file, which needs no rights.  Exit code of -r: 0 nobody found; 1 somebody, or the file is cut off;\n"
        "2 not a capture file."),
    .synopsis = "[-i IF[,IF]] [--lan NET[,NET]] [--block|--hold|--learn]\n"
                "       serviola hunt -r FILE [--lan NET[,NET]] [--mails|--learn] [--json]",
    .rows = rows,
    .examples = N_("serviola hunt -i eth1|watch one interface, touch nothing\n"
                   "serviola hunt -i eth1 --block|and block who is found\n"
                   "serviola hunt -r day.pcap --lan 10.1.0.0/16|who would have been blocked that day\n"
                   "serviola hunt -r day.pcap --learn|which hosts look like mail servers of the house"),
};

/* ---- from a file ---- */

enum { HOSTS_NAMED = 32 };

struct reading {
    const struct hunt_options *o;
    struct rules *rules; /* owned: what a live house would have done */
    int64_t now_us;      /* the latest time in the file so far */
    bool colour;
    struct addr hosts[HOSTS_NAMED]; /* whom a rule would have blocked, each once */
    size_t hosts_count;
    bool more;
};

static void add_host(struct reading *r, struct addr who)
{
    for (size_t i = 0; i < r->hosts_count; i++)
        if (addr_eq_ip(r->hosts[i], who))
            return;
    if (r->hosts_count < HOSTS_NAMED)
        r->hosts[r->hosts_count++] = addr_ip(who);
    else
        r->more = true;
}

static void on_event(void *ctx, const struct event *ev)
{
    struct reading *r = ctx;
    struct rule_hit hits[RULE_HITS];
    char line[EVENT_JSON_BYTES];
    struct text t = TEXT_IN(line);
    size_t n;

    r->now_us = ev->at_us > r->now_us ? ev->at_us : r->now_us;
    n = rules_match(r->rules, ev, r->now_us, hits, RULE_HITS);
    for (size_t i = 0; i < n; i++)
        if (hits[i].act == RULE_BLOCK)
            add_host(r, hits[i].src);
    if (r->o->common.json)
        event_json(ev, &t);
    else
        line_full(&t, ev, r->colour);
    (void)puts(line);
}

/* What a person wants to know at the end; on standard error, so that a pipe gets findings alone. */
static void sum_up(const struct reading *r, const struct offline_result *res)
{
    (void)fprintf(stderr,
                  words_many("%s packet, %s of mail; %s MAIL and %s RCPT commands\n",
                             "%s packets, %s of mail; %s MAIL and %s RCPT commands\n", res->counts.frames),
                  number_words(res->counts.frames).text, number_words(res->counts.mail_frames).text,
                  number_words(res->counts.mails).text, number_words(res->counts.recipients).text);
    if (res->unread > 0)
        (void)fprintf(stderr,
                      words_many("%s packet of link type %u could not be read\n",
                                 "%s packets of link type %u could not be read\n", res->unread),
                      number_words(res->unread).text, res->unread_link);
    if (r->hosts_count == 0) {
        (void)fputs(_("nobody would have been blocked\n"), stderr);
        return;
    }
    if (r->more)
        (void)fprintf(stderr, _("more than %zu hosts would have been blocked:"), r->hosts_count);
    else
        (void)fprintf(
            stderr,
            words_many("%zu host would have been blocked:", "%zu hosts would have been blocked:", r->hosts_count),
            r->hosts_count);
    for (size_t i = 0; i < r->hosts_count; i++)
        (void)fprintf(stderr, " %s", addr_ip_text(r->hosts[i]).text);
    (void)fputs("\n", stderr);
}

static int read_file(const struct hunt_options *o, const struct house_settings *conf)
{
    struct err e = { 0 };
    struct reading r = { .o = o,
                         .colour = paint_wanted(STDOUT_FILENO),
                         .rules = rules_new(&conf->rules, &conf->block, &e) };
    struct offline_options offline = { .file = o->file,
                                       .settings = &conf->hunt,
                                       .mails = o->mails ? stdout : NULL,
                                       .learn = o->learn ? learn_new(&e) : NULL,
                                       .event = o->mails || o->learn ? NULL : on_event,
                                       .ctx = &r };
    struct offline_result result = { 0 };
    bool ready = r.rules && (!o->learn || offline.learn);
    enum offline_end end = ready ? hunt_offline(&offline, &result, &e) : OFFLINE_FAILED;

    rules_free(r.rules);
    if (offline.learn && (end == OFFLINE_WHOLE || end == OFFLINE_CUT))
        learn_print(offline.learn, stdout);
    learn_free(offline.learn);
    if (fflush(stdout) != 0) {
        say(_("standard output could not be written"));
        return EXIT_CANNOT;
    }
    if (end != OFFLINE_WHOLE)
        say("%s", e.text);
    if ((end == OFFLINE_WHOLE || end == OFFLINE_CUT) && !o->mails && !o->learn && !o->common.json)
        sum_up(&r, &result);
    return end == OFFLINE_WHOLE && !o->mails && result.findings > 0 ? EXIT_FOUND : (int)end;
}

static int hunt_file(const struct hunt_options *o)
{
    struct sight s = { 0 };
    struct slice wrong;
    int code = EXIT_USAGE;

    if (o->interfaces || o->block || o->hold)
        return options_wrong(&usage, _("-r reads a file: -i, --block and --hold have no meaning there"));
    if (o->learn && (o->mails || o->common.json))
        return options_wrong(&usage, _("--learn prints a proposal: --mails and --json have no meaning with it"));
    code = sight_configure(&s, &o->common);
    if (code != EXIT_FINE)
        goto out;
    if (o->lan && !live_networks(o->lan, &s.conf->hunt.inside, &wrong))
        code = live_wrong_network(&usage, wrong);
    else
        code = read_file(o, s.conf);
out:
    sight_close(&s);
    return code;
}

/* ---- live ---- */

static int hunt_live(const struct hunt_options *o)
{
    struct run_options run = { .conf_path = o->common.conf, .mode = HUNT_OBSERVE, .console = true };
    struct slice wrong;

    if (o->mails || o->common.json)
        return options_wrong(&usage,
                             _("--mails and --json belong to -r FILE; serviola events --follow --json is for live"));
    if (o->block + o->hold + o->learn > 1)
        return options_wrong(&usage, _("--block, --hold and --learn exclude each other"));
    if (o->interfaces && !live_interfaces(o->interfaces, &run.interfaces, &wrong))
        return live_wrong_interface(&usage, wrong);
    if (o->lan && !live_networks(o->lan, &run.inside, &wrong))
        return live_wrong_network(&usage, wrong);
    run.mode = o->block ? HUNT_BLOCK : o->hold ? HUNT_HOLD : o->learn ? HUNT_LEARN : HUNT_OBSERVE;
    return run_house(&run);
}

int cmd_hunt(int argc, char **argv)
{
    struct hunt_options o = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    return o.file ? hunt_file(&o) : hunt_live(&o);
}
