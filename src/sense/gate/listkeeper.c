/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/listkeeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "part/link.h"
#include "sense/gate/listcompile.h"
#include "sys/clock.h"
#include "sys/memfile.h"
#include "sys/say.h"
#include "sys/whole.h"

enum {
    SECOND_US = 1000000,
    FILE_MOST = 1 << 30,
    FILES = GATE_LISTS + 1, /* that of the countries is the last */
};

struct seen { /* of a file, when it was read */
    struct timespec changed;
    off_t size;
    ino_t inode;
    int error; /* errno; 0: it is there */
};

struct keeper {
    struct role *role;
    char folders[FILES][200];
    const char *read_only[FILES + 1];
    struct seen seen[FILES];
    bool sent; /* the gate has lists of ours */
};

static const struct lists_settings *conf(const struct keeper *k)
{
    return k->role->settings;
}

static uint32_t lists_of(const struct keeper *k)
{
    return conf(k)->count < GATE_LISTS ? conf(k)->count : GATE_LISTS;
}

/* With that of the countries, when there is one. */
static uint32_t count_of(const struct keeper *k)
{
    return lists_of(k) + (conf(k)->countries[0] != '\0');
}

static const char *file_of(const struct keeper *k, uint32_t i)
{
    return i < lists_of(k) ? conf(k)->at[i].file : conf(k)->countries;
}

/* ---- what is told ---- */

static void tell_refused(struct keeper *k, uint32_t i, const char *why)
{
    struct event ev = event_new(EV_GATE_LISTS_REFUSED);

    event_add_words(&ev, F_LIST, i < lists_of(k) ? conf(k)->at[i].name : "countries");
    event_add_words(&ev, F_NAME, file_of(k, i));
    event_add_words(&ev, F_WHY, why);
    (void)role_emit(k->role, &ev, 0);
    say("%s", why);
}

static void tell_loaded(struct keeper *k, uint64_t entries, int64_t since_us)
{
    struct event ev = event_new(EV_GATE_LISTS_LOADED);

    event_add_number(&ev, F_COUNT, entries);
    event_add_number(&ev, F_SPAN, (uint64_t)(clock_mono_us() - since_us));
    (void)role_emit(k->role, &ev, 0);
}

/* ---- files ---- */

static struct seen look_at(const char *path)
{
    struct stat st;
    struct seen s = { .error = 0 };

