/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "snap/join.h"
#include "view/explain/inner.h"

enum { PROGRAMS_MOST = 4096, CHANGES_MOST = 2000, FULLER_PERCENT = 5 };

struct change_list {
    const struct snap *before, *after;
    void (*told)(void *own, const struct change *c);
    void *own;
    long count;
};

__attribute__((format(printf, 5, 6))) static void tell(struct change_list *l, const char *part, const char *how,
                                                       enum grade grade, const char *format, ...)
{
    struct change c = { .part = part, .how = how, .grade = grade };
    va_list args;

    if (l->count >= CHANGES_MOST)
        return;
    va_start(args, format);
    (void)vsnprintf(c.text, sizeof(c.text), _(format), args);
    va_end(args);
    l->count++;
    l->told(l->own, &c);
}

/* --- records that are the same when a few of their fields are */

struct kind {
    enum snap_part part;
    const char *fields[6]; /* what makes it the same */
    const char *what;      /* "route" */
    enum grade fresh, gone;
};

static const struct kind kinds[] = {
    { SNAP_MOUNT, { "point", "type", "source", "major", "minor" }, N_("mount"), GRADE_NOTE, GRADE_NOTE },
    { SNAP_DISK, { "name" }, N_("disk"), GRADE_NOTE, GRADE_WARN },
    { SNAP_ADDRESS, { "address", "bits", "interface" }, N_("address"), GRADE_NOTE, GRADE_NOTE },
    { SNAP_INTERFACE, { "name", "hardware" }, N_("interface"), GRADE_NOTE, GRADE_NOTE },
    { SNAP_ROUTE, { "net", "bits", "gateway", "interface", "metric" }, N_("route"), GRADE_NOTE, GRADE_NOTE },
    { SNAP_RULE,
      { "family", "table", "chain", "hook", "policy", "text" },
      N_("firewall rule"),
      GRADE_NOTE,
      GRADE_WARN },
    { SNAP_MODULE, { "name" }, N_("kernel module"), GRADE_WARN, GRADE_NOTE },
    { SNAP_NAME, { "path" }, N_("hidden name"), GRADE_ALARM, GRADE_NOTE },
    { SNAP_LOGIN, { "kind", "user", "line", "host", "at_s" }, N_("record of a login"), GRADE_NOTE, GRADE_WARN },
    { SNAP_JOB, { "kind", "source", "when", "user", "command" }, N_("job of cron or a timer"), GRADE_WARN, GRADE_NOTE },
    { SNAP_RESOLVER, { "address" }, N_("name server"), GRADE_NOTE, GRADE_NOTE },
    { SNAP_PORT, { "kind", "port" }, N_("hidden port"), GRADE_ALARM, GRADE_NOTE },
    { SNAP_PACKAGE, { "path", "what" }, N_("file that is not as it should be"), GRADE_WARN, GRADE_NOTE },
};

static const struct snap_field *field_of(enum snap_part part, const char *name)
{
    const struct snap_field *f = snap_kinds[part].fields;

    while (f->type != SNAP_TYPE_END && strcmp(f->name, name) != 0)
        f++;
    return f;
}

static bool same_field(const struct snap_field *f, const uint8_t *a, const uint8_t *b)
{
    const void *x = a + f->offset;
    const void *y = b + f->offset;

    switch (f->type) {
    case SNAP_TYPE_TEXT:
        return slice_eq(*(const struct slice *)x, *(const struct slice *)y);
    case SNAP_TYPE_U64:
    case SNAP_TYPE_I64:
        return *(const uint64_t *)x == *(const uint64_t *)y;
    case SNAP_TYPE_ADDR:
        return addr_eq(*(const struct addr *)x, *(const struct addr *)y);
    case SNAP_TYPE_FLAG:
        return *(const bool *)x == *(const bool *)y;
    case SNAP_TYPE_END:
        break;
    }
    return true;
}

static bool is_in(const struct kind *k, const uint8_t *record, const struct snap *s)
{
    const uint8_t *other = s->part[k->part].at;

    for (size_t i = 0; i < s->part[k->part].count; i++, other += snap_kinds[k->part].size) {
        bool same = true;

        for (size_t n = 0; n < 6 && k->fields[n] && same; n++)
            same = same_field(field_of(k->part, k->fields[n]), record, other);
        if (same)
            return true;
    }
    return false;
}

static void describe(const struct kind *k, const uint8_t *record, char words[400])
{
    struct text t = text_in(words, 400);

    for (size_t n = 0; n < 6 && k->fields[n]; n++) {
        const struct snap_field *f = field_of(k->part, k->fields[n]);
        const void *at = record + f->offset;
        size_t before = t.len;

        if (f->type == SNAP_TYPE_TEXT)
            text_visible(&t, slice_first(*(const struct slice *)at, 120));
        else if (f->type == SNAP_TYPE_ADDR && ((const struct addr *)at)->family != 0)
            text_word(&t, addr_socket_text(*(const struct addr *)at).text);
        else if (f->type == SNAP_TYPE_U64 || f->type == SNAP_TYPE_I64)
            text_addf(&t, "%" PRIu64, *(const uint64_t *)at);
        if (t.len > before)
            text_word(&t, " ");
    }
    if (t.len > 0 && t.at[t.len - 1] == ' ')
        t.at[--t.len] = '\0';
}

