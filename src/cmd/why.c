/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola why: gathers what the journal and the core know about a host or an event; view/why tells it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "cmd/why_account.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/paint.h"
#include "view/when.h"
#include "view/why.h"

enum {
    ABOUT_MOST = 4096,         /* events about one host that are looked at: the newest */
    FOLLOW_US = 600 * 1000000, /* what follows from an event follows soon */
    FOLLOW_MOST = 64,
};

struct why_options {
    struct common_options common;
};

static const struct usage usage = {
    .name = "why",
    .what =
        N_("Says why: what led to a block, a refusal, an event, and what is the case now.\n"
           "WHAT is an address, the number of an event (serviola events shows it), \"last\": the newest event that\n"
           "somebody should look at, the name of a host as its logs have it, or of a mail account."),
    .synopsis = "WHAT [--json]",
    .least = 1,
    .most = 1,
    .examples = N_("serviola why 10.1.0.2|why this host is blocked, or why it is not\n"
                   "serviola why 812|what led to event 812, back to its beginning\n"
                   "serviola why last|the newest finding\n"
                   "serviola why web1|what its logs show last\n"
                   "serviola why ana@example.com|whether this account's mail is stopped"),
};

struct gathering {
    struct sight sight;
    struct why_case c;
    struct event asked;
    struct event about[ABOUT_MOST];
    struct ctl_entry block;
    char standing[256];
    char looked_at[400];
    char evidence[256];
};

static bool get(void *ctx, uint64_t seq, struct event *ev)
{
    return sight_get(ctx, seq, ev);
}

/* ---- events about the host ---- */

static bool has(const struct gathering *g, uint64_t seq)
{
    for (size_t i = 0; i < g->c.count; i++)
        if (g->about[i].seq == seq)
            return true;
    return false;
}

static bool add(void *own, const struct event *ev)
{
    struct gathering *g = own;

    if (g->c.count == ABOUT_MOST) {
        g->c.more = true;
        return false;
    }
    if (!has(g, ev->seq))
        g->about[g->c.count++] = *ev;
    return true;
}

/* Allowances name a network, which may hold the host. */
static bool add_if_inside(void *own, const struct event *ev)
{
    struct gathering *g = own;
    struct slice words;
    struct prefix net;

    if (event_get(ev, F_PREFIX, &words) && prefix_read(words, &net) && prefix_has(net, g->c.who))
        return add(own, ev);
    return true;
}

