/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log analyse: what an administrator should know of these logs.  log new: what was never logged before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "cmd/log_stored.h"
#include "cmd/options.h"
#include "cmd/sight.h"
#include "sense/log/analyse/analyse.h"
#include "sense/log/logfiles.h"
#include "sense/log/logrules.h"
#include "sense/log/template.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "sys/whole.h"
#include "view/paint.h"
#include "view/when.h"

enum { FINDINGS_MOST = 4096, MEMORY_MOST = 256 << 20 };

struct analyse_options {
    struct common_options common;
    const char *host, *memory, *since, *logcheck, *store;
    int level; /* enum logrules_level */
    uint64_t year, most;
    struct prefix own;
    bool list;
};

#define SHARED_ROWS                                                                                                      \
    {                                                                                                                    \
        "host", 0, OPTION_TEXT, offsetof(struct analyse_options, host), "NAME", N_("only what is about this host"), NULL \
    },                                                                                                                   \
        { "year",        0,                                                                                              \
          OPTION_NUMBER, offsetof(struct analyse_options, year),                                                         \
          "YEAR",        N_("of the newest stamp that has none; else the file's own time says it"),                      \
          NULL },                                                                                                        \
        { "memory",    0,                                                                                                \
          OPTION_TEXT, offsetof(struct analyse_options, memory),                                                         \
          "FILE",      N_("what was learned before, and is kept there afterwards"),                                      \
          NULL },                                                                                                        \
    {                                                                                                                    \
        "store", 0, OPTION_TEXT, offsetof(struct analyse_options, store), "FOLDER",                                      \
            N_("the lines that serviola keeps there"), NULL                                                              \
    }

static const char *const levels[] = { "paranoid", "server", "workstation", NULL };

