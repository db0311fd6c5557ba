/* SPDX-License-Identifier: GPL-3.0-or-later */
/* print_json - the schemas for programs: one object a line for each key. */
#include "base/text.h"
#include "conf/describe.h"
#include "conf/read.h"

enum { OBJECT_TEXT = 8192, PATH_TEXT = 160 };

static const char *const types[KEY_TYPES] = {
    [KEY_BOOL] = "bool",       [KEY_NUMBER] = "number",     [KEY_BYTES] = "size",   [KEY_SPAN] = "time",
    [KEY_WORD] = "word",       [KEY_TEXT] = "text",         [KEY_ADDR] = "address", [KEY_PORTS] = "ports",
    [KEY_ADDRS] = "addresses", [KEY_PREFIXES] = "networks", [KEY_NAMES] = "names",  [KEY_TABLE] = "table",
    [KEY_EACH] = "blocks",
};

/* `value` NULL: null. */
static void add_member(struct text *t, const char *name, const char *value)
{
    text_addf(t, "%s\"%s\":", t->len > 1 ? "," : "", name);
    if (!value) {
        text_word(t, "null");
        return;
    }
    text_word(t, "\"");
    text_json(t, slice_text(value));
    text_word(t, "\"");
}

static void add_limit(struct text *t, const char *name, const struct key *k, int64_t value)
{
    char words[32];
    struct text limit = TEXT_IN(words);
    bool has = (k->type == KEY_NUMBER || k->type == KEY_BYTES || k->type == KEY_SPAN) && k->max > 0;

    if (has && value != INT64_MAX)
        describe_limit(&limit, k, value);
    add_member(t, name, limit.len > 0 ? words : NULL);
}

static void add_words(struct text *t, const char *const *words)
{
    text_word(t, ",\"words\":[");
    for (size_t i = 0; words[i]; i++) {
        text_word(t, i ? ",\"" : "\"");
        text_json(t, slice_text(words[i]));
        text_word(t, "\"");
    }
    text_word(t, "]");
}

static void print_key(FILE *to, const char *section, const char *path, const struct key *k)
{
    char line[OBJECT_TEXT];
    struct text t = TEXT_IN(line);

    text_word(&t, "{");
    add_member(&t, "section", section);
    add_member(&t, "key", path);
    add_member(&t, "type", types[k->type]);
    add_member(&t, "default", k->def);
    add_limit(&t, "min", k, k->min);
    add_limit(&t, "max", k, k->max);
    if (k->type == KEY_WORD)
        add_words(&t, k->words);
    add_member(&t, "help", k->help);
    text_word(&t, "}");
    (void)fprintf(to, "%s\n", line);
}

static void print_keys(FILE *to, const char *section, const char *above, const struct key *keys)
{
    for (const struct key *k = keys; k->name; k++) {
        char path[PATH_TEXT];
        struct text t = TEXT_IN(path);

        text_addf(&t, "%s%s%s", above, above[0] ? "." : "", k->name);
        if (k->type != KEY_TABLE)
            print_key(to, section, path, k);
        if (k->type == KEY_EACH && (k->name[0] != '*' || k->name[1]))
            text_word(&t, ".*");
        if (k->sub)
            print_keys(to, section, path, k->sub);
    }
}

void conf_print_json(const struct section *sections, FILE *to)
{
    for (const struct section *s = sections; s->name; s++)
        print_keys(to, s->name, "", s->keys);
}
