/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola xray: a picture of the whole host, and what it shows.  serviola explain: the same words, from a file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/recorded.h"
#include "cmd/xray_ask.h"
#include "cmd/xray_keep.h"
#include "cmd/xray_past.h"
#include "cmd/xray_show.h"
#include "sense/xray/xray.h"
#include "snap/file.h"
#include "snap/redact.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/explain/explain.h"
#include "view/html.h"
#include "view/paint.h"

enum { ALONE_MS = 3000 };
static const char alone[] = "/run/serviola-xray.lock";

struct xray_options {
    struct common_options common;
    const char *output, *against;
    bool force, list, deep, packages, redact, html;
    int64_t at_us; /* of the past: from the recorder; 0: now */
};

static const struct option_row rows[] = {
    { "output", 'o', OPTION_TEXT, offsetof(struct xray_options, output), "FILE",
      N_("write the picture there, and explain nothing"), NULL },
    { "html", 0, OPTION_FLAG, offsetof(struct xray_options, html), NULL,
      N_("one page that needs nothing else, into -o FILE or to the screen"), NULL },
    { "redact", 0, OPTION_FLAG, offsetof(struct xray_options, redact), NULL,
      N_("other names for addresses, users and hosts, always the same ones"), NULL },
    { "packages", 0, OPTION_FLAG, offsetof(struct xray_options, packages), NULL,
      N_("also look for files that are not as their packages have them"), NULL },
    { "against", 0, OPTION_TEXT, offsetof(struct xray_options, against), "MANIFEST",
      N_("... or not as a healthy twin has them: lines of sha256sum"), NULL },
    { "deep", 0, OPTION_FLAG, offsetof(struct xray_options, deep), NULL,
      N_("also try each port that nobody seems to have"), NULL },
    { "at", 'a', OPTION_TIME, offsetof(struct xray_options, at_us), "T",
      N_("a moment that is gone, from the flight recorder: processes, connections and figures"), NULL },
    { "force", 'f', OPTION_FLAG, offsetof(struct xray_options, force), NULL, N_("replace a file that is there already"),
      NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "xray",
    .what =
        N_("Takes a picture of the whole host at this instant, and says what it shows: processes, sockets of every\n"
           "network namespace, disks, memory, the kernel's log, names that hide.  Nothing is executed or changed.\n"
           "Alone it explains, and keeps the picture in /var/lib/serviola/xray (or /run/serviola).  Root sees all; who "
           "is\n"
           "in the group serviola is shown all by the running serviola, and anybody else sees a part."),
    .synopsis = "[-o FILE] | show FILE [PART [WORD...]] | explain FILE | diff FILE FILE | redact FILE -o NEW",
    .rows = rows,
    .most = 16,
    .examples =
        N_("serviola xray|take one, explain it, keep it\n"
           "serviola xray -o now.xray|only take it\n"
           "serviola xray explain now.xray|what it shows, also on another host\n"
           "serviola xray show now.xray|its parts, and how much is in each\n"
           "serviola xray show now.xray process perl|the records of a part that hold a word; `all` is every part\n"
           "serviola xray diff before.xray now.xray|what changed, in words\n"
           "serviola xray explain now.xray --html -o now.html|one page: graph, process tree, tables\n"
           "serviola xray redact now.xray -o public.xray|without addresses, users and hosts\n"
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

static struct findings *findings_of(const struct snap *s, const struct common_options *o, struct err *e)
{
    struct xray_past past;
    struct findings *f;

    xray_past_read(&past, s, o);
    f = explain_with(s, &past.past, e);
    xray_past_done(&past);
    return f;
}

static int tell(const struct snap *s, const struct common_options *o)
{
    struct err e;
    struct findings *f = findings_of(s, o, &e);
    bool json = o->json;
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

static void list(bool json)
{
    for (const struct finding_kind *k = finding_kinds; k->id; k++)
        (void)printf(json ? "{\"finding\":\"%s\",\"what\":\"%s\"}\n" : "%-24s%s\n", k->id, _(k->what));
}

int cmd_explain(int argc, char **argv)
{
    struct xray_options o = { 0 };
    struct snap *s;
    int code;

    if (!options_read(&explain_usage, argc, argv, &o, &code))
        return code;
    if (o.list && o.common.count == 0) {
        list(o.common.json);
        return fflush(stdout) == 0 ? EXIT_FINE : EXIT_CANNOT;
    }
    if (o.list || o.common.count != 1)
        return options_wrong(&explain_usage, "name one file, or --list");
    s = read_file(o.common.words[0]);
    code = s ? tell(s, &o.common) : EXIT_CANNOT;
    snap_free(s);
    return code;
}

/* --- a page */

static int page(const struct snap *s, const struct xray_options *o)
{
    struct err e;
    struct findings *f = findings_of(s, &o->common, &e);
    struct snap_bytes b = { 0 };
    char *at = NULL;
    FILE *to = open_memstream(&at, &b.len);
    int status = f && to ? html_page(s, f, to, &e) : err_set(&e, errno, "a page");

    if (to && fclose(to) != 0)
        status = -1;
    b.at = (uint8_t *)at;
    if (status == 0 && o->output)
        status = xray_keep_bytes(&b, o->output, o->force, &e);
    else if (status == 0 && (fwrite(b.at, 1, b.len, stdout) != b.len || fflush(stdout) != 0))
        status = err_set(&e, errno, "write");
    free(at);
    free(f);
    if (status < 0)
        say("%s", e.text);
    return status < 0 ? EXIT_CANNOT : EXIT_FINE;
}

static int explain_or_page(const struct snap *s, const struct xray_options *o)
{
    return o->html ? page(s, o) : tell(s, &o->common);
}

/* --- on files that are there */

static int show(const struct xray_options *o)
{
    char **words = o->common.words;
    int count = o->common.count;
    struct snap *s = read_file(words[1]);
    int code;

    if (!s)
        return EXIT_CANNOT;
    if (count == 2) {
        xray_show_parts(s, o->common.json);
        code = EXIT_FINE;
    } else {
        const char *part = strcmp(words[2], "all") == 0 ? NULL : words[2];

        code = xray_show_records(s, part, words + 3, count - 3, o->common.json);
    }
    snap_free(s);
    if (code == EXIT_USAGE)
        return options_wrong(&usage, _("there is no such part; serviola xray show FILE lists them"));
    return code;
}

static int explain_one(const struct xray_options *o)
{
    struct snap *s = read_file(o->common.words[1]);
    int code = s ? explain_or_page(s, o) : EXIT_CANNOT;

    snap_free(s);
    return code;
}

static int compare(const struct xray_options *o)
{
    struct snap *before = read_file(o->common.words[1]);
    struct snap *after = before ? read_file(o->common.words[2]) : NULL;
    int code = after ? xray_show_changes(before, after, o->common.json) : EXIT_CANNOT;

    snap_free(before);
    snap_free(after);
    return code;
}

/* Says why it failed, with the path in front. */
static int not_kept(const char *path, const struct err *e)
{
    char visible[512];
    struct text t = TEXT_IN(visible);

    text_visible(&t, slice_text(path));
    say("%s: %s", visible, e->text);
    return EXIT_CANNOT;
}

static int redact_file(const struct xray_options *o, char **argv)
{
    struct xray_keep how = { .common = &o->common, .command = argv, .replace = o->force };
    struct snap *s = read_file(o->common.words[1]);
    struct err e;
    int status;

    if (!s)
        return EXIT_CANNOT;
    status = snap_redact(s, &e);
    if (status == 0)
        status = xray_keep_at(s, o->output, &how, &e);
    snap_free(s);
    return status == 0 ? EXIT_FINE : not_kept(o->output, &e);
}

/* --- taking */

/*
 * Two pictures at once are slow, and show each other: the second waits for the
 * first, says so, and does not wait for ever.  A descriptor, or -1.
 */
static int wait_for_others(void)
{
    int64_t until_us = clock_mono_us() + (int64_t)ALONE_MS * 1000;
    int fd = geteuid() == 0 ? open(alone, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool told = false;

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK && clock_mono_us() < until_us) {
        if (!told)
            say(_("another picture is being taken; this one waits for it"));
        told = true;
        (void)poll(NULL, 0, 10);
    }
    return fd;
}

struct taken {
    struct snap *snap;
    bool partial;         /* what one who is not root may see */
    char kept[XRAY_KEPT]; /* where serviola keeps it; empty: nowhere */
};

/* Who is not root asks the running serviola.  False: there is none of it, and why was said. */
static bool take_by_asking(const struct xray_options *o, struct taken *t)
{
    struct err e;

    if (o->deep || o->packages || o->against) {
        say(_("--deep, --packages and --against are for root; this is what you may see yourself"));
        return false;
    }
    t->snap = xray_ask(&o->common, !o->output && !o->html && !o->redact, t->kept, &e);
    if (!t->snap)
        say(_("%s; this is what you may see yourself: for all of it be root, or ask a running serviola as a member of "
              "its group"),
            e.text);
    return t->snap != NULL;
}

static void take_now(const struct xray_options *o, struct taken *t, struct err *e)
{
    struct xray_wish wish = { .deep = o->deep, .packages = o->packages || o->against, .against = o->against };
    int fd;

    if (geteuid() != 0 && take_by_asking(o, t))
        return;
    t->partial = geteuid() != 0;
    fd = wait_for_others();
    t->snap = xray_take_as(&wish, e);
    if (fd >= 0)
        close(fd);
}

static bool take(const struct xray_options *o, struct taken *t)
{
    struct err e;

    *t = (struct taken){ .partial = false };
    if (o->at_us)
        t->snap = recorded_snap(&o->common, o->at_us, &e);
    else
        take_now(o, t, &e);
    if (t->snap && o->redact && snap_redact(t->snap, &e) < 0) {
        snap_free(t->snap);
        t->snap = NULL;
    }
    if (!t->snap)
        say("%s", e.text);
    return t->snap != NULL;
}

static int take_to_file(const struct xray_options *o, char **argv)
{
    struct xray_keep how = { .common = &o->common, .command = argv, .replace = o->force };
    struct taken t;
    struct err e;
    int status;

    if (!take(o, &t))
        return EXIT_CANNOT;
    status = xray_keep_at(t.snap, o->output, &how, &e);
    snap_free(t.snap);
    if (status < 0)
        return not_kept(o->output, &e);
    return t.partial ? EXIT_FOUND : EXIT_FINE;
}

/* Where it stays; the folders are root's. */
static int keep(const struct taken *t, const struct xray_options *o, char **argv)
{
    struct xray_keep how = { .common = &o->common, .command = argv };

    if (geteuid() == 0)
        return xray_keep_usual(t->snap, &how);
    if (!t->kept[0])
        say(_("the picture is not kept: -o FILE keeps it"));
    else if (!o->common.json)
        (void)printf(_("The picture is kept: %s\n"), t->kept);
    return 0;
}

static int take_and_tell(const struct xray_options *o, char **argv)
{
    struct taken t;
    int code;

    if (!take(o, &t))
        return EXIT_CANNOT;
    code = explain_or_page(t.snap, o); /* first: the disk may hang */
    if (!o->html && !o->at_us && keep(&t, o, argv) < 0)
        code = EXIT_CANNOT;
    snap_free(t.snap);
    return code == EXIT_FINE && t.partial ? EXIT_FOUND : code;
}

static int on_file(const struct xray_options *o, const char *verb, char **argv)
{
    int count = o->common.count;

    if (o->deep || o->packages || o->against)
        return options_wrong(&usage, _("--deep, --packages and --against are for taking a picture"));
    if (strcmp(verb, "redact") == 0)
        return count == 2 && o->output ? redact_file(o, argv)
                                       : options_wrong(&usage, _("it is `serviola xray redact FILE -o NEW`"));
    if (o->output && !o->html)
        return options_wrong(&usage, _("-o is for taking a picture, for --html and for redact"));
    if (strcmp(verb, "show") == 0 && count >= 2 && !o->html)
        return show(o);
    if (strcmp(verb, "explain") == 0 && count == 2)
        return explain_one(o);
    if (strcmp(verb, "diff") == 0 && count == 3 && !o->html)
        return compare(o);
    return options_wrong(&usage,
                         _("it is `serviola xray show FILE [PART [WORD...]]`, `explain FILE`, `diff FILE FILE` or "
                           "`redact FILE -o NEW`"));
}

int cmd_xray(int argc, char **argv)
{
    struct xray_options o = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.force && !o.output)
        return options_wrong(&usage, _("--force wants -o FILE"));
    if (o.at_us && (o.common.count > 0 || o.deep || o.packages || o.against))
        return options_wrong(&usage, _("--at T takes the picture from the recorder, and knows no more than it does"));
    if (o.common.count > 0)
        return on_file(&o, o.common.words[0], argv);
    return o.output && !o.html ? take_to_file(&o, argv) : take_and_tell(&o, argv);
}
