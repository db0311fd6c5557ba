/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola xray: a picture of the whole host, and what it shows.  serviola explain: the same words, from a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "sense/xray/xray.h"
#include "snap/file.h"
#include "snap/line.h"
#include "sys/say.h"
#include "view/explain/explain.h"
#include "view/paint.h"

struct xray_options {
    struct common_options common;
    const char *output;
    bool force, list;
};

static const struct option_row rows[] = {
    { "output", 'o', OPTION_TEXT, offsetof(struct xray_options, output), "FILE",
      N_("write the picture there, and explain nothing"), NULL },
    { "force", 'f', OPTION_FLAG, offsetof(struct xray_options, force), NULL, N_("replace a file that is there already"),
      NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "xray",
    .what = N_(
        "Takes a picture of the whole host at this instant, and says what it shows: processes, sockets of every\n"
        "network namespace, disks, memory, the kernel's log, names that hide.  Nothing is executed or changed.\n"
        "Alone it explains, and keeps the picture in /var/lib/serviola/xray (or /run/serviola).  As root it sees all."),
    .synopsis = "[-o FILE] | show FILE [PART [WORD]] | explain FILE",
    .rows = rows,
    .most = 4,
    .examples = N_("serviola xray|take one, explain it, keep it\n"
                   "serviola xray -o now.xray|only take it\n"
                   "serviola xray explain now.xray|what it shows, also on another host\n"
                   "serviola xray show now.xray|its parts, and how much is in each\n"
                   "serviola xray show now.xray process perl|the records of a part that hold a word\n"
                   "tar --zstd -xOf now.xray process.jsonl | jq .comm|without serviola"),
};

static const struct option_row explain_rows[] = {
    { "list", 'l', OPTION_FLAG, offsetof(struct xray_options, list), NULL, N_("print what can be found"), NULL },
    { 0 },
};

static const struct usage explain_usage = {
    .name = "explain",
    .what = N_(
        "Says what a picture taken by serviola xray shows: findings, the gravest first, what each rests on, and what\n"
        "to do next."),
    .synopsis = "FILE | --list",
    .rows = explain_rows,
    .most = 1,
    .examples = N_("serviola explain now.xray|what the picture shows\n"
                   "serviola explain --list|what can be found"),
};

/* --- explaining */

static int tell(const struct snap *s, bool json)
{
    struct err e;
    struct findings *f = explain(s, &e);
    bool grave = false;

    if (!f) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    for (size_t i = 0; i < f->count; i++)
        grave = grave || f->at[i].grade > GRADE_NOTE;
    if (json)
        findings_json(f, stdout);
    else
        findings_print(f, stdout, paint_wanted(STDOUT_FILENO));
    if (!json && !grave)
        (void)printf("%s\n", f->count > 0 ? _("Nothing else is out of order.") : _("Nothing is out of order."));
    free(f);
    (void)fflush(stdout);
    return grave ? EXIT_FOUND : EXIT_FINE;
}

static struct snap *read_file(const char *path)
{
    struct err e;
    struct snap *s = snap_read(path, &e);
    char visible[512];
    struct text t = TEXT_IN(visible);

    if (s)
        return s;
    text_visible(&t, slice_text(path));
    say("%s: %s", visible, e.text);
    return NULL;
}

static int explain_file(const char *path, bool json)
{
    struct snap *s = read_file(path);
    int code = s ? tell(s, json) : EXIT_CANNOT;

    snap_free(s);
    return code;
}

static void list(bool json)
{
    for (const struct finding_kind *k = finding_kinds; k->id; k++)
        (void)printf(json ? "{\"finding\":\"%s\",\"what\":\"%s\"}\n" : "%-24s%s\n", k->id, _(k->what));
}

int cmd_explain(int argc, char **argv)
{
    struct xray_options o = { 0 };
    int code;

    if (!options_read(&explain_usage, argc, argv, &o, &code))
        return code;
    if (o.list && o.common.count == 0) {
        list(o.common.json);
        return fflush(stdout) == 0 ? EXIT_FINE : EXIT_CANNOT;
    }
    if (o.list || o.common.count != 1)
        return options_wrong(&explain_usage, "name one file, or --list");
    return explain_file(o.common.words[0], o.common.json);
}

/* --- showing */

static void show_parts(const struct snap *s, bool json)
{
    for (size_t p = 0; p < SNAP_PARTS; p++)
        (void)printf(json ? "{\"part\":\"%s\",\"records\":%zu}\n" : "%-9s %8zu\n", snap_kinds[p].name,
                     s->part[p].count);
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

static int show_part(const struct snap *s, enum snap_part part, const char *word, bool json)
{
    const uint8_t *record = s->part[part].at;
    char *line = malloc(LINE_MOST);
    int code = EXIT_FOUND;

    if (!line)
        return EXIT_CANNOT;
    for (size_t i = 0; i < s->part[part].count; i++, record += snap_kinds[part].size) {
        struct text t = text_in(line, LINE_MOST);

        if (json)
            snap_line_write(&t, part, record);
        else
            show_words(&t, part, record);
        if (word && !strstr(line, word))
            continue;
        (void)puts(line);
        code = EXIT_FINE;
    }
    free(line);
    return code;
}

static int show(const struct xray_options *o)
{
    struct snap *s = read_file(o->common.words[1]);
    const char *name = o->common.count > 2 ? o->common.words[2] : NULL;
    const char *word = o->common.count > 3 ? o->common.words[3] : NULL;
    int code = EXIT_USAGE;

    if (!s)
        return EXIT_CANNOT;
    if (!name) {
        show_parts(s, o->common.json);
        code = EXIT_FINE;
    }
    for (size_t p = 0; name && p < SNAP_PARTS; p++)
        if (strcmp(name, snap_kinds[p].name) == 0)
            code = show_part(s, (enum snap_part)p, word, o->common.json);
    snap_free(s);
    if (code == EXIT_USAGE)
        return options_wrong(&usage, _("there is no such part; serviola xray show FILE lists them"));
    return code;
}

/* --- taking */

static int keep_at(const struct snap *s, const char *path, bool replace, char **argv, struct err *e)
{
    struct snap_bytes file;
    int status = snap_pack(s, argv, &file, e);

    if (status == 0) {
        status = snap_write(path, replace, &file, e);
        snap_bytes_done(&file);
    }
    return status < 0 ? err_wrap(e, _("the picture was not kept")) : 0;
}

static int take_to_file(const struct xray_options *o, char **argv)
{
    struct err e;
    struct snap *s = xray_take(&e);
    char visible[512];
    struct text t = TEXT_IN(visible);
    int status = s ? keep_at(s, o->output, o->force, argv, &e) : -1;

    snap_free(s);
    if (status == 0)
        return EXIT_FINE;
    text_visible(&t, slice_text(o->output));
    say("%s: %s", visible, e.text);
    return EXIT_CANNOT;
}

/* Letters, digits, dots and dashes of the host's name, and the time. */
static void default_name(const struct snap *s, const char *folder, struct text *t)
{
    struct slice host = slice_first(snap_host(s)->name, 64);
    char when[40];
    struct text stamp = TEXT_IN(when);

    text_addf(t, "%s/", folder);
    for (size_t i = 0; i < host.len; i++) {
        char c = (char)host.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     (c == '.' && i > 0);

        text_addf(t, "%c", plain ? c : '_');
    }
    text_time(&stamp, snap_host(s)->begun_us, 3);
    text_word(t, "-");
    for (size_t i = 0; i < stamp.len; i++)
        if (when[i] != ':' && when[i] != '-')
            text_addf(t, "%c", when[i]);
    text_word(t, ".xray");
}

/* The usual folder; where that can't be written, the one in memory. */
static int keep(const struct snap *s, char **argv, bool json)
{
    static const char *const folders[][2] = { { "/var/lib/serviola", "/var/lib/serviola/xray" },
                                              { "/run/serviola", "/run/serviola/xray" } };
    struct err e;

    for (size_t i = 0; i < 2; i++) {
        char path[256];
        struct text t = TEXT_IN(path);

        (void)mkdir(folders[i][0], 0755);
        (void)mkdir(folders[i][1], 0700);
        default_name(s, folders[i][1], &t);
        if (keep_at(s, path, false, argv, &e) == 0) {
            if (!json)
                (void)printf(_("The picture is kept: %s\n"), path);
            return 0;
        }
        say("%s: %s", path, e.text);
    }
    return -1;
}

static int take_and_tell(const struct xray_options *o, char **argv)
{
    struct err e;
    struct snap *s = xray_take(&e);
    int code;

    if (!s) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    code = tell(s, o->common.json); /* first: the disk may hang */
    if (keep(s, argv, o->common.json) < 0)
        code = EXIT_CANNOT;
    snap_free(s);
    return code;
}

int cmd_xray(int argc, char **argv)
{
    struct xray_options o = { 0 };
    const char *verb;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    verb = o.common.count > 0 ? o.common.words[0] : NULL;
    if (verb && (o.output || o.force))
        return options_wrong(&usage, _("-o and --force are for taking a picture"));
    if (o.force && !o.output)
        return options_wrong(&usage, _("--force wants -o FILE"));
    if (!verb)
        return o.output ? take_to_file(&o, argv) : take_and_tell(&o, argv);
    if (strcmp(verb, "show") == 0 && o.common.count >= 2)
        return show(&o);
    if (strcmp(verb, "explain") == 0 && o.common.count == 2)
        return explain_file(o.common.words[1], o.common.json);
    return options_wrong(&usage, _("it is `serviola xray show FILE [PART [WORD]]` or `serviola xray explain FILE`"));
}
