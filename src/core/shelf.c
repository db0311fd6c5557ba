/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "sys/memfile.h"
#include "sys/whole.h"

enum { NAMES = 4096, NAME = 64, PICTURES = 100 };
#define FILE_MOST (128u << 20)

struct shelf {
    const struct scribe_settings *conf; /* borrowed */
    int folders[2];                     /* by enum link_shelf; -1 until one is needed */
};

static const char *const folder_names[2] = { [SHELF_RECORDER] = "recorder", [SHELF_XRAY] = "xray" };

struct shelf *shelf_new(const struct scribe_settings *conf, struct err *e)
{
    struct shelf *s = calloc(1, sizeof(*s));

    if (!s) {
        err_set(e, ENOMEM, "the shelf");
        return NULL;
    }
    s->conf = conf;
    s->folders[0] = s->folders[1] = -1;
    return s;
}

void shelf_free(struct shelf *s)
{
    for (unsigned i = 0; s && i < 2; i++)
        if (s->folders[i] >= 0)
            close(s->folders[i]);
    free(s);
}

void shelf_set(struct shelf *s, const struct scribe_settings *conf)
{
    s->conf = conf;
}

static int open_folder(struct shelf *s, uint32_t which, struct err *e)
{
    char path[sizeof(s->conf->journal.folder) + 16];

    if (s->folders[which] >= 0)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/%s", s->conf->journal.folder, folder_names[which]);
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return err_set(e, errno, "%s", path);
    s->folders[which] = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return s->folders[which] < 0 ? err_set(e, errno, "%s", path) : 0;
}

/* ---- who leaves ---- */

struct name {
    char text[NAME];
    uint64_t bytes;
    int64_t changed_us;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static size_t list(int folder, struct name *names)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;
    size_t n = 0;

    if (!dir && again >= 0)
        close(again);
    while (dir && n < NAMES && (entry = readdir(dir)) != NULL) {
        struct stat st;

        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= NAME ||
            fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
            continue;
        memset(&names[n], 0, sizeof(names[n]));
        memcpy(names[n].text, entry->d_name, strlen(entry->d_name));
        names[n].bytes = (uint64_t)st.st_size;
        names[n++].changed_us = (int64_t)st.st_mtim.tv_sec * 1000000;
    }
    if (dir)
        (void)closedir(dir);
    qsort(names, n, sizeof(*names), by_name);
    return n;
}

/* Names begin with their time, so the first is the oldest; the newest stays whatever it is. */
static void make_room(const struct shelf *s, uint32_t which, int64_t now_us)
{
    struct name *names = calloc(NAMES, sizeof(*names));
    size_t n = names ? list(s->folders[which], names) : 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += names[i].bytes;
    for (size_t i = 0; i + 1 < n; i++) {
        bool leaves = which == SHELF_XRAY
                        ? n - i >= PICTURES
                        : bytes > s->conf->record_bytes || now_us - names[i].changed_us > s->conf->record_us;

        if (leaves && unlinkat(s->folders[which], names[i].text, 0) == 0)
            bytes -= names[i].bytes;
    }
    free(names);
}

/* ---- what comes ---- */

static bool name_is_fine(const char *name)
{
    size_t n = strnlen(name, NAME);

    if (n == 0 || n == NAME || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '.' ||
              name[i] == '-'))
            return false;
    return true;
}

static void hour_name(int64_t at_us, char name[NAME])
{
    time_t t = (time_t)(at_us / 1000000);
    struct tm tm;

    (void)gmtime_r(&t, &tm);
    (void)snprintf(name, NAME, "%04d%02d%02dt%02d.reel", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour);
}

/* What was not written whole is cut off again: a reader could not go on behind it. */
static int append(int folder, const char *name, struct slice bytes, struct err *e)
{
    int fd = openat(folder, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    off_t before = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    int rc = 0;

    if (fd < 0 || before < 0 || whole_write(fd, bytes.at, bytes.len) < 0) {
        rc = err_set(e, errno, "the recorder's file %s", name);
        if (before >= 0)
            (void)!ftruncate(fd, before);
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static int write_new(int folder, const char *name, struct slice bytes, struct err *e)
{
    static const char half[] = ".half-written";
    int fd = openat(folder, half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    int rc = 0;

    if (fd < 0 || whole_write(fd, bytes.at, bytes.len) < 0 || fsync(fd) < 0 || renameat(folder, half, folder, name) < 0)
        rc = err_set(e, errno, "the picture %s", name);
    if (fd >= 0)
        close(fd);
    if (rc < 0)
        (void)unlinkat(folder, half, 0);
    return rc;
}

int shelf_put(struct shelf *s, const struct link_shelve *what, int fd, struct err *e)
{
    struct slice bytes;
    char name[NAME];
    int rc;

    memcpy(name, what->name, NAME);
    if (what->shelf == SHELF_RECORDER)
        hour_name(what->from_us, name);
    if (what->shelf > SHELF_XRAY || !name_is_fine(name))
        return err_set(e, 0, "a file for the shelf was refused: its name is odd");
    if (memfile_map_any(fd, FILE_MOST, &bytes, e) < 0)
        return -1;
    rc = open_folder(s, what->shelf, e);
    if (rc == 0) {
        make_room(s, what->shelf, what->from_us);
        rc = what->shelf == SHELF_XRAY ? write_new(s->folders[1], name, bytes, e)
                                       : append(s->folders[0], name, bytes, e);
    }
    memfile_unmap(bytes.at, bytes.len);
    return rc;
}