static int by_seq(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int gather_about(struct gathering *g, struct err *e)
{
    static const enum event_kind allowances[] = { EV_ACT_ALLOWED, EV_ACT_DISALLOWED };
    struct query allowed = { .kinds = allowances, .kinds_count = 2, .limit = ABOUT_MOST };
    struct query either = { .either = prefix_of(g->c.who, 128), .limit = ABOUT_MOST - FOLLOW_MOST * 8 };

    if (sight_query(&g->sight, &either, add, g, NULL, e) < 0 ||
        sight_query(&g->sight, &allowed, add_if_inside, g, NULL, e) < 0)
        return -1;
    g->c.more = g->c.more || g->c.count >= either.limit;
    qsort(g->about, g->c.count, sizeof(g->about[0]), by_seq);
    return 0;
}

/* Evidence and other events that name no host, but say what they came from. */
static int gather_followers(struct gathering *g, struct err *e)
{
    struct why_verdict v = why_judge(&g->c);
    const struct event *from = g->c.asked ? g->c.asked : v.decision ? v.decision : v.block;
    struct event chain[WHY_DEPTH];
    size_t n = from ? why_chain(&g->c, from, chain) : 0;

    for (size_t i = 0; i < n && i < 8; i++) {
        struct query q = { .cause = chain[i].seq,
                           .from_seq = chain[i].seq + 1,
                           .until_us = chain[i].at_us + FOLLOW_US,
                           .limit = FOLLOW_MOST };

        if (sight_query(&g->sight, &q, add, g, NULL, e) < 0)
            return -1;
    }
    qsort(g->about, g->c.count, sizeof(g->about[0]), by_seq);
    return 0;
}

/* ---- what is the case now ---- */

static void see_block(void *own, const struct ctl_entry *entry)
{
    struct gathering *g = own;

    if (!addr_eq_ip(entry->who, g->c.who))
        return;
    g->block = *entry;
    g->c.block = &g->block;
}

static void gather_now(struct gathering *g)
{
    struct ctl_status status;
    struct err e;

    g->c.mode = g->sight.conf->hunt.mode;
    g->c.silent = client_says_down(&g->sight.core_error) ? _("serviola is not running") : g->sight.core_error.text;
    if (!g->sight.client || client_status(g->sight.client, &status, &g->sight.core_error) < 0)
        return;
    g->c.silent = NULL;
    g->c.mode = (int)status.mode;
    if (client_blocks(g->sight.client, see_block, g, &e) < 0)
        say("%s", e.text);
}

static bool inside(const struct key_prefixes *nets, struct addr who, struct prefix *which)
{
    for (uint32_t i = 0; i < nets->count; i++)
        if (prefix_has(nets->at[i], who)) {
            *which = nets->at[i];
            return true;
        }
    return false;
}

static void gather_standing(struct gathering *g)
{
    struct text t = TEXT_IN(g->standing);
    struct prefix net;

    if (inside(&g->sight.conf->hunt.allow, g->c.who, &net))
        text_addf(&t,
                  _("It is on the allow list of the configuration (hunt: allow: %s): its mail is no finding, and it "
                    "is never blocked."),
                  prefix_text(net).text);
    else if (inside(&g->sight.conf->block.admin, g->c.who, &net))
        text_addf(&t, _("It is in an admin network of the configuration (block: admin: %s) and is never blocked."),
                  prefix_text(net).text);
    if (t.len > 0)
        g->c.standing = g->standing;
}

/* What was searched: "12 events since 13:03:22 in /var/lib/serviola/journal; serviola is not running". */
static void put_looked_at(struct gathering *g, struct text *t, uint64_t first, uint64_t count)
{
    const char *folder = g->sight.conf->journal.folder;
    struct event oldest;

    if (count > 0 && sight_get(&g->sight, first, &oldest))
        text_addf(t, words_many("%llu event since %s", "%llu events since %s", count), (unsigned long long)count,
                  when_near(oldest.at_us, g->c.now_us).text);
    else
        text_addf(t, words_many("%llu event", "%llu events", count), (unsigned long long)count);
    if (g->sight.disk)
        text_addf(t, _(" in %s"), folder);
    else
        text_addf(t, _(", those in memory alone (%s)"), g->sight.disk_error.text);
    if (!g->sight.client)
        text_addf(t, "; %s", _("serviola is not running"));
}

static void gather_places(struct gathering *g)
{
    struct text t = TEXT_IN(g->looked_at);
    struct text folder = TEXT_IN(g->evidence);
    uint64_t first;
    uint64_t last;

    text_addf(&folder, "%s/evidence", g->sight.conf->journal.folder);
    g->c.evidence = g->evidence;
    sight_range(&g->sight, &first, &last);
    put_looked_at(g, &t, first, last ? last - first + 1 : 0);
    g->c.looked_at = g->looked_at;
}

/* ---- which event, which host ---- */

static bool take_last(void *own, const struct event *ev)
{
    *(struct event *)own = *ev;
    return true;
}

struct named {
    struct slice name;
    struct event *newest;
};

static bool take_if_named(void *own, const struct event *ev)
{
    struct named *n = own;
    struct slice name;

    if (event_get(ev, F_NAME, &name) && slice_eq_nocase(name, n->name))
        *n->newest = *ev;
    return true;
}

/* The newest that was found in the logs of a host of that name. */
static bool find_name(struct gathering *g, struct slice name)
{
    static const enum event_kind found = EV_LOG_FOUND;
    struct query q = { .kinds = &found, .kinds_count = 1 };
    struct named n = { name, &g->asked };

    return sight_query(&g->sight, &q, take_if_named, &n, NULL, NULL) == 0 && g->asked.seq != 0;
}

/* 0, or an exit code after it was said. */
static int find_what(struct gathering *g, const char *typed)
{
    struct slice what = slice_text(typed);
    struct query newest = { .grade = GRADE_WARN, .limit = 1 };
    struct err e;
    uint64_t seq;

    if (addr_read(what, &g->c.who))
        return EXIT_FINE;
    if (what.len > 0 && what.at[0] == '#')
        what = slice_skip(what, 1);
    if (slice_eq_nocase(what, SLICE("last"))) {
        if (sight_query(&g->sight, &newest, take_last, &g->asked, NULL, &e) < 0) {
            say("%s", e.text);
            return EXIT_CANNOT;
        }
        if (g->asked.seq == 0) {
            (void)puts(_("Nothing has happened yet that somebody should look at."));
            return EXIT_FOUND;
        }
    } else if (!slice_to_u64(what, &seq)) {
        if (!find_name(g, what))
            return options_wrong(&usage,
                                 _("WHAT is an address like 10.1.0.2, the number of an event, \"last\", or the "
                                   "name of a host whose logs show something, or of an account that was stopped"));
    } else if (!sight_get(&g->sight, seq, &g->asked)) {
        uint64_t first;
        uint64_t last;

        sight_range(&g->sight, &first, &last);
        say(_("there is no event %llu; the journal holds %llu to %llu"), (unsigned long long)seq,
            (unsigned long long)first, (unsigned long long)last);
        return EXIT_FOUND;
    }
    g->c.asked = &g->asked;
    g->c.who = addr_ip(g->asked.src);
    return EXIT_FINE;
}

static unsigned terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 40)
        return 0;
    return size.ws_col > 110 ? 110 : size.ws_col;
}

