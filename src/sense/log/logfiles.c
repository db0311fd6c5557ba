/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files, in which order, merged by time.  One log is read by track.c. */
#include "sense/log/logfiles.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "sense/log/track.h"

struct found_file {
    char *path;       /* owned */
    size_t stem;      /* so much of it names the log */
    int64_t rotation; /* the larger the older; 0: the one that is written now */
};

struct logfiles {
    const struct logfiles_order *order;
    struct found_file *files;
    size_t count, cap;
    struct track **tracks;
    size_t tracks_count;
    struct track *last; /* whose line was given */
};

static size_t without_end(const char *path, size_t len, const char *end)
{
    size_t n = strlen(end);

    return len > n && memcmp(path + len - n, end, n) == 0 ? len - n : len;
}

/* mail.log.12.gz -> mail.log and 12; maillog-20071205 -> maillog, and the older the larger. */
static void read_name(struct found_file *f)
{
    static const char *const packed[] = { ".gz", ".bz2", ".xz", ".zst", ".lzma" };
    size_t len = strlen(f->path);
    size_t from;
    int64_t number = 0;

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
        len = without_end(f->path, len, packed[i]);
    for (from = len; from > 0 && f->path[from - 1] >= '0' && f->path[from - 1] <= '9' && len - from < 9; from--)
        ;
    for (size_t i = from; i < len; i++)
        number = number * 10 + (f->path[i] - '0');
    f->stem = len;
    f->rotation = 0;
    if (from == len || from < 2)
        return;
    if (f->path[from - 1] == '.' && len - from <= 4) {
        f->stem = from - 1;
        f->rotation = number + 1; /* .0 is older than the one without a number */
    } else if (f->path[from - 1] == '-' && len - from == 8) {
        f->stem = from - 1;
        f->rotation = 1000000000 - number;
    }
}

static int add_file(struct logfiles *p, const char *path, struct err *e)
{
    struct found_file *f;

    if (p->count == LOGFILES_FILES)
        return err_set(e, 0, "more than %d files", LOGFILES_FILES);
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 64;
        struct found_file *files = reallocarray(p->files, cap, sizeof(*files));

        if (!files)
            return err_set(e, ENOMEM, "logs");
        p->files = files;
        p->cap = cap;
    }
    f = &p->files[p->count];
    f->path = strdup(path);
    if (!f->path)
        return err_set(e, ENOMEM, "logs");
    p->count++;
    read_name(f);
    return 0;
}

/* A file that is named by itself is a log of its own, whatever its name. */
static int collect(struct logfiles *p, char *path, struct err *e)
{
    char *roots[] = { path, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, NULL);
    int status = 0;

    if (!walk)
        return err_set(e, errno, "%s", path);
    for (FTSENT *at = fts_read(walk); at && status == 0; at = fts_read(walk)) {
        if (at->fts_info == FTS_F || (at->fts_info == FTS_DEFAULT && at->fts_level == 0))
            status = add_file(p, at->fts_path, e);
        else if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR || at->fts_info == FTS_NS)
            p->order->note(p->order->own, at->fts_path, strerror(at->fts_errno));
    }
    (void)fts_close(walk);
    return status;
}

static int older_first(const void *x, const void *y)
{
    const struct found_file *a = x;
    const struct found_file *b = y;
    size_t n = a->stem < b->stem ? a->stem : b->stem;
    int order = memcmp(a->path, b->path, n);

    if (order == 0)
        order = (a->stem > b->stem) - (a->stem < b->stem);
    if (order == 0)
        order = (a->rotation < b->rotation) - (a->rotation > b->rotation);
    return order != 0 ? order : strcmp(a->path, b->path);
}

static bool same_log(const struct found_file *a, const struct found_file *b)
{
    return a->stem == b->stem && memcmp(a->path, b->path, a->stem) == 0;
}

static int make_tracks(struct logfiles *p, struct err *e)
{
    size_t to;

    p->tracks = calloc(LOGFILES_LOGS, sizeof(struct track *));
    if (!p->tracks)
        return err_set(e, ENOMEM, "logs");
    for (size_t from = 0; from < p->count; from = to) {
        struct track *t;

        for (to = from + 1; to < p->count && same_log(&p->files[from], &p->files[to]); to++)
            ;
        if (p->tracks_count == LOGFILES_LOGS) {
            p->order->note(p->order->own, p->files[from].path, "too many logs at a time; it is left out");
            continue;
        }
        t = track_new(p->order, (uint64_t)p->tracks_count + 1, e);
        if (!t)
            return -1;
        p->tracks[p->tracks_count++] = t;
        for (size_t i = from; i < to; i++)
            if (track_add(t, p->files[i].path, e) < 0)
                return -1;
    }
    return 0;
}

struct logfiles *logfiles_open(const struct logfiles_order *o, struct err *e)
{
    struct logfiles *p = calloc(1, sizeof(*p));

    if (!p) {
        (void)err_set(e, ENOMEM, "logs");
        return NULL;
    }
    p->order = o;
    for (int i = 0; i < o->count; i++)
        if (collect(p, o->paths[i], e) < 0)
            goto fail;
    if (p->count > 0)
        qsort(p->files, p->count, sizeof(*p->files), older_first);
    if (make_tracks(p, e) < 0)
        goto fail;
    return p;
fail:
    logfiles_close(p);
    return NULL;
}

void logfiles_close(struct logfiles *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->tracks_count; i++)
        track_free(p->tracks[i]);
    for (size_t i = 0; i < p->count; i++)
        free(p->files[i].path);
    free((void *)p->tracks);
    free(p->files);
    free(p);
}

int logfiles_next(struct logfiles *p, struct log_line *l, struct err *e)
{
    struct track *first = NULL;

    if (p->last)
        track_drop(p->last);
    p->last = NULL;
    for (size_t i = 0; i < p->tracks_count;) {
        int got = track_ready(p->tracks[i], e);

        if (got < 0)
            return -1;
        if (got == 0) {
            track_free(p->tracks[i]);
            p->tracks[i] = p->tracks[--p->tracks_count];
            continue;
        }
        if (!first || track_at(p->tracks[i]) < track_at(first))
            first = p->tracks[i];
        i++;
    }
    if (!first)
        return 0;
    track_line(first, l);
    p->last = first;
    return 1;
}
