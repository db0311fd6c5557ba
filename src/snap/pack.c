/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture to bytes: JSON lines, the manifest, tar, zstd. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "snap/file.h"
#include "snap/line.h"

enum { TAR_BLOCK = 512, BYTES_MOST = 1 << 30, ZSTD_LEVEL = 3 };

struct part_bytes {
    size_t from, len;
    char sha256[2 * crypto_hash_sha256_BYTES + 1];
};

static void put(struct snap_bytes *b, const void *at, size_t len)
{
    if (len == 0)
        return;
    if (len > b->cap - b->len) {
        size_t cap = 2 * (b->len + len) + 4096;
        uint8_t *more = cap <= BYTES_MOST ? realloc(b->at, cap) : NULL;

        if (!more) {
            b->full = true;
            return;
        }
        b->at = more;
        b->cap = cap;
    }
    memcpy(b->at + b->len, at, len);
    b->len += len;
}

static void put_text(struct snap_bytes *b, const struct text *t)
{
    put(b, t->at, t->len);
}

void snap_bytes_done(struct snap_bytes *b)
{
    free(b->at);
    memset(b, 0, sizeof(*b));
}

static void hash_hex(const void *at, size_t len, char *hex)
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    /* OpenSSL's uses what the CPU has for it, which libsodium's does not. */
    (void)EVP_Digest(at ? at : "", len, hash, NULL, EVP_sha256(), NULL);
    (void)sodium_bin2hex(hex, 2 * sizeof(hash) + 1, hash, sizeof(hash));
}

/* Every part's lines, one part behind the other. */
static void put_parts(const struct snap *s, char *line, struct snap_bytes *b, struct part_bytes *parts)
{
    for (size_t p = 0; p < SNAP_PARTS; p++) {
        const uint8_t *record = s->part[p].at;

        parts[p].from = b->len;
        for (size_t i = 0; i < s->part[p].count && !b->full; i++, record += snap_kinds[p].size) {
            struct text t = text_in(line, LINE_MOST);

            snap_line_write(&t, (enum snap_part)p, record);
            if (t.cut) { /* can't be: LINE_MOST holds all that is kept; an honest line even so */
                t = text_in(line, LINE_MOST);
                text_word(&t, "{}");
            }
            text_word(&t, "\n");
            put_text(b, &t);
        }
        parts[p].len = b->len - parts[p].from;
        hash_hex(b->at ? b->at + parts[p].from : NULL, parts[p].len, parts[p].sha256);
    }
}

/* One line a part: whoever reads it needs no more than lines. */
static void put_manifest(const struct snap *s, char *const *command, const struct part_bytes *parts, char *line,
                         struct snap_bytes *b)
{
    const struct snap_host *h = snap_host(s);
    struct text t = text_in(line, LINE_MOST);

    text_word(&t, "{\"format\":\"serviola xray 1\",\"host\":\"");
    text_json(&t, h->name);
    text_word(&t, "\",\"begun\":\"");
    text_time(&t, h->begun_us, 6);
    text_word(&t, "\",\"ended\":\"");
    text_time(&t, h->ended_us, 6);
    text_addf(&t,
              "\",\"read_by\":\"%s\",\"meanwhile\":{\"sockets_appeared\":%" PRIu64 ",\"sockets_vanished\":%" PRIu64
              ",\"processes_appeared\":%" PRIu64 ",\"processes_vanished\":%" PRIu64 "}",
              slice_eq(h->back_end, SLICE("bpf")) ? "bpf" : "proc", h->sockets_appeared, h->sockets_vanished,
              h->processes_appeared, h->processes_vanished);
    text_word(&t, ",\"command\":[");
    for (size_t i = 0; command && command[i]; i++) {
        text_word(&t, i ? ",\"" : "\"");
        text_json(&t, slice_text(command[i]));
        text_word(&t, "\"");
    }
    text_addf(&t, "],\"texts_lost\":%" PRIu64 ",\"parts\":[\n", s->texts_lost);
    for (size_t p = 0; p < SNAP_PARTS; p++)
        text_addf(&t,
                  "{\"part\":\"%s\",\"member\":\"%s.jsonl\",\"records\":%zu,\"lost\":%" PRIu64
                  ",\"bytes\":%zu,\"sha256\":\"%s\"}%s\n",
                  snap_kinds[p].name, snap_kinds[p].name, s->part[p].count, s->part[p].lost, parts[p].len,
                  parts[p].sha256, p + 1 < SNAP_PARTS ? "," : "");
    text_word(&t, "]}\n");
    if (t.cut)
        b->full = true;
    put_text(b, &t);
}

