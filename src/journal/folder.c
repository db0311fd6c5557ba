/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/whole.h"

enum { DIGITS = 10 };

struct file_name folder_name(uint64_t segment, const char *ending)
{
    struct file_name n;

    (void)snprintf(n.text, sizeof(n.text), "%0*llu.%s", DIGITS, (unsigned long long)segment % 10000000000, ending);
    return n;
}

int folder_open(const char *path, struct err *e)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return dir < 0 ? err_set(e, errno, "%s", path) : dir;
}

/* "0000000007.wal" gives 7 and the form. */
static bool read_name(const char *name, uint64_t *segment, enum seg_form *form)
{
    if (strlen(name) != DIGITS + 4 || !slice_to_u64(slice_of(name, DIGITS), segment) || *segment == 0)
        return false;
    *form = strcmp(name + DIGITS, ".wal") == 0 ? SEG_WAL : SEG_ZST;
    return *form == SEG_WAL || strcmp(name + DIGITS, ".zst") == 0;
}

static int by_number(const void *a, const void *b)
{
    const struct folder_entry *x = a;
    const struct folder_entry *y = b;

    return x->segment < y->segment ? -1 : x->segment > y->segment;
}

/* Two files of one segment become one entry. */
static void join_forms(struct folder_list *list)
{
    size_t kept = 0;

    if (list->count > 1)
        qsort(list->at, list->count, sizeof(*list->at), by_number);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && list->at[kept - 1].segment == list->at[i].segment) {
            list->at[kept - 1].wal |= list->at[i].wal;
            list->at[kept - 1].zst |= list->at[i].zst;
            list->at[kept - 1].bytes += list->at[i].bytes;
        } else
            list->at[kept++] = list->at[i];
    }
    list->count = kept;
}

static int list_add(struct folder_list *list, size_t *cap, struct folder_entry entry, struct err *e)
{
    if (list->count == *cap) {
        size_t more = *cap ? *cap * 2 : 64;
        struct folder_entry *at = realloc(list->at, more * sizeof(*at));

        if (!at)
            return err_set(e, errno, "list of segments");
        list->at = at;
        *cap = more;
    }
    list->at[list->count++] = entry;
    return 0;
}

/* A stream of its own: two listings of one descriptor would share its place. */
static DIR *open_stream(int dir, struct err *e)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d) {
        err_set(e, errno, "open folder");
        if (fd >= 0)
            close(fd);
    }
    return d;
}

int folder_read_list(int dir, struct folder_list *list, struct err *e)
{
    struct dirent *entry;
    size_t cap = 0;
    int result = 0;
    DIR *d;

    *list = (struct folder_list){ 0 };
    d = open_stream(dir, e);
    if (!d)
        return -1;
    while (result == 0 && (errno = 0, entry = readdir(d))) {
        struct folder_entry found = { 0 };
        enum seg_form form;
        struct stat st;

        if (!read_name(entry->d_name, &found.segment, &form) ||
            fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
            continue;
        found.wal = form == SEG_WAL;
        found.zst = form == SEG_ZST;
        found.bytes = (uint64_t)st.st_size;
        result = list_add(list, &cap, found, e);
    }
    if (result == 0 && errno != 0)
        result = err_set(e, errno, "read folder");
    closedir(d);
    join_forms(list);
    return result;
}

void folder_list_free(struct folder_list *list)
{
    free(list->at);
    *list = (struct folder_list){ 0 };
}

int folder_remove_unfinished(int dir, struct err *e)
{
    struct dirent *entry;
    DIR *d = open_stream(dir, e);
    int result = 0;

    if (!d)
        return -1;
    while ((entry = readdir(d))) {
        size_t len = strlen(entry->d_name);

        if (len > 4 && strcmp(entry->d_name + len - 4, ".new") == 0 && folder_unlink(dir, entry->d_name, e) < 0)
            result = -1;
    }
    closedir(d);
    return result;
}

int folder_pread(int fd, void *at, size_t len, uint64_t offset, struct err *e)
{
    ssize_t n = whole_pread(fd, at, len, offset);

    if (n < 0)
        return err_set(e, errno, "read at %llu", (unsigned long long)offset);
    if ((size_t)n < len)
        return err_set(e, 0, "read at %llu: the file ends here", (unsigned long long)offset + (uint64_t)n);
    return 0;
}

int folder_read(int dir, const char *name, size_t max, uint8_t **at, size_t *len, struct err *e)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    int result = -1;

    *at = NULL;
    *len = 0;
    if (fd < 0)
        return err_set(e, errno, "%s", name);
    if (fstat(fd, &st) < 0)
        err_set(e, errno, "%s", name);
    else if ((uint64_t)st.st_size > max)
        err_set(e, EFBIG, "%s has %lld bytes", name, (long long)st.st_size);
    else if (!(*at = malloc((size_t)st.st_size + 1)))
        err_set(e, errno, "%s", name);
    else if (folder_pread(fd, *at, (size_t)st.st_size, 0, e) < 0) {
        err_wrap(e, "%s", name);
        free(*at);
        *at = NULL;
    } else {
        *len = (size_t)st.st_size;
        result = 0;
    }
    close(fd);
    return result;
}

int folder_pwrite(int fd, const void *at, size_t len, uint64_t offset, struct err *e)
{
    return whole_pwrite(fd, at, len, offset) < 0 ? err_set(e, errno, "write at %llu", (unsigned long long)offset) : 0;
}

int folder_sync(int dir, struct err *e)
{
    return fsync(dir) < 0 ? err_set(e, errno, "sync folder") : 0;
}

int folder_replace(int dir, const char *name, mode_t mode, struct slice bytes, struct err *e)
{
    char fresh[48];
    int fd;

    (void)snprintf(fresh, sizeof(fresh), "%.40s.new", name);
    fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_set(e, errno, "%s", fresh);
    if (folder_pwrite(fd, bytes.at, bytes.len, 0, e) < 0)
        goto fail;
    if (fsync(fd) < 0) {
        err_set(e, errno, "sync");
        goto fail;
    }
    close(fd);
    if (renameat(dir, fresh, dir, name) < 0) {
        err_set(e, errno, "rename %s", fresh);
        (void)unlinkat(dir, fresh, 0);
        return -1;
    }
    return folder_sync(dir, e);
fail:
    err_wrap(e, "%s", fresh);
    close(fd);
    (void)unlinkat(dir, fresh, 0);
    return -1;
}

int folder_append(int dir, const char *name, struct slice bytes, struct err *e)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    struct stat st;
    int result = -1;

    if (fd < 0)
        return err_set(e, errno, "%s", name);
    if (fstat(fd, &st) < 0)
        err_set(e, errno, "%s", name);
    else if (folder_pwrite(fd, bytes.at, bytes.len, (uint64_t)st.st_size, e) < 0 || fsync(fd) < 0) {
        err_set(e, errno, "%s", name);
        (void)!ftruncate(fd, st.st_size);
    } else
        result = folder_sync(dir, e);
    close(fd);
    return result;
}

int folder_unlink(int dir, const char *name, struct err *e)
{
    return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? err_set(e, errno, "remove %s", name) : 0;
}
