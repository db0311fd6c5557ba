/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snap/seal.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "snap/line.h"

static const char tag[] = "serviola xray 1\n";
enum { TAG = sizeof(tag) - 1, SIGNED = TAG + crypto_hash_sha256_BYTES };

static void signed_bytes(struct slice manifest, uint8_t bytes[SIGNED])
{
    memcpy(bytes, tag, TAG);
    (void)crypto_hash_sha256(bytes + TAG, manifest.at, manifest.len);
}

static void hex(struct text *t, const char *name, const uint8_t *bytes, size_t len)
{
    char digits[2 * crypto_sign_BYTES + 1];

    text_addf(t, ",\"%s\":\"%s\"", name, sodium_bin2hex(digits, sizeof(digits), bytes, len));
}

void snap_seal_write(struct text *t, struct slice manifest, const struct seal_keys *keys, const char *why)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
    uint8_t bytes[SIGNED];

    if (!keys) {
        text_word(t, "{\"signed\":false,\"why\":\"");
        text_json(t, slice_text(why));
        text_word(t, "\"}\n");
        return;
    }
    signed_bytes(manifest, bytes);
    (void)crypto_sign_seed_keypair(key, secret, keys->seed);
    (void)crypto_sign_detached(signature, NULL, bytes, sizeof(bytes), secret);
    sodium_memzero(secret, sizeof(secret));
    text_addf(t, "{\"signed\":true,\"segment\":%" PRIu64, keys->segment);
    hex(t, "journal", keys->id, sizeof(keys->id));
    hex(t, "key", key, sizeof(key));
    hex(t, "signature", signature, sizeof(signature));
    text_word(t, "}\n");
}

struct reading {
    struct snap_seal *seal;
    char signature[2 * crypto_sign_BYTES + 1];
    bool told, wrong;
};

static void on_member(void *own, struct slice name, struct slice value)
{
    struct reading *r = own;
    struct slice inner = value.len >= 2 && value.at[0] == '"' ? slice_of(value.at + 1, value.len - 2) : SLICE("");

    if (slice_eq(name, SLICE("signed"))) {
        r->told = true;
        r->seal->is_signed = slice_eq(value, SLICE("true"));
    } else if (slice_eq(name, SLICE("segment"))) {
        r->wrong = r->wrong || !slice_to_u64(value, &r->seal->segment);
    } else if (slice_eq(name, SLICE("journal"))) {
        r->wrong = r->wrong || !text_cstr(r->seal->journal, sizeof(r->seal->journal), inner);
    } else if (slice_eq(name, SLICE("key"))) {
        r->wrong = r->wrong || !text_cstr(r->seal->key, sizeof(r->seal->key), inner);
    } else if (slice_eq(name, SLICE("signature"))) {
        r->wrong = r->wrong || !text_cstr(r->signature, sizeof(r->signature), inner);
    } else if (slice_eq(name, SLICE("why"))) {
        struct text t = TEXT_IN(r->seal->why);

        text_visible(&t, inner);
    }
}

static bool unhex(const char *digits, uint8_t *bytes, size_t len)
{
    size_t n = 0;

    return sodium_hex2bin(bytes, len, digits, strlen(digits), NULL, &n, NULL) == 0 && n == len;
}

int snap_seal_read(struct slice line, struct slice manifest, struct snap_seal *seal, struct err *e)
{
    struct reading r = { .seal = seal };
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
    uint8_t signature[crypto_sign_BYTES];
    uint8_t bytes[SIGNED];

    memset(seal, 0, sizeof(*seal));
    if (snap_members(slice_trim(line), on_member, &r, e) < 0)
        return err_wrap(e, "seal.json");
    if (!r.told || r.wrong)
        return err_set(e, 0, "seal.json is no seal");
    if (!seal->is_signed)
        return 0;
    signed_bytes(manifest, bytes);
    if (!unhex(seal->key, key, sizeof(key)) || !unhex(r.signature, signature, sizeof(signature)) ||
        crypto_sign_verify_detached(signature, bytes, sizeof(bytes), key) != 0)
        return err_set(e, 0, "seal.json: the signature is not the manifest's: the picture was changed");
    return 0;
}
