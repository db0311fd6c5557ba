/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

_Static_assert(EVIDENCE_HASH == crypto_hash_sha256_BYTES && EVIDENCE_HASH == crypto_sign_SEEDBYTES &&
                   EVIDENCE_HASH == crypto_sign_PUBLICKEYBYTES && EVIDENCE_SIGNATURE == crypto_sign_BYTES,
               "Ed25519 and SHA-256");

#define HEAD      "{\"serviola_evidence\":1,\"key\":\""
#define SEAL      "{\"root\":\""
#define SIGNATURE "\",\"signature\":\""
#define SIGNED    "serviola evidence 1\n"

struct evidence_hex evidence_hex(const uint8_t *bytes, size_t n)
{
    struct evidence_hex h;

    (void)sodium_bin2hex(h.text, sizeof(h.text), bytes, n);
    return h;
}

bool evidence_unhex(struct slice hex, uint8_t *bytes, size_t n)
{
    size_t len;

    return hex.len == 2 * n && sodium_hex2bin(bytes, n, (const char *)hex.at, hex.len, NULL, &len, NULL) == 0 &&
           len == n;
}

static int key_make(const char *path, struct evidence_key *k, struct err *e)
{
    uint8_t seed[EVIDENCE_HASH];
    struct evidence_hex hex;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int status = -1;

    if (fd < 0)
        return err_set(e, errno, "can't make the key %s (--key FILE names another)", path);
    randombytes_buf(seed, sizeof(seed));
    hex = evidence_hex(seed, sizeof(seed));
    hex.text[2 * EVIDENCE_HASH] = '\n';
    if (write(fd, hex.text, 2 * EVIDENCE_HASH + 1) != 2 * EVIDENCE_HASH + 1 || fsync(fd) < 0) {
        (void)err_set(e, errno, "can't write the key %s", path);
        (void)unlink(path);
    } else {
        memcpy(k->seed, seed, sizeof(seed));
        status = 0;
    }
    (void)close(fd);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(&hex, sizeof(hex));
    return status;
}

static int key_read(int fd, const char *path, struct evidence_key *k, struct err *e)
{
    char hex[2 * EVIDENCE_HASH + 2];
    struct stat st;
    ssize_t n;
    bool fine;

    if (fstat(fd, &st) < 0)
        return err_set(e, errno, "the key %s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) || (st.st_uid != geteuid() && st.st_uid != 0))
        return err_set(e, 0, "the key %s: it must be a plain file of yours that nobody else may read (chmod 600)",
                       path);
    n = read(fd, hex, sizeof(hex));
    fine = n >= 2 * EVIDENCE_HASH && n <= 2 * EVIDENCE_HASH + 1 && (n == 2 * EVIDENCE_HASH || hex[n - 1] == '\n') &&
           evidence_unhex(slice_of(hex, 2 * EVIDENCE_HASH), k->seed, EVIDENCE_HASH);
    sodium_memzero(hex, sizeof(hex));
    return fine ? 0 : err_set(e, 0, "the key %s: it must hold 64 hexadecimal digits", path);
}

int evidence_key_load(const char *path, struct evidence_key *k, struct err *e)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    int fd;
    int status;

    if (sodium_init() < 0)
        return err_set(e, 0, "libsodium can't start");
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno != ENOENT)
        return err_set(e, errno, "the key %s", path);
    status = fd < 0 ? key_make(path, k, e) : key_read(fd, path, k, e);
    if (fd >= 0)
        (void)close(fd);
    if (status == 0)
        (void)crypto_sign_seed_keypair(k->open, secret, k->seed);
    sodium_memzero(secret, sizeof(secret));
    return status;
}

void evidence_key_forget(struct evidence_key *k)
{
    sodium_memzero(k, sizeof(*k));
}

static void put_json(FILE *to, const char *key, const char *value)
{
    char words[6 * EVIDENCE_NAME + 64];
    struct text t = TEXT_IN(words);

    text_json(&t, slice_text(value));
    (void)fprintf(to, "\"%s\":\"%s\"", key, words);
}

void manifest_head(FILE *to, const uint8_t key[EVIDENCE_HASH], const char *host)
{
    (void)fprintf(to, HEAD "%s\",", evidence_hex(key, EVIDENCE_HASH).text);
    put_json(to, "host", host);
    (void)fputs(",\"files\":[\n", to);
}

void manifest_name(FILE *to, const char *name, uint64_t size, const uint8_t sha256[EVIDENCE_HASH])
{
    (void)fputc('{', to);
    put_json(to, "name", name);
    (void)fprintf(to, ",\"size\":%llu,\"sha256\":\"%s\"", (unsigned long long)size,
                  evidence_hex(sha256, EVIDENCE_HASH).text);
}

void manifest_about(FILE *to, const struct stat *st, const char *origin, const char *changed)
{
    const struct passwd *owner = getpwuid(st->st_uid);
    const struct group *group = getgrgid(st->st_gid);

    (void)fprintf(to, ",\"mtime\":%lld.%09ld,\"mode\":\"%04o\",\"uid\":%u,\"gid\":%u,", (long long)st->st_mtim.tv_sec,
                  st->st_mtim.tv_nsec, st->st_mode & 07777u, st->st_uid, st->st_gid);
    put_json(to, "owner", owner ? owner->pw_name : "");
    (void)fputc(',', to);
    put_json(to, "group", group ? group->gr_name : "");
    (void)fputc(',', to);
    put_json(to, "origin", origin);
    if (changed) {
        (void)fputc(',', to);
        put_json(to, "changed", changed);
    }
    (void)fputc('}', to);
}

