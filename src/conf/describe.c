/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/describe.h"

#include <string.h>

#include "conf/value.h"

void describe_limit(struct text *t, const struct key *k, int64_t value)
{
    if (k->type == KEY_SPAN)
        value_write_span(t, value);
    else if (k->type == KEY_BYTES)
        value_write_bytes(t, (uint64_t)value);
    else
        value_write_number(t, (uint64_t)value);
}

void describe_help(struct text *t, const char *help)
{
    size_t first = t->len;
    size_t word = strspn(help, "abcdefghijklmnopqrstuvwxyz");

    text_word(t, help);
    if (word > 0 && (help[word] == ' ' || help[word] == '\'') && !t->cut)
        t->at[first] = (char)(help[0] - 'a' + 'A'); /* `block: ...` is a word of the file and stays */
    if (t->len > first && !strchr(".:?!", t->at[t->len - 1]))
        text_word(t, ".");
}

void describe_values(struct text *t, const struct key *k)
{
    if (k->type == KEY_WORD && k->words_are) {
        text_addf(t, "It is %s.", k->words_are);
    } else if (k->type == KEY_WORD) {
        text_word(t, "One of ");
        for (size_t i = 0; k->words[i]; i++)
            text_addf(t, "%s%s", i == 0 ? "" : k->words[i + 1] ? ", " : " or ", k->words[i]);
        text_word(t, ".");
    } else if ((k->type == KEY_NUMBER || k->type == KEY_BYTES || k->type == KEY_SPAN) && k->max > 0) {
        bool open = k->max == INT64_MAX;

        if (open && k->min == 0)
            return;
        text_word(t, open ? "At least " : "From ");
        describe_limit(t, k, k->min);
        if (!open) {
            text_word(t, " to ");
            describe_limit(t, k, k->max);
        }
        text_word(t, ".");
    }
}

const char *describe_type(const struct key *k)
{
    static const char *const names[KEY_TYPES] = {
        [KEY_BOOL] = "yes | no",
        [KEY_NUMBER] = "NUMBER",
        [KEY_BYTES] = "SIZE",
        [KEY_SPAN] = "TIME",
        [KEY_WORD] = "WORD",
        [KEY_TEXT] = "TEXT",
        [KEY_ADDR] = "ADDRESS",
        [KEY_TABLE] = "",
        [KEY_EACH] = "",
        [KEY_PORTS] = "[PORT, ...]",
        [KEY_NAMES] = "[NAME, ...]",
        [KEY_ADDRS] = "[ADDRESS, ...]",
        [KEY_PREFIXES] = "[NETWORK, ...]",
    };

    return names[k->type];
}

static bool needs_quotes(const char *s)
{
    size_t plain = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+-");

    return s[0] == '\0' || s[0] == '-' || s[plain] != '\0';
}

void describe_default(struct text *t, const struct key *k)
{
    if (!k->def || k->type == KEY_TABLE)
        return;
    if (k->type == KEY_EACH && k->def[0] == '\0')
        text_word(t, "{}");
    else if (k->type >= KEY_ADDRS && k->def[0] == '\0')
        text_word(t, "[]");
    else if ((k->type != KEY_TEXT && k->type != KEY_ADDR) || !needs_quotes(k->def))
        text_word(t, k->def);
    else {
        text_word(t, "\"");
        for (const char *c = k->def; *c; c++)
            text_addf(t, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
        text_word(t, "\"");
    }
}
