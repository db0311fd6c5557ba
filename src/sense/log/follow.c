/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that others write, followed by inode: a file that was renamed is read to its end before its successor begins,
 * one that was cut to nothing begins anew.  How far each was read, and is on our disk, stands in the store's folder in
 * the file `positions`, so that a restart goes on there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/crc32c.h"
#include "journal/folder.h"
#include "sense/log/inner.h"
#include "sys/clock.h"

enum {
    LOOK_US = 200000,
    READS_A_TURN = 8,
    SAVE_US = 1000000,
    BEGINNING = 256, /* bytes by which a file is known again when its inode is used anew */
    MISSING_SAID_US = 60000000,
};

struct position { /* in the file */
    char path[200];
    uint64_t device, inode, offset;
    uint32_t beginning_len, beginning_crc;
};

struct followed {
    const char *path;
    int fd;                     /* -1: not there */
    struct position read, kept; /* appended up to here; on our disk up to here */
    uint64_t last_seq;          /* of the line before read.offset */
    bool told;                  /* that it can't be read */
};

struct follow {
    struct intake *in;
    int dir;
    struct followed files[LOG_FILES];
    size_t count;
    uint32_t timer;
    int64_t saved_us;
    bool dirty;
};

/* ---- positions ---- */

static int save(struct follow *f, struct err *e)
{
    struct position all[LOG_FILES];

    for (size_t i = 0; i < f->count; i++)
        all[i] = f->files[i].kept;
    f->dirty = false;
    return folder_replace(f->dir, "positions", 0640, slice_of(all, f->count * sizeof(all[0])), e);
}

static void load(struct follow *f)
{
    struct position p;
    uint8_t *bytes;
    size_t len;

    if (folder_read(f->dir, "positions", sizeof(p) * 4096, &bytes, &len, NULL) < 0)
        return;
    for (size_t at = 0; at + sizeof(p) <= len; at += sizeof(p)) {
        memcpy(&p, bytes + at, sizeof(p));
        p.path[sizeof(p.path) - 1] = '\0';
        for (size_t i = 0; i < f->count; i++)
            if (strcmp(p.path, f->files[i].path) == 0)
                f->files[i].kept = f->files[i].read = p;
    }
    free(bytes);
}

static uint32_t crc_of_beginning(int fd, uint32_t len)
{
    uint8_t bytes[BEGINNING];
    ssize_t n = len <= sizeof(bytes) ? pread(fd, bytes, len, 0) : -1;

    return n == (ssize_t)len ? crc32c(0, bytes, len) : 0;
}

/* The same file as when the position was kept. */
static bool is_known(const struct position *p, int fd, const struct stat *st)
{
    return p->device == (uint64_t)st->st_dev && p->inode == (uint64_t)st->st_ino &&
           (uint64_t)st->st_size >= p->offset && p->beginning_crc == crc_of_beginning(fd, p->beginning_len);
}

static void remember_beginning(struct followed *file)
{
    struct position *p = &file->read;

    if (p->beginning_len == BEGINNING || p->beginning_len >= p->offset)
        return;
    p->beginning_len = p->offset < BEGINNING ? (uint32_t)p->offset : BEGINNING;
    p->beginning_crc = crc_of_beginning(file->fd, p->beginning_len);
}

/* ---- one file ---- */

static void start_at(struct followed *file, const struct stat *st, uint64_t offset)
{
    file->read = (struct position){ .device = (uint64_t)st->st_dev, .inode = (uint64_t)st->st_ino, .offset = offset };
    (void)snprintf(file->read.path, sizeof(file->read.path), "%s", file->path);
}

static bool open_file(struct follow *f, struct followed *file)
{
    struct stat st;
    char why[300];

    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0 && errno != ENOENT && !file->told) {
        (void)snprintf(why, sizeof(why), "%s", strerror(errno));
        intake_tell(f->in, EV_LOG_FILE_PROBLEM, (struct addr){ 0 }, file->path, why, 0);
        file->told = true;
    }
    if (file->fd < 0)
        return false;
    if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        (void)close(file->fd);
        file->fd = -1;
        return false;
    }
    file->told = false;
    if (!is_known(&file->read, file->fd, &st))
        start_at(file, &st, 0);
    return true;
}

