/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <string.h>

__extension__ typedef unsigned __int128 product;

static uint64_t fold(uint64_t a, uint64_t b)
{
    product p = (product)a * b;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
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
    words[0] = words[1] = 0;
    if (len > 0)
        memcpy(words, p, len);
    return fold(fold(words[0] ^ key, words[1] ^ h) ^ key, h ^ 0x9e3779b97f4a7c15u);
}