static const struct option_row rows[] = {
    SHARED_ROWS,
    { "logcheck", 0, OPTION_TEXT, offsetof(struct analyse_options, logcheck), "FOLDER",
      N_("logcheck's rules, as in /etc/logcheck: what they call an attack or a violation is told, and so are the "
         "kinds\n"
         "of lines that none of them knows"),
      NULL },
    { "level", 0, OPTION_WORD, offsetof(struct analyse_options, level), "LEVEL",
      N_("which of them: paranoid, server (usual), workstation"), levels },
    { "own", 0, OPTION_NET, offsetof(struct analyse_options, own), "NET",
      N_("a network of ours: mail out of it is no sign of a stolen password"), NULL },
    { "list", 'l', OPTION_FLAG, offsetof(struct analyse_options, list), NULL, N_("print what can be found"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log analyse",
    .what = N_(
        "log analyse reads logs and says what to know of them: who fell silent, what was never logged before, dying\n"
        "hardware, reboots, wrong clocks, bursts, tried passwords, lost lines, stolen mail accounts.\n"
        "Folders are read whole: rotations in their order, packed ones too, all merged by time.  Without FILE,\n"
        "the lines that serviola keeps if it does, else /var/log.  Exit code 1: something wants a look."),
    .synopsis =
        "[--host NAME] [--year YEAR] [--memory FILE] [--own NET] [--logcheck FOLDER] [--store FOLDER | FILE|FOLDER...] "
        "[--json] "
        "| --list",
    .rows = rows,
    .least = 0,
    .most = 4096,
    .examples = N_("serviola log analyse|what this host's logs say\n"
                   "serviola log analyse --year 2007 evidence/var/log|logs of another host, without a year in them\n"
                   "serviola log analyse --memory /var/lib/serviola/log.memory|each night: only what is new is new"),
};

static const struct option_row new_rows[] = {
    SHARED_ROWS,
    { "since", 's', OPTION_TEXT, offsetof(struct analyse_options, since), "WHEN",
      N_("a time, or the word reboot: the newest boot in the logs"), NULL },
    { "most", 'n', OPTION_NUMBER, offsetof(struct analyse_options, most), "N", N_("no more than so many (20)"), NULL },
    { 0 },
};

static const struct usage new_usage = {
    .name = "log new",
    .what = N_("log new prints the kinds of messages that were never logged before a moment, the gravest first."),
    .synopsis = "--since WHEN|reboot [--host NAME] [--most N] [--year YEAR] [--store FOLDER | FILE|FOLDER...] [--json]",
    .rows = new_rows,
    .least = 0,
    .most = 4096,
    .examples = N_("serviola log new --since reboot|what was never logged before the newest boot\n"
                   "serviola log new --since 2007-12-06T12:29:00Z --host vlnx1 --year 2007 evidence/|on one host"),
};

/* --- findings: the last word on each matter */

struct page {
    const struct analyse_options *o;
    struct log_finding *at;
    size_t count, more;
};

static void on_finding(void *own, const struct log_finding *f)
{
    struct page *p = own;

    if (p->o->host && f->host[0] && strcmp(p->o->host, f->host) != 0)
        return;
    for (size_t i = p->count; i > 0; i--)
        if (p->at[i - 1].key == f->key) {
            p->at[i - 1] = *f;
            return;
        }
    if (p->count == FINDINGS_MOST) {
        p->more++;
        return;
    }
    p->at[p->count++] = *f;
}

static int gravest_first(const void *x, const void *y)
{
    const struct log_finding *a = x;
    const struct log_finding *b = y;

    if (a->grade != b->grade)
        return a->grade < b->grade ? 1 : -1;
    if (a->rank != b->rank && strcmp(a->id, b->id) == 0)
        return a->rank < b->rank ? 1 : -1;
    return (a->from_us > b->from_us) - (a->from_us < b->from_us);
}

static void print_words(const struct log_finding *f, bool colour)
{
    (void)printf("%s%-5s%s  %s  [%s]\n", paint_on(colour, paint_of(f->grade)),
                 f->grade == GRADE_ALARM  ? "ALARM"
                 : f->grade == GRADE_WARN ? "WARN"
                                          : "note",
                 paint_off(colour), f->text, f->id);
    for (unsigned i = 0; i < f->proofs; i++)
        (void)printf("         %s\n", f->proof[i]);
    if (f->proofs_more > 0)
        (void)printf(_("         and %u more\n"), f->proofs_more);
    if (f->next[0])
        (void)printf("       > %s\n", f->next);
}

static void json_string(const char *name, const char *words)
{
    char escaped[6 * 900 + 1];
    struct text t = TEXT_IN(escaped);

    text_json(&t, slice_text(words));
    (void)printf("%s\"%s\"", name, escaped);
}

static void json_time(const char *name, int64_t at_us)
{
    char words[40];
    struct text t = TEXT_IN(words);

    text_time(&t, at_us, 6);
    (void)printf(",\"%s\":\"%s\"", name, words);
}

static void print_json(const struct log_finding *f)
{
    (void)printf("{\"finding\":\"%s\",\"grade\":\"%s\"", f->id, grade_name(f->grade));
    json_string(",\"text\":", f->text);
    (void)fputs(",\"proof\":[", stdout);
    for (unsigned i = 0; i < f->proofs; i++)
        json_string(i ? "," : "", f->proof[i]);
    json_string("],\"next\":", f->next);
    json_string(",\"host\":", f->host);
    json_time("from", f->from_us);
    if (f->to_us != 0)
        json_time("to", f->to_us);
    (void)printf(",\"count\":%llu,\"rank\":%u,\"open\":%s,\"proof_more\":%u}\n", (unsigned long long)f->count, f->rank,
                 f->phase == LOG_BEGAN ? "true" : "false", f->proofs_more);
}

static int print_all(struct page *p)
{
    bool colour = paint_wanted(STDOUT_FILENO);
    int code = EXIT_FINE;

    if (p->count > 0)
        qsort(p->at, p->count, sizeof(*p->at), gravest_first);
    for (size_t i = 0; i < p->count; i++) {
        if (p->at[i].grade > GRADE_NOTE)
            code = EXIT_FOUND;
        if (p->o->common.json)
            print_json(&p->at[i]);
        else
            print_words(&p->at[i], colour);
    }
    if (p->more > 0)
        say(_("%zu more findings had no room"), p->more);
    if (p->count == 0 && !p->o->common.json)
        (void)puts(_("Nothing is out of order."));
    return fflush(stdout) == 0 ? code : EXIT_CANNOT;
}

/* --- what was learned before */

static int load_memory(struct analysis *a, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    uint8_t *bytes = NULL;
    ssize_t len;
    int status = -1;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(e, errno, "%s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MEMORY_MOST ||
        !(bytes = malloc((size_t)st.st_size + 1))) {
        err_set(e, 0, "%s: %s", path, _("this is no memory of serviola log"));
        goto out;
    }
    len = whole_read(fd, bytes, (size_t)st.st_size);
    status = len < 0 ? err_set(e, errno, "read") : analysis_load(a, slice_of(bytes, (size_t)len), e);
    if (status < 0)
        err_wrap(e, "%s", path);
out:
    free(bytes);
    (void)close(fd);
    return status;
}

/* Whose the folder is, theirs is the file: the part log reads what root has learned for it. */
static void give_to_owner(int fd, const char *path)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    struct stat st;

    if (len > 0 && !text_cstr(folder, sizeof(folder), slice_of(path, len)))
        return;
    if (stat(folder, &st) == 0 && st.st_uid != geteuid() && fchown(fd, st.st_uid, st.st_gid) < 0)
        say("%s: %s", path, strerror(errno));
}

/* Beside it first, then in its place: it is whole or as it was. */
static int save_memory(struct analysis *a, const char *path, struct err *e)
{
    struct bytes_out bytes = { 0 };
    char beside[4096];
    int fd = -1;
    int status = analysis_save(a, &bytes, e);

    if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
        status = err_set(e, ENAMETOOLONG, "%s", path);
    if (status == 0 && (fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        status = err_set(e, errno, "%s", beside);
    if (status == 0)
        give_to_owner(fd, path);
    if (status == 0 && whole_write(fd, bytes.at, bytes.len) < 0)
        status = err_set(e, errno, "%s", beside);
    if (status == 0 && (fsync(fd) < 0 || rename(beside, path) < 0))
        status = err_set(e, errno, "%s", path);
    if (fd >= 0)
        (void)close(fd);
    bytes_done(&bytes);
    return status;
}

/* --- logcheck's rules: what they say, one finding for each kind of message */

enum { KINDS_MOST = 2000 };

struct judge {
    struct logrules *rules;
    struct logrules_scan *scan;
    struct templates *templates;
    struct seen_kind {
        enum logrules_verdict verdict;
        uint64_t lines;
        char text[400];
    } kind[KINDS_MOST]; /* by template */
};

static void on_judged(void *own, enum logrules_verdict v, struct slice text)
{
    struct judge *j = own;
    uint32_t id = v == LOGRULES_HARMLESS ? 0 : templates_learn(j->templates, text);
    struct seen_kind *k;

    if (id == 0)
        return;
    k = &j->kind[id - 1];
    k->verdict = v > k->verdict ? v : k->verdict;
    if (k->lines++ == 0) {
        struct text t = TEXT_IN(k->text);

        text_visible(&t, slice_first(text, 200));
    }
}

static void on_bad_rule(void *own, const char *file, unsigned line, const char *why)
{
    char visible[512];
    struct text t = TEXT_IN(visible);

    (void)own;
    text_visible(&t, slice_text(file));
    say("%s:%u: %s", visible, line, why);
}

static void judge_free(struct judge *j)
{
    if (!j)
        return;
    logrules_scan_free(j->scan);
    logrules_free(j->rules);
    templates_free(j->templates);
    free(j);
}

static struct judge *judge_new(const struct analyse_options *o, struct err *e)
{
    static const struct template_caps caps = { .templates = KINDS_MOST, .children = 256, .spellings = 8192 };
    struct judge *j = calloc(1, sizeof(*j));

    if (!j) {
        (void)err_set(e, ENOMEM, "rules");
        return NULL;
    }
    j->rules = logrules_new(e);
    j->templates = templates_new(&caps, 1, e);
    if (j->rules && j->templates &&
        logrules_logcheck(j->rules, o->logcheck, (enum logrules_level)o->level, on_bad_rule, NULL, e) == 0) {
        if (logrules_count(j->rules) == 0)
            (void)err_set(e, 0, "%s: %s", o->logcheck, _("there are no rules of logcheck"));
        else if (logrules_compile(j->rules, e) == 0 && (j->scan = logrules_scan_new(j->rules, on_judged, j, e)))
            return j;
    }
    judge_free(j);
    return NULL;
}

static void tell_judged(const struct judge *j, struct page *p)
{
    static const struct {
        const char *id;
        enum grade grade;
        const char *words;
    } says[] = { [LOGRULES_UNKNOWN] = { "rule_unknown", GRADE_NOTE, N_("no rule knows it") },
                 [LOGRULES_VIOLATES] = { "rule_violation", GRADE_WARN, N_("the rules call it a violation") },
                 [LOGRULES_ATTACKS] = { "rule_attack", GRADE_ALARM, N_("the rules call it an attack") } };

    for (size_t i = 0; i < templates_count(j->templates); i++) {
        const struct seen_kind *k = &j->kind[i];
        struct log_finding f = {
            .id = says[k->verdict].id, .grade = says[k->verdict].grade, .key = i, .count = k->lines
        };

        (void)snprintf(f.text, sizeof(f.text), "%s (%llu): %s", _(says[k->verdict].words), (unsigned long long)k->lines,
                       k->text);
        f.key |= 1ull << 63;
        on_finding(p, &f);
    }
}

/* --- reading */

static void note(void *own, const char *name, const char *why)
{
    char visible[512];
    struct text t = TEXT_IN(visible);

    (void)own;
    text_visible(&t, slice_text(name));
    say("%s: %s", visible, why);
}

struct intake {
    struct analysis *a;
    struct judge *j; /* NULL: no rules */
    int64_t until_us, last_us;
    struct err *e;
};

/* False: the rules failed. */
static bool take(void *own, const struct log_line *l)
{
    struct intake *in = own;

    if (l->at_us <= in->until_us) /* not one stamp so far, or it was read when the memory was written */
        return true;
    analyse_line(in->a, l);
    in->last_us = l->at_us > in->last_us ? l->at_us : in->last_us;
    return !in->j || logrules_line(in->j->scan, l, in->e) == 0;
}

static int read_files(struct intake *in, const struct analyse_options *o)
{
    static char usual[] = "/var/log";
    static char *usual_paths[] = { usual, NULL };
    struct logfiles_order order = { .paths = o->common.count > 0 ? o->common.words : usual_paths,
                                    .count = o->common.count > 0 ? o->common.count : 1,
                                    .now_us = clock_wall_us(),
                                    .year = o->year > 0 && o->year < 10000 ? (int)o->year : 0,
                                    .note = note };
    time_t now = time(NULL);
    struct tm local;
    struct logfiles *p;
    struct log_line l;
    int got;

    if (localtime_r(&now, &local))
        order.zone_s = (int32_t)local.tm_gmtoff;
    p = logfiles_open(&order, in->e);
    if (!p)
        return -1;
    while ((got = logfiles_next(p, &l, in->e)) > 0)
        if (!take(in, &l))
            break;
    logfiles_close(p);
    return got == 0 ? 0 : -1;
}

static int read_store(struct intake *in, const char *folder)
{
    struct log_stored told;

    in->e->text[0] = '\0';
    if (log_stored_read(folder, take, in, &told, in->e) < 0 || in->e->text[0])
        return -1;
    if (told.damaged > 0)
        say(_("%llu blocks could not be read; serviola log verify names them"), (unsigned long long)told.damaged);
    if (told.left_out > 0)
        say(_("%llu imported lines are older than what was imported before them; analyse those files instead"),
            (unsigned long long)told.left_out);
    return 0;
}

/* Files that are named, the store that is; else the one that the configuration keeps lines in, else /var/log. */
static int read_all(struct analysis *a, const struct analyse_options *o, struct judge *j, struct err *e)
{
    struct intake in = { .a = a, .j = j, .until_us = analysis_until(a), .last_us = analysis_until(a), .e = e };
    struct sight s = { 0 };
    int result;

    if (o->store)
        result = read_store(&in, o->store);
    else if (o->common.count == 0 && sight_configure(&s, &o->common) == EXIT_FINE && s.conf->log.mode != LOG_OFF)
        result = read_store(&in, s.conf->log.folder);
    else
        result = read_files(&in, o);
    if (result == 0 && j && logrules_flush(j->scan, e) < 0)
        result = -1;
    sight_close(&s);
    analyse_end(a, in.last_us);
    return result;
}

static struct analysis *begin(const struct analyse_options *o, log_found *found, struct page *p, struct err *e)
{
    struct analysis *a;
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
        err_set(e, errno, "getrandom");
        return NULL;
    }
    p->o = o;
    p->at = calloc(FINDINGS_MOST, sizeof(*p->at));
    a = p->at ? analysis_new(&analysis_usual, seed, found, p, e) : NULL;
    if (!p->at)
        err_set(e, ENOMEM, "findings");
    if (a && ((o->own.net.family != 0 && analysis_own(a, o->own, e) < 0) ||
              (o->memory && load_memory(a, o->memory, e) < 0))) {
        analysis_free(a);
        return NULL;
    }
    return a;
}

/* A cap that was reached is never silent. */
static void tell(struct analysis_told t)
{
    if (t.no_host > 0)
        say(_("%llu lines of hosts beyond %u are not told apart"), (unsigned long long)t.no_host, analysis_usual.hosts);
    if (t.no_template > 0)
        say(_("%llu lines found no room among the templates"), (unsigned long long)t.no_template);
}

int log_analyse(int argc, char **argv)
{
    struct analyse_options o = { .level = LOGRULES_SERVER };
    struct page p = { 0 };
    struct judge *j = NULL;
    struct analysis *a;
    struct err e = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.list) {
        for (const struct log_finding_kind *k = log_finding_kinds; k->id; k++)
            (void)printf(o.common.json ? "{\"finding\":\"%s\",\"what\":\"%s\"}\n" : "%-20s%s\n", k->id, _(k->what));
        return fflush(stdout) == 0 ? EXIT_FINE : EXIT_CANNOT;
    }
    a = begin(&o, on_finding, &p, &e);
    if (!a || (o.logcheck && !(j = judge_new(&o, &e))) || read_all(a, &o, j, &e) < 0 ||
        (o.memory && save_memory(a, o.memory, &e) < 0)) {
        say("%s", e.text);
        code = EXIT_CANNOT;
    } else {
        tell(analysis_told(a));
        if (j)
            tell_judged(j, &p);
        code = print_all(&p);
    }
    judge_free(j);
    analysis_free(a);
    free(p.at);
    return code;
}

static void ignore(void *own, const struct log_finding *f)
{
    (void)own;
    (void)f;
}

int log_new(int argc, char **argv)
{
    struct analyse_options o = { .most = 20 };
    struct page p = { 0 };
    struct analysis *a;
    int64_t since = 0;
    struct err e = { 0 };
    int code;

    if (!options_read(&new_usage, argc, argv, &o, &code))
        return code;
    if (!o.since || (strcmp(o.since, "reboot") != 0 && !when_read(slice_text(o.since), clock_wall_us(), &since)))
        return options_wrong(&new_usage, "%s", _("--since wants the word reboot, or a time"));
    a = begin(&o, ignore, &p, &e);
    if (!a || read_all(a, &o, NULL, &e) < 0) {
        say("%s", e.text);
        code = EXIT_CANNOT;
        goto out;
    }
    if (strcmp(o.since, "reboot") == 0)
        since = analyse_reboot(a, slice_text(o.host));
    if (since == 0) {
        say("%s", _("no boot is in these logs"));
        code = EXIT_CANNOT;
        goto out;
    }
    tell(analysis_told(a));
    analyse_new(a, since, slice_text(o.host), o.most < FINDINGS_MOST ? o.most : FINDINGS_MOST, on_finding, &p);
    code = print_all(&p);
out:
    analysis_free(a);
    free(p.at);
    return code;
}
