/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log search: lines of the store that hold a text, the newest first. */
#include "cmd/log_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log_lines.h"
#include "cmd/log.h"
#include "cmd/sight.h"
#include "sense/log/kept.h"
#include "sense/log/seek.h"
#include "sys/say.h"

enum { TROUBLE = EXIT_USAGE, NEAR_MOST = 10000, GROUP_MOST = 4096 };

struct search_options {
    struct common_options common;
    const char *store, *host, *program;
    int64_t since_us, until_us;
    uint64_t severity, template, before, after, around, most, threads;
    bool nocase, word, regex, invert, count, oldest, follow;
};

static const struct option_row rows[] = {
    { "store", 0, OPTION_TEXT, offsetof(struct search_options, store), "FOLDER",
      N_("a store; otherwise the configured one"), NULL },
    { "since", 0, OPTION_TIME, offsetof(struct search_options, since_us), "T", N_("from this time on"), NULL },
    { "until", 0, OPTION_TIME, offsetof(struct search_options, until_us), "T", N_("up to this time"), NULL },
    { "host", 0, OPTION_TEXT, offsetof(struct search_options, host), "NAME", N_("lines of this host"), NULL },
    { "program", 0, OPTION_TEXT, offsetof(struct search_options, program), "NAME", N_("lines of this program"), NULL },
    { "severity", 0, OPTION_NUMBER, offsetof(struct search_options, severity), "N",
      N_("of this severity and worse: 0 (emergency) to 7 (debug)"), NULL },
    { "template", 0, OPTION_NUMBER, offsetof(struct search_options, template), "ID",
      N_("messages of this kind, as log templates --store numbers them"), NULL },
    { "ignore-case", 'i', OPTION_FLAG, offsetof(struct search_options, nocase), NULL,
      N_("capital and small letters are the same"), NULL },
    { "word", 'w', OPTION_FLAG, offsetof(struct search_options, word), NULL,
      N_("not within a longer word; by far the fastest"), NULL },
    { "regex", 0, OPTION_FLAG, offsetof(struct search_options, regex), NULL,
      N_("PATTERN is a regular expression of Perl's kind"), NULL },
    { "invert", 'v', OPTION_FLAG, offsetof(struct search_options, invert), NULL, N_("lines that do not hold PATTERN"),
      NULL },
    { "before", 'B', OPTION_NUMBER, offsetof(struct search_options, before), "N",
      N_("with so many lines that arrived before each"), NULL },
    { "after", 'A', OPTION_NUMBER, offsetof(struct search_options, after), "N",
      N_("with so many lines that arrived behind each"), NULL },
    { "context", 'C', OPTION_NUMBER, offsetof(struct search_options, around), "N", N_("both"), NULL },
    { "oldest-first", 0, OPTION_FLAG, offsetof(struct search_options, oldest), NULL, N_("in the order they came"),
      NULL },
    { "most", 0, OPTION_NUMBER, offsetof(struct search_options, most), "N", N_("end behind so many"), NULL },
    { "count", 0, OPTION_FLAG, offsetof(struct search_options, count), NULL, N_("how many lines there are"), NULL },
    { "follow", 'f', OPTION_FLAG, offsetof(struct search_options, follow), NULL,
      N_("lines from now on, as they are stored; with --since from then on"), NULL },
    { "threads", 0, OPTION_NUMBER, offsetof(struct search_options, threads), "N",
      N_("otherwise as many as there are processors"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log search",
    .what = N_("log search prints the lines of a store that hold PATTERN, the newest first; without PATTERN all that\n"
               "the options choose.\n"
               "Exit code 0: found; 1: nothing found; 2: wrong usage, or part of the store could not be read."),
    .synopsis = "[--store FOLDER] [--since T] [--until T] [--host NAME] [--program NAME] [--severity N] "
                "[--template ID] [-i] [-v] [-w | --regex] [-A N] [-B N] [-C N] [--count | --follow] [--json] [PATTERN]",
    .rows = rows,
    .least = 0,
    .most = 1,
    .examples =
        N_("serviola log search --since 2h 'I/O error'|in the last two hours\n"
           "serviola log search --count -w cciss0|how many lines name it\n"
           "serviola log search -C 3 --host web1 --severity 3 --most 1|the last error, and what came around it\n"
           "serviola log search --follow --regex 'status=(deferred|bounced)'|while mail goes out"),
};

/* ---- lines with those around them ---- */

/* Matches that stand so near that one group of lines shows them; numbers in the order they were found. */
struct group {
    uint64_t first, last; /* lines that are shown */
    uint64_t matches[GROUP_MOST];
    size_t count;
    bool any_before; /* a group was printed */
};

struct output {
    const struct search_options *o;
    const struct lines *lines;
    struct lines_room room; /* for lines around */
    const char *folder;
    uint64_t found;
    bool whole;  /* nothing was unreadable */
    bool enough; /* o->most were found */
    struct group group;
};

static bool is_match(const struct group *g, uint64_t seq)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->matches[i] == seq)
            return true;
    return false;
}

