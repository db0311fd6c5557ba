/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola events: what happened, from the disk and from memory, and what happens now. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "conf/near.h"
#include "journal/json.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/line.h"
#include "view/paint.h"

enum { RETRY_US = 1000000, WAIT_US = 60000000 };

struct events_options {
    struct common_options common;
    bool follow;
    int64_t since_us, until_us;
    const char *kinds;
    struct prefix src;
    int grade; /* index into grades */
    uint64_t limit;
};

static const char *const grades[] = { "note", "warn", "alarm", NULL };

static const struct option_row rows[] = {
    { "follow", 'f', OPTION_FLAG, offsetof(struct events_options, follow), NULL,
      N_("go on: print events as they happen"), NULL },
    { "since", 's', OPTION_TIME, offsetof(struct events_options, since_us), "T", N_("from this time on"), NULL },
    { "until", 'u', OPTION_TIME, offsetof(struct events_options, until_us), "T", N_("up to this time"), NULL },
    { "kind", 'k', OPTION_TEXT, offsetof(struct events_options, kinds), "K[,K]",
      N_("only these kinds; \"hunt.\" means all that begin so"), NULL },
    { "src", 0, OPTION_NET, offsetof(struct events_options, src), "NET", N_("only what this host or network did"),
      NULL },
    { "grade", 'g', OPTION_WORD, offsetof(struct events_options, grade), "G", N_("note, warn or alarm, and above"),
      grades },
    { "limit", 'n', OPTION_NUMBER, offsetof(struct events_options, limit), "N", N_("only the newest N"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "events",
    .what =
        N_("Shows what happened, the oldest first: number, time, grade, kind, hosts, fields, and after \"<-\" the\n"
           "number of the event that led to it.\n"
           "A time is like 2026-11-22T18:28:03Z, \"2026-11-22 18:28\", 18:28, today, yesterday, or 30s, 2h, 3d ago."),
    .synopsis = "[--follow] [--since T] [--until T] [--kind K[,K]] [--src NET] [--grade G] [--limit N] [--json]",
    .rows = rows,
    .examples = N_("serviola events --since 2h --grade warn|what somebody should have looked at in the last two hours\n"
                   "serviola events --kind act.blocked --src 10.1.0.0/16|every block in one network\n"
                   "serviola events --follow --limit 20|the last twenty, and then live"),
};

/* ---- the kinds that were asked for ---- */

struct kinds {
    enum event_kind at[EV_KINDS];
    size_t count;
};

/* `act.blocked`, or `act.` for all of them; false when there is none. */
static bool add_kinds(struct kinds *k, struct slice word)
{
    size_t before = k->count;
    bool all = word.len > 0 && (word.at[word.len - 1] == '.' || word.at[word.len - 1] == '*');

    if (all && word.at[word.len - 1] == '*')
        word.len--;
    for (int i = EV_NONE + 1; i < EV_KINDS && k->count < EV_KINDS; i++) {
        struct slice name = slice_text(event_name((enum event_kind)i));

        if (all ? slice_starts_nocase(name, word) : slice_eq_nocase(name, word))
            k->at[k->count++] = (enum event_kind)i;
    }
    return k->count > before;
}

static int no_such_kind(struct slice word)
{
    struct near near = near_to(word);
    char visible[128];
    struct text t = TEXT_IN(visible);

    for (int i = EV_NONE + 1; i < EV_KINDS; i++)
        near_try(&near, event_name((enum event_kind)i));
    text_visible(&t, word);
    if (near.word)
        return options_wrong(
            &usage, _("--kind: there is no event \"%s\"; did you mean \"%s\"?; man serviola-events lists them"),
            visible, near.word);
    return options_wrong(&usage, _("--kind: there is no event \"%s\"; man serviola-events lists them"), visible);
}

static int read_kinds(struct kinds *k, const char *list)
{
    struct slice rest = slice_text(list);

    while (rest.len > 0) {
        struct slice word = slice_trim(slice_until(rest, ',', &rest));

        if (!add_kinds(k, word))
            return no_such_kind(word);
    }
    return EXIT_FINE;
}

/* ---- printing ---- */

struct printer {
    const struct query *q;
    bool json, colour;
    uint64_t count;
    struct event last; /* that was seen, printed or not: a follower knows the place by it */
};

static bool print_one(void *own, const struct event *ev)
{
    struct printer *p = own;
    char line[EVENT_JSON_BYTES];
    struct text t = TEXT_IN(line);

    if (p->json)
        event_json(ev, &t);
    else
        line_full(&t, ev, p->colour);
    p->count++;
    return puts(line) >= 0;
}

/* ---- following ---- */

struct follower {
    struct sight *sight;
    struct printer *printer;
    uint64_t next; /* the number that is shown next */
    bool down_said;
};

static void follow_one(struct follower *f, const struct event *ev)
{
    f->printer->last = *ev;
    f->next = ev->seq + 1;
    if (query_matches(f->printer->q, ev))
        (void)print_one(f->printer, ev);
}

static bool from_disk(void *own, const struct event *ev)
{
    follow_one(own, ev);
    return true;
}

/* What left the memory before we came is on the disk by now, or lost for good. */
static void catch_up(struct follower *f)
{
    uint64_t oldest = tail_oldest(f->sight->tail);
    struct query q = { .from_seq = f->next, .to_seq = oldest - 1 };
    struct err e;

    if (oldest <= f->next)
        return;
    if (f->sight->disk && reader_query(f->sight->disk, &q, from_disk, f, NULL, &e) < 0)
        say("%s", e.text);
    if (f->next < oldest)
        say(_("the events %llu to %llu were not seen: they left the memory and are not on the disk"),
            (unsigned long long)f->next, (unsigned long long)oldest - 1);
    f->next = f->next < oldest ? oldest : f->next;
}

static void show_news(struct follower *f)
{
    struct event ev;

    for (;;) {
        switch (tail_get(f->sight->tail, f->next, &ev)) {
        case TAIL_GOT:
            follow_one(f, &ev);
            break;
        case TAIL_NOT_YET:
            (void)fflush(stdout);
            return;
        case TAIL_GONE:
            catch_up(f);
            break;
        }
    }
}

/* A core that was killed may have lost its newest events and given their numbers anew. */
static void find_place(struct follower *f)
{
    struct event ev;
    uint64_t oldest = tail_oldest(f->sight->tail);

    if (f->next == 0 || f->printer->last.seq == 0)
        return;
    if (sight_get(f->sight, f->printer->last.seq, &ev) && ev.at_us == f->printer->last.at_us)
        return;
    if (oldest < f->next) {
        say(_("serviola started anew and counts from %llu again: what it had not written by then is lost"),
            (unsigned long long)oldest);
        f->next = oldest;
    }
}

static bool connect_again(struct follower *f)
{
    if (sight_connect(f->sight) == 0) {
        if (f->down_said)
            say(_("serviola is back"));
        f->down_said = false;
        find_place(f);
        return true;
    }
    if (!f->down_said)
        say(_("%s (waiting for it; Ctrl-C ends)"), f->sight->core_error.text);
    f->down_said = true;
    (void)usleep(RETRY_US);
    return false;
}

__attribute__((noreturn)) static void follow(struct follower *f)
{
    struct err e;

    for (;;) {
        if (!f->sight->client && !connect_again(f))
            continue;
        if (client_follow(f->sight->client, &e) < 0) {
            sight_leave_core(f->sight);
            continue;
        }
        while (client_wait(f->sight->client, WAIT_US, &e) >= 0)
            show_news(f);
        show_news(f); /* its last words are still in memory */
        sight_leave_core(f->sight);
    }
}

/* ---- the command ---- */

static int run(struct sight *s, const struct events_options *o, const struct kinds *kinds)
{
    struct query q = { .since_us = o->since_us,
                       .until_us = o->until_us,
                       .kinds = kinds->at,
                       .kinds_count = kinds->count,
                       .grade = o->grade < 0 ? 0 : (enum grade)(o->grade + GRADE_NOTE),
                       .src = o->src,
                       .limit = o->limit };
    struct query live = q;
    struct printer p = { .q = &live, .json = o->common.json, .colour = paint_wanted(STDOUT_FILENO) };
    struct follower f = { .sight = s, .printer = &p };
    struct err e;

    live.limit = 0;
    if (sight_query(s, &q, print_one, &p, &f.next, &e) < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    (void)fflush(stdout);
    if (f.next > 1 && sight_get(s, f.next - 1, &p.last))
        f.next = p.last.seq + 1;
    if (o->follow)
        follow(&f);
    if (p.count == 0)
        say(_("no event matches"));
    return p.count > 0 ? EXIT_FINE : EXIT_FOUND;
}

int cmd_events(int argc, char **argv)
{
    struct events_options o = { .grade = -1 };
    struct kinds kinds = { .count = 0 };
    struct sight s = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    code = o.kinds ? read_kinds(&kinds, o.kinds) : EXIT_FINE;
    if (code == EXIT_FINE)
        code = sight_configure(&s, &o.common);
    if (code != EXIT_FINE)
        goto out;
    (void)sight_connect(&s);
    if (sight_open_disk(&s) < 0 && !s.client && !o.follow) {
        say("%s", s.disk_error.text);
        say("%s", s.core_error.text);
        code = EXIT_CANNOT;
        goto out;
    }
    if (!s.disk && s.client)
        say(_("%s; only what is in memory can be shown"), s.disk_error.text);
    code = run(&s, &o, &kinds);
out:
    sight_close(&s);
    return code;
}
