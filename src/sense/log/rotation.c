/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/rotation.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sense/log/libarchive.h"

enum { DEPTH = 16, READ_BYTES = 256 << 10, TEXT_LOOK = 4096 };

/* ---- names ---- */

static bool ends_with(struct slice s, const char *ending)
{
    size_t len = strlen(ending);

    return s.len > len && memcmp(s.at + s.len - len, ending, len) == 0;
}

static size_t digits_at_end(struct slice s)
{
    size_t n = 0;

    while (n < s.len && s.at[s.len - 1 - n] >= '0' && s.at[s.len - 1 - n] <= '9')
        n++;
    return n;
}

void rotation_read(struct rotation *r)
{
    static const char *const packed[] = { ".gz", ".bz2", ".xz", ".zst", ".lzma", ".Z" };
    struct slice name = slice_text(r->path);
    uint64_t number;
    size_t digits;

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
        if (ends_with(name, packed[i])) {
            name.len -= strlen(packed[i]);
            break;
        }
    digits = digits_at_end(name);
    r->age = INT64_MAX;
    r->base_len = name.len;
    if (digits == 0 || digits + 1 >= name.len || !slice_to_u64(slice_skip(name, name.len - digits), &number))
        return;
    name.len -= digits;
    if (digits <= 4 && name.at[name.len - 1] == '.')
        r->age = -(int64_t)number; /* the higher, the older */
    else if (digits >= 6 && digits <= 14 && (name.at[name.len - 1] == '-' || name.at[name.len - 1] == '.'))
        r->age = (int64_t)number; /* a date */
    else
        return;
    r->base_len = name.len - 1;
}

int rotation_order(const void *a, const void *b)
{
    const struct rotation *x = a;
    const struct rotation *y = b;
    size_t len = x->base_len < y->base_len ? x->base_len : y->base_len;
    int by_name = memcmp(x->path, y->path, len);

    if (by_name != 0)
        return by_name;
    if (x->base_len != y->base_len)
        return x->base_len < y->base_len ? -1 : 1;
    if (x->age != y->age)
        return x->age < y->age ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* ---- folders ---- */

static int add_file(struct rotations *all, const char *path, const struct stat *st, struct err *e)
{
    struct rotation *r;

    if (strlen(path) >= sizeof(r->path)) {
        all->passed_over++;
        return 0;
    }
    if (all->count == all->cap) {
        size_t cap = all->cap ? all->cap * 2 : 64;

        r = realloc(all->at, cap * sizeof(*r));
        if (!r)
            return err_set(e, errno, "list of files");
        all->at = r;
        all->cap = cap;
    }
    r = &all->at[all->count++];
    *r = (struct rotation){ .mtime_us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000,
                            .bytes = (uint64_t)st->st_size };
    memcpy(r->path, path, strlen(path) + 1);
    rotation_read(r);
    return 0;
}

static int add(struct rotations *all, const char *path, int depth, struct err *e);

static int add_folder(struct rotations *all, const char *path, int depth, struct err *e)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    char inside[1024];
    int result = 0;

    if (!d)
        return err_set(e, errno, "%s", path);
    while (result == 0 && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name) >= (int)sizeof(inside))
            all->passed_over++;
        else
            result = add(all, inside, depth + 1, e);
    }
    (void)closedir(d);
    return result;
}

static int add(struct rotations *all, const char *path, int depth, struct err *e)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return err_set(e, errno, "%s", path);
    if (S_ISDIR(st.st_mode) && depth < DEPTH)
        return add_folder(all, path, depth, e);
    if (S_ISREG(st.st_mode))
        return add_file(all, path, &st, e);
    all->passed_over++;
    return 0;
}

int rotations_add(struct rotations *all, const char *path, struct err *e)
{
    char clean[1024];
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len >= sizeof(clean))
        return err_set(e, ENAMETOOLONG, "%s", path);
    memcpy(clean, path, len);
    clean[len] = '\0';
    return add(all, clean, 0, e);
}

void rotations_sort(struct rotations *all)
{
    if (all->count > 1)
        qsort(all->at, all->count, sizeof(*all->at), rotation_order);
}

