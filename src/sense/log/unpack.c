/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/log/libarchive.h"
#include "sys/whole.h"

struct page {
    FILE *to;
    char *at;
    size_t len;
};

struct unpacking {
    struct unpack_result *r;
    struct archive *a;
    uint64_t most;
    int into;
    uint64_t number;          /* of the member, from 1 on */
    char last[EVIDENCE_NAME]; /* the name before: names rise */
    struct page lines, sums;  /* what manifest.json and SHA256SUMS must say */
    char *manifest;           /* owned */
    size_t manifest_len;
    bool had_sums, had_seal;
};

/* Where bytes go: to a descriptor, to memory, or only into the digest. */
struct sink {
    int fd; /* or -1 */
    char *at;
    uint8_t sha256[EVIDENCE_HASH];
};

static int take_bytes(struct unpacking *u, uint64_t size, struct sink *to, struct err *e)
{
    static char buffer[256 << 10];
    crypto_hash_sha256_state h;
    uint64_t done = 0;
    la_ssize_t n;

    (void)crypto_hash_sha256_init(&h);
    while ((n = libarchive.read_data(u->a, buffer, sizeof(buffer))) > 0) {
        if ((uint64_t)n > size - done)
            return err_set(e, 0, "it is longer than its header says");
        (void)crypto_hash_sha256_update(&h, (const uint8_t *)buffer, (size_t)n);
        if (to->at)
            memcpy(to->at + done, buffer, (size_t)n);
        if (to->fd >= 0 && whole_write(to->fd, buffer, (size_t)n) < 0)
            return err_set(e, errno, "write");
        done += (uint64_t)n;
    }
    if (n < 0 || done != size)
        return err_set(e, 0, "it is cut or damaged");
    (void)crypto_hash_sha256_final(&h, to->sha256);
    return 0;
}

/* Relative, below files/, no empty part, no . and no .. in it. */
static bool is_safe_name(const char *name)
{
    struct slice rest = slice_text(name);

    if (strncmp(name, EVIDENCE_FOLDER, sizeof(EVIDENCE_FOLDER) - 1) != 0 || rest.len >= EVIDENCE_NAME ||
        name[rest.len - 1] == '/')
        return false;
    while (rest.len > 0) {
        struct slice part = slice_until(rest, '/', &rest);

        if (part.len == 0 || slice_eq(part, SLICE(".")) || slice_eq(part, SLICE("..")))
            return false;
    }
    return true;
}

/* The folder of a safe name, each one on the way opened without following links and made if it is not there; *leaf is
 * what stands behind the last slash. */
static int open_folder(int into, const char *name, const char **leaf, struct err *e)
{
    int at = fcntl(into, F_DUPFD_CLOEXEC, 0);
    struct slice rest = slice_text(name);

    while (at >= 0) {
        struct slice after;
        struct slice part = slice_until(rest, '/', &after);
        char one[EVIDENCE_NAME];
        int next;

        if (part.len == rest.len) {
            *leaf = (const char *)rest.at;
            return at;
        }
        (void)text_cstr(one, sizeof(one), part);
        if (mkdirat(at, one, 0700) < 0 && errno != EEXIST)
            next = -1;
        else
            next = openat(at, one, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            (void)err_set(e, errno, "the folder %s", one);
        (void)close(at);
        if (next < 0)
            return -1;
        at = next;
        rest = after;
    }
    return err_set(e, errno, "the folder");
}

/* A file that is not whole does not stay. */
static int take_to_disk(struct unpacking *u, const char *name, uint64_t size, struct sink *to,
                        const struct timespec *when, struct err *e)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, *when };
    const char *leaf = name;
    int folder = open_folder(u->into, name, &leaf, e);
    int status = -1;

    if (folder < 0)
        return -1;
    to->fd = openat(folder, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to->fd < 0) {
        (void)err_set(e, errno, "can't make it");
        goto out;
    }
    status = take_bytes(u, size, to, e);
    if (status == 0 && (futimens(to->fd, times) < 0 || fsync(to->fd) < 0))
        status = err_set(e, errno, "write");
    if (status < 0)
        (void)unlinkat(folder, leaf, 0);
    (void)close(to->fd);
out:
    (void)close(folder);
    return status;
}

static int take_file(struct unpacking *u, const char *name, uint64_t size, const struct timespec *when, struct err *e)
{
    struct sink to = { .fd = -1 };
    int status;

    if (u->had_sums)
        return err_set(e, 0, "a file behind the sums");
    if (!is_safe_name(name))
        return err_set(e, 0, "the name is not a plain one below " EVIDENCE_FOLDER);
    if (strcmp(name, u->last) <= 0)
        return err_set(e, 0, "the names are out of order, or one is there twice");
    if (u->r->files == EVIDENCE_FILES || size > u->most - u->r->bytes)
        return err_set(e, 0, "too much: more than %d files or %llu bytes (--most allows more bytes)", EVIDENCE_FILES,
                       (unsigned long long)u->most);
    (void)text_cstr(u->last, sizeof(u->last), slice_text(name));
    status = u->into >= 0 ? take_to_disk(u, name, size, &to, when, e) : take_bytes(u, size, &to, e);
    if (status < 0)
        return -1;
    manifest_name(u->lines.to, name, size, to.sha256);
    (void)fputc('\n', u->lines.to);
    manifest_sum(u->sums.to, name, to.sha256);
    u->r->files++;
    u->r->bytes += size;
    return 0;
}

