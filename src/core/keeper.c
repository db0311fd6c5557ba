/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"
#include "sys/memfile.h"
#include "sys/say.h"
#include "sys/whole.h"
#include "view/story_log.h"

enum { KEEPER_NAME = sizeof(((struct link_evidence *)0)->name) };

struct keeper {
    const struct scribe_settings *conf;
    uint64_t last;              /* newest event that was looked at */
    int folder;                 /* of the evidence; -1 until it is needed */
    char (*names)[KEEPER_NAME]; /* of the files in it, a ring, oldest first; own */
    size_t cap, first, count;
    bool unsynced;
};

struct keeper *keeper_new(const struct scribe_settings *conf, struct err *e)
{
    struct keeper *k = calloc(1, sizeof(*k));

    if (k) {
        k->conf = conf;
        k->folder = -1;
        k->cap = (size_t)conf->evidence_files;
        k->names = calloc(k->cap, KEEPER_NAME);
    }
    if (!k || !k->names) {
        keeper_free(k);
        err_set(e, 0, "no memory for the keeper");
        return NULL;
    }
    return k;
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    if (k->folder >= 0)
        close(k->folder);
    free(k->names);
    free(k);
}

void keeper_set(struct keeper *k, const struct scribe_settings *conf)
{
    k->conf = conf;
}

/* ---- the story's log ---- */

static void write_line(const char *path, const struct event *ev)
{
    char line[1024];
    struct text t = TEXT_IN(line);
    int fd;

    story_line(ev, &t);
    text_word(&t, "\n");
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0 || write(fd, line, t.len) != (ssize_t)t.len)
        say("%s: %s; the line is in the journal all the same", path, strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
}

void keeper_wrote(struct keeper *k, const struct event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].seq <= k->last)
            continue;
        k->last = events[i].seq;
        if (k->conf->story_log[0] && events[i].kind == EV_HUNT_MAIL_SEEN)
            write_line(k->conf->story_log, &events[i]);
    }
}

/* ---- evidence ---- */

/* A name that another process chose: lower case, digits, dots and dashes; no way out of the folder. */
static bool name_is_fine(const char *name, size_t size)
{
    size_t n = strnlen(name, size);

    if (n == 0 || n == size || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '.' ||
              name[i] == ':' || name[i] == '-'))
            return false;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, KEEPER_NAME);
}

/* An earlier configuration may have allowed more files than this one. */
static bool grow(struct keeper *k)
{
    void *more = k->count < k->cap ? k->names : reallocarray(k->names, 2 * k->cap, KEEPER_NAME);

    if (!more)
        return false;
    k->cap = k->count < k->cap ? k->cap : 2 * k->cap;
    k->names = more;
    return true;
}

/* What is there from before; names begin with their time, so their order is their age. */
static void read_names(struct keeper *k)
{
    int again = dup(k->folder);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;

    if (!dir && again >= 0)
        close(again);
    while (dir && (entry = readdir(dir)) != NULL) {
        size_t n = strlen(entry->d_name);

        if (entry->d_name[0] == '.' || n >= KEEPER_NAME)
            continue;
        if (!grow(k))
            break;
        memset(k->names[k->count], 0, KEEPER_NAME);
        memcpy(k->names[k->count++], entry->d_name, n);
    }
    if (dir)
        (void)closedir(dir);
    qsort(k->names, k->count, KEEPER_NAME, by_name);
}

static int open_folder(struct keeper *k)
{
    char path[sizeof(k->conf->journal.folder) + 16];

    if (k->folder >= 0)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/evidence", k->conf->journal.folder);
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return -1;
    k->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->folder < 0)
        return -1;
    read_names(k);
    return 0;
}

static void make_room(struct keeper *k)
{
    while (k->count > 0 && (k->count >= k->conf->evidence_files || k->count == k->cap)) {
        (void)unlinkat(k->folder, k->names[k->first % k->cap], 0);
        k->first = (k->first + 1) % k->cap;
        k->count--;
    }
}

static bool replace_file(int folder, const char *name, struct slice bytes)
{
    static const char half[] = ".half-written";
    int fd = openat(folder, half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool ok = fd >= 0 && whole_write(fd, bytes.at, bytes.len) == 0;

    ok = ok && renameat(folder, half, folder, name) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* One sync for all files of a burst: an outbreak makes hundreds of them in a second, and the journal comes first. */
void keeper_sync(struct keeper *k)
{
    if (k->unsynced)
        (void)syncfs(k->folder);
    k->unsynced = false;
}

bool keeper_evidence(struct keeper *k, const struct link_evidence *what, uint64_t cause, int fd, struct event *ev)
{
    struct slice bytes = { 0 };
    unsigned char digest[crypto_hash_sha256_BYTES];
    struct err e;
    bool kept = false;

    if (!name_is_fine(what->name, sizeof(what->name)) ||
        memfile_map_any(fd, (size_t)k->conf->evidence_bytes + 4096, &bytes, &e) < 0) {
        say("evidence refused: it is no sealed file of the right size, or its name is odd");
        return false;
    }
    if (open_folder(k) == 0) {
        make_room(k);
        kept = replace_file(k->folder, what->name, bytes);
    }
    if (kept) {
        memcpy(k->names[(k->first + k->count++) % k->cap], what->name, KEEPER_NAME);
        k->unsynced = true;
        (void)crypto_hash_sha256(digest, bytes.at, bytes.len);
        *ev = event_new(EV_HUNT_EVIDENCE_KEPT);
        ev->cause = cause;
        event_add_words(ev, F_NAME, what->name);
        event_add_number(ev, F_BYTES, bytes.len);
        event_add_bytes(ev, F_DIGEST, digest, sizeof(digest));
    } else
        say("evidence %s: %s", what->name, strerrordesc_np(errno));
    memfile_unmap(bytes.at, bytes.len);
    return kept;
}