void manifest_left_out(FILE *to, const char *name, const char *why, bool first)
{
    (void)fputs(first ? "{" : ",\n{", to);
    put_json(to, "name", name);
    (void)fputc(',', to);
    put_json(to, "why", why);
    (void)fputc('}', to);
}

/* As sha256sum writes it: a name with a backslash or a newline has both escaped, and a backslash in front of the line.
 */
void manifest_sum(FILE *to, const char *name, const uint8_t sha256[EVIDENCE_HASH])
{
    (void)fprintf(to, "%s%s  ", strpbrk(name, "\\\n\r") ? "\\" : "", evidence_hex(sha256, EVIDENCE_HASH).text);
    for (; *name; name++)
        if (*name == '\\')
            (void)fputs("\\\\", to);
        else if (*name == '\n')
            (void)fputs("\\n", to);
        else if (*name == '\r')
            (void)fputs("\\r", to);
        else
            (void)fputc(*name, to);
    (void)fputc('\n', to);
}

static void to_sign(const uint8_t root[EVIDENCE_HASH], uint8_t message[sizeof(SIGNED) - 1 + EVIDENCE_HASH])
{
    memcpy(message, SIGNED, sizeof(SIGNED) - 1);
    memcpy(message + sizeof(SIGNED) - 1, root, EVIDENCE_HASH);
}

void manifest_seal(FILE *to, const struct evidence_key *k, const uint8_t root[EVIDENCE_HASH])
{
    uint8_t message[sizeof(SIGNED) - 1 + EVIDENCE_HASH];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t open[EVIDENCE_HASH];
    uint8_t signature[EVIDENCE_SIGNATURE];

    to_sign(root, message);
    (void)crypto_sign_seed_keypair(open, secret, k->seed);
    (void)crypto_sign_detached(signature, NULL, message, sizeof(message), secret);
    sodium_memzero(secret, sizeof(secret));
    (void)fprintf(to, SEAL "%s" SIGNATURE "%s\"}\n", evidence_hex(root, EVIDENCE_HASH).text,
                  evidence_hex(signature, sizeof(signature)).text);
}

/* Takes `head` from the front of *s. */
static bool take(struct slice *s, struct slice head)
{
    if (!slice_eq(slice_first(*s, head.len), head))
        return false;
    *s = slice_skip(*s, head.len);
    return true;
}

static bool take_hex(struct slice *s, uint8_t *bytes, size_t n)
{
    struct slice hex = slice_first(*s, 2 * n);

    *s = slice_skip(*s, 2 * n);
    return evidence_unhex(hex, bytes, n);
}

static int check_seal(struct slice seal, const uint8_t root[EVIDENCE_HASH], const uint8_t key[EVIDENCE_HASH],
                      struct err *e)
{
    uint8_t message[sizeof(SIGNED) - 1 + EVIDENCE_HASH];
    uint8_t claimed[EVIDENCE_HASH];
    uint8_t signature[EVIDENCE_SIGNATURE];

    if (!take(&seal, SLICE(SEAL)) || !take_hex(&seal, claimed, sizeof(claimed)) || !take(&seal, SLICE(SIGNATURE)) ||
        !take_hex(&seal, signature, sizeof(signature)) || !slice_eq(seal, SLICE("\"}\n")))
        return err_set(e, 0, EVIDENCE_SEAL ": this is no seal");
    if (memcmp(claimed, root, EVIDENCE_HASH) != 0)
        return err_set(e, 0, EVIDENCE_MANIFEST ": it was changed: the seal is of another root digest");
    to_sign(root, message);
    if (crypto_sign_verify_detached(signature, message, sizeof(message), key) != 0)
        return err_set(e, 0, EVIDENCE_SEAL ": the signature is not by the key that the manifest names");
    return 0;
}

int manifest_check(struct slice manifest, struct slice lines, struct slice seal, uint8_t root[EVIDENCE_HASH],
                   uint8_t key[EVIDENCE_HASH], struct err *e)
{
    struct slice rest = manifest;
    struct slice head = slice_until(manifest, '\n', &rest);
    size_t number = 0;

    (void)crypto_hash_sha256(root, manifest.at, manifest.len);
    if (!take(&head, SLICE(HEAD)) || !take_hex(&head, key, EVIDENCE_HASH) || !take(&head, SLICE("\",\"host\":\"")))
        return err_set(e, 0, EVIDENCE_MANIFEST ": it does not begin as a manifest does");
    while (lines.len > 0) {
        struct slice want = slice_until(lines, '\n', &lines);
        struct slice line = slice_until(rest, '\n', &rest);

        number++;
        if (!take(&line, want) || !take(&line, SLICE(",\"mtime\":"))) {
            char name[256];
            struct text t = TEXT_IN(name);

            text_visible(&t, slice_first(want, 160));
            return err_set(e, 0, EVIDENCE_MANIFEST ": file %zu is not what it says; in the archive is %s", number,
                           name);
        }
    }
    if (!take(&rest, SLICE("],\"left_out\":[\n")))
        return err_set(e, 0, EVIDENCE_MANIFEST ": it lists more than the %zu files that are there", number);
    return check_seal(seal, root, key, e);
}