static void print(const struct output *out, const struct log_line *line, bool near, bool grouped)
{
    if (out->o->common.json)
        log_line_print_json(line, near);
    else
        log_line_print(line, !grouped ? ' ' : near ? '-' : ':');
}

static void print_group(struct output *out)
{
    struct group *g = &out->group;
    struct lines_walk walk;
    struct log_line line;
    struct slice payload;
    struct err e;

    if (g->count == 0)
        return;
    if (g->any_before && !out->o->common.json)
        (void)puts("--");
    g->any_before = true;
    for (size_t i = lines_find(out->lines, g->first);
         i < lines_count(out->lines) && lines_block(out->lines, i)->first_seq <= g->last; i++) {
        if (lines_load(out->lines, i, &out->room, &payload, &e) < 0) {
            say("%s", e.text);
            out->whole = false;
            continue;
        }
        walk = lines_walk(payload, lines_block(out->lines, i)->first_seq);
        while (lines_next(&walk, &line) && line.seq <= g->last)
            if (line.seq >= g->first) {
                log_line_read(&line);
                print(out, &line, !is_match(g, line.seq), true);
            }
    }
    g->count = 0;
}

static void add_to_group(struct output *out, uint64_t seq)
{
    struct group *g = &out->group;
    uint64_t first = seq > out->o->before ? seq - out->o->before : 1;
    uint64_t last = seq + out->o->after;

    if (g->count == GROUP_MOST || (g->count > 0 && (first > g->last + 1 || last + 1 < g->first)))
        print_group(out);
    if (g->count == 0) {
        g->first = first;
        g->last = last;
    }
    g->first = first < g->first ? first : g->first;
    g->last = last > g->last ? last : g->last;
    g->matches[g->count++] = seq;
}

/* ---- what is there ---- */

/* False: that is all that was wanted. */
static bool take(struct output *out, const struct log_line *line)
{
    const struct search_options *o = out->o;

    if (o->before > 0 || o->after > 0)
        add_to_group(out, line->seq);
    else
        print(out, line, false, false);
    out->enough = ++out->found == o->most;
    return !out->enough;
}

static bool take_block(struct output *out, const struct seek_found *found)
{
    if (found->unreadable) {
        say("%s", found->unreadable);
        out->whole = false;
        return true;
    }
    if (out->o->count) {
        out->found += found->count;
        return true;
    }
    for (size_t i = 0; i < found->count; i++)
        if (!take(out, &found->line[out->o->oldest ? i : found->count - 1 - i]))
            return false;
    return true;
}

static void tell_trouble(struct output *out, const struct seek *k)
{
    const char *damage = "";

    if (lines_damaged(out->lines, &damage) > 0) {
        say("%s", damage);
        out->whole = false;
    }
    if (seek_given_up(k) > 0) {
        say(_("%llu lines were too much work for this expression and were not decided"),
            (unsigned long long)seek_given_up(k));
        out->whole = false;
    }
}

static int search_store(struct output *out, const struct search *s, struct err *e)
{
    const struct search_options *o = out->o;
    const struct seek_settings set = { .threads = (unsigned)o->threads,
                                       .oldest_first = o->oldest,
                                       .count_only = o->count };
    struct seek *k = seek_new(s, out->lines, &set, e);
    struct seek_found found;

    if (!k)
        return -1;
    while (seek_next(k, &found) > 0 && take_block(out, &found))
        continue;
    print_group(out);
    tell_trouble(out, k);
    seek_free(k);
    lines_room_done(&out->room);
    return 0;
}