/* One of the last three, into memory with a terminator that is not counted; free it. */
static char *take_page(struct unpacking *u, uint64_t size, uint64_t most, struct err *e)
{
    struct sink to = { .fd = -1 };

    if (size > most) {
        (void)err_set(e, 0, "more than %llu bytes", (unsigned long long)most);
        return NULL;
    }
    to.at = calloc(1, (size_t)size + 1);
    if (!to.at)
        (void)err_set(e, ENOMEM, "memory");
    else if (take_bytes(u, size, &to, e) < 0) {
        free(to.at);
        return NULL;
    }
    return to.at;
}

static int take_sums(struct unpacking *u, uint64_t size, struct err *e)
{
    char *sums = take_page(u, size, EVIDENCE_MANIFEST_BYTES, e);
    bool same;

    if (!sums)
        return -1;
    (void)fflush(u->sums.to);
    (void)fflush(u->lines.to);
    same = size == u->sums.len && memcmp(sums, u->sums.at, u->sums.len) == 0;
    free(sums);
    u->had_sums = true;
    return same ? 0 : err_set(e, 0, "the sums are not those of the files in front of it");
}

static int take_seal(struct unpacking *u, uint64_t size, struct err *e)
{
    char *seal = take_page(u, size, EVIDENCE_SEAL_BYTES, e);
    int status = -1;

    if (seal)
        status = manifest_check(slice_of(u->manifest, u->manifest_len), slice_of(u->lines.at, u->lines.len),
                                slice_of(seal, (size_t)size), u->r->root, u->r->key, e);
    free(seal);
    u->had_seal = true;
    return status;
}

/* Nothing but plain files of a known size. */
static int check_kind(struct archive_entry *entry, struct err *e)
{
    if (libarchive.entry_hardlink(entry) || libarchive.entry_symlink(entry))
        return err_set(e, 0, "it is a link");
    if (libarchive.entry_filetype(entry) != AE_IFREG)
        return err_set(e, 0, "it is no plain file");
    if (libarchive.entry_sparse_count(entry) > 0)
        return err_set(e, 0, "it is a sparse file");
    if (!libarchive.entry_size_is_set(entry) || libarchive.entry_size(entry) < 0)
        return err_set(e, 0, "it has no size");
    return 0;
}

static int take_member(struct unpacking *u, struct archive_entry *entry, struct err *e)
{
    const char *name = libarchive.entry_pathname(entry);
    const struct timespec when = { .tv_sec = libarchive.entry_mtime(entry) };
    uint64_t size = (uint64_t)libarchive.entry_size(entry);
    char visible[256];
    struct text t = TEXT_IN(visible);
    int status;

    u->number++;
    text_visible(&t, slice_text(name ? name : "?"));
    if (!name)
        status = err_set(e, 0, "its name is no text");
    else if (u->had_seal)
        status = err_set(e, 0, "a member behind the seal");
    else if (check_kind(entry, e) < 0)
        status = -1;
    else if (strcmp(name, EVIDENCE_SUMS) == 0 && !u->had_sums)
        status = take_sums(u, size, e);
    else if (strcmp(name, EVIDENCE_MANIFEST) == 0 && u->had_sums && !u->manifest) {
        u->manifest = take_page(u, size, EVIDENCE_MANIFEST_BYTES, e);
        u->manifest_len = size;
        status = u->manifest ? 0 : -1;
    } else if (strcmp(name, EVIDENCE_SEAL) == 0 && u->manifest)
        status = take_seal(u, size, e);
    else
        status = take_file(u, name, size, &when, e);
    return status < 0 ? err_wrap(e, "member %llu, %s", (unsigned long long)u->number, visible) : 0;
}

static int take_all(struct unpacking *u, int fd, struct err *e)
{
    struct archive_entry *entry;
    int got;

    if (libarchive_load(e) < 0)
        return -1;
    u->a = libarchive.read_new();
    if (!u->a)
        return err_set(e, ENOMEM, "the archive");
    if (libarchive.read_support_filter_zstd(u->a) != ARCHIVE_OK ||
        libarchive.read_support_format_tar(u->a) != ARCHIVE_OK)
        return err_set(e, ENOTSUP, "libarchive without zstd or tar");
    if (libarchive.read_open_fd(u->a, fd, 256 << 10) != ARCHIVE_OK)
        return err_set(e, 0, "this is no evidence file: %s", libarchive.error_string(u->a));
    while ((got = libarchive.read_next_header(u->a, &entry)) == ARCHIVE_OK)
        if (take_member(u, entry, e) < 0)
            return -1;
    if (got != ARCHIVE_EOF)
        return err_set(e, 0, "behind member %llu it is cut or damaged", (unsigned long long)u->number);
    if (!u->had_seal)
        return err_set(e, 0, "it ends behind member %llu without a seal", (unsigned long long)u->number);
    return 0;
}

int unpack_file(const char *path, int into, uint64_t most, struct unpack_result *r, struct err *e)
{
    struct unpacking u = { .r = r, .most = most, .into = into };
    int status = -1;
    int fd;

    *r = (struct unpack_result){ 0 };
    if (sodium_init() < 0)
        return err_set(e, EIO, "libsodium can't start");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(e, errno, "%s", path);
    u.lines.to = open_memstream(&u.lines.at, &u.lines.len);
    u.sums.to = open_memstream(&u.sums.at, &u.sums.len);
    if (!u.lines.to || !u.sums.to)
        (void)err_set(e, ENOMEM, "%s", path);
    else if (take_all(&u, fd, e) < 0)
        (void)err_wrap(e, "%s", path);
    else
        status = 0;
    if (u.a)
        (void)libarchive.read_free(u.a);
    if (u.lines.to)
        (void)fclose(u.lines.to);
    if (u.sums.to)
        (void)fclose(u.sums.to);
    free(u.lines.at);
    free(u.sums.at);
    free(u.manifest);
    (void)close(fd);
    return status;
}
