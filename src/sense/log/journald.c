/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * systemd's journal, by libsystemd when it is there at run time (nothing of it is needed to build or to start).
 *
 * An entry becomes one line as RFC 5424 has it.  How far it was read, and is on our disk, stands in the store's folder
 * in the file `journald`.  Looked at four times a second: watching the folder would take calls that the jail refuses.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "journal/folder.h"
#include "sense/log/inner.h"
#include "sense/log/sdfile.h"
#include "sys/clock.h"
#include "sys/library.h"
#include "sys/say.h"
#include "sys/whole.h"
#include "wire/syslog.h"

enum {
    LOOK_US = 250000,
    ENTRIES_A_TURN = 4096,
    QUIET_TURNS = 40, /* without a new entry; then the folder is opened anew: its files may have been rotated */
    CURSOR_MOST = 512,
    SAVE_US = 1000000,
    CUT_FILE_MOST = 512 << 20, /* systemd's own are of 128 MiB at most */
    CUT_FILES_KNOWN = 4096,
    CUT_ENTRIES_A_TURN = 1024,
};

struct sd_journal;
struct systemd { /* systemd/sd-journal.h */
    int (*open_directory)(struct sd_journal **j, const char *path, int flags);
    void (*close)(struct sd_journal *j);
    int (*next)(struct sd_journal *j);
    int (*seek_cursor)(struct sd_journal *j, const char *cursor);
    int (*test_cursor)(struct sd_journal *j, const char *cursor);
    int (*get_cursor)(struct sd_journal *j, char **cursor);
    int (*get_data)(struct sd_journal *j, const char *field, const void **data, size_t *len);
    int (*get_realtime_usec)(struct sd_journal *j, uint64_t *us);
};

struct cut { /* a file that was cut */
    struct cut *next;
    char name[256];
    uint8_t *bytes;
    size_t len;
    uint64_t skip;           /* entries up to this number the library gave */
    uint64_t entries, whole; /* read; the end of the last */
    uint64_t seq;            /* of the last of its lines */
    bool pending;            /* the entry it stands at found no room */
    struct sdfile reads;
};

struct journald {
    struct intake *in;
    struct systemd sd;
    struct sd_journal *j;
    const char *folder;
    int dir;
    uint32_t timer;
    unsigned quiet;
    bool pending;                              /* the entry it stands at found no room */
    char read[CURSOR_MOST], kept[CURSOR_MOST]; /* appended up to here; on our disk up to here */
    uint64_t last_seq;
    int64_t saved_us;
    struct cut *cuts, *done; /* to be read; read, and not yet on our disk */
    struct cut *cut;         /* the one whose entry becomes a line; NULL: the library's */
    uint8_t line[STORE_LINE_MAX];
};

static int load_library(struct systemd *sd, struct err *e)
{
    const struct library library = { "libsystemd.so.0", "libsystemd0", "log: journald wants libsystemd" };
    const struct library_call calls[] = {
        { "sd_journal_open_directory", &sd->open_directory },
        { "sd_journal_close", &sd->close },
        { "sd_journal_next", &sd->next },
        { "sd_journal_seek_cursor", &sd->seek_cursor },
        { "sd_journal_test_cursor", &sd->test_cursor },
        { "sd_journal_get_cursor", &sd->get_cursor },
        { "sd_journal_get_data", &sd->get_data },
        { "sd_journal_get_realtime_usec", &sd->get_realtime_usec },
    };

    return library_open(&library, calls, sizeof(calls) / sizeof(*calls), e);
}

/* Behind "NAME="; empty when the entry has no such field. */
static struct slice value_of(struct journald *d, const char *name)
{
    const void *at = NULL;
    size_t len = 0;
    size_t skip = strlen(name) + 1;

    if (d->cut)
        return sdfile_value(&d->cut->reads, slice_text(name));
    if (d->sd.get_data(d->j, name, &at, &len) < 0 || len < skip)
        return slice_of(NULL, 0);
    return slice_skip(slice_of(at, len), skip);
}