    if (stat(path, &st) < 0) {
        s.error = errno;
        return s;
    }
    s.changed = st.st_mtim;
    s.size = st.st_size;
    s.inode = st.st_ino;
    return s;
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->error == b->error && a->size == b->size && a->inode == b->inode &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* The whole file; *bytes is to be freed.  A file that grows meanwhile is read again when it is looked at next. */
static int read_file(const char *path, struct slice *text, uint8_t **bytes, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t got;

    *bytes = NULL;
    if (fd < 0)
        return err_set(e, errno, "%s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MOST) {
        (void)err_set(e, 0, "%s: no file, or one of more than 1 GiB", path);
        goto fail;
    }
    *bytes = malloc((size_t)st.st_size + 1);
    if (!*bytes) {
        (void)err_set(e, ENOMEM, "%s", path);
        goto fail;
    }
    got = whole_read(fd, *bytes, (size_t)st.st_size);
    if (got < 0) {
        (void)err_set(e, errno, "%s", path);
        goto fail;
    }
    (void)close(fd);
    *text = slice_of(*bytes, (size_t)got);
    return 0;
fail:
    free(*bytes);
    *bytes = NULL;
    (void)close(fd);
    return -1;
}

static int add_file(const struct keeper *k, struct listcompile *c, uint32_t i, struct err *e)
{
    uint8_t *bytes;
    struct slice text;
    int status;

    if (read_file(file_of(k, i), &text, &bytes, e) < 0)
        return -1;
    status = i < lists_of(k) ? listcompile_add(c, &conf(k)->at[i], text, e)
                             : listcompile_countries(c, file_of(k, i), text, e);
    free(bytes);
    return status;
}

/* ---- compiling ---- */

/* All lists but those in `without`; the number of the one with a fault, or -1.  *fd is the memory file then. */
static int compile(struct keeper *k, unsigned without, int *fd, uint64_t *entries, struct err *e)
{
    struct listcompile *c = listcompile_new(e);
    int bad = -1;

    *fd = -1;
    for (uint32_t i = 0; c && bad < 0 && i < count_of(k); i++)
        if (!(without >> i & 1) && add_file(k, c, i, e) < 0)
            bad = (int)i;
    if (c && bad < 0) {
        *entries = listcompile_count(c);
        *fd = listcompile_finish(c, e);
    }
    listcompile_free(c);
    return bad;
}

static void load(struct keeper *k)
{
    int64_t since_us = clock_mono_us();
    unsigned without = 0;
    uint64_t entries = 0;
    struct err e = { 0 };
    int fd;
    int bad;

    while ((bad = compile(k, without, &fd, &entries, &e)) >= 0) {
        tell_refused(k, (uint32_t)bad, e.text);
        if (k->sent)
            return; /* the old ones stay */
        without |= 1U << bad;
    }
    if (fd < 0) {
        say("%s", e.text);
        return;
    }
    if (chan_send(k->role->core, LINK_LISTS, 0, 0, NULL, 0, fd) == 0) {
        k->sent = true;
        tell_loaded(k, entries, since_us);
    }
    memfile_close(fd);
}

static void load_if_changed(void *ctx)
{
    struct keeper *k = ctx;
    bool changed = false;

    for (uint32_t i = 0; i < count_of(k); i++) {
        struct seen now = look_at(file_of(k, i));

        changed = changed || !same(&now, &k->seen[i]);
        k->seen[i] = now;
    }
    if (changed)
        load(k);
}

/* ---- the part ---- */

static int keeper_open(struct role *r, struct err *e)
{
    struct keeper *k = calloc(1, sizeof(*k)); /* lives as long as the process */

    if (!k)
        return err_set(e, ENOMEM, "lists");
    k->role = r;
    r->own = k;
    return 0;
}

/* The folders: an editor puts a new file in the old one's place. */
static void keeper_confine(struct role *r, struct jail *j)
{
    struct keeper *k = r->own;
    size_t n = 0;

    for (uint32_t i = 0; i < count_of(k); i++) {
        char *slash;

        memcpy(k->folders[i], file_of(k, i), sizeof(k->folders[i]));
        k->folders[i][sizeof(k->folders[i]) - 1] = '\0';
        slash = strrchr(k->folders[i], '/');
        if (!slash)
            continue;
        slash[slash == k->folders[i]] = '\0';
        k->read_only[n++] = k->folders[i];
    }
    j->read_only = k->read_only;
}

static int keeper_run(struct role *r, struct err *e)
{
    struct keeper *k = r->own;

    if (loop_timer(r->loop, SECOND_US, SECOND_US, load_if_changed, k) == 0)
        return err_set(e, 0, "no timer is left");
    for (uint32_t i = 0; i < count_of(k); i++)
        k->seen[i] = look_at(file_of(k, i));
    load(k);
    return 0;
}

static void keeper_reload(struct role *r)
{
    struct keeper *k = r->own;

    for (uint32_t i = 0; i < count_of(k); i++)
        k->seen[i] = look_at(file_of(k, i));
    load(k);
}

const struct part gate_lists = {
    .name = "lists",
    .what = "the gate's own lists, read from their files",
    .user = "serviola-lists",
    .keys = NULL, /* the gate's */
    .settings_size = sizeof(struct lists_settings),
    .calls = JAIL_PROC,
    .confine = keeper_confine,
    .open = keeper_open,
    .run = keeper_run,
    .reload = keeper_reload,
};
