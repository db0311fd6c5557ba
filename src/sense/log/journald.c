/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * systemd's journal, by libsystemd when it is there at run time (nothing of it is needed to build or to start).
 *
 * An entry becomes one line as RFC 5424 has it.  How far it was read, and is on our disk, stands in the store's folder
 * in the file `journald`.  Looked at four times a second: watching the folder would take calls that the jail refuses.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <endian.h>
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
#include "sys/clock.h"
#include "sys/say.h"
#include "wire/syslog.h"

enum {
    LOOK_US = 250000,
    ENTRIES_A_TURN = 4096,
    QUIET_TURNS = 40, /* without a new entry; then the folder is opened anew: its files may have been rotated */
    CURSOR_MOST = 512,
    SAVE_US = 1000000,
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
    uint8_t line[STORE_LINE_MAX];
};

static int load_library(struct systemd *sd, struct err *e)
{
    void *lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    const struct {
        void *to;
        const char *name;
    } calls[] = {
        { &sd->open_directory, "sd_journal_open_directory" },
        { &sd->close, "sd_journal_close" },
        { &sd->next, "sd_journal_next" },
        { &sd->seek_cursor, "sd_journal_seek_cursor" },
        { &sd->test_cursor, "sd_journal_test_cursor" },
        { &sd->get_cursor, "sd_journal_get_cursor" },
        { &sd->get_data, "sd_journal_get_data" },
        { &sd->get_realtime_usec, "sd_journal_get_realtime_usec" },
    };

    if (!lib)
        return err_set(e, 0, "log: journald: %s", dlerror());
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        void *call = dlsym(lib, calls[i].name);

        if (!call)
            return err_set(e, 0, "log: journald: libsystemd has no %s", calls[i].name);
        memcpy(calls[i].to, &call, sizeof(call));
    }
    return 0;
}

/* Behind "NAME="; empty when the entry has no such field. */
static struct slice value_of(struct journald *d, const char *name)
{
    const void *at = NULL;
    size_t len = 0;
    size_t skip = strlen(name) + 1;

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
static bool put(struct journald *d)
{
    struct log_line line = { .way = LOG_JOURNALD, .peer = SLICE("journald") };
    uint64_t at_us = 0;
    char *cursor = NULL;
    uint64_t seq;

    (void)d->sd.get_realtime_usec(d->j, &at_us);
    line.at_us = clock_wall_us();
    line.near_us = (int64_t)at_us;
    line.raw = write_line(d, at_us);
    seq = intake_line(d->in, &line, NULL);
    if (seq == 0)
        return false;
    d->last_seq = seq;
    if (d->sd.get_cursor(d->j, &cursor) >= 0)
        (void)snprintf(d->read, sizeof(d->read), "%s", cursor);
    free(cursor);
    return true;
}

/* "LPKSHHRH", ..., le64 header_size, le64 arena_size at 88 (systemd's JOURNAL_FILE_FORMAT): the file is as long as
 * both. */
static bool is_cut(int dir, const char *name)
{
    uint8_t head[104];
    uint64_t sizes[2];
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool read_it = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                   pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) && memcmp(head, "LPKSHHRH", 8) == 0;

    if (fd >= 0)
        (void)close(fd);
    if (!read_it)
        return false;
    memcpy(sizes, head + 88, sizeof(sizes));
    return le64toh(sizes[1]) > INT64_MAX || le64toh(sizes[0]) > (uint64_t)st.st_size ||
           le64toh(sizes[0]) + le64toh(sizes[1]) > (uint64_t)st.st_size;
}

/* Also in the folders of machines below it.  The library leaves a file that was cut out as a whole, and does not say
 * so. */
static void tell_cut_files(const struct journald *d, int folder, bool below)
{
    DIR *dir = folder < 0 ? NULL : fdopendir(folder);
    const struct dirent *entry;

    if (!dir && folder >= 0)
        (void)close(folder);
    while (dir && (entry = readdir(dir))) {
        if (below && entry->d_type == DT_DIR && entry->d_name[0] != '.')
            tell_cut_files(d, openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), false);
        else if (strstr(entry->d_name, ".journal") && is_cut(dirfd(dir), entry->d_name))
            intake_tell(d->in, EV_LOG_FILE_PROBLEM, (struct addr){ 0 }, entry->d_name,
                        "systemd's journal was cut; what is left of it is not read", 0);
    }
    if (dir)
        (void)closedir(dir);
}

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

    if (intake_is_held(d->in))
        return;
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
    tell_cut_files(d, open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), true);
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
    free(d);
}
