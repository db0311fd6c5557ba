/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/log/libarchive.h"

struct item {
    char *name;      /* owned: files/ and the path without what leads to the root */
    char *path;      /* owned: as it is opened */
    const char *why; /* it is left out; NULL: it is packed */
};

struct page { /* text that becomes a member */
    FILE *to;
    char *at;
    size_t len;
};

struct packing {
    const struct pack_order *o;
    struct pack_result *r;
    struct item *items; /* owned */
    size_t count, room;
    struct archive *a;
    struct stat own; /* the file that is written: never packed into itself */
    struct page manifest, sums, left_out;
    char cwd[PATH_MAX];
};

static int page_open(struct page *p, struct err *e)
{
    p->to = open_memstream(&p->at, &p->len);
    return p->to ? 0 : err_set(e, errno, "memory");
}

static void page_done(struct page *p)
{
    if (p->to)
        (void)fclose(p->to);
    free(p->at);
}

static int no_memory(struct err *e)
{
    return err_set(e, ENOMEM, "the list of files");
}

/* files/ and the path without what says nothing: slashes in a row or in front, and . */
static bool name_of(const char *path, char name[EVIDENCE_NAME])
{
    struct text t = text_in(name, EVIDENCE_NAME);
    struct slice rest = slice_text(path);

    text_word(&t, EVIDENCE_FOLDER);
    for (bool first = true; rest.len > 0;) {
        struct slice part = slice_until(rest, '/', &rest);

        if (part.len == 0 || slice_eq(part, SLICE(".")))
            continue;
        if (!first)
            text_word(&t, "/");
        text_add(&t, part);
        first = false;
    }
    return !t.cut;
}

