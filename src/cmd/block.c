/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola block, unblock, allow, ack: what a person decides. */
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "hand/op.h"
#include "sys/say.h"
#include "view/when.h"

struct act_options {
    struct common_options common;
    const char *why;
    int64_t span_us;
    bool remove;
};

#define WHY_ROW                                                                                                        \
    {                                                                                                                  \
        "why", 'w', OPTION_TEXT, offsetof(struct act_options, why), "TEXT",                                            \
            N_("the reason; it is kept in the journal"), NULL                                                          \
    }

/* What they have in common. */
struct act {
    const struct usage *usage;
    const char *done;                /* "is blocked" */
    const char *already, *not_there; /* for what is so already; NULL: as the core says it */
    struct act_options o;
    struct sight sight;
    struct ctl_done answer;
    char subject[80]; /* the host or network as it was typed, made visible */
};

/* The way out of each refusal. */
static const char *way_out(int32_t code)
{
    switch (code) {
    case HAND_OBSERVES:
        return _(
            "start `serviola run --mode block`, or put `mode: block` below `hunt:` in the configuration and reload");
    case HAND_NEVER_ADMIN:
        return _("block: admin in the configuration lists these networks");
    case HAND_NEVER_ALLOWED:
        return _("take it off the list first: serviola allow HOST --remove, or hunt: allow in the configuration");
    case HAND_NEVER_OUTSIDE:
        return _("hunt: inside in the configuration lists what is inside");
    case HAND_CAP_MINUTE:
        return _("wait a minute, or raise block: per_minute in the configuration");
    case HAND_CAP_TOTAL:
        return _("lift some (serviola blocks lists them), or raise block: total in the configuration");
    default:
        return NULL;
    }
}

/* The core says why not; what is so already is said in the words of the command. */
static const char *reason(const struct act *a, const char *from_core)
{
    return a->answer.code == HAND_ALREADY && a->already     ? _(a->already)
         : a->answer.code == HAND_NOT_THERE && a->not_there ? _(a->not_there)
                                                            : from_core;
}

static void print_json(const struct act *a)
{
    char line[2 * CTL_TEXT + 512];
    struct text t = TEXT_IN(line);

    text_word(&t, "{\"subject\":\"");
    text_json(&t, slice_text(a->subject));
    text_addf(&t, "\",\"done\":%s,\"event\":%llu,\"text\":\"", a->answer.code == HAND_OK ? "true" : "false",
              (unsigned long long)a->answer.seq);
    text_json(&t, slice_text(reason(a, a->answer.text)));
    text_word(&t, "\"}");
    (void)puts(line);
}

/* Prints the core's answer; its exit code. */
static int report(const struct act *a)
{
    char words[4 * CTL_TEXT];
    struct text t = TEXT_IN(words);
    const char *out = way_out(a->answer.code);
    bool already = a->answer.code == HAND_ALREADY || a->answer.code == HAND_NOT_THERE;

    text_visible(&t, slice_text(_(a->answer.text)));
    if (a->o.common.json)
        print_json(a);
    else if (a->answer.code == HAND_OK)
        (void)printf(_("%s %s (event %llu)\n"), a->subject, _(a->done), (unsigned long long)a->answer.seq);
    else
        (void)fprintf(stderr, "serviola %s: %s: %s%s%s\n", a->usage->name, a->subject, reason(a, words),
                      out ? "; " : "", out ? out : "");
    return a->answer.code == HAND_OK ? EXIT_FINE : already ? EXIT_FOUND : EXIT_CANNOT;
}

/*
 * Reads the options, connects, lets `ask` say it, reports.  `ask` gives EXIT_FINE with a->answer filled, EXIT_CANNOT
 * with *e filled, or EXIT_USAGE after it said what is wrong.
 */
static int act(struct act *a, int argc, char **argv, int (*ask)(struct act *a, struct slice word, struct err *e))
{
    struct text subject = TEXT_IN(a->subject);
    struct err e = { 0 };
    int code;

    if (!options_read(a->usage, argc, argv, &a->o, &code))
        return code;
    if (a->o.why && strlen(a->o.why) >= CTL_TEXT)
        return options_wrong(a->usage, _("--why: at most %d bytes"), (int)CTL_TEXT - 1);
    if (a->o.span_us > HAND_SECONDS_MAX * 1000000LL)
        return options_wrong(a->usage, _("--for: at most 366d"));
    text_visible(&subject, slice_text(a->o.common.words[0]));
    code = sight_configure(&a->sight, &a->o.common);
    if (code != EXIT_FINE)
        goto out;
    a->sight.client = client_open(a->sight.conf->core.control, &e);
    code = a->sight.client ? ask(a, slice_text(a->o.common.words[0]), &e) : EXIT_CANNOT;
    if (code == EXIT_FINE)
        code = report(a);
    else if (code == EXIT_CANNOT)
        say("%s", e.text);
out:
    sight_close(&a->sight);
    return code;
}

/* Both asks name one host and a reason. */
static int read_host(const struct act *a, struct slice word, struct ctl_block *ask)
{
    if (!addr_read(word, &ask->who))
        return options_wrong(a->usage, _("\"%s\" is not an address like 192.0.2.7 or 2001:db8::7"), a->subject);
    ask->span_us = a->o.span_us;
    if (a->o.why)
        memcpy(ask->why, a->o.why, strlen(a->o.why)); /* its length was looked at in act() */
    return EXIT_FINE;
}

