/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A .xray file to a picture.  It may come from anybody: lengths are checked, hashes compared, sizes bounded. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "snap/file.h"
#include "snap/line.h"
#include "sys/whole.h"

enum { TAR_BLOCK = 512, FILE_MOST = 256 << 20, TAR_MOST = 1 << 30 };

struct member {
    struct slice name, bytes;
};

static bool octal(struct slice s, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < s.len && s.at[i] != '\0' && s.at[i] != ' '; i++) {
        if (s.at[i] < '0' || s.at[i] > '7')
            return false;
        *value = *value << 3 | (uint64_t)(s.at[i] - '0');
    }
    return true;
}

/* The next member; 0 at the end of the archive, -1 when it is none. */
static int next_member(struct slice *tar, struct member *m, struct err *e)
{
    struct slice head = slice_first(*tar, TAR_BLOCK);
    struct slice after;
    uint64_t len;
    uint64_t wanted;
    uint64_t sum = 0;

    if (head.len < TAR_BLOCK)
        return err_set(e, 0, "the archive is cut");
    if (head.at[0] == '\0')
        return 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : head.at[i];
    if (!octal(slice_of(head.at + 124, 12), &len) || !octal(slice_of(head.at + 148, 8), &wanted) || wanted != sum)
        return err_set(e, 0, "a member's header is damaged");
    *tar = slice_skip(*tar, TAR_BLOCK);
    if (len > tar->len)
        return err_set(e, 0, "the archive is cut");
    m->name = slice_until(slice_of(head.at, 100), '\0', &after);
    m->bytes = slice_first(*tar, len);
    *tar = slice_skip(*tar, (len + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK);
    return 1;
}

/* What the manifest says of each part. */
struct manifest {
    struct {
        bool there;
        uint64_t lost;
        char sha256[2 * crypto_hash_sha256_BYTES + 1];
    } part[SNAP_PARTS];
};

struct manifest_line {
    struct slice part, sha256;
    uint64_t lost;
};

static void on_manifest(void *own, struct slice name, struct slice value)
{
    struct manifest_line *l = own;
    struct slice inner = value.len >= 2 ? slice_of(value.at + 1, value.len - 2) : SLICE("");

    if (slice_eq(name, SLICE("part")))
        l->part = inner;
    else if (slice_eq(name, SLICE("sha256")))
        l->sha256 = inner;
    else if (slice_eq(name, SLICE("lost")))
        (void)slice_to_u64(value, &l->lost);
}

static int read_manifest(struct slice text, struct manifest *m, struct err *e)
{
    struct slice line = slice_until(text, '\n', &text);

    if (line.len < 27 || memcmp(line.at, "{\"format\":\"serviola xray 1\"", 27) != 0)
        return err_set(e, 0, "manifest.json is of another format");
    while (text.len > 0) {
        struct manifest_line l = { .lost = 0 };

        line = slice_until(text, '\n', &text);
        if (line.len == 0 || line.at[0] != '{')
            continue;
        if (line.at[line.len - 1] == ',')
            line.len--;
        if (snap_members(line, on_manifest, &l, e) < 0)
            return err_wrap(e, "manifest.json");
        for (size_t p = 0; p < SNAP_PARTS; p++) {
            if (!slice_eq(l.part, slice_text(snap_kinds[p].name)))
                continue;
            if (!text_cstr(m->part[p].sha256, sizeof(m->part[p].sha256), l.sha256))
                return err_set(e, 0, "manifest.json: a hash is too long");
            m->part[p].there = true;
            m->part[p].lost = l.lost;
        }
    }
    return 0;
}

static int read_lines(struct snap *s, enum snap_part part, struct slice bytes, struct err *e)
{
    size_t number = 0;

    while (bytes.len > 0) {
        struct slice line = slice_until(bytes, '\n', &bytes);

        number++;
        if (line.len > LINE_MOST)
            return err_set(e, 0, "line %zu is too long", number);
        if (snap_line_read(s, part, line, e) < 0)
            return err_wrap(e, "line %zu", number);
    }
    return 0;
}

static bool hash_is(struct slice bytes, const char *wanted)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * crypto_hash_sha256_BYTES + 1];

    (void)crypto_hash_sha256(hash, bytes.at, bytes.len);
    (void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    return strcmp(hex, wanted) == 0;
}