static int add_item(struct packing *p, const char *path, const char *why, struct err *e)
{
    char name[EVIDENCE_NAME];
    struct item *i;

    if (p->count == p->room) {
        size_t room = p->room > 0 ? 2 * p->room : 256;
        struct item *more = reallocarray(p->items, room, sizeof(*more));

        if (!more)
            return no_memory(e);
        p->items = more;
        p->room = room;
    }
    if (p->count == EVIDENCE_FILES)
        return err_set(e, 0, "more than %d files; pack them in parts", EVIDENCE_FILES);
    if (!name_of(path, name))
        return err_set(e, ENAMETOOLONG, "%.200s...", path);
    i = &p->items[p->count++];
    *i = (struct item){ .name = strdup(name), .path = strdup(path), .why = why };
    return i->path && i->name ? 0 : no_memory(e);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* Words that are the same in every language: they become part of the manifest. */
static const char *error_name(int code)
{
    const char *name = strerrorname_np(code);

    return name ? name : "error";
}

static int walk(struct packing *p, struct err *e)
{
    FTS *tree = fts_open(p->o->paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *at;
    int status = 0;

    if (!tree)
        return err_set(e, errno, "the folders");
    while (status == 0 && (errno = 0, at = fts_read(tree))) {
        switch (at->fts_info) {
        case FTS_F:
            if (at->fts_statp->st_dev != p->own.st_dev || at->fts_statp->st_ino != p->own.st_ino)
                status = add_item(p, at->fts_path, NULL, e);
            break;
        case FTS_D:
        case FTS_DP:
            break;
        case FTS_SL:
        case FTS_SLNONE:
            status = add_item(p, at->fts_path, "symbolic link", e);
            break;
        case FTS_DC:
            status = add_item(p, at->fts_path, "folder inside itself", e);
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            if (at->fts_level == FTS_ROOTLEVEL)
                status = err_set(e, at->fts_errno, "%s", at->fts_path);
            else
                status = add_item(p, at->fts_path, error_name(at->fts_errno), e);
            break;
        default:
            status = add_item(p, at->fts_path, "no plain file", e);
        }
    }
    if (status == 0 && errno != 0)
        status = err_set(e, errno, "the folders");
    (void)fts_close(tree);
    return status;
}

/* Sorted, and what was named twice is there once. */
static void settle(struct packing *p)
{
    size_t kept = 0;

    if (p->count > 0)
        qsort(p->items, p->count, sizeof(*p->items), by_name);
    for (size_t i = 0; i < p->count; i++) {
        if (kept > 0 && strcmp(p->items[kept - 1].name, p->items[i].name) == 0) {
            free(p->items[i].name);
            free(p->items[i].path);
        } else
            p->items[kept++] = p->items[i];
    }
    p->count = kept;
}

static int archive_failed(struct archive *a, struct err *e)
{
    int code = libarchive.error_number(a);

    return err_set(e, code > 0 ? code : EIO, "write");
}

static int put_header(struct packing *p, const char *name, uint64_t size, int64_t mtime_s, struct err *e)
{
    struct archive_entry *entry = libarchive.entry_new();
    int status;

    if (!entry)
        return err_set(e, ENOMEM, "a header");
    libarchive.entry_set_pathname(entry, name);
    libarchive.entry_set_filetype(entry, AE_IFREG);
    libarchive.entry_set_perm(entry, 0600);
    libarchive.entry_set_size(entry, (int64_t)size);
    libarchive.entry_set_mtime(entry, mtime_s > 0 ? mtime_s : 0, 0);
    status = libarchive.write_header(p->a, entry) == ARCHIVE_OK ? 0 : archive_failed(p->a, e);
    libarchive.entry_free(entry);
    return status;
}

static int put_bytes(struct packing *p, const void *bytes, size_t n, struct err *e)
{
    return n == 0 || libarchive.write_data(p->a, bytes, n) == (la_ssize_t)n ? 0 : archive_failed(p->a, e);
}

static int put_page(struct packing *p, const char *name, struct page *page, struct err *e)
{
    if (fflush(page->to) != 0)
        return err_set(e, errno, "%s", name);
    if (put_header(p, name, page->len, 0, e) < 0)
        return -1;
    return put_bytes(p, page->at, page->len, e);
}

/* Exactly `size` bytes, as the header says; *cut when the file held less and zeros stand for the rest. */
static int put_content(struct packing *p, int fd, uint64_t size, uint8_t sha256[EVIDENCE_HASH], bool *cut,
                       struct err *e)
{
    static uint8_t buffer[256 << 10];
    crypto_hash_sha256_state h;

    (void)crypto_hash_sha256_init(&h);
    for (uint64_t done = 0; done < size;) {
        size_t want = size - done < sizeof(buffer) ? (size_t)(size - done) : sizeof(buffer);
        ssize_t n = *cut ? 0 : read(fd, buffer, want);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            *cut = true;
            memset(buffer, 0, want);
            n = (ssize_t)want;
        }
        (void)crypto_hash_sha256_update(&h, buffer, (size_t)n);
        if (put_bytes(p, buffer, (size_t)n, e) < 0)
            return -1;
        done += (uint64_t)n;
    }
    (void)crypto_hash_sha256_final(&h, sha256);
    return 0;
}

static void left_out(struct packing *p, const struct item *i, const char *why)
{
    (void)fflush(p->left_out.to);
    manifest_left_out(p->left_out.to, i->name, why, p->left_out.len == 0);
    p->r->noted++;
    p->o->note(p->o->own, i->name, why);
}

static void add_lines(struct packing *p, const struct item *i, const struct stat *st, const uint8_t *sha256,
                      const char *changed)
{
    char origin[2 * PATH_MAX];
    struct text t = TEXT_IN(origin);

    text_addf(&t, "%s/%s", i->path[0] == '/' ? "" : p->cwd, i->name + sizeof(EVIDENCE_FOLDER) - 1);
    if (p->r->files > 0)
        (void)fputs(",\n", p->manifest.to);
    manifest_name(p->manifest.to, i->name, (uint64_t)st->st_size, sha256);
    manifest_about(p->manifest.to, st, origin, changed);
    manifest_sum(p->sums.to, i->name, sha256);
    p->r->files++;
    p->r->bytes += (uint64_t)st->st_size;
    if (changed) {
        p->r->noted++;
        p->o->note(p->o->own, i->name, changed);
    }
}

static int put_file(struct packing *p, const struct item *i, struct err *e)
{
    enum { FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
    uint8_t sha256[EVIDENCE_HASH];
    struct stat st, after;
    bool cut = false;
    int status = 0;
    int fd = open(i->path, FLAGS | O_NOATIME);

    if (fd < 0 && errno == EPERM) /* not our file: reading it leaves a trace in its atime */
        fd = open(i->path, FLAGS);
    if (fd < 0 || fstat(fd, &st) < 0) {
        left_out(p, i, error_name(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        left_out(p, i, "no plain file");
        goto out;
    }
    status = put_header(p, i->name, (uint64_t)st.st_size, st.st_mtim.tv_sec, e);
    if (status == 0)
        status = put_content(p, fd, (uint64_t)st.st_size, sha256, &cut, e);
    if (status < 0)
        goto out;
    if (cut)
        add_lines(p, i, &st, sha256, "it became shorter, or could not be read to its end; zeros stand for the rest");
    else if (fstat(fd, &after) < 0 || after.st_size != st.st_size || after.st_mtim.tv_sec != st.st_mtim.tv_sec ||
             after.st_mtim.tv_nsec != st.st_mtim.tv_nsec)
        add_lines(p, i, &st, sha256, "it was written to while it was read");
    else
        add_lines(p, i, &st, sha256, NULL);
out:
    if (fd >= 0)
        (void)close(fd);
    return status;
}

static int put_seal(struct packing *p, struct err *e)
{
    struct page seal = { 0 };
    int status = -1;

    (void)fflush(p->left_out.to);
    (void)fprintf(p->manifest.to, "%s],\"left_out\":[\n%s%s]}\n", p->r->files > 0 ? "\n" : "", p->left_out.at,
                  p->left_out.len > 0 ? "\n" : "");
    if (put_page(p, EVIDENCE_SUMS, &p->sums, e) < 0 || put_page(p, EVIDENCE_MANIFEST, &p->manifest, e) < 0 ||
        page_open(&seal, e) < 0)
        goto out;
    (void)crypto_hash_sha256(p->r->root, (const uint8_t *)p->manifest.at, p->manifest.len);
    manifest_seal(seal.to, p->o->key, p->r->root);
    status = put_page(p, EVIDENCE_SEAL, &seal, e);
out:
    page_done(&seal);
    return status;
}

static int put_all(struct packing *p, int fd, struct err *e)
{
    if (libarchive_load(e) < 0)
        return -1;
    p->a = libarchive.write_new();
    if (!p->a)
        return err_set(e, ENOMEM, "the archive");
    /* GNU's tar takes names as bytes, of any length and whatever the locale. */
    if (libarchive.write_set_format_gnutar(p->a) != ARCHIVE_OK ||
        libarchive.write_add_filter_zstd(p->a) != ARCHIVE_OK ||
        libarchive.write_set_bytes_per_block(p->a, 256 << 10) != ARCHIVE_OK ||
        libarchive.write_set_bytes_in_last_block(p->a, 1) != ARCHIVE_OK ||
        libarchive.write_open_fd(p->a, fd) != ARCHIVE_OK)
        return archive_failed(p->a, e);
    manifest_head(p->manifest.to, p->o->key->open, p->o->host);
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i].why)
            left_out(p, &p->items[i], p->items[i].why);
        else if (put_file(p, &p->items[i], e) < 0)
            return -1;
    }
    if (put_seal(p, e) < 0)
        return -1;
    if (libarchive.write_close(p->a) != ARCHIVE_OK)
        return archive_failed(p->a, e);
    return fsync(fd) < 0 ? err_set(e, errno, "fsync") : 0;
}

static void packing_done(struct packing *p)
{
    if (p->a)
        (void)libarchive.write_free(p->a);
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].name);
        free(p->items[i].path);
    }
    free(p->items);
    page_done(&p->manifest);
    page_done(&p->sums);
    page_done(&p->left_out);
}