/* -1: it is none, or none that anything is known of. */
static int explain_account(struct gathering *g, const struct why_options *o)
{
    struct slice what = slice_text(o->common.words[0]);
    struct addr a;
    uint64_t number;

    if (what.len == 0 || what.at[0] == '#' || addr_read(what, &a) || slice_to_u64(what, &number) ||
        slice_eq_nocase(what, SLICE("last")))
        return -1;
    return why_account(&g->sight, what, o->common.json);
}

static int explain(struct gathering *g, const struct why_options *o)
{
    int code = explain_account(g, o);
    struct err e;

    if (code >= 0)
        return code;
    code = find_what(g, o->common.words[0]);
    if (code != EXIT_FINE)
        return code;
    if (g->c.who.family != 0) {
        gather_standing(g);
        if (gather_about(g, &e) < 0)
            goto fail;
    }
    if (gather_followers(g, &e) < 0)
        goto fail;
    gather_now(g);
    gather_places(g);
    if (o->common.json)
        why_json(&g->c, stdout);
    else
        why_print(&g->c, stdout, terminal_width(), paint_wanted(STDOUT_FILENO));
    return !g->c.asked && g->c.count == 0 ? EXIT_FOUND : EXIT_FINE;
fail:
    say("%s", e.text);
    return EXIT_CANNOT;
}

int cmd_why(int argc, char **argv)
{
    struct why_options o = { 0 };
    struct gathering *g;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    g = calloc(1, sizeof(*g));
    if (!g) {
        say(_("no memory"));
        return EXIT_CANNOT;
    }
    g->c.about = g->about;
    g->c.get = get;
    g->c.ctx = &g->sight;
    g->c.now_us = clock_wall_us();
    code = sight_configure(&g->sight, &o.common);
    if (code != EXIT_FINE)
        goto out;
    (void)sight_connect(&g->sight);
    if (sight_open_disk(&g->sight) < 0 && !g->sight.client) {
        say("%s", g->sight.disk_error.text);
        say("%s", g->sight.core_error.text);
        code = EXIT_CANNOT;
        goto out;
    }
    code = explain(g, &o);
out:
    sight_close(&g->sight);
    free(g);
    return code;
}
