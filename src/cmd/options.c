/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "base/words.h"
#include "base/addr.h"
#include "base/text.h"
#include "cmd/command.h"
#include "conf/near.h"
#include "conf/value.h"
#include "sys/clock.h"
#include "view/when.h"

enum { ROWS_MOST = 24, OWN_CODE = 1000 /* getopt's value for row i is OWN_CODE + i */ };

static const struct option_row common_rows[] = {
    { "config", 'c', OPTION_TEXT, offsetof(struct common_options, conf), "FILE",
      N_("configuration file (else $SERVIOLA_CONF, else /etc/serviola/serviola.conf)"), NULL },
    { "help", 'h', OPTION_FLAG, 0, NULL, N_("this text"), NULL },
    { "json", 0, OPTION_FLAG, offsetof(struct common_options, json), NULL, N_("one JSON object a line"), NULL },
};

/* A command's rows, then the common ones. */
struct rows {
    const struct option_row *at[ROWS_MOST];
    size_t count;
};

static struct rows rows_of(const struct usage *u)
{
    struct rows all = { .count = 0 };

    for (const struct option_row *r = u->rows; r && r->name && all.count + 3 < ROWS_MOST; r++)
        all.at[all.count++] = r;
    for (size_t i = 0; i < (u->no_json ? 2 : 3); i++)
        all.at[all.count++] = &common_rows[i];
    return all;
}

int options_wrong(const struct usage *u, const char *format, ...)
{
    char words[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    (void)fprintf(stderr, _("serviola %s: %s\n(serviola %s --help shows how it is used)\n"), u->name, words, u->name);
    return EXIT_USAGE;
}

static void print_examples(const char *examples, FILE *to)
{
    struct slice rest = slice_text(examples);

    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        const uint8_t *bar = memrchr(line.at, '|', line.len); /* the last: a command may have pipes */
        size_t command = bar ? (size_t)(bar - line.at) : line.len;
        struct slice what = slice_skip(line, bar ? command + 1 : command);

        (void)fprintf(to, "  %.*s\n      %.*s\n", (int)command, (const char *)line.at, (int)what.len,
                      (const char *)what.at);
    }
}

void options_help(const struct usage *u, FILE *to)
{
    struct rows all = rows_of(u);

    (void)fprintf(to, _("serviola %s %s\n\n%s\n\nOptions:\n"), u->name, u->synopsis, _(u->what));
    for (size_t i = 0; i < all.count; i++) {
        const struct option_row *r = all.at[i];
        char left[80];
        struct text t = TEXT_IN(left);

        text_addf(&t, r->letter ? "-%c, " : "    ", r->letter);
        text_addf(&t, "--%s%s%s", r->name, r->argument ? " " : "", r->argument ? r->argument : "");
        (void)fprintf(to, "  %-24s %s\n", left, _(r->help));
    }
    (void)fputs(_("\nExamples:\n"), to);
    print_examples(_(u->examples), to);
}

static int wrong_value(const struct usage *u, const struct option_row *r, const char *typed, const char *wanted)
{
    char visible[256];
    struct text t = TEXT_IN(visible);

    text_visible(&t, slice_text(typed));
    return options_wrong(u, _("--%s: \"%s\" is not %s"), r->name, visible, wanted);
}

static bool read_word(const struct option_row *r, struct slice typed, int *index)
{
    for (int i = 0; r->words[i]; i++)
        if (slice_eq_nocase(slice_text(r->words[i]), typed)) {
            *index = i;
            return true;
        }
    return false;
}

static int wrong_word(const struct usage *u, const struct option_row *r, const char *typed)
{
    char list[256];
    struct text t = TEXT_IN(list);

    text_word(&t, _("one of: "));
    for (int i = 0; r->words[i]; i++)
        text_addf(&t, "%s%s", i ? ", " : "", r->words[i]);
    return wrong_value(u, r, typed, list);
}

/* Minutes or months: who means which is not guessed. */
static bool has_bare_m(const char *typed)
{
    for (const char *m = strchr(typed, 'm'); m; m = strchr(m + 1, 'm'))
        if (m[1] == '\0' || (m[1] >= '0' && m[1] <= '9'))
            return true;
    return false;
}

static int wrong_span(const struct usage *u, const struct option_row *r, const char *typed)
{
    return wrong_value(u, r, typed,
                       has_bare_m(typed) ? _("a span of time: m could be minutes or months; write 5min or 150d")
                                         : _("a span of time; it looks like 30s, 5min, 2h, 36d or 1h30min"));
}