static int check_paths(const struct pack_order *o, struct err *e)
{
    for (int i = 0; i < o->count; i++) {
        struct slice rest = slice_text(o->paths[i]);

        while (rest.len > 0)
            if (slice_eq(slice_until(rest, '/', &rest), SLICE("..")))
                return err_set(e, 0, "%s: give the path without ..", o->paths[i]);
    }
    return 0;
}

/* Its name lasts once its folder is synced too. */
static int appear(const char *part, const char *name, struct err *e)
{
    char folder[PATH_MAX];
    int fd;
    int status;

    if (renameat2(AT_FDCWD, part, AT_FDCWD, name, RENAME_NOREPLACE) < 0)
        return err_set(e, errno, "%s", name);
    (void)text_cstr(folder, sizeof(folder), slice_text(name));
    fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    status = fd < 0 || fsync(fd) < 0 ? err_set(e, errno, "the folder of %s", name) : 0;
    if (fd >= 0)
        (void)close(fd);
    return status;
}

int pack_files(const struct pack_order *o, struct pack_result *r, struct err *e)
{
    struct packing p = { .o = o, .r = r };
    char part[PATH_MAX];
    struct text t = TEXT_IN(part);
    int status = -1;
    int fd;

    *r = (struct pack_result){ 0 };
    text_addf(&t, "%s.part", o->into);
    if (t.cut)
        return err_set(e, ENAMETOOLONG, "the evidence file");
    if (check_paths(o, e) < 0)
        return -1;
    if (faccessat(AT_FDCWD, o->into, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, EEXIST, "%s", o->into);
    if (!getcwd(p.cwd, sizeof(p.cwd)))
        return err_set(e, errno, "the working folder");
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, errno, "%s", part);
    if (fstat(fd, &p.own) < 0 || page_open(&p.manifest, e) < 0 || page_open(&p.sums, e) < 0 ||
        page_open(&p.left_out, e) < 0 || walk(&p, e) < 0)
        goto out;
    settle(&p);
    status = put_all(&p, fd, e);
    if (status < 0)
        (void)err_wrap(e, "%s", o->into);
    else
        status = appear(part, o->into, e);
out:
    if (status < 0)
        (void)unlink(part);
    packing_done(&p);
    (void)close(fd);
    return status;
}
