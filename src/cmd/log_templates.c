/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log templates: which kinds of messages are in a log, learned from the log alone. */
#include "cmd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "sense/log/rotation.h"
#include "sense/log/template.h"
#include "sys/say.h"

struct template_options {
    struct common_options common;
    const char *store;
    bool ids;
};

static const struct option_row rows[] = {
    { "store", 0, OPTION_TEXT, offsetof(struct template_options, store), "FOLDER",
      N_("the messages of a store, instead of files; log search --template takes these numbers"), NULL },
    { "ids", 0, OPTION_FLAG, offsetof(struct template_options, ids), NULL,
      N_("for each message the number of its template, as it comes; lines are taken without a header"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log templates",
    .what = N_("log templates reads logs as text and prints their kinds of messages, the commonest first: how many "
               "lines, and the\nmessage with <*> where it changes.  The date and the host at the beginning of a syslog "
               "line are left out.\nPacked files (.gz, .bz2, .xz, .zst) are unpacked on the way.  Without FILE, or "
               "with -, it reads "
               "standard input."),
    .synopsis = "[--ids] [--store FOLDER | FILE...] [--json]",
    .rows = rows,
    .least = 0,
    .most = 4096,
    .examples = N_("serviola log templates /var/log/syslog|what this host says, and how often\n"
                   "serviola log templates --json /var/log/mail.log.1 /var/log/mail.log|two files as one"),
};

static void learn_store(struct templates *t, const struct lines *l)
{
    struct lines_room room = { 0 };
    struct slice payload;
    struct log_line line;
    struct err e;

    for (size_t i = 0; i < lines_count(l); i++) {
        struct lines_walk walk;

        if (lines_load(l, i, &room, &payload, &e) < 0) {
            say("%s", e.text);
            continue;
        }
        walk = lines_walk(payload, lines_block(l, i)->first_seq);
        while (lines_next(&walk, &line)) {
            log_line_read(&line);
            (void)templates_learn(t, line.text);
        }
    }
    lines_room_done(&room);
}

int templates_of_store(const struct lines *l, struct bytes_out *to, struct err *e)
{
    struct templates *t = templates_new(&template_usual, 0, e);

    if (!t)
        return -1;
    learn_store(t, l);
    templates_save(t, to);
    templates_free(t);
    return to->bad ? err_set(e, ENOMEM, "no memory") : 0;
}

/* Reads lines of any length from a descriptor; of a longer one than the buffer, its beginning. */
struct reading {
    int fd;
    size_t from, to; /* what was read and not yet given */
    bool end, skip;  /* skip: the rest of a line that was cut */
    uint8_t buffer[256 << 10];
};
enum { LINE_BYTES = 64 << 10 };
static const uint64_t UNPACKED_MOST = (uint64_t)64 << 30; /* of a file that is packed */

static int fill(struct reading *l)
{
    ssize_t n;

    memmove(l->buffer, l->buffer + l->from, l->to - l->from);
    l->to -= l->from;
    l->from = 0;
    do
        n = read(l->fd, l->buffer + l->to, sizeof(l->buffer) - l->to);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    l->to += (size_t)n;
    l->end = n == 0;
    return 0;
}

/* 1: a line; 0: no more; -1: errno says why. */
static int next_line(struct reading *l, struct slice *line)
{
    for (;;) {
        const uint8_t *at = l->buffer + l->from;
        size_t there = l->to - l->from;
        const uint8_t *stop = there > 0 ? memchr(at, '\n', there) : NULL;
        size_t len = stop ? (size_t)(stop - at) : there;

        if (stop || (l->end && there > 0) || there >= LINE_BYTES) {
            bool skipped = l->skip;

            l->skip = !stop && !l->end;
            l->from += len + (stop != NULL);
            *line = slice_first(slice_of(at, len), LINE_BYTES);
            if (!skipped)
                return 1;
        } else if (l->end)
            return 0;
        else if (fill(l) < 0)
            return -1;
    }
}

static bool digits_at(struct slice s, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        if (i >= s.len || s.at[i] < '0' || s.at[i] > '9')
            return false;
    return true;
}

/* `Nov 22 18:28:03 host ` or `2026-11-22T18:28:03.123+01:00 host `, as files of syslog have it, is left out. */
static struct slice without_header(struct slice s)
{
    struct slice rest = s;

    if (s.len > 16 && s.at[3] == ' ' && s.at[6] == ' ' && s.at[9] == ':' && s.at[12] == ':' && digits_at(s, 13, 2) &&
        s.at[15] == ' ')
        rest = slice_skip(s, 16);
    else if (s.len > 20 && s.at[4] == '-' && s.at[10] == 'T' && s.at[13] == ':' && digits_at(s, 0, 4) &&
             digits_at(s, 17, 2))
        (void)slice_until(s, ' ', &rest);
    else
        return s;
    (void)slice_until(rest, ' ', &rest);
    return rest.len > 0 ? rest : s;
}

static int read_store(struct templates *t, const char *folder)
{
    struct err e;
    struct lines *l = lines_open(folder, &e);

    if (!l) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    learn_store(t, l);
    lines_close(l);
    return EXIT_FINE;
}

static bool take_line(struct templates *t, struct slice line, const struct template_options *o)
{
    if (o->ids)
        return printf("%u\n", templates_learn(t, line)) >= 0;
    (void)templates_learn(t, without_header(line));
    return true;
}

static int read_all(struct templates *t, struct reading *l, const struct template_options *o)
{
    struct slice line;
    int got;

    while ((got = next_line(l, &line)) > 0)
        if (!take_line(t, line, o))
            return -1;
    return got;
}

/* By its first bytes, whatever its name: gzip, compress, bzip2, xz, zstd. */
static bool is_packed(int fd)
{
    const struct slice magics[] = { SLICE("\x1f\x8b"), SLICE("\x1f\x9d"), SLICE("BZh"), SLICE("\xfd\x37zXZ"),
                                    SLICE("\x28\xb5\x2f\xfd") };
    uint8_t first[8];
    ssize_t n = pread(fd, first, sizeof(first), 0);

    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (n >= (ssize_t)magics[i].len && memcmp(first, magics[i].at, magics[i].len) == 0)
            return true;
    return false;
}

struct unpacking {
    struct templates *t;
    const struct template_options *o;
    bool long_one; /* what follows is the rest of a line that is too long */
};

static bool on_unpacked(void *ctx, struct slice line)
{
    struct unpacking *u = ctx;
    bool rest = u->long_one;

    u->long_one = line.len == LINE_BYTES;
    return rest || take_line(u->t, line, u->o);
}

/* What could be read of a damaged one is learned. */
static int read_packed(struct templates *t, const char *path, const struct template_options *o)
{
    struct unpacking u = { .t = t, .o = o };
    struct err e;

    if (rotation_lines(path, LINE_BYTES, UNPACKED_MOST, on_unpacked, &u, &e) == 0)
        return 0;
    say("%s", e.text);
    return -1;
}

static int read_file(struct templates *t, const char *path, const struct template_options *o)
{
    bool standard = strcmp(path, "-") == 0;
    struct reading *l = calloc(1, sizeof(*l));
    int status = -1;

    if (!l)
        goto out;
    l->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (l->fd < 0)
        goto out;
    if (!standard && is_packed(l->fd)) {
        (void)close(l->fd);
        free(l);
        return read_packed(t, path, o);
    }
    status = read_all(t, l, o);
out:
    if (status < 0) {
        char visible[512];
        struct text words = TEXT_IN(visible);

        text_visible(&words, slice_text(path));
        say("%s: %s", visible, strerror(errno));
    }
    if (l && l->fd >= 0 && !standard)
        (void)close(l->fd);
    free(l);
    return status;
}

struct place {
    uint32_t id;
    uint64_t lines;
};

static int commoner(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    if (x->lines != y->lines)
        return x->lines < y->lines ? 1 : -1;
    return x->id < y->id ? -1 : 1;
}

static void print_template(const struct templates *t, uint32_t id, bool json, bool numbered)
{
    char buffer[8 * TEMPLATE_BYTES];
    struct text out = TEXT_IN(buffer);
    uint64_t lines;
    struct slice words = template_words(t, id, &lines);

    while (words.len > 0) {
        struct slice rest;
        struct slice plain = slice_until(words, TEMPLATE_MARK, &rest);

        if (json)
            text_json(&out, plain);
        else
            text_visible(&out, plain);
        if (plain.len < words.len)
            text_word(&out, "<*>");
        words = rest;
    }
    if (json)
        (void)printf("{\"template\":%u,\"lines\":%llu,\"text\":\"%s\"}\n", id, (unsigned long long)lines, buffer);
    else if (numbered)
        (void)printf("%6u %10llu  %s\n", id, (unsigned long long)lines, buffer);
    else
        (void)printf("%10llu  %s\n", (unsigned long long)lines, buffer);
}

static int print_all(const struct templates *t, bool json, bool numbered)
{
    uint32_t n = templates_count(t);
    struct place *places = calloc(n + 1u, sizeof(*places));

    if (!places) {
        say("%s", strerror(ENOMEM));
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        places[i].id = i + 1;
        (void)template_words(t, i + 1, &places[i].lines);
    }
    qsort(places, n, sizeof(*places), commoner);
    for (uint32_t i = 0; i < n; i++)
        print_template(t, places[i].id, json, numbered);
    free(places);
    return 0;
}

/* A cap that was reached is never silent. */
static void tell(struct template_told told)
{
    unsigned long long lost = told.no_room + told.no_child;

    if (lost > 0)
        say(_("%llu of %llu lines found no room among %u templates (%u with the same first word); they have the id 0"),
            lost, (unsigned long long)told.lines, template_usual.templates, template_usual.children);
    if (told.cut > 0)
        say(_("%llu lines are longer than %d words or %d bytes and were grouped by their beginning"),
            (unsigned long long)told.cut, TEMPLATE_WORDS, TEMPLATE_BYTES);
}

int log_templates(int argc, char **argv)
{
    static char standard_input[] = "-";
    static char *only_standard[] = { standard_input, NULL };
    struct template_options o = { 0 };
    struct templates *t;
    uint64_t seed = 0;
    struct err e;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.store && (o.ids || o.common.count > 0))
        return options_wrong(&usage, _("--store by itself, without files and without --ids"));
    if (o.ids && o.common.json)
        return options_wrong(&usage, _("--ids prints numbers alone; leave out --json"));
    if (o.common.count == 0) {
        o.common.words = only_standard;
        o.common.count = 1;
    }
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
        say("getrandom: %s", strerrordesc_np(errno));
        return EXIT_CANNOT;
    }
    t = templates_new(&template_usual, seed, &e);
    if (!t) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    code = EXIT_FINE;
    if (o.store)
        code = read_store(t, o.store);
    for (int i = 0; !o.store && i < o.common.count; i++)
        if (read_file(t, o.common.words[i], &o) < 0)
            code = EXIT_CANNOT;
    if (!o.ids && print_all(t, o.common.json, o.store) < 0)
        code = EXIT_CANNOT;
    tell(templates_told(t));
    templates_free(t);
    if (fflush(stdout) != 0) {
        say("%s", strerror(errno));
        return EXIT_CANNOT;
    }
    return code;
}
