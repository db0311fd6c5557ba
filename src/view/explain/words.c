/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How processes, paths and moments are called in a finding. */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"

struct words words_of(struct slice s)
{
    enum { SHOWN = 160 };
    struct words w;
    struct text t = text_in(w.text, sizeof(w.text) - 4);

    text_visible(&t, slice_first(s, SHOWN));
    if (t.cut || s.len > SHOWN)
        memcpy(w.text + t.len, "...", 4);
    return w;
}

bool slice_has(struct slice s, const char *part)
{
    return s.len > 0 && memmem(s.at, s.len, part, strlen(part)) != NULL;
}

bool slice_begins(struct slice s, const char *with)
{
    size_t n = strlen(with);

    return s.len >= n && memcmp(s.at, with, n) == 0;
}

struct slice file_name(struct slice path)
{
    static const char gone[] = " (deleted)";
    size_t n = sizeof(gone) - 1;

    if (path.len > n && memcmp(path.at + path.len - n, gone, n) == 0)
        path.len -= n;
    for (size_t i = path.len; i > 0; i--)
        if (path.at[i - 1] == '/')
            return slice_skip(path, i);
    return path;
}

bool is_interpreter(struct slice name)
{
    static const char *const names[] = {
        "perl", "python", "ruby", "php", "node", "lua", "tclsh", "bash", "dash", "ksh"
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_begins(name, names[i]))
            return true;
    return slice_eq(name, SLICE("sh")) || slice_eq(name, SLICE("busybox"));
}

struct slice program_of(const struct snap_process *p)
{
    struct slice name = file_name(p->exe);
    struct slice rest = p->args;

    if (name.len == 0)
        return p->comm;
    if (!is_interpreter(name))
        return name;
    (void)slice_until(rest, '\0', &rest);
    while (rest.len > 0) {
        struct slice word = slice_until(rest, '\0', &rest);

        if (word.len > 0 && word.at[0] != '-')
            return file_name(word);
        if (slice_eq(word, SLICE("-c")) || slice_eq(word, SLICE("-e")))
            break;
    }
    return p->comm.len > 0 ? p->comm : name; /* a script may write over its command line: then its own name stands */
}

struct slice program_in(const struct join *j, const struct snap_process *p)
{
    enum { FORKS = 8 };
    struct slice name = program_of(p);
    const struct snap_process *above = p;

    if (!is_interpreter(file_name(p->exe)) || name.at != p->comm.at)
        return name;
    for (unsigned i = 0; i < FORKS && (above = join_process(j, above->parent)) && slice_eq(above->exe, p->exe); i++) {
        struct slice script = program_of(above);

        if (script.at != above->comm.at)
            return script;
    }
    return name;
}

struct words words_of_program(const struct snap_process *p)
{
    return words_of(program_of(p));
}

struct words words_process(const struct snap_process *p)
{
    struct words w;
    struct text t = TEXT_IN(w.text);

    if (!p) {
        text_word(&t, _("a process that is gone"));
        return w;
    }
    text_addf(&t, "%s (pid %" PRId64 ")", words_of_program(p).text, p->pid);
    return w;
}

struct words words_args(const struct snap_process *p)
{
    enum { SHOWN = 200 };
    char plain[SHOWN];
    size_t n = p->args.len < sizeof(plain) ? p->args.len : sizeof(plain);

    for (size_t i = 0; i < n; i++)
        plain[i] = p->args.at[i] == '\0' ? ' ' : (char)p->args.at[i];
    return words_of(slice_trim(slice_of(plain, n)));
}

int64_t age_of(const struct snap *s, int64_t at_us)
{
    const struct snap_host *h = snap_host(s);
    int64_t up_us = h->begun_us - h->booted_us;

    return up_us > at_us ? up_us - at_us : 0;
}

enum grade grade_by_age(int64_t age_us, enum grade fresh)
{
    if (age_us > AGE_PAST_US)
        return GRADE_NOTE;
    return age_us > AGE_FRESH_US && fresh > GRADE_WARN ? GRADE_WARN : fresh;
}

struct words words_age(int64_t age_us)
{
    struct words w = { "" };
    struct text t = TEXT_IN(w.text);
    char length[40];
    struct text l = TEXT_IN(length);

    if (age_us <= AGE_FRESH_US)
        return w;
    text_duration(&l, age_us);
    text_addf(&t, _("; the last of it %s before this picture"), length);
    return w;
}

struct words words_at(const struct snap *s, int64_t at_us)
{
    struct words w;
    struct text t = TEXT_IN(w.text);

    text_time(&t, snap_host(s)->booted_us + at_us, 3);
    return w;
}

bool gauge_of(const struct snap *s, const char *name, uint64_t *value)
{
    SNAP_LIST(s, SNAP_GAUGE, struct snap_gauge, g)
    {
        if (!slice_eq(g->name, slice_text(name)))
            continue;
        *value = g->value;
        return true;
    }
    return false;
}

static bool lies_below(struct slice path, struct slice point)
{
    if (slice_eq(point, SLICE("/")))
        return path.len > 0 && path.at[0] == '/';
    return path.len >= point.len && memcmp(path.at, point.at, point.len) == 0 &&
           (path.len == point.len || path.at[point.len] == '/');
}

const struct snap_mount *mount_of(const struct snap *s, struct slice path)
{
    const struct snap_mount *best = NULL;

    if (path.len == 0)
        return NULL;
    /* The later of two at one place lies over the earlier. */
    SNAP_LIST(s, SNAP_MOUNT, struct snap_mount, m)
    if (m->point.len > 0 && lies_below(path, m->point) && (!best || m->point.len >= best->point.len))
        best = m;
    return best;
}
