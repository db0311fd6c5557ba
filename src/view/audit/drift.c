/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host's twin has otherwise: packages, listeners, mounts, the kernel.
 *
 * Each side becomes a sorted list of facts, a key and a value.  What two
 * healthy twins never share (names, addresses, pids, devices) is in neither.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/audit/inner.h"

enum { FACTS_MOST = 60000 };

struct fact {
    char key[200], value[120];
};

struct facts {
    struct fact *at; /* owned */
    size_t count, cap;
};

struct fact_kind {
    const char *id;
    const char *differs, *only_here, *only_there; /* of a key and the two values; of a key and the value */
    void (*gather)(struct facts *all, const struct snap *s, const struct join *j);
};

static struct fact *fact(struct facts *all)
{
    static struct fact nobody_reads;

    if (all->count == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 256;
        struct fact *more = cap <= 2 * FACTS_MOST ? reallocarray(all->at, cap, sizeof(*more)) : NULL;

        if (!more)
            return &nobody_reads;
        all->at = more;
        all->cap = cap;
    }
    return memset(&all->at[all->count++], 0, sizeof(struct fact));
}

/* --- what is compared */

static void gather_packages(struct facts *all, const struct snap *s, const struct join *j)
{
    (void)j;
    SNAP_LIST(s, SNAP_INSTALLED, struct snap_installed, p)
    {
        struct fact *f = fact(all);

        (void)snprintf(f->key, sizeof(f->key), "%.100s:%.40s", words_of(p->name).text, words_of(p->architecture).text);
        (void)snprintf(f->value, sizeof(f->value), "%.100s", words_of(p->version).text);
    }
}

static void gather_listeners(struct facts *all, const struct snap *s, const struct join *j)
{
    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    {
        const struct snap_process *p = join_process(j, k->pid);
        struct fact *f;

        if (!audit_listens(s, k))
            continue;
        f = fact(all);
        (void)snprintf(f->key, sizeof(f->key), _("%.8s port %u, %s"), words_of(k->kind).text, k->local.port,
                       addr_is_loopback(k->local) ? _("for itself alone") : _("for others"));
        (void)snprintf(f->value, sizeof(f->value), "%.100s", p ? words_of_program(p).text : "?");
    }
}

static bool begins_path(struct slice s, const char *folder)
{
    size_t len = strlen(folder);

    return slice_begins(s, folder) && (s.len == len || s.at[len] == '/');
}

/* What the system and its containers mount by themselves. */
static bool comes_and_goes(struct slice point)
{
    static const char *const folders[] = {
        "/proc", "/sys", "/dev", "/run", "/snap", "/var/lib/docker", "/var/lib/containers"
    };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (begins_path(point, folders[i]))
            return true;
    return false;
}

static void gather_mounts(struct facts *all, const struct snap *s, const struct join *j)
{
    (void)j;
    SNAP_LIST(s, SNAP_MOUNT, struct snap_mount, m)
    {
        struct slice rest = m->options;
        struct fact *f;
        struct text t;

        if (comes_and_goes(m->point))
            continue;
        f = fact(all);
        (void)snprintf(f->key, sizeof(f->key), "%.190s", words_of(m->point).text);
        t = TEXT_IN(f->value);
        text_addf(&t, "%.40s", words_of(m->type).text);
        while (rest.len > 0) {
            struct slice option = slice_until(rest, ',', &rest);

            if (slice_eq(option, SLICE("ro")) || slice_eq(option, SLICE("rw")) || slice_eq(option, SLICE("nosuid")) ||
                slice_eq(option, SLICE("nodev")) || slice_eq(option, SLICE("noexec"))) {
                text_word(&t, " ");
                text_add(&t, option);
            }
        }
    }
}

static void gather_kernel(struct facts *all, const struct snap *s, const struct join *j)
{
    struct fact *f = fact(all);

    (void)j;
    (void)snprintf(f->key, sizeof(f->key), "%s", "kernel");
    (void)snprintf(f->value, sizeof(f->value), "%.100s", words_of(snap_host(s)->kernel).text);
}