static void compare_kind(struct change_list *l, const struct kind *k)
{
    const struct snap *side[2] = { l->after, l->before };

    for (size_t i = 0; i < 2; i++) {
        const uint8_t *record = side[i]->part[k->part].at;

        for (size_t n = 0; n < side[i]->part[k->part].count; n++, record += snap_kinds[k->part].size) {
            char words[400];

            if (is_in(k, record, side[1 - i]))
                continue;
            describe(k, record, words);
            tell(l, snap_kinds[k->part].name, i == 0 ? "new" : "gone", i == 0 ? k->fresh : k->gone, "%s %s: %s",
                 i == 0 ? _("new") : _("gone"), _(k->what), words);
        }
    }
}

/* --- the host */

static void compare_hosts(struct change_list *l)
{
    const struct snap_host *a = snap_host(l->before);
    const struct snap_host *b = snap_host(l->after);
    struct words name = words_of(a->name);

    if (!slice_eq(a->name, b->name))
        tell(l, "host", "changed", GRADE_WARN, "another host: %s, then %s", name.text, words_of(b->name).text);
    if (!slice_eq(a->boot_id, b->boot_id))
        tell(l, "host", "changed", GRADE_WARN, "the host was started anew");
    if (!slice_eq(a->kernel, b->kernel))
        tell(l, "host", "changed", GRADE_NOTE, "another kernel: %s, then %s", words_of(a->kernel).text,
             words_of(b->kernel).text);
    if (a->cpus_online != b->cpus_online)
        tell(l, "host", "changed", GRADE_WARN, "%" PRIu64 " CPUs were used, then %" PRIu64, a->cpus_online,
             b->cpus_online);
    if (a->taint != b->taint)
        tell(l, "host", "changed", GRADE_WARN, "the kernel's taint went from %" PRIu64 " to %" PRIu64, a->taint,
             b->taint);
}

/* --- programs: how many processes and connections each has */

struct program {
    struct slice name, exe;
    uint64_t processes[2], connections[2], waiting[2];
};

struct programs {
    struct program *at; /* owned */
    size_t count;
};

static struct program *program(struct programs *all, const struct join *j, const struct snap_process *p)
{
    struct slice name = program_in(j, p);

    for (size_t i = 0; i < all->count; i++)
        if (slice_eq(all->at[i].name, name) && slice_eq(file_name(all->at[i].exe), file_name(p->exe)))
            return &all->at[i];
    if (all->count == PROGRAMS_MOST)
        return NULL;
    all->at[all->count] = (struct program){ .name = name, .exe = p->exe };
    return &all->at[all->count++];
}

static int count_programs(struct programs *all, const struct snap *s, size_t side, struct err *e)
{
    struct join *j = join_new(s, e);

    if (!j)
        return -1;
    SNAP_LIST(s, SNAP_PROCESS, struct snap_process, p)
    {
        struct program *is = program(all, j, p);

        if (!is)
            continue;
        is->processes[side]++;
        is->waiting[side] += p->waiting > 0;
    }
    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    {
        const struct snap_process *p = k->remote.port != 0 ? join_process(j, k->pid) : NULL;
        struct program *is = p ? program(all, j, p) : NULL;

        if (is)
            is->connections[side]++;
    }
    join_free(j);
    return 0;
}

static bool differs_much(const uint64_t n[2])
{
    uint64_t less = n[0] < n[1] ? n[0] : n[1];
    uint64_t more = n[0] < n[1] ? n[1] : n[0];

    return more - less >= 5 && more >= 2 * less;
}

static void tell_program(struct change_list *l, const struct program *p)
{
    struct words name = words_of(p->name);

    if (p->processes[0] == 0)
        tell(l, "process", "new", GRADE_NOTE, "%s runs: %" PRIu64 " process(es), executable %s", name.text,
             p->processes[1], words_of(p->exe).text);
    else if (p->processes[1] == 0)
        tell(l, "process", "gone", GRADE_NOTE, "%s no longer runs: it had %" PRIu64 " process(es)", name.text,
             p->processes[0]);
    else if (differs_much(p->processes))
        tell(l, "process", "changed", GRADE_NOTE, "%s had %" PRIu64 " processes, then %" PRIu64, name.text,
             p->processes[0], p->processes[1]);
    if (differs_much(p->connections))
        tell(l, "socket", "changed", GRADE_NOTE, "%s had %" PRIu64 " connections, then %" PRIu64, name.text,
             p->connections[0], p->connections[1]);
    if (p->waiting[1] > p->waiting[0])
        tell(l, "process", "changed", GRADE_WARN, "%" PRIu64 " processes of %s wait in state D, before %" PRIu64,
             p->waiting[1], name.text, p->waiting[0]);
}

