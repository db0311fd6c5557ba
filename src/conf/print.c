/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print - the schemas as a commented file: `# ` begins words, `#` alone a key that may be switched on. */
#include <string.h>

#include "base/text.h"
#include "conf/describe.h"
#include "conf/read.h"

enum { PRINT_WIDTH = 100, PRINT_WORDS = 1024 };

static void print_wrapped(FILE *to, unsigned indent, const char *lead, const char *words)
{
    size_t column = 0;

    while (*words) {
        size_t len = strcspn(words, " ");

        if (column > 0 && column + 1 + len > PRINT_WIDTH) {
            fputc('\n', to);
            column = 0;
        }
        if (column == 0)
            column = (size_t)fprintf(to, "%*s#%s", (int)indent, "", lead);
        column += (size_t)fprintf(to, " %.*s", (int)len, words);
        words += len;
        words += strspn(words, " ");
    }
    fputc('\n', to);
}

static void print_help(FILE *to, unsigned indent, const struct key *k)
{
    char words[PRINT_WORDS];
    struct text t = TEXT_IN(words);

    describe_help(&t, k->help);
    text_word(&t, " ");
    describe_values(&t, k);
    print_wrapped(to, indent, "", words);
}

/* The keys that each named block has, told in words: there is no block yet in which they could stand. */
static void print_block_keys(FILE *to, unsigned indent, const char *lead, const struct key *keys)
{
    for (const struct key *k = keys; k->name; k++) {
        char words[PRINT_WORDS];
        struct text t = TEXT_IN(words);

        text_addf(&t, "%s:%s%s ", k->name, k->type == KEY_TABLE ? "" : " ", describe_type(k));
        describe_help(&t, k->help);
        text_word(&t, " ");
        describe_values(&t, k);
        if (k->type != KEY_TABLE) {
            text_word(&t, k->def ? " Default: " : " Required.");
            describe_default(&t, k);
        }
        print_wrapped(to, indent, lead, words);
        if (k->type == KEY_TABLE)
            print_block_keys(to, indent, "     ", k->sub);
    }
}

/* A default of several lines, each switched off where its text begins. */
static void print_lines(FILE *to, unsigned indent, const char *lines)
{
    while (*lines) {
        size_t blanks = strspn(lines, " ");
        size_t len = strcspn(lines, "\n");

        fprintf(to, "%*s#%.*s\n", (int)(indent + blanks), "", (int)(len - blanks), lines + blanks);
        lines += len;
        lines += *lines == '\n';
    }
}

static void print_keys(FILE *to, unsigned indent, const struct key *keys);

static void print_each(FILE *to, unsigned indent, const struct key *k)
{
    bool direct = strcmp(k->name, "*") == 0;

    print_wrapped(to, indent, "", "Each block has a name of your own, and these keys:");
    print_block_keys(to, indent, "  ", k->sub);
    if (!k->def)
        return;
    if (!direct)
        fprintf(to, "%*s#%s:%s\n", (int)indent, "", k->name, k->def[0] == '\0' ? " {}" : "");
    print_lines(to, indent + (direct ? 0 : 2), k->def);
}

static void print_key(FILE *to, unsigned indent, const struct key *k)
{
    char def[PRINT_WORDS];
    struct text t = TEXT_IN(def);

    print_help(to, indent, k);
    if (k->type == KEY_TABLE) {
        fprintf(to, "%*s%s:\n", (int)indent, "", k->name);
        print_keys(to, indent + 2, k->sub);
    } else if (k->type == KEY_EACH) {
        print_each(to, indent, k);
    } else {
        describe_default(&t, k);
        fprintf(to, "%*s#%s: %s\n", (int)indent, "", k->name, def);
    }
}

static void print_keys(FILE *to, unsigned indent, const struct key *keys)
{
    for (const struct key *k = keys; k->name; k++)
        print_key(to, indent, k);
}

void conf_print_defaults(const struct section *sections, FILE *to)
{
    fputs("# serviola.conf - every key there is, with its default and what it does; see serviola.conf(5).\n"
          "# To change one, take away the # in front of it.  Then: serviola check\n",
          to);
    for (const struct section *s = sections; s->name; s++) {
        char what[PRINT_WORDS];
        struct text t = TEXT_IN(what);

        describe_help(&t, s->what);
        fputc('\n', to);
        print_wrapped(to, 0, "", what);
        fprintf(to, "%s:\n", s->name);
        print_keys(to, 2, s->keys);
    }
}