/* A word of RFC 5424: no blanks. */
static void add_word(struct text *t, struct slice s)
{
    size_t from = t->len;

    text_add(t, slice_first(s, 128));
    if (t->len == from)
        text_word(t, "-");
    for (size_t i = from; i < t->len; i++)
        if (t->at[i] <= ' ' || t->at[i] > '~')
            t->at[i] = '_';
    text_word(t, " ");
}

static unsigned number_of(struct slice s, unsigned usual, unsigned most)
{
    uint64_t n;

    return slice_to_u64(s, &n) && n <= most ? (unsigned)n : usual;
}

static struct slice write_line(struct journald *d, uint64_t at_us)
{
    struct text t = text_in((char *)d->line, sizeof(d->line));
    char stamp[SYSLOG_STAMP_BYTES];
    struct slice program = value_of(d, "SYSLOG_IDENTIFIER");
    struct slice pid = value_of(d, "_PID");

    syslog_stamp_write((int64_t)at_us, stamp);
    text_addf(&t, "<%u>1 ",
              number_of(value_of(d, "SYSLOG_FACILITY"), 3, 23) * 8 + number_of(value_of(d, "PRIORITY"), 6, 7));
    text_add(&t, slice_of(stamp, sizeof(stamp)));
    text_word(&t, " ");
    add_word(&t, value_of(d, "_HOSTNAME"));
    add_word(&t, program.len > 0 ? program : value_of(d, "_COMM"));
    add_word(&t, pid.len > 0 ? pid : value_of(d, "SYSLOG_PID"));
    text_word(&t, "- - ");
    text_add(&t, value_of(d, "MESSAGE"));
    return slice_of(d->line, t.len);
}

/* False: no room. */
static bool put_line(struct journald *d, uint64_t at_us)
{
    struct log_line line = { .way = LOG_JOURNALD, .peer = SLICE("journald") };
    uint64_t seq;

    line.at_us = clock_wall_us();
    line.near_us = (int64_t)at_us;
    line.raw = write_line(d, at_us);
    seq = intake_line(d->in, &line, NULL);
    if (seq != 0)
        d->last_seq = seq;
    return seq != 0;
}

static bool put(struct journald *d)
{
    uint64_t at_us = 0;
    char *cursor = NULL;

    (void)d->sd.get_realtime_usec(d->j, &at_us);
    if (!put_line(d, at_us))
        return false;
    if (d->sd.get_cursor(d->j, &cursor) >= 0)
        (void)snprintf(d->read, sizeof(d->read), "%s", cursor);
    free(cursor);
    return true;
}

/* ---- files that were cut ---- */

/* What is on our disk of such files stands in the store's folder in the file `journald-cut`: their ids, in a row. */
static bool is_known(const struct journald *d, const uint8_t id[SDFILE_ID])
{
    uint8_t *ids;
    size_t len;
    bool found = false;

    for (const struct cut *c = d->cuts; c; c = c->next)
        if (memcmp(c->reads.id, id, SDFILE_ID) == 0) /* a copy */
            return true;
    if (folder_read(d->dir, "journald-cut", CUT_FILES_KNOWN * SDFILE_ID, &ids, &len, NULL) < 0)
        return false;
    for (size_t i = 0; i + SDFILE_ID <= len; i += SDFILE_ID)
        found = found || memcmp(ids + i, id, SDFILE_ID) == 0;
    free(ids);
    return found;
}

static void remember(const struct journald *d, const uint8_t id[SDFILE_ID])
{
    uint8_t *ids = NULL;
    size_t len = 0;
    bool full = folder_read(d->dir, "journald-cut", (CUT_FILES_KNOWN - 1) * SDFILE_ID, &ids, &len, NULL) < 0;

    free(ids);
    if (full && len > 0)
        (void)folder_replace(d->dir, "journald-cut", 0640, slice_of(id, SDFILE_ID), NULL);
    else
        (void)folder_append(d->dir, "journald-cut", slice_of(id, SDFILE_ID), NULL);
}