static int read_member(struct snap *s, struct manifest *m, const struct member *member, struct err *e)
{
    for (size_t p = 0; p < SNAP_PARTS; p++) {
        char name[64];
        struct text t = TEXT_IN(name);

        text_addf(&t, "%s.jsonl", snap_kinds[p].name);
        if (!slice_eq(member->name, slice_text(name)))
            continue;
        if (!m->part[p].there)
            return err_set(e, 0, "%s: the manifest does not know it, or names it twice", name);
        m->part[p].there = false;
        if (!hash_is(member->bytes, m->part[p].sha256))
            return err_set(e, 0, "%s: its SHA-256 is not the manifest's: it was changed or damaged", name);
        if (read_lines(s, (enum snap_part)p, member->bytes, e) < 0)
            return err_wrap(e, "%s", name);
        s->part[p].lost = m->part[p].lost;
    }
    return 0;
}

int snap_tar_read(struct slice tar, struct snap *s, struct err *e)
{
    struct manifest m = { 0 };
    struct member member;
    struct slice manifest;
    int got = next_member(&tar, &member, e);

    if (got < 0)
        return -1;
    if (got == 0 || !slice_eq(member.name, SLICE("manifest.json")))
        return err_set(e, 0, "this is no x-ray: manifest.json does not come first");
    if (sodium_init() < 0 || read_manifest(member.bytes, &m, e) < 0)
        return -1;
    manifest = member.bytes;
    while ((got = next_member(&tar, &member, e)) > 0)
        if (slice_eq(member.name, SLICE("seal.json")) ? snap_seal_read(member.bytes, manifest, &s->seal, e) < 0
                                                      : read_member(s, &m, &member, e) < 0)
            return -1;
    for (size_t p = 0; p < SNAP_PARTS && got == 0; p++)
        if (m.part[p].there)
            return err_set(e, 0, "%s.jsonl is missing", snap_kinds[p].name);
    return got;
}

static int read_all(int fd, struct snap_bytes *b, struct err *e)
{
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "fstat");
    if (!S_ISREG(st.st_mode))
        return err_set(e, 0, "this is no plain file");
    if (st.st_size > FILE_MOST)
        return err_set(e, EFBIG, "more than %d MiB", FILE_MOST >> 20);
    b->cap = (size_t)st.st_size + 1;
    b->at = malloc(b->cap);
    if (!b->at)
        return err_set(e, ENOMEM, "to read it");
    n = whole_pread(fd, b->at, b->cap, 0); /* others may hold the same file */
    if (n < 0)
        return err_set(e, errno, "read");
    b->len = (size_t)n;
    return 0;
}

/* Room for as much again, up to the bound. */
static int grow(struct snap_bytes *b, struct err *e)
{
    size_t cap = b->cap ? 2 * b->cap : 1 << 20;
    uint8_t *more;

    if (cap > TAR_MOST)
        return err_set(e, EFBIG, "unpacked it is more than %d MiB", TAR_MOST >> 20);
    more = realloc(b->at, cap);
    if (!more)
        return err_set(e, ENOMEM, "to unpack it");
    b->at = more;
    b->cap = cap;
    return 0;
}

static int inflate(const struct snap_bytes *file, struct snap_bytes *tar, struct err *e)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = { file->at, file->len, 0 };
    size_t left = 1; /* 0: a frame is whole */
    int status = z ? 0 : err_set(e, ENOMEM, "to unpack it");

    while (status == 0 && (in.pos < in.size || tar->len == tar->cap)) {
        ZSTD_outBuffer out;

        if (tar->len == tar->cap && (status = grow(tar, e)) < 0)
            break;
        out = (ZSTD_outBuffer){ tar->at, tar->cap, tar->len };
        left = ZSTD_decompressStream(z, &out, &in);
        tar->len = out.pos;
        if (ZSTD_isError(left))
            status = err_set(e, 0, "this is no x-ray, or a damaged one: zstd: %s", ZSTD_getErrorName(left));
    }
    if (status == 0 && left != 0)
        status = err_set(e, 0, "the file is cut");
    (void)ZSTD_freeDStream(z);
    return status;
}

struct snap *snap_read_from(int fd, struct err *e)
{
    struct snap_bytes file = { 0 };
    struct snap_bytes tar = { 0 };
    struct snap *s = NULL;

    if (read_all(fd, &file, e) < 0 || inflate(&file, &tar, e) < 0)
        goto out;
    s = snap_new(e);
    if (s && snap_tar_read(slice_of(tar.at, tar.len), s, e) < 0) {
        snap_free(s);
        s = NULL;
    }
out:
    snap_bytes_done(&file);
    snap_bytes_done(&tar);
    return s;
}

struct snap *snap_read(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct snap *s;

    if (fd < 0) {
        err_set(e, errno, "open");
        return NULL;
    }
    s = snap_read_from(fd, e);
    close(fd);
    return s;
}
