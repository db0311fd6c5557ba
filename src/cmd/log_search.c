/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log search: lines of the store that hold a text, the newest first. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log_receive.h"
#include "cmd/sight.h"
#include "sense/log/search.h"
#include "sys/say.h"

struct search_options {
    struct common_options common;
    const char *store, *host, *program;
    int64_t since_us, until_us;
    uint64_t severity;
    bool nocase, word, regex, count;
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
    { "ignore-case", 'i', OPTION_FLAG, offsetof(struct search_options, nocase), NULL,
      N_("capital and small letters are the same"), NULL },
    { "word", 0, OPTION_FLAG, offsetof(struct search_options, word), NULL, N_("not within a longer word"), NULL },
    { "regex", 0, OPTION_FLAG, offsetof(struct search_options, regex), NULL,
      N_("PATTERN is a regular expression of Perl's kind"), NULL },
    { "count", 0, OPTION_FLAG, offsetof(struct search_options, count), NULL, N_("how many lines there are"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log search",
    .what = N_("log search prints the lines of a store that hold PATTERN, the newest first.\n"
               "Exit code 0: found; 1: nothing found; 3: part of the store could not be read."),
    .synopsis = "[--store FOLDER] [--since T] [--until T] [--host NAME] [--program NAME] [--severity N] [-i] "
                "[--word | --regex] [--count] [--json] PATTERN",
    .rows = rows,
    .least = 1,
    .most = 1,
    .examples = N_("serviola log search --since 2h 'I/O error'|in the last two hours\n"
                   "serviola log search --count --word cciss0|how many lines name it"),
};

struct printing {
    const struct search_options *o;
    uint64_t found;
};

static void on_hit(void *own, const struct log_line *line)
{
    static char room[2 << 20];
    struct printing *p = own;
    struct text t = TEXT_IN(room);

    p->found++;
    if (p->o->count)
        return;
    if (p->o->common.json) {
        text_addf(&t, "{\"seq\":%llu,\"arrived\":\"", (unsigned long long)line->seq);
        text_time(&t, line->at_us, 6);
        text_word(&t, "\",\"peer\":\"");
        text_json(&t, line->peer);
        text_word(&t, "\",\"host\":\"");
        text_json(&t, line->host);
        text_word(&t, "\",\"program\":\"");
        text_json(&t, line->program);
        text_word(&t, "\",\"text\":\"");
        text_json(&t, line->raw);
        text_word(&t, "\"}");
    } else {
        text_addf(&t, "%llu ", (unsigned long long)line->seq);
        text_time(&t, line->at_us, 3);
        text_word(&t, "  ");
        text_visible(&t, line->raw);
    }
    (void)puts(room);
}

static bool search_all(struct search *s, const struct lines *l, struct printing *p)
{
    struct lines_room room = { 0 };
    const char *damage = "";
    bool whole = true;

    for (size_t i = lines_count(l); i-- > 0;) {
        const struct lines_block *block = lines_block(l, i);
        struct slice payload;
        struct err e = { 0 };

        if (!search_may_hold(s, block))
            continue;
        if (lines_load(l, i, &room, &payload, &e) < 0 ||
            search_block(s, payload, block->first_seq, on_hit, p, &e) < 0) {
            say("%s", e.text);
            whole = false;
        }
    }
    if (lines_damaged(l, &damage) > 0) {
        say("%s", damage);
        whole = false;
    }
    if (search_given_up(s) > 0)
        say(_("%llu lines were too much work for this expression and were not decided"),
            (unsigned long long)search_given_up(s));
    lines_room_done(&room);
    return whole && search_given_up(s) == 0;
}

static int search(const struct search_options *o, const char *folder)
{
    struct search_query q = { .pattern = slice_text(o->common.words[0]),
                              .how = o->regex ? SEARCH_REGEX
                                   : o->word  ? SEARCH_WORD
                                              : SEARCH_LITERAL,
                              .nocase = o->nocase,
                              .since_us = o->since_us,
                              .until_us = o->until_us,
                              .host = slice_text(o->host),
                              .program = slice_text(o->program),
                              .severity = (unsigned)o->severity };
    struct printing p = { .o = o };
    struct err e = { 0 };
    struct search *s = search_new(&q, &e);
    struct lines *l;
    bool whole;

    if (!s)
        return options_wrong(&usage, "%s", e.text);
    l = lines_open(folder, &e);
    if (!l) {
        say("%s", e.text);
        search_free(s);
        return EXIT_CANNOT;
    }
    whole = search_all(s, l, &p);
    if (o->count)
        (void)printf("%llu\n", (unsigned long long)p.found);
    lines_close(l);
    search_free(s);
    if (fflush(stdout) != 0 || !whole)
        return EXIT_CANNOT;
    return p.found > 0 ? EXIT_FINE : EXIT_FOUND;
}

int log_search(int argc, char **argv)
{
    struct search_options o = { .since_us = INT64_MIN, .until_us = INT64_MAX, .severity = LOG_UNKNOWN };
    struct sight s = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.word && o.regex)
        return options_wrong(&usage, _("--word or --regex, not both"));
    if (o.severity > 7 && o.severity != LOG_UNKNOWN)
        return options_wrong(&usage, _("--severity: 0 to 7"));
    if (o.store)
        return search(&o, o.store);
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE)
        code = search(&o, s.conf->log.folder);
    sight_close(&s);
    return code;
}