static const struct fact_kind kinds[] = {
    { "drift_package", N_("the package %s is %s here, and %s there"), N_("the package %s (%s) is only here"),
      N_("the package %s (%s) is only there"), gather_packages },
    { "drift_listener", N_("%s: %s listens here, and %s there"), N_("%s: %s listens only here"),
      N_("%s: %s listens only there"), gather_listeners },
    { "drift_mount", N_("%s is mounted as %s here, and as %s there"), N_("%s is mounted (%s) only here"),
      N_("%s is mounted (%s) only there"), gather_mounts },
    { "drift_kernel", N_("another %s runs: %s here, and %s there"), N_("the %s (%s) is only here"),
      N_("the %s (%s) is only there"), gather_kernel },
};

/* --- two lists */

static int by_key(const void *a, const void *b)
{
    const struct fact *x = a;
    const struct fact *y = b;
    int keys = strcmp(x->key, y->key);

    return keys ? keys : strcmp(x->value, y->value);
}

/* One for each key: who else listens with it on the same port is not told apart. */
static void sort(struct facts *all)
{
    size_t kept = 0;

    if (all->count > 0)
        qsort(all->at, all->count, sizeof(all->at[0]), by_key);
    for (size_t i = 0; i < all->count; i++)
        if (kept == 0 || strcmp(all->at[kept - 1].key, all->at[i].key) != 0)
            all->at[kept++] = all->at[i];
    all->count = kept;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void tell_drift(struct explain *x, const struct fact_kind *k, const struct fact *here, const struct fact *there)
{
    struct finding *f = explain_found(x, k->id, GRADE_WARN);

    if (here && there)
        explain_text(f, k->differs, here->key, here->value, there->value);
    else
        explain_text(f, here ? k->only_here : k->only_there, (here ? here : there)->key, (here ? here : there)->value);
}
#pragma GCC diagnostic pop

static void compare(struct explain *x, const struct fact_kind *k, const struct facts *here, const struct facts *there)
{
    size_t i = 0;
    size_t n = 0;

    while (i < here->count || n < there->count) {
        int order = i == here->count ? 1 : n == there->count ? -1 : strcmp(here->at[i].key, there->at[n].key);

        if (order < 0)
            tell_drift(x, k, &here->at[i++], NULL);
        else if (order > 0)
            tell_drift(x, k, NULL, &there->at[n++]);
        else if (strcmp(here->at[i].value, there->at[n].value) != 0)
            tell_drift(x, k, &here->at[i++], &there->at[n++]);
        else
            i++, n++;
    }
}

/* A picture of serviola xray has no list of packages: all of them would have drifted. */
static bool has_no_list(struct explain *x, const struct snap *twin)
{
    bool here = x->s->part[SNAP_INSTALLED].count > 0;
    struct finding *f;

    if (here && twin->part[SNAP_INSTALLED].count > 0)
        return false;
    f = explain_found(x, "drift_unknown", GRADE_NOTE);
    explain_text(f, here ? N_("the twin's picture has no list of packages: they are not compared")
                         : N_("this picture has no list of packages: they are not compared"));
    explain_next(f, "serviola audit -o FILE takes a picture with them");
    return true;
}

int audit_drift(struct explain *x, const struct snap *twin, struct err *e)
{
    struct join *j = join_new(twin, e);
    bool skip = has_no_list(x, twin);

    if (!j)
        return -1;
    for (size_t i = skip; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct facts here = { .count = 0 };
        struct facts there = { .count = 0 };

        kinds[i].gather(&here, x->s, x->j);
        kinds[i].gather(&there, twin, j);
        sort(&here);
        sort(&there);
        compare(x, &kinds[i], &here, &there);
        free(here.at);
        free(there.at);
    }
    join_free(j);
    return 0;
}
