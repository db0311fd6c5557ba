/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/kept.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/log/seek.h"

struct class_store {
    struct lines *lines;
    struct seek *seek;
    struct seek_found found; /* the block that is being given */
    size_t given;            /* lines of it */
    bool over;
};

struct kept {
    uint64_t before;
    uint64_t last; /* the number that was given last; 0: none */
    bool oldest_first;
    size_t count;
    struct class_store at[KEPT_STORES];
    uint64_t troubles;
    struct err first;
};

static void trouble(struct kept *k, const char *what)
{
    if (k->troubles++ == 0)
        (void)err_set(&k->first, 0, "%s", what);
}

static const struct log_line *line_of(const struct kept *k, const struct class_store *c)
{
    return &c->found.line[k->oldest_first ? c->given : c->found.count - 1 - c->given];
}

/* To the next line that is wanted: no longer in the store, and not given already by another class. */
static const struct log_line *look(struct kept *k, struct class_store *c)
{
    while (!c->over) {
        for (; c->given < c->found.count; c->given++) {
            const struct log_line *line = line_of(k, c);

            if (line->origin_seq > 0 && line->origin_seq < k->before && line->origin_seq != k->last)
                return line;
        }
        c->given = 0;
        c->over = seek_next(c->seek, &c->found) == 0;
        if (c->over)
            c->found.count = 0;
        else if (c->found.unreadable)
            trouble(k, c->found.unreadable);
    }
    return NULL;
}

static void open_store(struct kept *k, const char *folder, const char *name, const struct search *s)
{
    const struct seek_settings set = { .oldest_first = k->oldest_first };
    struct class_store *c = &k->at[k->count];
    char path[4096];
    struct err e;

    if (snprintf(path, sizeof(path), "%s/kept/%s", folder, name) >= (int)sizeof(path))
        return;
    if (k->count == KEPT_STORES) {
        trouble(k, "there are more stores of classes than can be looked through; --store FOLDER names one");
        return;
    }
    c->lines = lines_open(path, &e);
    c->seek = c->lines ? seek_new(s, c->lines, &set, &e) : NULL;
    if (c->seek) {
        k->count++;
        return;
    }
    trouble(k, e.text);
    lines_close(c->lines);
    c->lines = NULL;
}

struct kept *kept_new(const char *folder, uint64_t before, const struct search *s, bool oldest_first, struct err *e)
{
    struct kept *k = calloc(1, sizeof(*k));
    char path[4096];
    DIR *d = NULL;

    if (!k || snprintf(path, sizeof(path), "%s/kept", folder) >= (int)sizeof(path)) {
        (void)err_set(e, k ? ENAMETOOLONG : ENOMEM, "%s", folder);
        free(k);
        return NULL;
    }
    k->before = before;
    k->oldest_first = oldest_first;
    d = opendir(path);
    if (!d && errno != ENOENT && errno != ENOTDIR) {
        (void)err_set(e, errno, "%s", path);
        trouble(k, e->text);
    }
    for (struct dirent *at; d && (at = readdir(d)) != NULL;)
        if (at->d_name[0] != '.')
            open_store(k, folder, at->d_name, s);
    if (d)
        (void)closedir(d);
    return k;
}

void kept_free(struct kept *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++) {
        seek_free(k->at[i].seek);
        lines_close(k->at[i].lines);
    }
    free(k);
}

int kept_next(struct kept *k, struct log_line *line)
{
    struct class_store *from = NULL;
    const struct log_line *best = NULL;

    for (size_t i = 0; i < k->count; i++) {
        const struct log_line *l = look(k, &k->at[i]);

        if (l && (!best || (l->origin_seq < best->origin_seq) == k->oldest_first)) {
            best = l;
            from = &k->at[i];
        }
    }
    if (!best)
        return 0;
    from->given++;
    *line = *best;
    k->last = line->seq = best->origin_seq;
    return 1;
}

uint64_t kept_trouble(const struct kept *k, const char **what)
{
    uint64_t n = k->troubles;

    *what = k->first.text;
    for (size_t i = 0; i < k->count; i++) {
        const char *damage;
        uint64_t bad = lines_damaged(k->at[i].lines, &damage);

        if (bad > 0 && n == 0)
            *what = damage;
        n += bad;
    }
    return n;
}
