/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/tokens.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { CHUNK = 64, QUAD_MAX = 15 };

/* ---- keys ---- */

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

/*
 * A key is made of a token's length and its bytes, 16 at once, the last ones filled up with zeros.  Letters lose their
 * case by a bit that leaves digits alone; what else becomes equal by it is a false "perhaps".
 */
static uint64_t mask(size_t bytes) /* the first so many of eight */
{
    return bytes >= 8 ? UINT64_MAX : (1ull << 8 * bytes) - 1;
}

static inline __attribute__((always_inline)) uint64_t fold16(uint64_t h, const uint8_t *at,
                                                             size_t len) /* 16 bytes can be read, len of them count */
{
    const uint64_t lower = 0x2020202020202020u;
    uint64_t v[2];

    memcpy(v, at, sizeof(v));
    h = mix(h, (v[0] | lower) & mask(len));
    return mix(h, (v[1] | lower) & mask(len < 8 ? 0 : len - 8));
}

static uint64_t key_start(size_t len)
{
    return 0x51ed270b2f4a3b95u ^ len;
}

static uint64_t key_end(uint64_t h)
{
    h *= 0xd6e8feb86659fd93u;
    return (h ^ h >> 32) | (h == 0);
}

uint64_t lines_token_key(struct slice token)
{
    uint64_t h = key_start(token.len);
    uint8_t last[16] = { 0 };

    for (; token.len > 16; token = slice_skip(token, 16))
        h = fold16(h, token.at, 16);
    if (token.len > 0)
        memcpy(last, token.at, token.len);
    return key_end(fold16(h, last, token.len));
}

unsigned lines_bit(struct slice name)
{
    return (unsigned)(lines_token_key(name) >> 56);
}

/* ---- where tokens are ---- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A bit for each of 64 bytes: does it belong to a token? */
#ifdef __SSE2__
static uint64_t classify16(const uint8_t *at)
{
    __m128i x = _mm_loadu_si128((const __m128i_u *)(const void *)at);
    __m128i letter = _mm_add_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8((char)(0x80 - 'a')));
    __m128i digit = _mm_add_epi8(x, _mm_set1_epi8((char)(0x80 - '0')));
    __m128i in =
        _mm_or_si128(_mm_cmplt_epi8(letter, _mm_set1_epi8(-128 + 26)), _mm_cmplt_epi8(digit, _mm_set1_epi8(-128 + 10)));

    in = _mm_or_si128(in, _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
    in = _mm_or_si128(in, x); /* its high bit: a byte from 0x80 on */
    return (uint64_t)(unsigned)_mm_movemask_epi8(in);
}

static uint64_t classify(const uint8_t *at)
{
    return classify16(at) | classify16(at + 16) << 16 | classify16(at + 32) << 32 | classify16(at + 48) << 48;
}
#else
static uint64_t classify(const uint8_t *at)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < CHUNK; i++) {
        uint8_t c = at[i];
        bool in = is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c >= 0x80;

        bits |= (uint64_t)in << i;
    }
    return bits;
}
#endif

/* Four numbers with three dots, beginning at `from`, no dot on either side. */
static void see_quad(struct slice text, size_t from, lines_token_seen *seen, void *ctx)
{
    size_t i = from;
    unsigned dots = 0;

    if (from > 0 && text.at[from - 1] == '.')
        return;
    while (i < text.len && i - from <= QUAD_MAX && (is_digit(text.at[i]) || text.at[i] == '.'))
        dots += text.at[i++] == '.';
    if (dots == 4 && text.at[i - 1] == '.') { /* the end of a sentence */
        dots--;
        i--;
    }
    if (dots == 3 && i - from <= QUAD_MAX && text.at[i - 1] != '.')
        seen(ctx, lines_token_key(slice_of(text.at + from, i - from)));
}

static inline __attribute__((always_inline)) void see(struct slice text, size_t from, size_t to, lines_token_seen *seen,
                                                      void *ctx)
{
    if (is_digit(text.at[from]) && to < text.len && text.at[to] == '.')
        see_quad(text, from, seen, ctx);
    if (to - from < LINES_TOKEN_MIN)
        return;
    if (to - from <= 16 && from + 16 <= text.len)
        seen(ctx, key_end(fold16(key_start(to - from), text.at + from, to - from)));
    else
        seen(ctx, lines_token_key(slice_of(text.at + from, to - from)));
}

