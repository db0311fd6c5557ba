/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/crc32c.h"
#include "journal/folder.h"

static const char file_magic[8] = "SVkey01";
static const char file_name[] = "key";
static const char tag[15] = { 's', 'e', 'r', 'v', 'i', 'o', 'l', 'a', ' ', 's', 'e', 'a', 'l', ' ', '1' };
enum { SIGNED_BYTES = offsetof(struct seg_seal, signature) };

_Static_assert(SEG_HASH == crypto_sign_PUBLICKEYBYTES && SEAL_SEED == crypto_sign_SEEDBYTES, "Ed25519");

int seal_start(struct err *e)
{
    return sodium_init() < 0 ? err_set(e, 0, "libsodium does not start") : 0;
}

void seal_public(const uint8_t seed[SEAL_SEED], uint8_t key[SEG_HASH])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    crypto_sign_seed_keypair(key, secret, seed);
    sodium_memzero(secret, sizeof(secret));
}

void seal_keys_make(struct seal_keys *k, uint64_t segment)
{
    k->segment = segment;
    randombytes_buf(k->seed, sizeof(k->seed));
    randombytes_buf(k->next_seed, sizeof(k->next_seed));
    if (segment == 1)
        seal_public(k->seed, k->id);
}

int seal_keys_load(int dir, struct seal_keys *k, struct err *e)
{
    struct seal_file f;
    uint8_t *at;
    size_t len;
    int result = -1;

    if (folder_read(dir, file_name, sizeof(f), &at, &len, e) < 0)
        return -1;
    if (len == sizeof(f))
        memcpy(&f, at, sizeof(f));
    if (len != sizeof(f) || memcmp(f.magic, file_magic, sizeof(file_magic)) != 0 ||
        f.crc != crc32c(0, &f.keys, sizeof(f.keys)))
        err_set(e, 0, "%s is damaged", file_name);
    else {
        *k = f.keys;
        result = 0;
    }
    sodium_memzero(&f, sizeof(f));
    sodium_memzero(at, len);
    free(at);
    return result;
}

/* Best effort: what the file system keeps elsewhere (its journal, copies on write) is out of reach. */
static void overwrite(int fd)
{
    static const uint8_t zeros[sizeof(struct seal_file)];

    if (folder_pwrite(fd, zeros, sizeof(zeros), 0, NULL) == 0)
        (void)!fdatasync(fd);
}

int seal_keys_save(int dir, const struct seal_keys *k, struct err *e)
{
    struct seal_file f = { .keys = *k, .crc = crc32c(0, k, sizeof(*k)) };
    int old = openat(dir, file_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    int result;

    memcpy(f.magic, file_magic, sizeof(file_magic));
    result = folder_replace(dir, file_name, 0600, slice_of(&f, sizeof(f)), e);
    if (old >= 0 && result == 0)
        overwrite(old);
    if (old >= 0)
        close(old);
    sodium_memzero(&f, sizeof(f));
    return result;
}

void seal_keys_advance(struct seal_keys *k)
{
    k->segment++;
    memcpy(k->seed, k->next_seed, sizeof(k->seed));
    randombytes_buf(k->next_seed, sizeof(k->next_seed));
}

void seal_keys_forget(struct seal_keys *k)
{
    sodium_memzero(k, sizeof(*k));
}

void seal_sign(const struct seal_keys *k, struct seg_seal *s)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t message[sizeof(tag) + SIGNED_BYTES];

    memcpy(s->id, k->id, sizeof(s->id));
    seal_public(k->next_seed, s->next_key);
    crypto_sign_seed_keypair(s->key, secret, k->seed);
    memcpy(message, tag, sizeof(tag));
    memcpy(message + sizeof(tag), s, SIGNED_BYTES);
    crypto_sign_detached(s->signature, NULL, message, sizeof(message), secret);
    sodium_memzero(secret, sizeof(secret));
}

