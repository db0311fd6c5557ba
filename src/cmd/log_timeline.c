/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log timeline: what happened between two moments, on all hosts, in its order, each line with its proof. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log_lines.h"
#include "cmd/log.h"
#include "cmd/sight.h"
#include "sense/log/timeline.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/line.h"

enum { LINES_MOST = 4000000, EVENTS_MOST = 100000, ROOMS = 8 };

struct timeline_options {
    struct common_options common;
    const char *store, *host;
    int64_t from_us, to_us;
};

static const struct option_row rows[] = {
    { "store", 0, OPTION_TEXT, offsetof(struct timeline_options, store), "FOLDER",
      N_("a store by itself; otherwise the configured one, and serviola's own events"), NULL },
    { "from", 0, OPTION_TIME, offsetof(struct timeline_options, from_us), "T", N_("the beginning"), NULL },
    { "to", 0, OPTION_TIME, offsetof(struct timeline_options, to_us), "T", N_("the end; otherwise now"), NULL },
    { "host", 0, OPTION_TEXT, offsetof(struct timeline_options, host), "NAMES", N_("of these hosts alone: a,b,c"),
      NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log timeline",
    .what =
        N_("log timeline prints the lines of all hosts between two moments in the order in which they happened.\n"
           "A clock that is wrong is corrected by what its host's other lines show; the line itself stays as it\n"
           "came.  In brackets stands where it lies: the store, its number, the segment and the block in its file."),
    .synopsis = "--from T [--to T] [--host NAMES] [--store FOLDER] [--json]",
    .rows = rows,
    .least = 0,
    .most = 0,
    .examples = N_("serviola log timeline --from 18:20 --to 18:40|what led to the silence\n"
                   "serviola log timeline --from 2h --host web1,db1 --json|two hosts, for a program"),
};

struct page {
    const struct timeline_options *o;
    const struct lines *lines;
    char store[9]; /* the first digits of its id */
    struct {
        struct lines_room room;
        struct slice payload;
        size_t block; /* one more; 0: none */
    } rooms[ROOMS];
    struct event *events;
    size_t events_count, events_next;
    bool whole;
};

/* ---- serviola's own events ---- */

static bool keep_event(void *own, const struct event *ev)
{
    struct page *p = own;

    p->events[p->events_count++] = *ev;
    return p->events_count < EVENTS_MOST;
}

/* The journal's order is that of writing: what a part tells was a little earlier. */
static int earlier_first(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    return x->at_us != y->at_us ? (x->at_us > y->at_us) - (x->at_us < y->at_us) : (x->seq > y->seq) - (x->seq < y->seq);
}

static void read_events(struct page *p, struct sight *s)
{
    const struct query q = { .since_us = p->o->from_us, .until_us = p->o->to_us + 1 };
    uint64_t next;
    struct err e = { 0 };

    p->events = calloc(EVENTS_MOST, sizeof(*p->events));
    if (!p->events)
        return;
    (void)sight_connect(s);
    if (sight_open_disk(s) < 0 && !s->client)
        return; /* without a journal the lines are all there is */
    if (sight_query(s, &q, keep_event, p, &next, &e) < 0)
        say("%s", e.text);
    if (p->events_count > 1)
        qsort(p->events, p->events_count, sizeof(*p->events), earlier_first);
}

static void print_events_before(struct page *p, int64_t at_us)
{
    char words[LINE_TEXT];

    for (; p->events_next < p->events_count && p->events[p->events_next].at_us <= at_us; p->events_next++) {
        const struct event *ev = &p->events[p->events_next];
        struct text t = TEXT_IN(words);

        if (p->o->common.json) {
            text_time(&t, ev->at_us, 6);
            (void)printf("{\"at\":\"%s\",\"event\":%llu,\"kind\":\"%s\"}\n", words, (unsigned long long)ev->seq,
                         event_name(ev->kind));
        } else {
            text_time(&t, ev->at_us, 3);
            text_word(&t, "  serviola  ");
            line_short(&t, ev, false);
            (void)puts(words);
        }
    }
}

/* ---- lines ---- */

/* Lines that were late lie in another block than their neighbours: some are kept unpacked. */
static const struct slice *payload_of(struct page *p, size_t block)
{
    size_t i = block % ROOMS;
    struct err e;

    if (p->rooms[i].block == block + 1)
        return &p->rooms[i].payload;
    p->rooms[i].block = 0;
    if (lines_load(p->lines, block, &p->rooms[i].room, &p->rooms[i].payload, &e) < 0) {
        say("%s", e.text);
        p->whole = false;
        return NULL;
    }
    p->rooms[i].block = block + 1;
    return &p->rooms[i].payload;
}

static void print_line(struct page *p, const struct timeline_line *at)
{
    static char room[LOG_LINE_ROOM];
    const struct slice *payload = payload_of(p, at->block);
    const struct lines_block *b = lines_block(p->lines, at->block);
    struct text t = TEXT_IN(room);
    struct lines_walk w;
    struct log_line line;

    if (!payload || at->raw_at + at->raw_len > payload->len)
        return;
    if (p->o->common.json) {
        w = lines_walk(*payload, b->first_seq);
        if (!lines_skip_to(&w, payload->at + at->raw_at, &line))
            return;
        log_line_read(&line);
        text_word(&t, "{\"at\":\"");
        text_time(&t, at->at_us, 6);
        text_addf(&t, "\",\"clock_ahead_us\":%lld,\"store\":\"%s\",\"segment\":%llu,\"block_at\":%llu,",
                  (long long)at->offset_us, p->store, (unsigned long long)b->segment, (unsigned long long)b->offset);
        log_line_json(&t, &line);
        text_word(&t, "}");
    } else {
        text_time(&t, at->at_us, 3);
        text_addf(&t, "  [%s:%llu %llu/%llu]  ", p->store, (unsigned long long)at->seq, (unsigned long long)b->segment,
                  (unsigned long long)b->offset);
        text_visible(&t, slice_of(payload->at + at->raw_at, at->raw_len));
        if (at->offset_us != 0) {
            text_word(&t, at->offset_us > 0 ? _("  (its clock: ahead by ") : _("  (its clock: behind by "));
            text_duration(&t, at->offset_us > 0 ? at->offset_us : -at->offset_us);
            text_word(&t, ")");
        }
    }
    (void)puts(room);
}

static void tell_trouble(struct page *p, const struct timeline *t)
{
    const char *damage = "";

    if (t->cut) {
        say(_("there are more than %d lines: what came later is missing; ask for a shorter time or fewer hosts"),
            LINES_MOST);
        p->whole = false;
    }
    if (t->unreadable > 0 || lines_damaged(p->lines, &damage) > 0) {
        say("%s", t->unreadable > 0 ? t->why : damage);
        p->whole = false;
    }
    if (p->events_count == EVENTS_MOST)
        say(_("only the first %d of serviola's own events are shown"), EVENTS_MOST);
}

static void name_store(struct page *p)
{
    const uint8_t *id = lines_id(p->lines);

    for (size_t i = 0; i < 4; i++)
        (void)snprintf(p->store + 2 * i, 3, "%02x", id ? (unsigned)id[i] : 0u);
}

static int timeline(struct page *p, const char *folder)
{
    struct timeline_wish wish = { .from_us = p->o->from_us, .to_us = p->o->to_us, .most = LINES_MOST };
    struct slice hosts = slice_text(p->o->host);
    struct timeline t = { 0 };
    struct err e = { 0 };
    struct lines *l = lines_open(folder, &e);

    while (hosts.len > 0 && wish.hosts_count < TIMELINE_HOSTS)
        wish.hosts[wish.hosts_count++] = slice_until(hosts, ',', &hosts);
    if (!l || timeline_make(&t, l, &wish, &e) < 0) {
        say("%s", e.text);
        lines_close(l);
        return EXIT_CANNOT;
    }
    p->lines = l;
    name_store(p);
    for (size_t i = 0; i < t.count; i++) {
        print_events_before(p, t.at[i].at_us);
        print_line(p, &t.at[i]);
    }
    print_events_before(p, INT64_MAX);
    tell_trouble(p, &t);
    timeline_done(&t);
    for (size_t i = 0; i < ROOMS; i++)
        lines_room_done(&p->rooms[i].room);
    lines_close(l);
    return fflush(stdout) == 0 && p->whole ? EXIT_FINE : EXIT_CANNOT;
}

int log_timeline(int argc, char **argv)
{
    struct timeline_options o = { .from_us = INT64_MIN, .to_us = clock_wall_us() };
    struct page p = { .o = &o, .whole = true };
    struct sight s = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.from_us == INT64_MIN || o.to_us < o.from_us)
        return options_wrong(&usage, _("--from: when it begins, before --to"));
    if (o.store)
        return timeline(&p, o.store);
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE) {
        read_events(&p, &s);
        code = timeline(&p, s.conf->log.folder);
    }
    free(p.events);
    sight_close(&s);
    return code;
}
