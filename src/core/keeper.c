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
#include "view/story_log.h"

struct keeper {
    const struct scribe_settings *conf;
    uint64_t last; /* newest event that was looked at */
};

struct keeper *keeper_new(const struct scribe_settings *conf, struct err *e)
{
    struct keeper *k = calloc(1, sizeof(*k));

    if (!k)
        err_set(e, 0, "no memory for the keeper");
    else
        k->conf = conf;
    return k;
}

void keeper_free(struct keeper *k)
{
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

static int open_folder(const struct keeper *k)
{
    char path[sizeof(k->conf->journal.folder) + 16];

    (void)snprintf(path, sizeof(path), "%s/evidence", k->conf->journal.folder);
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The oldest file leaves when there are more than allowed. */
static void make_room(int folder, uint64_t most)
{
    for (int turn = 0; turn < 64; turn++) {
        char oldest[256] = "";
        struct timespec when = { 0 };
        uint64_t count = 0;
        int again = dup(folder);
        DIR *dir = again < 0 ? NULL : fdopendir(again);
        struct dirent *entry;

        if (!dir) {
            if (again >= 0)
                close(again);
            return;
        }
        rewinddir(dir);
        while ((entry = readdir(dir)) != NULL) {
            struct stat st;

            if (entry->d_name[0] == '.' || fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                continue;
            count++;
            if (!oldest[0] || st.st_mtim.tv_sec < when.tv_sec ||
                (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec < when.tv_nsec)) {
                when = st.st_mtim;
                memcpy(oldest, entry->d_name, sizeof(oldest));
            }
        }
        (void)closedir(dir);
        if (count < most || !oldest[0] || unlinkat(folder, oldest, 0) < 0)
            return;
    }
}

static bool write_whole(int folder, const char *name, struct slice bytes)
{
    static const char half[] = ".half-written";
    int fd = openat(folder, half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool ok = fd >= 0;

    while (ok && bytes.len > 0) {
        ssize_t n = write(fd, bytes.at, bytes.len);

        ok = n > 0;
        bytes = slice_skip(bytes, n > 0 ? (size_t)n : 0);
    }
    ok = ok && fdatasync(fd) == 0 && renameat(folder, half, folder, name) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

bool keeper_evidence(struct keeper *k, const struct link_evidence *what, uint64_t cause, int fd, struct event *ev)
{
    struct slice bytes = { 0 };
    unsigned char digest[crypto_hash_sha256_BYTES];
    struct err e;
    int folder = -1;
    bool kept = false;

    if (!name_is_fine(what->name, sizeof(what->name)) ||
        memfile_map_any(fd, (size_t)k->conf->evidence_bytes + 4096, &bytes, &e) < 0) {
        say("evidence refused: it is no sealed file of the right size, or its name is odd");
        return false;
    }
    folder = open_folder(k);
    if (folder >= 0)
        make_room(folder, k->conf->evidence_files);
    if (folder >= 0 && write_whole(folder, what->name, bytes)) {
        (void)crypto_hash_sha256(digest, bytes.at, bytes.len);
        *ev = event_new(EV_HUNT_EVIDENCE_KEPT);
        ev->cause = cause;
        event_add_words(ev, F_NAME, what->name);
        event_add_number(ev, F_BYTES, bytes.len);
        event_add_bytes(ev, F_DIGEST, digest, sizeof(digest));
        kept = true;
    } else
        say("evidence %s: %s", what->name, strerrordesc_np(errno));
    if (folder >= 0)
        close(folder);
    memfile_unmap(bytes.at, bytes.len);
    return kept;
}