/* Inlined twice, so that the common use calls nothing for a token. */
static inline __attribute__((always_inline)) void each_token(struct slice text, lines_token_seen *seen, void *ctx)
{
    uint8_t last[CHUNK];
    uint64_t before = 0; /* the bit of the byte before this chunk */
    size_t from = 0;

    for (size_t at = 0; at < text.len; at += CHUNK) {
        const uint8_t *chunk = text.at + at;
        uint64_t bits;
        uint64_t edges;

        if (text.len - at < CHUNK) {
            memset(last, ' ', sizeof(last));
            memcpy(last, chunk, text.len - at);
            chunk = last;
        }
        bits = classify(chunk);
        edges = bits ^ (bits << 1 | before);
        before = bits >> 63;
        for (; edges != 0; edges &= edges - 1) {
            unsigned edge = (unsigned)__builtin_ctzll(edges);

            if (bits >> edge & 1)
                from = at + edge;
            else
                see(text, from, at + edge, seen, ctx);
        }
    }
    if (before)
        see(text, from, text.len, seen, ctx);
}

void lines_tokens(struct slice text, lines_token_seen *seen, void *ctx)
{
    each_token(text, seen, ctx);
}

/* ---- each once ---- */

void token_set_clear(struct token_set *t)
{
    if (t->slots)
        memset(t->slots, 0, t->cap * sizeof(*t->slots));
    t->count = 0;
    t->failed = false;
}

void token_set_done(struct token_set *t)
{
    free(t->slots);
    free(t->keys);
    *t = (struct token_set){ 0 };
}

static bool insert(struct token_set *t, uint64_t key)
{
    size_t at = key & (t->cap - 1);

    while (t->slots[at] != 0) {
        if (t->slots[at] == key)
            return false;
        at = (at + 1) & (t->cap - 1);
    }
    t->slots[at] = key;
    return true;
}

static bool grow(struct token_set *t)
{
    size_t cap = t->cap ? t->cap * 2 : 16384;
    uint64_t *slots = calloc(cap, sizeof(*slots));
    uint64_t *keys = realloc(t->keys, cap / 2 * sizeof(*keys));

    if (keys)
        t->keys = keys;
    if (!slots || !keys) {
        free(slots);
        return false;
    }
    free(t->slots);
    t->slots = slots;
    t->cap = cap;
    for (size_t i = 0; i < t->count; i++)
        (void)insert(t, t->keys[i]);
    return true;
}

static inline __attribute__((always_inline)) void add(void *set, uint64_t key)
{
    struct token_set *t = set;

    if (t->failed)
        return;
    if (t->count + 1 > t->cap / 2 && !grow(t)) {
        t->failed = true;
        return;
    }
    if (insert(t, key))
        t->keys[t->count++] = key;
}

void token_set_add(struct token_set *t, struct slice text)
{
    each_token(text, add, t);
}

/* ---- filters ---- */

static const uint32_t salts[8] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                   0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };

size_t filter_bytes(size_t keys)
{
    return (keys * FILTER_BITS_A_KEY / (8 * FILTER_BLOCK) + 1) * FILTER_BLOCK;
}

static size_t place(size_t bytes, uint64_t key)
{
    return (size_t)((key >> 32) * (bytes / FILTER_BLOCK) >> 32) * FILTER_BLOCK;
}

void filter_make(uint8_t *filter, size_t bytes, const uint64_t *keys, size_t count)
{
    memset(filter, 0, bytes);
    for (size_t k = 0; k < count; k++) {
        uint8_t *at = filter + place(bytes, keys[k]);
        uint32_t words[8];

        memcpy(words, at, sizeof(words));
        for (unsigned i = 0; i < 8; i++)
            words[i] |= 1u << ((uint32_t)keys[k] * salts[i] >> 27);
        memcpy(at, words, sizeof(words));
    }
}

bool filter_may_hold(struct slice filter, uint64_t key)
{
    uint32_t words[8];

    if (filter.len < FILTER_BLOCK)
        return true;
    memcpy(words, filter.at + place(filter.len, key), sizeof(words));
    for (unsigned i = 0; i < 8; i++)
        if (!(words[i] >> ((uint32_t)key * salts[i] >> 27) & 1))
            return false;
    return true;
}

bool lines_may_hold(const struct lines_block *block, uint64_t key)
{
    return filter_may_hold(block->filter, key);
}
