/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A store whose files are any bytes: an active and a sealed segment, as who searches finds them.  Everything ends, hits
 * lie in their order, and a search that passes over blocks finds no more than one that does not.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/log/seek.h"
#include "sense/log/timeline.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int folder = -1;

static void leave(void)
{
    char path[64];
    ssize_t n;
    char link[32];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
    n = readlink(link, path, sizeof(path) - 1);
    (void)unlinkat(folder, "0000000001.zst", 0);
    (void)unlinkat(folder, "0000000002.wal", 0);
    if (n > 0) {
        path[n] = '\0';
        (void)rmdir(path);
    }
}

static void make_folder(void)
{
    char path[] = "/tmp/fuzz_search.XXXXXX";

    MUST(mkdtemp(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(folder >= 0 && atexit(leave) == 0);
}

static void put(const char *name, const uint8_t *at, size_t len)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0 && write(fd, at, len) == (ssize_t)len);
    (void)close(fd);
}

static size_t find(const struct lines *l, const struct search_query *q)
{
    const struct seek_settings set = { .threads = 1 };
    struct err e;
    struct search *s = search_new(q, &e);
    struct seek *k = s ? seek_new(s, l, &set, &e) : NULL;
    struct seek_found f;
    size_t found = 0;

    MUST(k);
    while (seek_next(k, &f) > 0) {
        MUST(f.block < lines_count(l));
        for (size_t i = 1; i < f.count; i++)
            MUST(f.line[i].seq > f.line[i - 1].seq);
        found += f.count;
    }
    seek_free(k);
    search_free(s);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct search_query q = { .since_us = INT64_MIN, .until_us = INT64_MAX, .severity = LOG_UNKNOWN };
    struct timeline_wish wish = { .from_us = 0, .to_us = INT64_MAX / 2, .most = 1000 };
    struct timeline t;
    struct lines *l;
    struct err e;
    size_t all;

    if (folder < 0)
        make_folder();
    put("0000000001.zst", data, size);
    put("0000000002.wal", data, size);
    l = lines_open_at(folder, &e);
    if (!l)
        return 0;
    all = find(l, &q);
    q.pattern = SLICE("error");
    q.how = SEARCH_WORD;
    MUST(find(l, &q) <= all);
    MUST(lines_refresh(l, &e) == 0);
    if (timeline_make(&t, l, &wish, &e) == 0) {
        MUST(t.count <= wish.most);
        timeline_done(&t);
    }
    lines_close(l);
    return 0;
}