void rotations_free(struct rotations *all)
{
    free(all->at);
    *all = (struct rotations){ 0 };
}

/* ---- lines ---- */

struct reading {
    struct archive *from;
    uint8_t *room;
    size_t len, cap;
    size_t line_max;
    uint64_t bytes, most;
    bool (*seen)(void *ctx, struct slice line);
    void *ctx;
};

static int open_file(struct reading *r, const char *path, struct err *e)
{
    struct archive_entry *entry;

    if (libarchive_load(e) < 0)
        return err_wrap(e, "%s", path);
    r->from = libarchive.read_new();
    if (!r->from)
        return err_set(e, ENOMEM, "%s", path);
    libarchive_allow_packed(r->from);
    if (libarchive.read_open_filename(r->from, path, READ_BYTES) != ARCHIVE_OK)
        return err_set(e, 0, "%s: %s", path, libarchive.error_string(r->from));
    switch (libarchive.read_next_header(r->from, &entry)) {
    case ARCHIVE_OK:
    case ARCHIVE_WARN:
        return 0;
    case ARCHIVE_EOF:
        return 1;
    default:
        return err_set(e, 0, "%s: %s", path, libarchive.error_string(r->from));
    }
}

/* False: the one who sees has enough. */
static bool give(struct reading *r, bool last)
{
    struct slice rest = slice_of(r->room, r->len);
    bool more = true;

    while (more && rest.len > 0) {
        const uint8_t *newline = memchr(rest.at, '\n', rest.len);
        size_t len = newline ? (size_t)(newline - rest.at) : rest.len;

        if (!newline && !last && rest.len < r->line_max)
            break;
        len = len < r->line_max ? len : r->line_max;
        more = r->seen(r->ctx, slice_first(rest, len));
        rest = slice_skip(rest, len + (newline == rest.at + len));
    }
    memmove(r->room, rest.at, rest.len);
    r->len = rest.len;
    return more;
}

/* False: the one who sees has enough. */
static bool take(struct reading *r, struct slice bytes)
{
    while (bytes.len > 0) {
        size_t n = r->cap - r->len < bytes.len ? r->cap - r->len : bytes.len;

        memcpy(r->room + r->len, bytes.at, n);
        r->len += n;
        bytes = slice_skip(bytes, n);
        if (!give(r, false))
            return false;
    }
    return true;
}

/* Block by block: archive_read_data forgets what it has when the next block is damaged. */
static int read_all(struct reading *r, const char *path, struct err *e)
{
    for (;;) {
        const void *at;
        size_t len = 0;
        la_int64_t offset;
        int got = libarchive.read_data_block(r->from, &at, &len, &offset);

        if (got == ARCHIVE_EOF || got < ARCHIVE_WARN) {
            if (got != ARCHIVE_EOF)
                (void)err_set(e, 0, "%s: behind byte %llu: %s", path, (unsigned long long)r->bytes,
                              libarchive.error_string(r->from));
            return give(r, true) && got != ARCHIVE_EOF ? -1 : 0;
        }
        if (r->bytes == 0 && len > 0 && memchr(at, '\0', len < TEXT_LOOK ? len : TEXT_LOOK))
            return err_set(e, 0, "%s: this is no text", path);
        r->bytes += len;
        if (!take(r, slice_of(at, len)))
            return 0;
        if (r->bytes > r->most)
            return err_set(e, 0, "%s: it unpacks to more than %llu bytes", path, (unsigned long long)r->most);
    }
}

int rotation_lines(const char *path, size_t line_max, uint64_t most, bool (*seen)(void *ctx, struct slice line),
                   void *ctx, struct err *e)
{
    struct reading r = { .line_max = line_max, .most = most, .seen = seen, .ctx = ctx, .cap = line_max + READ_BYTES };
    int result;

    r.room = malloc(r.cap);
    if (!r.room)
        return err_set(e, ENOMEM, "%s", path);
    result = open_file(&r, path, e);
    if (result == 0)
        result = read_all(&r, path, e);
    if (r.from)
        (void)libarchive.read_free(r.from);
    free(r.room);
    return result < 0 ? -1 : 0;
}
