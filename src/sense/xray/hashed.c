/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/xray/hashed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"

enum { SETTLED_NS = 2000000000 }; /* the coarsest times that file systems keep are two seconds apart */

struct head {
    char magic[8];
    uint64_t count, sum; /* of all records */
};
static const char magic[8] = "SVpkg02";

static int64_t ns_of(struct timespec t)
{
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

void hashed_look(struct hashed *h, const struct stat *st)
{
    h->device = st->st_dev;
    h->inode = st->st_ino;
    h->size = (uint64_t)st->st_size;
    h->modified_ns = ns_of(st->st_mtim);
    h->changed_ns = ns_of(st->st_ctim);
}

bool hashed_is_settled(const struct hashed *h, int64_t now_ns)
{
    return h->changed_ns < now_ns - SETTLED_NS;
}

static int by_path(const void *a, const void *b, void *own)
{
    const struct hashed *all = own;
    uint64_t x = all[*(const uint32_t *)a].path;
    uint64_t y = all[*(const uint32_t *)b].path;

    return x < y ? -1 : x > y;
}

/* NULL: no memory, and so nothing is known. */
static const uint32_t *sorted(struct hashed_kept *k)
{
    (void)pthread_mutex_lock(&k->lock);
    if (!k->by_path && (k->by_path = calloc(k->count, sizeof(*k->by_path)))) {
        for (size_t i = 0; i < k->count; i++)
            k->by_path[i] = (uint32_t)i;
        qsort_r(k->by_path, k->count, sizeof(*k->by_path), by_path, k->at);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return k->by_path;
}

/* k->count: there is none. */
static size_t place_of(struct hashed_kept *k, uint64_t path)
{
    const uint32_t *order = k->count > 0 ? sorted(k) : NULL;
    size_t low = 0;
    size_t high = order ? k->count : 0;

    while (low < high) {
        size_t half = (low + high) / 2;

        if (k->at[order[half]].path == path)
            return order[half];
        if (k->at[order[half]].path < path)
            low = half + 1;
        else
            high = half;
    }
    return k->count;
}

bool hashed_recall(struct hashed_kept *k, size_t *place, struct hashed *h)
{
    const struct hashed *was;
    size_t at = *place;

    if (at >= k->count || k->at[at].path != h->path)
        at = place_of(k, h->path);
    if (at == k->count)
        return false;
    *place = at;
    was = &k->at[at];
    if (was->device != h->device || was->inode != h->inode || was->size != h->size ||
        was->modified_ns != h->modified_ns || was->changed_ns != h->changed_ns)
        return false;
    memcpy(h->digest, was->digest, sizeof(h->digest));
    return true;
}

static bool read_all(int fd, void *at, size_t len)
{
    uint8_t *to = at;

    while (len > 0) {
        ssize_t n = read(fd, to, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        to += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const void *at, size_t len)
{
    const uint8_t *from = at;

    while (len > 0) {
        ssize_t n = write(fd, from, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += n;
        len -= (size_t)n;
    }
    return true;
}

bool hashed_read(const char *path, struct hashed_kept *k, const char **why)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct hashed *h = NULL;
    struct head head;
    struct stat st;

    memset(k, 0, sizeof(*k));
    (void)pthread_mutex_init(&k->lock, NULL);
    *why = NULL;
    if (fd < 0) {
        *why = errno == ENOENT || errno == EACCES ? NULL : "can't be opened";
        return false;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        *why = "is not ours alone";
        goto out;
    }
    if (!read_all(fd, &head, sizeof(head)) || memcmp(head.magic, magic, sizeof(magic)) != 0) {
        *why = "is of another version, or damaged";
        goto out;
    }
    if (head.count == 0 || head.count > HASHED_MOST || (uint64_t)st.st_size != sizeof(head) + head.count * sizeof(*h) ||
        !(h = calloc(head.count, sizeof(*h))) || !read_all(fd, h, head.count * sizeof(*h)) ||
        hash_bytes(h, head.count * sizeof(*h), head.count) != head.sum) {
        free(h);
        h = NULL;
        *why = "is damaged";
        goto out;
    }
    k->at = h;
    k->count = head.count;
out:
    close(fd);
    return h != NULL;
}

void hashed_done(struct hashed_kept *k)
{
    free(k->at);
    free(k->by_path);
    (void)pthread_mutex_destroy(&k->lock);
}

bool hashed_write(const char *path, const struct hashed *h, size_t count)
{
    char temporary[PATH_MAX];
    struct head head = { .count = count };
    bool whole;
    int fd;

    if (count == 0 || count > HASHED_MOST ||
        snprintf(temporary, sizeof(temporary), "%s.part", path) >= (int)sizeof(temporary))
        return false;
    memcpy(head.magic, magic, sizeof(magic));
    head.sum = hash_bytes(h, count * sizeof(*h), count);
    (void)unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    whole = write_all(fd, &head, sizeof(head)) && write_all(fd, h, count * sizeof(*h));
    close(fd);
    if (whole && rename(temporary, path) == 0)
        return true;
    (void)unlink(temporary);
    return false;
}