bool seal_is_signed(const struct seg_seal *s)
{
    uint8_t message[sizeof(tag) + SIGNED_BYTES];

    memcpy(message, tag, sizeof(tag));
    memcpy(message + sizeof(tag), s, SIGNED_BYTES);
    return crypto_sign_verify_detached(s->signature, message, sizeof(message), s->key) == 0;
}

struct vouched { /* what a vouch signs */
    char tag[16];
    uint8_t id[SEG_HASH], chain[SEG_HASH];
    uint64_t packed, by;
    struct seg_anew anew;
    uint8_t key[SEG_HASH];
};

static struct vouched vouched_by(const struct seg_vouch *v, const struct seg_seal *s, const struct seg_anew *a)
{
    struct vouched m = { .tag = "serviola anew 1", .packed = s->segment, .by = v->segment, .anew = *a };

    memcpy(m.id, s->id, SEG_HASH);
    memcpy(m.chain, s->chain, SEG_HASH);
    memcpy(m.key, v->key, SEG_HASH);
    return m;
}

void seal_vouch(const struct seal_keys *k, const struct seg_seal *s, const struct seg_anew *a, struct seg_vouch *v)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct vouched m;

    v->segment = k->segment;
    crypto_sign_seed_keypair(v->key, secret, k->seed);
    m = vouched_by(v, s, a);
    crypto_sign_detached(v->signature, NULL, (const uint8_t *)&m, sizeof(m), secret);
    sodium_memzero(secret, sizeof(secret));
}

bool seal_is_vouched(const struct seg_vouch *v, const struct seg_seal *s, const struct seg_anew *a)
{
    struct vouched m = vouched_by(v, s, a);

    return v->segment > s->segment &&
           crypto_sign_verify_detached(v->signature, (const uint8_t *)&m, sizeof(m), v->key) == 0;
}

int seal_read(int fd, struct seg_seal *s, uint64_t *mark, struct err *e)
{
    uint8_t bytes[SEG_SEAL_BYTES];
    struct seg_element el;
    struct seg_scan scan;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "fstat");
    if (st.st_size < SEG_SEAL_BYTES)
        return err_set(e, 0, "too short for a seal");
    if (folder_pread(fd, bytes, sizeof(bytes), (uint64_t)st.st_size - sizeof(bytes), e) < 0)
        return -1;
    if (!seg_scan_start(&scan, slice_of(bytes, sizeof(bytes))) || seg_next(&scan, &el) != SEG_GOT ||
        !seg_read_seal(&el, s))
        return err_set(e, 0, "no seal at its end");
    *mark = scan.mark;
    return seal_is_signed(s) ? 0 : err_set(e, 0, "the seal's signature is wrong");
}

uint64_t seal_index_at(int fd, const struct seg_seal *s, uint64_t mark, bool *anew)
{
    const off_t behind = SEG_ANEW_BYTES + SEG_SEAL_BYTES;
    uint8_t bytes[SEG_ANEW_BYTES] = { 0 };
    struct seg_scan scan = { .file = slice_of(bytes, sizeof(bytes)), .mark = mark };
    struct seg_element el;
    struct seg_anew a;
    struct stat st;

    *anew = fstat(fd, &st) == 0 && st.st_size >= behind &&
            folder_pread(fd, bytes, sizeof(bytes), (uint64_t)(st.st_size - behind), NULL) == 0 &&
            seg_next(&scan, &el) == SEG_GOT && seg_read_anew(&el, &a);
    return *anew ? a.index_at : s->index_at;
}

int seal_read_of(int dir, uint64_t segment, struct seg_seal *s, struct err *e)
{
    struct file_name name = folder_name(segment, "zst");
    int fd = openat(dir, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint64_t mark;
    int result;

    if (fd < 0)
        return err_set(e, errno, "%s", name.text);
    result = seal_read(fd, s, &mark, e);
    close(fd);
    if (result == 0 && s->segment != segment)
        result = err_set(e, 0, "it is segment %llu", (unsigned long long)s->segment);
    return result < 0 ? err_wrap(e, "%s", name.text) : 0;
}