/* Lines that left the store and live on because of their class; those around them are gone. */
static int search_kept(struct output *out, const struct search *s, struct err *e)
{
    uint64_t before = lines_count(out->lines) > 0 ? lines_block(out->lines, 0)->first_seq : UINT64_MAX;
    struct kept *k = kept_new(out->folder, before, s, out->o->oldest, e);
    const char *what;
    struct log_line line;

    if (!k)
        return -1;
    while (!out->enough && kept_next(k, &line) > 0) {
        out->enough = ++out->found == out->o->most && !out->o->count;
        if (!out->o->count)
            print(out, &line, false, false);
    }
    if (kept_trouble(k, &what) > 0) {
        say("%s", what);
        out->whole = false;
    }
    kept_free(k);
    return 0;
}

static int search_all(struct output *out, const struct search *s, struct err *e)
{
    int got = out->o->oldest ? search_kept(out, s, e) : search_store(out, s, e);

    if (got == 0 && !out->enough)
        got = out->o->oldest ? search_store(out, s, e) : search_kept(out, s, e);
    if (got == 0 && out->o->count)
        (void)printf("%llu\n", (unsigned long long)out->found);
    return got;
}

static struct search *make_search(const struct search_options *o, const struct lines *l, struct err *e)
{
    struct bytes_out learned = { 0 };
    struct search_query q = { .pattern = slice_text(o->common.count > 0 ? o->common.words[0] : ""),
                              .how = o->regex ? SEARCH_REGEX
                                   : o->word  ? SEARCH_WORD
                                              : SEARCH_LITERAL,
                              .nocase = o->nocase,
                              .invert = o->invert,
                              .since_us = o->since_us,
                              .until_us = o->until_us,
                              .host = slice_text(o->host),
                              .program = slice_text(o->program),
                              .severity = (unsigned)o->severity,
                              .template = (uint32_t)o->template };
    struct search *s = NULL;

    if (o->template == 0 || templates_of_store(l, &learned, e) == 0) {
        q.templates = slice_of(learned.at, learned.len);
        s = search_new(&q, e);
    }
    bytes_done(&learned);
    return s;
}

static void print_followed(void *own, const struct log_line *line)
{
    struct output *out = own;

    out->found++;
    print(out, line, false, false);
}

/* What is there and wanted, then what comes. */
static int follow(struct output *out, struct lines *l, const struct search *s, struct err *e)
{
    size_t blocks = lines_count(l);
    uint64_t last = blocks > 0 ? lines_block(l, blocks - 1)->last_seq : 0;

    if (out->o->since_us != INT64_MIN && search_all(out, s, e) < 0)
        return -1;
    return log_follow(l, s, last, print_followed, out, e);
}

static int search(const struct search_options *o, const char *folder)
{
    static struct output out;
    struct err e = { 0 };
    struct lines *l = lines_open(folder, &e);
    struct search *s = l ? make_search(o, l, &e) : NULL;
    int got = -1;

    out = (struct output){ .o = o, .lines = l, .folder = folder, .whole = true };
    if (s)
        got = o->follow ? follow(&out, l, s, &e) : search_all(&out, s, &e);
    if (got < 0)
        say("%s", e.text);
    search_free(s);
    lines_close(l);
    if (fflush(stdout) != 0 || got < 0 || !out.whole)
        return TROUBLE;
    return out.found > 0 ? EXIT_FINE : EXIT_FOUND;
}

static const char *what_is_wrong(const struct search_options *o)
{
    if (o->word && o->regex)
        return _("--word or --regex, not both");
    if (o->severity > 7 && o->severity != LOG_UNKNOWN)
        return _("--severity: 0 to 7");
    if (o->before > NEAR_MOST || o->after > NEAR_MOST)
        return _("--before, --after, --context: at most 10000 lines");
    if (o->template > UINT32_MAX || (o->template > 0 && o->follow))
        return _("--template: a number of log templates --store, and not with --follow");
    if (o->follow && (o->count || o->before > 0 || o->after > 0 || o->most > 0))
        return _("--follow prints lines as they come: without --count, --context or --most");
    return NULL;
}

int log_search(int argc, char **argv)
{
    struct search_options o = { .since_us = INT64_MIN, .until_us = INT64_MAX, .severity = LOG_UNKNOWN };
    struct sight s = { 0 };
    const char *wrong;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.around > 0) {
        o.before = o.before > 0 ? o.before : o.around;
        o.after = o.after > 0 ? o.after : o.around;
    }
    o.oldest = o.oldest || o.follow;
    wrong = what_is_wrong(&o);
    if (wrong)
        return options_wrong(&usage, "%s", wrong);
    if (o.store)
        return search(&o, o.store);
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE)
        code = search(&o, s.conf->log.folder);
    sight_close(&s);
    return code;
}
