/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log import: files and whole folders of logs, rotations in their order, into a store. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "cmd/sight.h"
#include "sense/log/rotation.h"
#include "sense/log/store.h"
#include "sys/clock.h"
#include "sys/say.h"

struct import_options {
    struct common_options common;
    const char *store;
    uint64_t most;
};

static const struct option_row rows[] = {
    { "store", 0, OPTION_TEXT, offsetof(struct import_options, store), "FOLDER",
      N_("the store; otherwise the configured one, which nobody else may be writing"), NULL },
    { "most", 0, OPTION_NUMBER, offsetof(struct import_options, most), "BYTES",
      N_("how much one file may hold when it is unpacked; otherwise 64 GiB"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "log import",
    .what =
        N_("log import takes all files of a folder, packed ones too, the rotations of one log from the oldest to the\n"
           "newest, and keeps their lines as they are.  A stamp without a year is that of the year before the file\n"
           "was last written.  Exit code 1: a file could not be read to its end, and it is said which."),
    .synopsis = "[--store FOLDER] DIR|FILE... [--json]",
    .rows = rows,
    .least = 1,
    .most = 256,
    .examples = N_("serviola log import /var/log|everything that is there\n"
                   "serviola log import --store /tmp/st syslog.2.gz syslog.1 syslog|one log, into a store of its own"),
};

struct import {
    struct store *store;
    const struct rotation *file;
    int64_t now_us, near_us;
    uint64_t lines, bytes;
};

enum { SEAL_WAIT_US = 60000000 };

static void wait_for_store(struct store *s)
{
    struct pollfd p = { .fd = store_fd(s), .events = POLLIN };

    (void)poll(&p, 1, 1000);
    store_turn(s);
}

/* The year before the file was last written: the stamp nearest to its middle. */
static int64_t middle_of_year_before(int64_t mtime_us)
{
    const int64_t half_year_us = (int64_t)365 * 86400 * 1000000 / 2;
    const int64_t day_us = (int64_t)86400 * 1000000;

    return mtime_us + day_us - half_year_us;
}

static bool on_line(void *ctx, struct slice raw)
{
    struct import *im = ctx;
    struct log_line line = {
        .raw = raw, .peer = slice_text(im->file->path), .way = LOG_FILE, .at_us = im->now_us, .near_us = im->near_us
    };

    if (raw.len == 0)
        return true;
    while (store_append(im->store, &line, NULL) == 0)
        wait_for_store(im->store);
    im->lines++;
    im->bytes += raw.len;
    return true;
}

static void tell_file(const struct import *im, const struct import_options *o, uint64_t before)
{
    if (o->common.json)
        return;
    (void)printf("%12llu  %s\n", (unsigned long long)(im->lines - before), im->file->path);
}

static int import_all(struct import *im, const struct rotations *all, const struct import_options *o)
{
    int code = EXIT_FINE;
    struct err e;

    for (size_t i = 0; i < all->count; i++) {
        uint64_t before = im->lines;

        im->file = &all->at[i];
        im->near_us = middle_of_year_before(im->file->mtime_us);
        if (rotation_lines(im->file->path, STORE_LINE_MAX, o->most ? o->most : (uint64_t)64 << 30, on_line, im, &e) <
            0) {
            say("%s", e.text);
            code = EXIT_FOUND;
        }
        tell_file(im, o, before);
    }
    return code;
}

static int import(const struct import_options *o, const char *folder, const struct rotations *all)
{
    const struct store_limits limits = store_default_limits();
    const struct store_calls calls = { 0 };
    struct import im = { .now_us = clock_wall_us() };
    struct journal_opened found;
    struct err e = { 0 };
    int code = EXIT_CANNOT;

    im.store = store_open(folder, &limits, &calls, im.now_us, &found, &e);
    if (!im.store || store_start(im.store, &e) < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    code = import_all(&im, all, o);
    (void)store_push(im.store, clock_mono_us(), true);
    while (store_synced(im.store) < store_last(im.store)) {
        wait_for_store(im.store);
        (void)store_push(im.store, clock_mono_us(), true);
    }
    (void)store_seal(im.store, SEAL_WAIT_US);
    store_close(im.store, 0);
    if (o->common.json)
        (void)printf("{\"files\":%zu,\"lines\":%llu,\"bytes\":%llu,\"passed_over\":%llu}\n", all->count,
                     (unsigned long long)im.lines, (unsigned long long)im.bytes, (unsigned long long)all->passed_over);
    else
        (void)printf(_("%llu lines of %zu files are kept in %s.\n"), (unsigned long long)im.lines, all->count, folder);
    return code;
}

int log_import(int argc, char **argv)
{
    struct import_options o = { 0 };
    struct rotations all = { 0 };
    struct sight s = { 0 };
    struct err e;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    for (int i = 0; i < o.common.count; i++)
        if (rotations_add(&all, o.common.words[i], &e) < 0) {
            say("%s", e.text);
            rotations_free(&all);
            return EXIT_CANNOT;
        }
    rotations_sort(&all);
    if (o.store)
        code = import(&o, o.store, &all);
    else if ((code = sight_configure(&s, &o.common)) == EXIT_FINE)
        code = import(&o, s.conf->log.folder, &all);
    sight_close(&s);
    rotations_free(&all);
    return code;
}
