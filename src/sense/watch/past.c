/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/past.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sense/watch/ring.h"
#include "sys/whole.h"

enum { FILES = 4096, NAME = 40 };
#define FILE_MOST (512u << 20)
#define HOUR_US   3600000000LL
#define NEAR_US   120000000LL

struct past {
    struct reel_reader *reader;
    uint8_t *memory; /* owned: what the ring held */
    size_t memory_len;
    int64_t memory_from_us, memory_to_us;
    int folder; /* -1: none */
    char (*names)[NAME];
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, NAME);
}

static void list(struct past *p)
{
    int again = openat(p->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;

    if (!dir && again >= 0)
        close(again);
    while (dir && p->count < FILES && (entry = readdir(dir)) != NULL) {
        size_t n = strlen(entry->d_name);

        if (n < NAME && n > 5 && strcmp(entry->d_name + n - 5, ".reel") == 0) {
            memset(p->names[p->count], 0, NAME);
            memcpy(p->names[p->count++], entry->d_name, n);
        }
    }
    if (dir)
        (void)closedir(dir);
    qsort(p->names, p->count, NAME, by_name);
}

static void open_disk(struct past *p, const char *folder)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/recorder", folder);
    p->names = calloc(FILES, NAME);
    p->folder = p->names ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (p->folder >= 0)
        list(p);
}

/* From the first picture's time to the last one's. */
static void span_of(struct slice frames, int64_t *from_us, int64_t *to_us)
{
    struct reel_head h;

    *from_us = *to_us = 0;
    while (reel_peek(frames, &h)) {
        *from_us = *from_us ? *from_us : h.at_us;
        *to_us = h.at_us;
        frames = slice_skip(frames, reel_size(&h));
    }
}

struct past *past_open(const char *folder, int ring, struct err *e)
{
    struct past *p = calloc(1, sizeof(*p));

    if (!p) {
        err_set(e, ENOMEM, "the recorder's past");
        return NULL;
    }
    p->folder = -1;
    p->reader = reel_reader_new(e);
    if (!p->reader || (ring >= 0 && frames_copy(ring, &p->memory, &p->memory_len, e) < 0)) {
        past_close(p);
        return NULL;
    }
    span_of(slice_of(p->memory, p->memory_len), &p->memory_from_us, &p->memory_to_us);
    if (folder)
        open_disk(p, folder);
    return p;
}

void past_close(struct past *p)
{
    if (!p)
        return;
    reel_reader_free(p->reader);
    free(p->memory);
    free(p->names);
    if (p->folder >= 0)
        close(p->folder);
    free(p);
}

int64_t past_newest_us(const struct past *p)
{
    return p->memory_to_us;
}

/* ---- frames ---- */

struct walk {
    int64_t from_us, to_us;
    bool (*seen)(void *ctx, const struct reel_picture *p);
    void *ctx;
    int64_t count;
    bool enough;
};

/* What is read first: the last key at `from` or before, so that all of the picture is known there. */
static struct slice start_at(struct slice frames, int64_t from_us)
{
    struct slice start = frames;
    struct reel_head h;

    while (reel_peek(frames, &h) && h.at_us <= from_us) {
        if (h.key)
            start = frames;
        frames = slice_skip(frames, reel_size(&h));
    }
    return start;
}

/* A damaged frame ends what can be read of these; what was read is good. */
static void walk_frames(struct past *p, struct slice frames, struct walk *w)
{
    struct err e;

    frames = start_at(frames, w->from_us);
    while (!w->enough && reel_read(p->reader, &frames, &e) == 1) {
        const struct reel_picture *now = reel_picture(p->reader);

        if (now->at_us > w->to_us)
            return;
        if (!now->whole || now->at_us < w->from_us)
            continue;
        w->count++;
        w->enough = !w->seen(w->ctx, now);
    }
}

/* ---- files ---- */

/* "20261122t18.reel": the hour it begins with; 0: it is none. */
static int64_t hour_of(const char *name)
{
    struct tm tm = { 0 };

    if (sscanf(name, "%4d%2d%2dt%2d.reel", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour) != 4)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000000;
}

static uint8_t *read_file(int folder, const char *name, size_t *len)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    uint8_t *at = NULL;
    ssize_t n;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= (off_t)FILE_MOST)
        at = malloc((size_t)st.st_size);
    n = at ? whole_read(fd, at, (size_t)st.st_size) : 0;
    *len = n > 0 ? (size_t)n : 0;
    if (fd >= 0)
        close(fd);
    return at;
}

static void walk_disk(struct past *p, struct walk *w)
{
    for (size_t i = 0; i < p->count && !w->enough; i++) {
        int64_t hour_us = hour_of(p->names[i]);
        uint8_t *at;
        size_t len;

        if (hour_us == 0 || hour_us + HOUR_US + NEAR_US < w->from_us || hour_us > w->to_us)
            continue;
        at = read_file(p->folder, p->names[i], &len);
        if (at)
            walk_frames(p, slice_of(at, len), w);
        free(at);
    }
}

int64_t past_each(struct past *p, int64_t from_us, int64_t to_us, bool (*seen)(void *ctx, const struct reel_picture *p),
                  void *ctx, struct err *e)
{
    struct walk w = { .from_us = from_us, .to_us = to_us, .seen = seen, .ctx = ctx };

    if (p->folder < 0 && p->memory_len == 0)
        return err_set(e, 0, "the recorder has no past here");
    if (p->folder >= 0 && (p->memory_from_us == 0 || from_us < p->memory_from_us)) {
        if (p->memory_from_us != 0 && to_us >= p->memory_from_us)
            w.to_us = p->memory_from_us - 1;
        walk_disk(p, &w);
        w.to_us = to_us;
    }
    if (!w.enough)
        walk_frames(p, slice_of(p->memory, p->memory_len), &w);
    return w.count;
}

/* ---- one picture ---- */

static bool newest_time(void *ctx, const struct reel_picture *p)
{
    *(int64_t *)ctx = p->at_us;
    return true;
}

static bool stop_here(void *ctx, const struct reel_picture *p)
{
    return p->at_us < *(const int64_t *)ctx;
}

const struct reel_picture *past_at(struct past *p, int64_t at_us, struct err *e)
{
    int64_t found_us = 0;

    if (past_each(p, at_us - NEAR_US, at_us, newest_time, &found_us, e) < 0)
        return NULL;
    if (found_us == 0) {
        err_set(e, 0, "the recorder has no picture of this time");
        return NULL;
    }
    /* Read again from before it: its CPU times are since the picture before. */
    if (past_each(p, found_us - NEAR_US, at_us, stop_here, &found_us, e) <= 0)
        return NULL;
    return reel_picture(p->reader);
}
