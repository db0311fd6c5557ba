/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <string.h>

__extension__ typedef unsigned __int128 product;

static uint64_t fold(uint64_t a, uint64_t b)
{
    product p = (product)a * b;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* At most 15 bytes, filled up with zeros. */
static void load_rest(const uint8_t *p, size_t len, uint64_t words[2])
{
    uint32_t low = 0;
    uint32_t high = 0;

    words[1] = 0;
    if (len >= 8) {
        memcpy(&words[0], p, 8);
        memcpy(&words[1], p + len - 8, 8);
        words[1] = len > 8 ? words[1] >> 8 * (16 - len) : 0;
    } else if (len >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + len - 4, 4);
        words[0] = low | (uint64_t)high << 8 * (len - 4);
    } else
        words[0] = len == 0 ? 0 : p[0] | (uint64_t)p[len / 2] << 8 * (len / 2) | (uint64_t)p[len - 1] << 8 * (len - 1);
}

/*
 * Both factors of each product carry a part of the secret: with a public
 * constant in one of them, a sender could make it 0, and with it the product.
 */
uint64_t hash_bytes(const void *at, size_t len, uint64_t seed)
{
    const uint8_t *p = at;
    uint64_t key = fold(seed ^ 0x9e3779b97f4a7c15u, 0xe7037ed1a0b428dbu) | 1;
    uint64_t h = fold(seed ^ 0x8ebc6af09c88c6e3u, 0xa0761d6478bd642fu) + len;
    uint64_t words[2];

    for (; len >= sizeof(words); len -= sizeof(words), p += sizeof(words)) {
        memcpy(words, p, sizeof(words));
        h = fold(words[0] ^ key, words[1] ^ h) + key;
    }
    load_rest(p, len, words);
    return fold(fold(words[0] ^ key, words[1] ^ h) ^ key, h ^ 0x9e3779b97f4a7c15u);
}