/* "s=ID;i=NUMBER;...", in hexadecimal: entries of the same count up to that one were read while it was whole. */
static uint64_t read_before(const struct journald *d, const struct sdfile *f)
{
    char id[2 * SDFILE_ID + 1];
    const char *number = strstr(d->read, ";i=");

    for (size_t i = 0; i < SDFILE_ID; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", f->numbers[i]);
    return number && strncmp(d->read, "s=", 2) == 0 && strncmp(d->read + 2, id, 2 * SDFILE_ID) == 0
             ? strtoull(number + 3, NULL, 16)
             : 0;
}

static void add_cut(struct journald *d, const char *name, int fd, size_t size)
{
    struct cut *c = calloc(1, sizeof(*c));
    ssize_t n;

    if (!c || !(c->bytes = malloc(size))) {
        intake_tell(d->in, EV_LOG_FILE_PROBLEM, (struct addr){ 0 }, name,
                    "systemd's journal was cut, and there is no memory to read it", 0);
        free(c);
        return;
    }
    (void)snprintf(c->name, sizeof(c->name), "%s", name);
    n = whole_pread(fd, c->bytes, size, 0);
    c->len = n > 0 ? (size_t)n : 0;
    if (!sdfile_begin(&c->reads, slice_of(c->bytes, c->len)) || is_known(d, c->reads.id)) {
        free(c->bytes);
        free(c);
        return;
    }
    c->skip = read_before(d, &c->reads);
    c->next = d->cuts;
    d->cuts = c;
}

static void look_at_file(struct journald *d, int dir, const char *name)
{
    uint8_t head[SDFILE_HEAD];
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
        sdfile_is_cut(slice_of(head, sizeof(head)), (uint64_t)st.st_size)) {
        if (st.st_size <= CUT_FILE_MOST)
            add_cut(d, name, fd, (size_t)st.st_size);
        else
            intake_tell(d->in, EV_LOG_FILE_PROBLEM, (struct addr){ 0 }, name,
                        "systemd's journal was cut, and is too large to be read without its library", 0);
    }
    if (fd >= 0)
        (void)close(fd);
}

/* Also in the folders of machines below it.  The library leaves a file that was cut out as a whole, and does not say
 * so. */
static void find_cut_files(struct journald *d, int folder, bool below)
{
    DIR *dir = folder < 0 ? NULL : fdopendir(folder);
    const struct dirent *entry;

    if (!dir && folder >= 0)
        (void)close(folder);
    while (dir && (entry = readdir(dir))) {
        if (below && entry->d_type == DT_DIR && entry->d_name[0] != '.')
            find_cut_files(d, openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), false);
        else if (strstr(entry->d_name, ".journal"))
            look_at_file(d, dirfd(dir), entry->d_name);
    }
    if (dir)
        (void)closedir(dir);
}

static void free_cut(struct cut *c)
{
    free(c->bytes);
    free(c);
}

/* The place, and what was before it; remembered when that is on our disk. */
static void end_cut_file(struct journald *d, struct cut *c)
{
    char words[200];
    struct text t = TEXT_IN(words);

    text_addf(&t, "systemd's journal was cut at byte %llu; %llu entries before it were read",
              (unsigned long long)c->len, (unsigned long long)c->entries);
    if (c->reads.at < c->len)
        text_addf(&t, ", the last ends at byte %llu", (unsigned long long)c->whole);
    if (c->reads.packed_otherwise > 0)
        text_word(&t, "; fields packed by XZ or LZ4 are missing");
    intake_tell(d->in, EV_LOG_FILE_PROBLEM, (struct addr){ 0 }, c->name, words, 0);
    d->cuts = c->next;
    c->next = d->done;
    c->seq = d->last_seq;
    free(c->bytes);
    c->bytes = NULL;
    d->done = c;
}