/* Writes one value into the command's struct; 0, or what options_wrong gave. */
static int set_value(const struct usage *u, const struct option_row *r, const char *typed, void *into)
{
    void *at = (char *)into + r->offset;
    struct slice s = slice_text(typed);

    switch (r->type) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)at = typed;
        return 0;
    case OPTION_NUMBER:
        return value_number(s, at) ? 0 : wrong_value(u, r, typed, _("a number"));
    case OPTION_SPAN:
        if (value_span(s, at) && *(int64_t *)at > 0)
            return 0;
        return wrong_span(u, r, typed);
    case OPTION_TIME:
        return when_read(s, clock_wall_us(), at) ? 0 : wrong_value(u, r, typed, _(WHEN_HELP));
    case OPTION_ADDR:
        return addr_read(s, at) ? 0 : wrong_value(u, r, typed, _("an address like 192.0.2.7 or 2001:db8::7"));
    case OPTION_NET:
        return prefix_read(s, at) ? 0 : wrong_value(u, r, typed, _("an address or a network like 192.0.2.0/24"));
    case OPTION_WORD:
        return read_word(r, s, at) ? 0 : wrong_word(u, r, typed);
    }
    return EXIT_USAGE;
}

static int unknown(const struct usage *u, const struct rows *all, const char *typed)
{
    struct slice name = slice_text(typed);
    struct slice after;
    struct near near;
    char visible[128];
    struct text t = TEXT_IN(visible);

    while (name.len > 0 && name.at[0] == '-')
        name = slice_skip(name, 1);
    name = slice_until(name, '=', &after);
    near = near_to(name);
    for (size_t i = 0; i < all->count; i++)
        near_try(&near, all->at[i]->name);
    text_visible(&t, slice_text(typed));
    if (near.word)
        return options_wrong(u, _("there is no option %s; did you mean --%s?"), visible, near.word);
    return options_wrong(u, _("there is no option %s"), visible);
}

static int word_count_wrong(const struct usage *u, const struct common_options *c)
{
    char visible[128];
    struct text t = TEXT_IN(visible);

    if (c->count < u->least)
        return options_wrong(u, _("something is missing: serviola %s %s"), u->name, u->synopsis);
    text_visible(&t, slice_text(c->words[u->most]));
    return options_wrong(u, _("\"%s\" is one word too many: serviola %s %s"), visible, u->name, u->synopsis);
}

/* Fills both forms for getopt_long; letters gets "-c:" and so on. */
static void to_getopt(const struct rows *all, struct option *longs, struct text *letters)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct option_row *r = all->at[i];
        int has = r->type == OPTION_FLAG ? no_argument : required_argument;

        longs[i] = (struct option){ r->name, has, NULL, OWN_CODE + (int)i };
        if (r->letter)
            text_addf(letters, "%c%s", r->letter, has == no_argument ? "" : ":");
    }
}

static const struct option_row *row_of(const struct rows *all, int code)
{
    if (code >= OWN_CODE && (size_t)(code - OWN_CODE) < all->count)
        return all->at[code - OWN_CODE];
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i]->letter == code)
            return all->at[i];
    return NULL;
}

/* A flag may be repeated: it says the same twice.  Of two values one would be lost. */
static bool is_second(const struct rows *all, const struct option_row *r, bool given[ROWS_MOST])
{
    bool before = false;

    for (size_t i = 0; i < all->count; i++)
        if (all->at[i] == r) {
            before = given[i];
            given[i] = true;
        }
    return before && r->type != OPTION_FLAG;
}

bool options_read(const struct usage *u, int argc, char **argv, void *into, int *exit_code)
{
    struct rows all = rows_of(u);
    struct option longs[ROWS_MOST + 1] = { { 0 } };
    struct common_options *common = into;
    bool given[ROWS_MOST] = { false };
    char letters[2 * ROWS_MOST + 2];
    struct text t = TEXT_IN(letters);
    int code;

    text_word(&t, ":");
    to_getopt(&all, longs, &t);
    opterr = 0;
    optind = 0;
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct option_row *r = row_of(&all, code);

        if (!r) {
            *exit_code = code == ':' ? options_wrong(u, _("%s needs something behind it"), argv[optind - 1])
                                     : unknown(u, &all, argv[optind - 1]);
            return false;
        }
        if (r == &common_rows[1]) {
            options_help(u, stdout);
            *exit_code = EXIT_FINE;
            return false;
        }
        *exit_code = is_second(&all, r, given) ? options_wrong(u, _("--%s stands twice; it takes one value"), r->name)
                                               : set_value(u, r, optarg, into);
        if (*exit_code != 0)
            return false;
    }
    if (common->json)
        words_off();
    common->count = argc - optind;
    common->words = argv + optind;
    if (common->count >= u->least && common->count <= u->most)
        return true;
    *exit_code = word_count_wrong(u, common);
    return false;
}