/* ---- block ---- */

static const struct option_row block_rows[] = {
    { "for", 'f', OPTION_SPAN, offsetof(struct act_options, span_us), "SPAN",
      N_("how long: 30min, 2h, 7d (else what the configuration says below block)"), NULL },
    WHY_ROW,
    { 0 },
};
static const struct usage block_usage = {
    .name = "block",
    .what = N_("Blocks a host's mail at once: its connections to the mail ports are cut and its packets dropped."),
    .synopsis = "ADDR [--for SPAN] [--why TEXT] [--json]",
    .rows = block_rows,
    .least = 1,
    .most = 1,
    .examples =
        N_("serviola block 10.1.0.2 --for 2h --why \"ticket 4711\"|for two hours, with the reason for the journal"),
};

static int ask_block(struct act *a, struct slice word, struct err *e)
{
    struct ctl_block ask = { .span_us = 0 };
    int code = read_host(a, word, &ask);

    if (code != EXIT_FINE)
        return code;
    return client_block(a->sight.client, &ask, &a->answer, e) < 0 ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_block(int argc, char **argv)
{
    struct act a = { .usage = &block_usage,
                     .done = N_("is blocked"),
                     .already = N_("is blocked already; serviola why says why") };

    return act(&a, argc, argv, ask_block);
}

/* ---- unblock ---- */

static const struct option_row unblock_rows[] = { WHY_ROW, { 0 } };
static const struct usage unblock_usage = {
    .name = "unblock",
    .what =
        N_("Lifts a block.  A host that sends mail again is blocked again; serviola allow keeps that from happening."),
    .synopsis = "ADDR [--why TEXT] [--json]",
    .rows = unblock_rows,
    .least = 1,
    .most = 1,
    .examples = N_("serviola unblock 10.1.0.2 --why \"cleaned and checked\"|with the reason for the journal"),
};

static int ask_unblock(struct act *a, struct slice word, struct err *e)
{
    struct ctl_block ask = { .span_us = 0 };
    int code = read_host(a, word, &ask);

    if (code != EXIT_FINE)
        return code;
    return client_unblock(a->sight.client, &ask, &a->answer, e) < 0 ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_unblock(int argc, char **argv)
{
    struct act a = { .usage = &unblock_usage,
                     .done = N_("is not blocked any more"),
                     .not_there = N_("is not blocked; serviola why says more") };

    return act(&a, argc, argv, ask_unblock);
}

/* ---- allow ---- */

static const struct option_row allow_rows[] = {
    { "remove", 'r', OPTION_FLAG, offsetof(struct act_options, remove), NULL, N_("take it off the allow list again"),
      NULL },
    WHY_ROW,
    { 0 },
};
static const struct usage allow_usage = {
    .name = "allow",
    .what = N_(
        "Puts a host or network on the allow list: its mail is no finding, it is never blocked, and a block that\n"
        "stands is lifted.  It outlives restarts; what is permanent belongs below hunt: allow in the configuration."),
    .synopsis = "NET [--remove] [--why TEXT] [--json]",
    .rows = allow_rows,
    .least = 1,
    .most = 1,
    .examples = N_("serviola allow 10.1.0.25 --why \"our mail server\"|one host\n"
                   "serviola allow 10.1.0.25 --remove|and off again"),
};

static int ask_allow(struct act *a, struct slice word, struct err *e)
{
    struct ctl_allow ask = { .add = !a->o.remove };

    if (!prefix_read(word, &ask.net))
        return options_wrong(a->usage,
                             _("\"%s\" is not an address, nor a network like 192.0.2.0/24 (the bits behind the length "
                               "must be 0)"),
                             a->subject);
    if (a->o.remove)
        a->done = N_("is off the allow list");
    if (a->o.why)
        memcpy(ask.why, a->o.why, strlen(a->o.why));
    return client_allow(a->sight.client, &ask, &a->answer, e) < 0 ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_allow(int argc, char **argv)
{
    struct act a = { .usage = &allow_usage, .done = N_("is on the allow list") };

    return act(&a, argc, argv, ask_allow);
}

/* ---- ack ---- */

static const struct option_row ack_rows[] = { WHY_ROW, { 0 } };
static const struct usage ack_usage = {
    .name = "ack",
    .what = N_("Says that somebody takes care of what a notice told: it is not told to those below `then` in the\n"
               "configuration.  It holds until that is over; its end is told all the same."),
    .synopsis = "EVENT|all [--why TEXT] [--json]",
    .rows = ack_rows,
    .least = 1,
    .most = 1,
    .examples = N_("serviola ack 812 --why \"on my way\"|the number that stands in the notice\n"
                   "serviola ack all|whatever is open"),
};

static int ask_ack(struct act *a, struct slice word, struct err *e)
{
    struct ctl_ack ask = { 0 };

    if (!slice_eq(word, SLICE("all")) && (!slice_to_u64(word, &ask.seq) || ask.seq == 0))
        return options_wrong(a->usage, _("\"%s\" is not the number of an event, nor all"), a->subject);
    if (a->o.why)
        memcpy(ask.why, a->o.why, strlen(a->o.why));
    return client_ack(a->sight.client, &ask, &a->answer, e) < 0 ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_ack(int argc, char **argv)
{
    struct act a = { .usage = &ack_usage, .done = N_("is taken care of") };

    return act(&a, argc, argv, ask_ack);
}
