/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mdoc - the schemas as the body of serviola.conf(5). */
#include <string.h>

#include "base/text.h"
#include "conf/describe.h"
#include "conf/read.h"

/* One sentence a line; nothing in it is a request, an escape or a macro. */
static void print_sentences(FILE *to, const char *help)
{
    char whole[1024];
    struct text t = TEXT_IN(whole);
    const char *words = whole;
    bool begins = true;

    describe_help(&t, help);
    for (; *words; words++) {
        if (begins && *words == ' ')
            continue;
        if (begins && (*words == '.' || *words == '\''))
            fputs("\\&", to);
        begins = *words == '.' && words[1] == ' ' && words[2] != '\0';
        if (*words == '\\')
            fputs("\\e", to);
        else if (begins)
            fputs(".\n", to);
        else
            fputc(*words, to);
    }
    fputc('\n', to);
}

/* As the argument of a macro: quoted, since words such as `No` and `.` are macros and marks there. */
static void print_argument(FILE *to, const char *words)
{
    fputs(" \"", to);
    for (; *words; words++) {
        if (*words == '"')
            fputs("\\(dq", to);
        else if (*words == '\\')
            fputs("\\e", to);
        else
            fputc(*words, to);
    }
    fputc('"', to);
}

static void print_keys(FILE *to, const struct key *keys);

static void print_values(FILE *to, const struct key *k)
{
    if (k->type == KEY_WORD && !k->words_are) {
        for (size_t i = 0; k->words[i]; i++) {
            fputs(i == 0 ? " Cm" : " | Cm", to);
            print_argument(to, k->words[i]);
        }
    } else if (k->type != KEY_TABLE && k->type != KEY_EACH) {
        fputs(" Ar", to);
        print_argument(to, describe_type(k));
    }
}

static void print_default(FILE *to, const struct key *k)
{
    char def[1024];
    struct text t = TEXT_IN(def);

    describe_default(&t, k);
    if (k->type == KEY_EACH && k->def && k->def[0] == '\0')
        return; /* no blocks: nothing to show */
    if (!k->def) {
        fputs("Required.\n", to);
    } else if (strchr(k->def, '\n')) {
        fputs("Default:\n.Bd -literal -offset indent\n", to);
        for (const char *c = def; *c; c++)
            fputs(*c == '\\' ? "\\e" : (char[]){ *c, '\0' }, to);
        if (def[t.len - 1] != '\n')
            fputc('\n', to);
        fputs(".Ed\n", to);
    } else {
        fputs("Default:\n.Li", to);
        print_argument(to, def);
        fputs(" .\n", to);
    }
}

static void print_key(FILE *to, const struct key *k)
{
    char range[512];
    struct text t = TEXT_IN(range);

    if (strcmp(k->name, "*") == 0) {
        fputs(".It Ar name :\n", to);
    } else {
        fputs(".It Ic", to);
        print_argument(to, k->name);
        fputs(" :", to);
        print_values(to, k);
        fputc('\n', to);
    }
    print_sentences(to, k->help);
    if (k->type != KEY_WORD || k->words_are)
        describe_values(&t, k);
    if (t.len > 0)
        print_sentences(to, range);
    if (k->type == KEY_EACH)
        print_sentences(to, "Each block has a name of your own, and these keys:");
    if (k->type == KEY_TABLE || k->type == KEY_EACH)
        print_keys(to, k->sub);
    if (k->type != KEY_TABLE)
        print_default(to, k);
}

static void print_keys(FILE *to, const struct key *keys)
{
    fputs(".Bl -tag -width Ds\n", to);
    for (const struct key *k = keys; k->name; k++)
        print_key(to, k);
    fputs(".El\n", to);
}

void conf_print_mdoc(const struct section *sections, FILE *to)
{
    for (const struct section *s = sections; s->name; s++) {
        fprintf(to, ".Ss The section %s\n", s->name);
        print_sentences(to, s->what);
        print_keys(to, s->keys);
    }
}