/* A ustar header (POSIX.1-2017, pax): a plain file of root's, mode 0600. */
static void put_member(struct snap_bytes *tar, const char *name, int64_t at_us, const uint8_t *bytes, size_t len)
{
    static const uint8_t zeros[TAR_BLOCK];
    char head[TAR_BLOCK] = { 0 };
    unsigned sum = 0;
    struct text t = text_in(head, 100);

    text_word(&t, name);
    t = text_in(head + 100, 25);
    text_addf(&t, "%07o", 0600U);
    t = text_in(head + 108, 9);
    text_addf(&t, "%07o", 0U);
    t = text_in(head + 116, 9);
    text_addf(&t, "%07o", 0U);
    t = text_in(head + 124, 13);
    text_addf(&t, "%011zo", len);
    t = text_in(head + 136, 13);
    text_addf(&t, "%011" PRIo64, (uint64_t)(at_us > 0 ? at_us / 1000000 : 0));
    memset(head + 148, ' ', 8);
    head[156] = '0';
    memcpy(head + 257, "ustar\00000", 8); /* NOLINT(bugprone-not-null-terminated-result): a field of 6 and one of 2 */
    for (size_t i = 0; i < sizeof(head); i++)
        sum += (uint8_t)head[i];
    t = text_in(head + 148, 8);
    text_addf(&t, "%06o", sum);
    head[155] = ' ';
    put(tar, head, sizeof(head));
    if (len > 0)
        put(tar, bytes, len);
    put(tar, zeros, (TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK);
}

static void put_seal(const struct snap_bytes *manifest, const struct snap_signer *signer, int64_t at_us,
                     struct snap_bytes *tar)
{
    char line[1024];
    struct text t = TEXT_IN(line);

    snap_seal_write(&t, slice_of(manifest->at, manifest->len), signer ? signer->keys : NULL,
                    signer && signer->why ? signer->why : "nobody gave a key");
    put_member(tar, "seal.json", at_us, (const uint8_t *)line, t.len);
}

int snap_pack_tar(const struct snap *s, char *const *command, const struct snap_signer *signer, struct snap_bytes *tar,
                  struct err *e)
{
    static const uint8_t end[2 * TAR_BLOCK];
    struct snap_bytes lines = { 0 };
    struct snap_bytes manifest = { 0 };
    struct part_bytes parts[SNAP_PARTS];
    int64_t at_us = snap_host(s)->begun_us;
    char *line = malloc(LINE_MOST);

    memset(tar, 0, sizeof(*tar));
    if (!line || sodium_init() < 0)
        goto full;
    put_parts(s, line, &lines, parts);
    put_manifest(s, command, parts, line, &manifest);
    if (lines.full || manifest.full)
        goto full;
    put_member(tar, "manifest.json", at_us, manifest.at, manifest.len);
    for (size_t p = 0; p < SNAP_PARTS; p++) {
        char name[64];
        struct text t = TEXT_IN(name);

        text_addf(&t, "%s.jsonl", snap_kinds[p].name);
        put_member(tar, name, at_us, lines.at ? lines.at + parts[p].from : NULL, parts[p].len);
    }
    put_seal(&manifest, signer, at_us, tar);
    put(tar, end, sizeof(end));
full:
    if (!line || lines.full || manifest.full)
        tar->full = true;
    free(line);
    snap_bytes_done(&lines);
    snap_bytes_done(&manifest);
    if (!tar->full)
        return 0;
    snap_bytes_done(tar);
    return err_set(e, ENOMEM, "to write the picture down");
}

int snap_pack(const struct snap *s, char *const *command, struct snap_bytes *file, struct err *e)
{
    return snap_pack_signed(s, command, NULL, file, e);
}

int snap_pack_signed(const struct snap *s, char *const *command, const struct snap_signer *signer,
                     struct snap_bytes *file, struct err *e)
{
    struct snap_bytes tar;
    size_t bound;
    size_t n;

    memset(file, 0, sizeof(*file));
    if (snap_pack_tar(s, command, signer, &tar, e) < 0)
        return -1;
    bound = ZSTD_compressBound(tar.len);
    file->at = malloc(bound);
    if (!file->at) {
        snap_bytes_done(&tar);
        return err_set(e, ENOMEM, "to compress the picture");
    }
    file->cap = bound;
    n = ZSTD_compress(file->at, bound, tar.at, tar.len, ZSTD_LEVEL);
    snap_bytes_done(&tar);
    if (ZSTD_isError(n)) {
        snap_bytes_done(file);
        return err_set(e, 0, "zstd: %s", ZSTD_getErrorName(n));
    }
    file->len = n;
    return 0;
}
