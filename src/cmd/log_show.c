/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log show: what the store holds, in the order it came. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log_lines.h"
#include "cmd/log.h"
#include "cmd/sight.h"
#include "sense/log/lines.h"
#include "sys/say.h"

struct show_options {
    struct common_options common;
    const char *store;
    bool raw, count;
};

static const struct option_row rows[] = {
    { "store", 0, OPTION_TEXT, offsetof(struct show_options, store), "FOLDER",
      N_("a store; otherwise the configured one"), NULL },
    { "raw", 0, OPTION_FLAG, offsetof(struct show_options, raw), NULL,
      N_("the octets as they came, unescaped, each line with a newline behind it"), NULL },
    { "count", 0, OPTION_FLAG, offsetof(struct show_options, count), NULL, N_("how many lines there are"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log show",
    .what =
        N_("log show prints all lines of a store, oldest first: their number, when they arrived, from whom, and what "
           "they say."),
    .synopsis = "[--store FOLDER] [--raw | --count] [--json]",
    .rows = rows,
    .least = 0,
    .most = 0,
    .examples = N_("serviola log show --count|how many lines are kept\n"
                   "serviola log show --raw --store /tmp/st|as they came"),
};

static void print_line(const struct show_options *o, struct log_line *line)
{
    static char room[LOG_LINE_ROOM];
    struct text t = TEXT_IN(room);

    if (o->raw) {
        (void)fwrite(line->raw.at, 1, line->raw.len, stdout);
        (void)fputc('\n', stdout);
        return;
    }
    if (o->common.json) {
        log_line_read(line);
        log_line_print_json(line, false);
        return;
    }
    text_addf(&t, "%llu ", (unsigned long long)line->seq);
    text_time(&t, line->at_us, 3);
    text_addf(&t, " %s ", log_way_name(line->way));
    text_visible(&t, line->peer);
    text_word(&t, "  ");
    text_visible(&t, line->raw);
    (void)puts(room);
}

static uint64_t count_lines(const struct lines *l)
{
    uint64_t n = 0;

    for (size_t i = 0; i < lines_count(l); i++)
        n += lines_block(l, i)->count;
    return n;
}

static int show(const struct show_options *o, const char *folder)
{
    struct lines_room room = { 0 };
    const char *damage = "";
    struct err e = { 0 };
    struct lines *l = lines_open(folder, &e);
    int code = EXIT_FINE;

    if (!l) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    if (o->count)
        (void)printf("%llu\n", (unsigned long long)count_lines(l));
    for (size_t i = 0; !o->count && i < lines_count(l); i++) {
        struct lines_walk w;
        struct log_line line;
        struct slice payload;

        if (lines_load(l, i, &room, &payload, &e) < 0) {
            say("%s", e.text);
            code = EXIT_FOUND;
            continue;
        }
        w = lines_walk(payload, lines_block(l, i)->first_seq);
        while (lines_next(&w, &line))
            print_line(o, &line);
    }
    if (lines_damaged(l, &damage) > 0) {
        say("%s", damage);
        code = EXIT_FOUND;
    }
    lines_room_done(&room);
    lines_close(l);
    return fflush(stdout) == 0 ? code : EXIT_CANNOT;
}

int log_show(int argc, char **argv)
{
    struct show_options o = { 0 };
    struct sight s = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.store)
        return show(&o, o.store);
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE)
        code = show(&o, s.conf->log.folder);
    sight_close(&s);
    return code;
}
