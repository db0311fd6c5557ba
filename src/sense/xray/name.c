/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names that hide in folders where everybody may write, and what is no device in /dev; and the mail queues. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sense/xray/inner.h"

enum { NAMES_SAID = 400, ENTRIES_LOOKED_AT = 20000, QUEUE_DEPTH = 3, QUEUE_COUNTED = 500000 };

static bool only_of(struct slice s, const char *set)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] == '\0' || !strchr(set, s.at[i]))
            return false;
    return s.len > 0;
}

/* Why a name looks as if it wanted to be overlooked; NULL: it does not. */
static const char *why_of(struct slice name, bool in_dev, mode_t mode)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] < 0x20 || name.at[i] == 0x7f)
            return "control";
    if (only_of(name, ". ") || (name.len > 2 && name.at[0] == '.' && name.at[1] == '.'))
        return "dots";
    if (name.at[0] == ' ' || name.at[name.len - 1] == ' ' || (name.at[0] == '.' && name.len > 1 && name.at[1] == ' '))
        return "blank";
    if (in_dev && name.at[0] == '.')
        return "dot";
    return in_dev && S_ISREG(mode) ? "file" : NULL;
}

static const char *kind_of(mode_t mode)
{
    return S_ISREG(mode) ? "file"
         : S_ISDIR(mode) ? "folder"
         : S_ISLNK(mode) ? "link"
         : S_ISCHR(mode) ? "device"
                         : "other";
}

struct place {
    const char *path;
    bool is_dev;       /* nothing but devices belongs there */
    bool dots_are_odd; /* a name with a dot in front is odd there */
};

static const struct place places[] = {
    { "/tmp", false, false },
    { "/var/tmp", false, false },
    { "/dev/shm", false, true },
    { "/dev", true, true },
};

static void look_into(int fd, const struct place *place, unsigned *said)
{
    DIR *d = opendir(place->path);
    const struct dirent *entry;
    unsigned looked = 0;

    while (d && (entry = readdir(d)) && looked++ < ENTRIES_LOOKED_AT && *said < NAMES_SAID) {
        struct slice name = slice_text(entry->d_name);
        struct stat st;
        char path[512];
        const char *why;
        struct snap_name n = { .uid = 0 };

        if (slice_eq(name, SLICE(".")) || slice_eq(name, SLICE("..")) ||
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        why = why_of(name, place->is_dev, st.st_mode);
        if (!why && place->dots_are_odd && name.at[0] == '.')
            why = "dot";
        if (!why)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", place->path, entry->d_name);
        n.path = slice_text(path);
        n.why = slice_text(why);
        n.kind = slice_text(kind_of(st.st_mode));
        n.uid = st.st_uid;
        n.bytes = (uint64_t)st.st_size;
        n.changed_s = st.st_ctime;
        helper_say_record(fd, SNAP_NAME, &n);
        (*said)++;
    }
    if (d)
        (void)closedir(d);
}

static void look_for_names(int fd, const void *ctx)
{
    unsigned said = 0;

    (void)ctx;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        look_into(fd, &places[i], &said);
}

void xray_names_begin(struct xray *x)
{
    if (!helper_start(&x->names, look_for_names, NULL))
        snap_note(x->s, "name", "no process to look for names");
}

/* --- mail queues: one file a message, below folders of one letter or number */

static const struct {
    const char *program, *folder, *ends; /* `ends`: only names that end so are messages; "": all are */
} queues[] = {
    { "postfix", "/var/spool/postfix/maildrop", "" }, { "postfix", "/var/spool/postfix/incoming", "" },
    { "postfix", "/var/spool/postfix/active", "" },   { "postfix", "/var/spool/postfix/deferred", "" },
    { "exim", "/var/spool/exim4/input", "-H" },       { "exim", "/var/spool/exim/input", "-H" },
    { "qmail", "/var/qmail/queue/mess", "" },
};

static void count(int folder, unsigned depth, struct slice ends, struct snap_queue *q)
{
    DIR *d = fdopendir(folder);
    const struct dirent *entry;

    while (d && (entry = readdir(d)) && q->messages < QUEUE_COUNTED) {
        struct slice name = slice_text(entry->d_name);
        struct stat st;

        if (name.at[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < QUEUE_DEPTH) {
            int below = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            if (below >= 0)
                count(below, depth + 1, ends, q);
        } else if (S_ISREG(st.st_mode) && name.len >= ends.len &&
                   slice_eq(slice_skip(name, name.len - ends.len), ends)) {
            q->messages++;
            if (q->oldest_s == 0 || st.st_mtime < q->oldest_s)
                q->oldest_s = st.st_mtime;
        }
    }
    if (d)
        (void)closedir(d);
    else
        close(folder);
}

static void count_queues(int fd, const void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        struct snap_queue q = { .program = slice_text(queues[i].program), .folder = slice_text(queues[i].folder) };
        int folder = open(queues[i].folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (folder < 0)
            continue;
        count(folder, 0, slice_text(queues[i].ends), &q);
        q.answer = SNAP_ANSWERED;
        helper_say_record(fd, SNAP_QUEUE, &q);
    }
}

void xray_queues_begin(struct xray *x)
{
    if (!helper_start(&x->queues, count_queues, NULL))
        snap_note(x->s, "queue", "no process to count mail queues");
}

/* --- */

void xray_helper_end(struct xray *x, struct helper *h, enum snap_part part, const char *folders)
{
    if (!h->at)
        return;
    helper_collect(h, 1, x->deadline_ms);
    helper_records(h, x->s);
    if (!h->ended)
        snap_note(x->s, snap_kinds[part].name, "%s did not answer in time: the disk below hangs", folders);
    helper_done(h);
}

void xray_names_end(struct xray *x)
{
    xray_helper_end(x, &x->names, SNAP_NAME, "/tmp, /var/tmp or /dev");
}

void xray_queues_end(struct xray *x)
{
    xray_helper_end(x, &x->queues, SNAP_QUEUE, "the mail queue");
}