/* False: no room, or enough for one turn. */
static bool read_cut_files(struct journald *d)
{
    for (int i = 0; d->cuts && i < CUT_ENTRIES_A_TURN; i++) {
        struct cut *c = d->cuts;

        if (!c->pending && !sdfile_next(&c->reads)) {
            end_cut_file(d, c);
            continue;
        }
        d->cut = c;
        c->pending = c->reads.number > c->skip && !put_line(d, c->reads.at_us);
        d->cut = NULL;
        if (c->pending)
            return false;
        c->whole = c->reads.at;
        c->entries++;
    }
    return !d->cuts;
}

static void remember_cut_files(struct journald *d, uint64_t seq)
{
    struct cut **at = &d->done;

    while (*at) {
        struct cut *c = *at;

        if (c->seq > seq) {
            at = &c->next;
            continue;
        }
        remember(d, c->reads.id);
        *at = c->next;
        free_cut(c);
    }
}

/* ---- the library's ---- */

/* At the entry behind the cursor; at the first one when it is gone. */
static int open_journal(struct journald *d, struct err *e)
{
    int code = d->sd.open_directory(&d->j, d->folder, 0);

    if (code < 0) {
        d->j = NULL;
        return err_set(e, -code, "log: journald: %s", d->folder);
    }
    if (d->read[0] == '\0')
        return 0;
    d->pending = d->sd.seek_cursor(d->j, d->read) >= 0 && d->sd.next(d->j) > 0 && d->sd.test_cursor(d->j, d->read) <= 0;
    return 0;
}

static void look(void *ctx)
{
    struct journald *d = ctx;
    struct err e;

    if (intake_is_held(d->in) || !read_cut_files(d))
        return;
    remember_cut_files(d, store_synced(d->in->store));
    if (d->quiet >= QUIET_TURNS || !d->j) {
        d->quiet = 0;
        if (d->j)
            d->sd.close(d->j);
        if (open_journal(d, &e) < 0)
            return;
    }
    d->quiet++;
    for (int i = 0; i < ENTRIES_A_TURN && (d->pending || d->sd.next(d->j) > 0); i++) {
        d->pending = !put(d);
        if (d->pending)
            return;
        d->quiet = 0;
    }
}

struct journald *journald_new(struct intake *in, struct err *e)
{
    struct journald *d = calloc(1, sizeof(*d));

    if (!d) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    d->in = in;
    d->dir = -1;
    d->folder = in->settings.journald_folder;
    if (load_library(&d->sd, e) == 0)
        return d;
    free(d);
    return NULL;
}

int journald_start(struct journald *d, struct err *e)
{
    uint8_t *cursor;
    size_t len;

    d->dir = folder_open(d->in->settings.folder, e);
    if (d->dir < 0)
        return -1;
    if (folder_read(d->dir, "journald", sizeof(d->read) - 1, &cursor, &len, NULL) == 0) {
        memcpy(d->read, cursor, len);
        memcpy(d->kept, cursor, len);
        free(cursor);
    }
    if (open_journal(d, e) < 0)
        return -1;
    find_cut_files(d, open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), true);
    d->timer = loop_timer(d->in->loop, 1, LOOK_US, look, d);
    return 0;
}

static void save(struct journald *d)
{
    (void)folder_replace(d->dir, "journald", 0640, slice_text(d->kept), NULL);
}

void journald_synced(struct journald *d, uint64_t seq)
{
    int64_t now_us = clock_mono_us();

    if (seq < d->last_seq || strcmp(d->read, d->kept) == 0)
        return;
    memcpy(d->kept, d->read, sizeof(d->kept));
    if (now_us - d->saved_us < SAVE_US)
        return;
    d->saved_us = now_us;
    save(d);
}

void journald_free(struct journald *d)
{
    if (!d)
        return;
    loop_untimer(d->in->loop, d->timer);
    if (d->dir >= 0) {
        save(d);
        (void)close(d->dir);
    }
    if (d->j)
        d->sd.close(d->j);
    while (d->cuts || d->done) {
        struct cut **first = d->cuts ? &d->cuts : &d->done;
        struct cut *c = *first;

        *first = c->next;
        free_cut(c);
    }
    free(d);
}