static int compare_programs(struct change_list *l, struct err *e)
{
    struct programs all = { .at = calloc(PROGRAMS_MOST, sizeof(*all.at)) };
    int status = -1;

    if (!all.at)
        return err_set(e, ENOMEM, "to compare");
    if (count_programs(&all, l->before, 0, e) == 0 && count_programs(&all, l->after, 1, e) == 0) {
        for (size_t i = 0; i < all.count; i++)
            tell_program(l, &all.at[i]);
        status = 0;
    }
    free(all.at);
    return status;
}

/* --- listeners, space, findings */

static bool listens(const struct snap_socket *s)
{
    return slice_eq(s->state, SLICE("LISTEN")) && s->local.port != 0;
}

static void compare_listeners(struct change_list *l)
{
    const struct snap *side[2] = { l->after, l->before };

    for (size_t i = 0; i < 2; i++)
        SNAP_LIST(side[i], SNAP_SOCKET, struct snap_socket, s)
        {
            bool there = !listens(s);
            char owner[80] = "-";
            struct text t = TEXT_IN(owner);

            for (const struct snap_socket *o = side[1 - i]->part[SNAP_SOCKET].at,
                                          *end = o + side[1 - i]->part[SNAP_SOCKET].count;
                 o && o < end && !there; o++)
                there = listens(o) && addr_eq(o->local, s->local) && slice_eq(o->kind, s->kind);
            if (there)
                continue;
            text_addf(&t, "%" PRId64, s->pid);
            tell(l, "socket", i == 0 ? "new" : "gone", GRADE_WARN, "%s: %s port %s, pid %s",
                 i == 0 ? _("listens now") : _("no longer listens"), words_of(s->kind).text,
                 addr_socket_text(s->local).text, owner);
        }
}

static uint64_t percent_used(const struct snap_mount *m)
{
    return m->bytes >= 100 ? (m->bytes - m->bytes_free) / (m->bytes / 100) : 0;
}

static void compare_mounts(struct change_list *l)
{
    SNAP_LIST(l->before, SNAP_MOUNT, struct snap_mount, a)
    SNAP_LIST(l->after, SNAP_MOUNT, struct snap_mount, b)
    {
        if (!slice_eq(a->point, b->point) || a->major != b->major || a->minor != b->minor ||
            !slice_eq(a->root, b->root))
            continue;
        if (!slice_eq(a->super_options, b->super_options) || !slice_eq(a->options, b->options))
            tell(l, "mount", "changed", GRADE_WARN, "%s is mounted in another way: %s %s, before %s %s",
                 words_of(b->point).text, words_of(b->options).text, words_of(b->super_options).text,
                 words_of(a->options).text, words_of(a->super_options).text);
        if (a->answer == SNAP_ANSWERED && b->answer == SNAP_ANSWERED &&
            percent_used(b) >= percent_used(a) + FULLER_PERCENT)
            tell(l, "mount", "changed", GRADE_NOTE, "%s is fuller: %" PRIu64 " %% used, before %" PRIu64 " %%",
                 words_of(b->point).text, percent_used(b), percent_used(a));
        if (a->answer == SNAP_ANSWERED && b->answer == SNAP_SILENT)
            tell(l, "mount", "changed", GRADE_ALARM, "%s no longer answers", words_of(b->point).text);
        if (b->errors > a->errors)
            tell(l, "mount", "changed", GRADE_ALARM, "%s counts %" PRIu64 " errors, before %" PRIu64,
                 words_of(b->point).text, b->errors, a->errors);
    }
}

static const struct finding *same_finding(const struct findings *all, const struct finding *f)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].id, f->id) == 0)
            return &all->at[i];
    return NULL;
}

static int compare_findings(struct change_list *l, struct err *e)
{
    struct findings *a = explain(l->before, e);
    struct findings *b = a ? explain(l->after, e) : NULL;

    for (size_t i = 0; b && i < b->count; i++)
        if (!same_finding(a, &b->at[i]))
            tell(l, "finding", "new", b->at[i].grade, "now shown [%s]: %s", b->at[i].id, b->at[i].text);
    for (size_t i = 0; b && i < a->count; i++)
        if (!same_finding(b, &a->at[i]))
            tell(l, "finding", "gone", GRADE_NOTE, "no longer shown [%s]: %s", a->at[i].id, a->at[i].text);
    free(a);
    free(b);
    return b ? 0 : -1;
}

long change_tell(const struct snap *before, const struct snap *after, void (*told)(void *own, const struct change *c),
                 void *own, struct err *e)
{
    struct change_list l = { .before = before, .after = after, .told = told, .own = own };

    if (compare_findings(&l, e) < 0)
        return -1;
    compare_hosts(&l);
    compare_mounts(&l);
    compare_listeners(&l);
    if (compare_programs(&l, e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        compare_kind(&l, &kinds[i]);
    return l.count;
}
