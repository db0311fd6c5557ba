/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/cosign.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/crc32c.h"
#include "journal/seal.h"

enum { SIGNED_BYTES = offsetof(struct cosign, signature), ID_BYTES = 8, HEX = 2 * SEG_HASH };
static const char tag[16] = "serviola head 1";
static const char key_magic[8] = "SVwit01";

struct key_file {
    char magic[8];
    uint8_t seed[SEG_HASH];
    uint32_t crc, zero;
};
struct message {
    char tag[sizeof(tag)];
    uint8_t what[SIGNED_BYTES];
};

/* ---- keys ---- */

static int make_key(int dir, struct cosign_key *k, struct err *e)
{
    struct key_file f = { .zero = 0 };
    int result;

    randombytes_buf(k->seed, sizeof(k->seed));
    memcpy(f.magic, key_magic, sizeof(f.magic));
    memcpy(f.seed, k->seed, sizeof(f.seed));
    f.crc = crc32c(0, f.seed, sizeof(f.seed));
    result = folder_replace(dir, "witness", 0600, slice_of(&f, sizeof(f)), e);
    sodium_memzero(&f, sizeof(f));
    return result;
}

static int load_key(int dir, struct cosign_key *k, struct err *e)
{
    struct key_file f;
    uint8_t *at;
    size_t len;
    int result = -1;

    if (folder_read(dir, "witness", sizeof(f), &at, &len, e) < 0)
        return -1;
    if (len == sizeof(f))
        memcpy(&f, at, sizeof(f));
    if (len != sizeof(f) || memcmp(f.magic, key_magic, sizeof(f.magic)) != 0 ||
        f.crc != crc32c(0, f.seed, sizeof(f.seed)))
        err_set(e, 0, "the file witness is damaged");
    else {
        memcpy(k->seed, f.seed, sizeof(f.seed));
        result = 0;
    }
    sodium_memzero(&f, sizeof(f));
    sodium_memzero(at, len);
    free(at);
    return result;
}

int cosign_key_open(int dir, struct cosign_key *k, struct err *e)
{
    uint8_t known[SEG_HASH];
    struct err why = { 0 };

    if (seal_start(e) < 0)
        return -1;
    if (load_key(dir, k, &why) < 0 && (why.code != ENOENT || make_key(dir, k, &why) < 0))
        return err_set(e, why.code, "%s", why.text);
    seal_public(k->seed, k->public);
    if (cosign_public_read(dir, "witness.pub", known, NULL) == 0 && memcmp(known, k->public, SEG_HASH) == 0)
        return 0;
    return cosign_public_save(dir, "witness.pub", k->public, e);
}

int cosign_public_read(int dir, const char *name, uint8_t key[SEG_HASH], struct err *e)
{
    char hex[HEX + 1] = "";
    uint8_t *at;
    size_t got = 0;
    size_t len;

    if (folder_read(dir, name, HEX + 1, &at, &len, e) < 0)
        return -1;
    if (len >= HEX)
        memcpy(hex, at, HEX);
    free(at);
    if (len < HEX || sodium_hex2bin(key, SEG_HASH, hex, HEX, NULL, &got, NULL) != 0 || got != SEG_HASH)
        return err_set(e, 0, "%s holds no key", name);
    return 0;
}

int cosign_public_save(int dir, const char *name, const uint8_t key[SEG_HASH], struct err *e)
{
    char hex[HEX + 1];

    (void)sodium_bin2hex(hex, sizeof(hex), key, SEG_HASH);
    hex[HEX] = '\n';
    return folder_replace(dir, name, 0644, slice_of(hex, sizeof(hex)), e);
}

/* ---- statements ---- */

static struct message message_of(const struct cosign *c)
{
    struct message m;

    memcpy(m.tag, tag, sizeof(m.tag));
    memcpy(m.what, c, SIGNED_BYTES);
    return m;
}