static uint64_t put(struct follow *f, struct followed *file, struct slice raw, int64_t now_us)
{
    struct log_line line = {
        .raw = raw, .peer = slice_text(file->path), .way = LOG_FILE, .at_us = now_us, .near_us = now_us
    };
    uint64_t seq = intake_line(f->in, &line, NULL);

    if (seq > 0)
        file->last_seq = seq;
    return seq;
}

/* Whole lines of what is there; `last`: what has no newline is a line too.  False: nothing more now. */
static bool read_lines(struct follow *f, struct followed *file, bool last)
{
    int64_t now_us = clock_wall_us();
    ssize_t n = pread(file->fd, f->in->room, INTAKE_READ, (off_t)file->read.offset);
    struct slice bytes = slice_of(f->in->room, n > 0 ? (size_t)n : 0);
    struct slice all = bytes;

    while (bytes.len > 0) {
        const uint8_t *newline = memchr(bytes.at, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.at) : bytes.len;

        if (!newline && !last && bytes.len < INTAKE_READ)
            break; /* longer than one read: it is kept in pieces */
        if (len > 0 && put(f, file, slice_first(bytes, len), now_us) == 0)
            break;
        bytes = slice_skip(bytes, len + (newline != NULL));
    }
    file->read.offset += all.len - bytes.len;
    f->dirty |= all.len > bytes.len;
    remember_beginning(file);
    return all.len > bytes.len;
}

static bool is_held(const struct follow *f)
{
    return intake_is_held(f->in) || !store_has_room(f->in->store);
}

/* The name belongs to another file now, or the file was cut. */
static void look_for_rotation(struct follow *f, struct followed *file)
{
    struct stat here;
    struct stat named;

    if (fstat(file->fd, &here) < 0)
        return;
    if ((uint64_t)here.st_size < file->read.offset) {
        start_at(file, &here, 0);
        f->dirty = true;
        return;
    }
    if (stat(file->path, &named) < 0 || (named.st_dev == here.st_dev && named.st_ino == here.st_ino))
        return; /* renamed, and its successor is not there yet: its writer may still write */
    while (!is_held(f) && read_lines(f, file, true))
        continue;
    if (is_held(f))
        return;
    (void)close(file->fd);
    file->read = (struct position){ 0 };
    (void)open_file(f, file);
}

static void look(struct follow *f, struct followed *file)
{
    if (file->fd < 0 && !open_file(f, file))
        return;
    for (int i = 0; i < READS_A_TURN && !is_held(f); i++)
        if (!read_lines(f, file, false)) {
            if (!is_held(f))
                look_for_rotation(f, file);
            return;
        }
}

static void look_at_all(void *ctx)
{
    struct follow *f = ctx;
    int64_t now_us = clock_mono_us();
    struct err e;

    for (size_t i = 0; i < f->count; i++)
        look(f, &f->files[i]);
    if (f->dirty && now_us - f->saved_us > SAVE_US) {
        f->saved_us = now_us;
        (void)save(f, &e);
    }
}

/* ---- all of them ---- */

struct follow *follow_new(struct intake *in, struct err *e)
{
    struct follow *f = calloc(1, sizeof(*f));

    if (!f) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    f->in = in;
    f->dir = folder_open(in->settings.folder, e);
    if (f->dir < 0) {
        free(f);
        return NULL;
    }
    for (uint32_t i = 0; i < in->settings.files_count; i++) {
        struct followed *file = &f->files[f->count++];

        *file = (struct followed){ .path = in->settings.files[i].path, .fd = -1 };
    }
    load(f);
    return f;
}

int follow_start(struct follow *f, struct err *e)
{
    if (f->count == 0)
        return 0;
    f->timer = loop_timer(f->in->loop, 1, LOOK_US, look_at_all, f);
    return f->timer == 0 ? err_set(e, 0, "no timer is left") : 0;
}

void follow_synced(struct follow *f, uint64_t seq)
{
    for (size_t i = 0; i < f->count; i++)
        if (seq >= f->files[i].last_seq)
            f->files[i].kept = f->files[i].read;
}

void follow_resume(struct follow *f)
{
    for (size_t i = 0; i < f->count; i++)
        look(f, &f->files[i]);
}

void follow_free(struct follow *f)
{
    if (!f)
        return;
    loop_untimer(f->in->loop, f->timer);
    (void)save(f, NULL);
    for (size_t i = 0; i < f->count; i++)
        if (f->files[i].fd >= 0)
            (void)close(f->files[i].fd);
    (void)close(f->dir);
    free(f);
}
