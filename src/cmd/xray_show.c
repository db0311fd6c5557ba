/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/xray_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "snap/line.h"
#include "sys/say.h"
#include "view/change.h"
#include "view/paint.h"

static void show_seal(const struct snap *s, bool json)
{
    const struct snap_seal *seal = &s->seal;

    if (json)
        (void)printf(seal->is_signed ? "{\"signed\":true,\"journal\":\"%s\",\"segment\":%llu,\"key\":\"%s\"}\n"
                                     : "{\"signed\":false}\n",
                     seal->journal, (unsigned long long)seal->segment, seal->key);
    else if (seal->is_signed)
        (void)printf(_("signed with the key of segment %llu of the journal %s\n"), (unsigned long long)seal->segment,
                     seal->journal);
    else
        (void)printf(_("not signed: %s\n"), seal->why[0] ? seal->why : _("there is no seal in it"));
}

void xray_show_parts(const struct snap *s, bool json)
{
    for (size_t p = 0; p < SNAP_PARTS; p++)
        (void)printf(json ? "{\"part\":\"%s\",\"records\":%zu}\n" : "%-10s %8zu\n", snap_kinds[p].name,
                     s->part[p].count);
    show_seal(s, json);
}

/* One record for people: name=value, escaped, one line. */
static void show_words(struct text *t, enum snap_part part, const uint8_t *record)
{
    for (const struct snap_field *f = snap_kinds[part].fields; f->type != SNAP_TYPE_END; f++) {
        const uint8_t *at = record + f->offset;

        if (f->type == SNAP_TYPE_TEXT && ((const struct slice *)(const void *)at)->len > 0) {
            text_addf(t, "%s=\"", f->name);
            text_visible(t, *(const struct slice *)(const void *)at);
            text_word(t, "\"  ");
        } else if (f->type == SNAP_TYPE_U64 && *(const uint64_t *)(const void *)at != 0) {
            text_addf(t, "%s=%llu  ", f->name, (unsigned long long)*(const uint64_t *)(const void *)at);
        } else if (f->type == SNAP_TYPE_I64 && *(const int64_t *)(const void *)at != 0) {
            text_addf(t, "%s=%lld  ", f->name, (long long)*(const int64_t *)(const void *)at);
        } else if (f->type == SNAP_TYPE_FLAG && *(const bool *)at) {
            text_addf(t, "%s  ", f->name);
        } else if (f->type == SNAP_TYPE_ADDR && ((const struct addr *)(const void *)at)->family != 0) {
            text_addf(t, "%s=%s  ", f->name, addr_socket_text(*(const struct addr *)(const void *)at).text);
        }
    }
}

static bool holds(const char *line, char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcasestr(line, words[i]))
            return false;
    return true;
}

static bool show_part(const struct snap *s, enum snap_part part, char *const *words, int count, bool named, bool json)
{
    const uint8_t *record = s->part[part].at;
    char *line = malloc(LINE_MOST);
    bool found = false;

    for (size_t i = 0; line && i < s->part[part].count; i++, record += snap_kinds[part].size) {
        struct text t = text_in(line, LINE_MOST);

        if (named && !json)
            text_addf(&t, "%s: ", snap_kinds[part].name);
        if (json)
            snap_line_write(&t, part, record);
        else
            show_words(&t, part, record);
        if (!holds(line, words, count))
            continue;
        if (named && json)
            (void)printf("{\"part\":\"%s\",%s\n", snap_kinds[part].name, line[1] == '}' ? "\"\":0}" : line + 1);
        else
            (void)puts(line);
        found = true;
    }
    free(line);
    return found;
}

int xray_show_records(const struct snap *s, const char *part, char *const *words, int count, bool json)
{
    bool found = false;
    bool known = part == NULL;

    for (size_t p = 0; p < SNAP_PARTS; p++) {
        if (part && strcmp(part, snap_kinds[p].name) != 0)
            continue;
        known = true;
        found = show_part(s, (enum snap_part)p, words, count, part == NULL, json) || found;
    }
    return !known ? EXIT_USAGE : found ? EXIT_FINE : EXIT_FOUND;
}

/* --- changes */

struct output {
    bool json, colour;
};

static void print_change(void *own, const struct change *c)
{
    const struct output *o = own;
    const char *grade = c->grade == GRADE_ALARM ? "ALARM" : c->grade == GRADE_WARN ? "WARN" : "note";
    char escaped[6 * CHANGE_WORDS + 1];
    struct text t = TEXT_IN(escaped);

    if (!o->json) {
        (void)printf("%s%-5s%s  %s\n", paint_on(o->colour, paint_of(c->grade)), grade, paint_off(o->colour), c->text);
        return;
    }
    text_json(&t, slice_text(c->text));
    (void)printf("{\"part\":\"%s\",\"how\":\"%s\",\"grade\":\"%s\",\"text\":\"%s\"}\n", c->part, c->how,
                 c->grade == GRADE_ALARM  ? "alarm"
                 : c->grade == GRADE_WARN ? "warn"
                                          : "note",
                 escaped);
}

int xray_show_changes(const struct snap *before, const struct snap *after, bool json)
{
    struct output o = { .json = json, .colour = !json && paint_wanted(STDOUT_FILENO) };
    struct err e;
    long changes = change_tell(before, after, print_change, &o, &e);

    if (changes < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    if (changes == 0 && !json)
        (void)puts(_("Nothing that matters is different."));
    return changes > 0 ? EXIT_FOUND : EXIT_FINE;
}