struct cosign cosign_make(const struct cosign_key *k, const struct seg_seal *s, const char *host, int64_t at_us)
{
    struct cosign c = { .segment = s->segment, .last_seq = s->last_seq, .records = s->records, .at_us = at_us };
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct message m;

    memcpy(c.origin, s->id, SEG_HASH);
    memcpy(c.chain, s->chain, SEG_HASH);
    if (!seal_is_open(s))
        memcpy(c.next_key, s->next_key, SEG_HASH);
    (void)snprintf(c.host, sizeof(c.host), "%.*s", COSIGN_HOST - 1, host);
    crypto_sign_seed_keypair(c.key, secret, k->seed);
    m = message_of(&c);
    crypto_sign_detached(c.signature, NULL, (const uint8_t *)&m, sizeof(m), secret);
    sodium_memzero(secret, sizeof(secret));
    return c;
}

bool cosign_is_signed(const struct cosign *c)
{
    const struct message m = message_of(c);

    return c->segment > 0 && memchr(c->host, 0, sizeof(c->host)) &&
           crypto_sign_verify_detached(c->signature, (const uint8_t *)&m, sizeof(m), c->key) == 0;
}

bool cosign_is_open(const struct cosign *c)
{
    return sodium_is_zero(c->next_key, sizeof(c->next_key)) == 1;
}

bool cosign_fits(const struct cosign *c, const struct seg_seal *s)
{
    return c->segment == s->segment && c->last_seq == s->last_seq && c->records == s->records &&
           memcmp(c->origin, s->id, SEG_HASH) == 0 && memcmp(c->chain, s->chain, SEG_HASH) == 0;
}

bool cosign_next(struct slice *rest, struct cosign *c)
{
    if (rest->len < sizeof(*c))
        return false;
    memcpy(c, rest->at, sizeof(*c));
    *rest = slice_skip(*rest, sizeof(*c));
    return true;
}

/* ---- their file ---- */

struct file_name cosigned_name(const uint8_t origin[SEG_HASH])
{
    struct file_name n;
    char hex[2 * ID_BYTES + 1];

    (void)sodium_bin2hex(hex, sizeof(hex), origin, ID_BYTES);
    (void)snprintf(n.text, sizeof(n.text), "cosigned-%s", hex);
    return n;
}

int cosigned_read(int dir, const char *name, uint8_t **at, size_t *len, struct err *e)
{
    struct err why = { 0 };

    if (folder_read(dir, name, COSIGNED_MOST + sizeof(struct cosign), at, len, &why) == 0)
        return 0;
    *at = NULL;
    *len = 0;
    return why.code == ENOENT ? 0 : err_set(e, why.code, "%s", why.text);
}

/* Whole ones at its end, so that there is room for more again. */
static int shorten(int dir, const char *name, struct err *e)
{
    uint8_t *at;
    size_t len;
    size_t whole;
    size_t skip = 0;
    int result;

    if (cosigned_read(dir, name, &at, &len, e) < 0)
        return -1;
    whole = len - len % sizeof(struct cosign);
    while (whole - skip > COSIGNED_MOST / 2)
        skip += sizeof(struct cosign);
    result = folder_replace(dir, name, 0640, slice_of(at + skip, whole - skip), e);
    free(at);
    return result;
}

int cosigned_add(int dir, const struct cosign *at, size_t count, struct err *e)
{
    const struct file_name name = cosigned_name(at->origin);
    const struct slice bytes = slice_of(at, count * sizeof(*at));
    struct stat st;

    if (fstatat(dir, name.text, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            return err_set(e, errno, "%s", name.text);
        return folder_replace(dir, name.text, 0640, bytes, e);
    }
    if (((size_t)st.st_size % sizeof(*at) != 0 || (size_t)st.st_size + bytes.len > COSIGNED_MOST) &&
        shorten(dir, name.text, e) < 0)
        return -1;
    return folder_append(dir, name.text, bytes, e);
}
