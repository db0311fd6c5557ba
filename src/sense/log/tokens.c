/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/tokens.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { CHUNK = 64, QUAD_MAX = 15, KEY_READ = 16, RECENT = 4096, WAITING = 4096 };
_Static_assert((int)TOKENS_BEHIND >= (int)CHUNK + (int)KEY_READ, "a chunk and a key can be read from the last byte on");

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
static inline __attribute__((always_inline)) uint64_t fold16(uint64_t h, const uint8_t *at,
                                                             size_t len) /* 16 bytes can be read, len of them count */
{
    static const uint8_t ones[2 * KEY_READ] = { 255, 255, 255, 255, 255, 255, 255, 255,
                                                255, 255, 255, 255, 255, 255, 255, 255 };
    const uint64_t lower = 0x2020202020202020u;
    uint64_t v[2];
    uint64_t mask[2];

    memcpy(v, at, sizeof(v));
    memcpy(mask, ones + KEY_READ - len, sizeof(mask));
    h = mix(h, (v[0] | lower) & mask[0]);
    return mix(h, (v[1] | lower) & mask[1]);
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

struct classes { /* a bit for each of 64 bytes */
    uint64_t in; /* it belongs to a token */
    uint64_t digit, dot;
};

typedef struct classes classifier(const uint8_t *at);

#ifdef __SSE2__
static inline uint64_t bits_of(__m128i x)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(x);
}

static inline struct classes classify_any(const uint8_t *at)
{
    struct classes c = { 0 };

    for (unsigned i = 0; i < CHUNK; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i_u *)(const void *)(at + i));
        __m128i letter = _mm_add_epi8(_mm_or_si128(x, _mm_set1_epi8(0x20)), _mm_set1_epi8((char)(0x80 - 'a')));
        __m128i digit = _mm_cmplt_epi8(_mm_add_epi8(x, _mm_set1_epi8((char)(0x80 - '0'))), _mm_set1_epi8(-128 + 10));
        __m128i in = _mm_or_si128(_mm_cmplt_epi8(letter, _mm_set1_epi8(-128 + 26)), digit);

        in = _mm_or_si128(in, _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
        in = _mm_or_si128(in, x); /* its high bit: a byte from 0x80 on */
        c.in |= bits_of(in) << i;
        c.digit |= bits_of(digit) << i;
        c.dot |= bits_of(_mm_cmpeq_epi8(x, _mm_set1_epi8('.'))) << i;
    }
    return c;
}

/* With what most processors have since 2013: twice as wide, and a quarter fewer instructions for each token. */
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))

static inline AVX2 uint64_t wide_bits_of(__m256i x)
{
    return (uint64_t)(unsigned)_mm256_movemask_epi8(x);
}

static inline AVX2 struct classes classify_wide(const uint8_t *at)
{
    struct classes c = { 0 };

    for (unsigned i = 0; i < CHUNK; i += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i_u *)(const void *)(at + i));
        __m256i letter =
            _mm256_add_epi8(_mm256_or_si256(x, _mm256_set1_epi8(0x20)), _mm256_set1_epi8((char)(0x80 - 'a')));
        __m256i digit =
            _mm256_cmpgt_epi8(_mm256_set1_epi8(-128 + 10), _mm256_add_epi8(x, _mm256_set1_epi8((char)(0x80 - '0'))));
        __m256i in = _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(-128 + 26), letter), digit);

        in = _mm256_or_si256(in, _mm256_cmpeq_epi8(x, _mm256_set1_epi8('_')));
        in = _mm256_or_si256(in, x);
        c.in |= wide_bits_of(in) << i;
        c.digit |= wide_bits_of(digit) << i;
        c.dot |= wide_bits_of(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('.'))) << i;
    }
    return c;
}
#else
static inline struct classes classify_any(const uint8_t *at)
{
    struct classes c = { 0 };

    for (unsigned i = 0; i < CHUNK; i++) {
        uint8_t b = at[i];
        bool in = is_digit(b) || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z') || b == '_' || b >= 0x80;

        c.in |= (uint64_t)in << i;
        c.digit |= (uint64_t)is_digit(b) << i;
        c.dot |= (uint64_t)(b == '.') << i;
    }
    return c;
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

/* `firsts` begin at a digit, no dot before them, and those of `ends` are the dots behind them.  `chunk` is at `at` of
 * the text. */
static inline __attribute__((always_inline)) void see_quads(struct slice text, size_t at, const uint8_t *chunk,
                                                            const struct classes *c, uint64_t firsts, uint64_t ends,
                                                            lines_token_seen *seen, void *ctx)
{
    for (; ends != 0; ends &= ends - 1) {
        uint64_t before = firsts & (ends ^ (ends - 1)); /* up to this dot: the last of them is the one in front of it */
        unsigned from = CHUNK - 1 - (unsigned)__builtin_clzll(before);
        size_t len = (size_t)__builtin_ctzll(~((c->digit | c->dot) >> from) | (uint64_t)1 << (CHUNK - 1));
        uint64_t dots = c->dot >> from & (((uint64_t)1 << len) - 1);
        uint64_t third = dots & (dots - 1);

        third &= third - 1;
        if (from == 0 || from + len >= CHUNK - 1 || (third & (third - 1)) != 0 || third >> (len - 1) != 0)
            see_quad(text, at + from, seen, ctx); /* more is to be looked at than this chunk, or than these dots */
        else if (third != 0 && len <= QUAD_MAX)
            seen(ctx, key_end(fold16(key_start(len), chunk + from, len)));
    }
}

/* The token at `from` fills a chunk and more: where it ends. */
static size_t see_long(struct slice text, size_t from, lines_token_seen *seen, void *ctx)
{
    size_t to = from + CHUNK;

    while (to < text.len && (is_digit(text.at[to]) || ((text.at[to] | 0x20) >= 'a' && (text.at[to] | 0x20) <= 'z') ||
                             text.at[to] == '_' || text.at[to] >= 0x80))
        to++;
    seen(ctx, lines_token_key(slice_of(text.at + from, to - from)));
    return to;
}

/* Inlined where it is used, so that the common use calls nothing for a token.  `behind`: TOKENS_BEHIND bytes can be
 * read there. */
static inline __attribute__((always_inline)) void each_token(struct slice text, bool behind, classifier *classify,
                                                             lines_token_seen *seen, void *ctx)
{
    uint8_t copy[CHUNK + KEY_READ];

    for (size_t at = 0; at < text.len;) {
        size_t left = text.len - at;
        size_t step = CHUNK;
        const uint8_t *chunk = text.at + at;
        struct classes c;
        uint64_t starts;
        uint64_t firsts;
        uint64_t ends;

        if (!behind && left < sizeof(copy)) {
            memset(copy, ' ', sizeof(copy));
            memcpy(copy, chunk, left);
            chunk = copy;
        }
        c = classify(chunk);
        if (left < CHUNK) {
            c.in &= ((uint64_t)1 << left) - 1;
            c.dot &= ((uint64_t)1 << left) - 1;
        }
        starts = c.in & ~(c.in << 1);
        if (c.in >> (CHUNK - 1)) { /* the last one may go on: it is the first of the next chunk */
            step = CHUNK - 1 - (size_t)__builtin_clzll(starts);
            if (step == 0) {
                at = see_long(text, at, seen, ctx);
                continue;
            }
            c.in &= ((uint64_t)1 << step) - 1;
            starts &= c.in;
        }
        firsts = starts & c.digit & ~(c.dot << 1);
        ends = (c.in + firsts) & ~c.in & c.dot; /* the sum has a bit behind each of them */
        see_quads(text, at, chunk, &c, firsts, ends, seen, ctx);
        for (starts &= c.in >> 1 & c.in >> 2; starts != 0; starts &= starts - 1) { /* LINES_TOKEN_MIN */
            unsigned from = (unsigned)__builtin_ctzll(starts);
            size_t len = (size_t)__builtin_ctzll(~(c.in >> from));

            seen(ctx, len <= KEY_READ ? key_end(fold16(key_start(len), chunk + from, len))
                                      : lines_token_key(slice_of(chunk + from, len)));
        }
        at += step;
    }
}

void lines_tokens(struct slice text, lines_token_seen *seen, void *ctx)
{
    each_token(text, false, classify_any, seen, ctx);
}

/* ---- each once ---- */

void token_set_clear(struct token_set *t)
{
    if (t->slots)
        memset(t->slots, 0, t->cap * sizeof(*t->slots));
    if (t->recent)
        memset(t->recent, 0, RECENT * sizeof(*t->recent));
    t->count = t->waiting = 0;
    t->failed = false;
}

void token_set_done(struct token_set *t)
{
    free(t->slots);
    free(t->keys);
    free(t->recent);
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

void token_set_end(struct token_set *t)
{
    for (size_t i = 0; i < t->waiting && !t->failed; i++) {
        if (t->count + 1 > t->cap / 2 && !grow(t))
            t->failed = true;
        else if (insert(t, t->recent[RECENT + i]))
            t->keys[t->count++] = t->recent[RECENT + i];
    }
    t->waiting = 0;
}

struct adding { /* in registers */
    struct token_set *set;
    uint64_t *recent;
    size_t waiting;
};

/* Most tokens were there a moment ago.  Whether this one was, is not asked by a branch, which could not be foretold. */
static inline __attribute__((always_inline)) void add(void *adding, uint64_t key)
{
    struct adding *a = adding;
    uint64_t *last = &a->recent[key % RECENT];

    a->recent[RECENT + a->waiting] = key;
    a->waiting += *last != key;
    *last = key;
    if (a->waiting == WAITING) {
        a->set->waiting = WAITING;
        token_set_end(a->set);
        a->waiting = 0;
    }
}

#ifdef __SSE2__
static AVX2 void add_each_wide(struct slice text, struct adding *a)
{
    struct adding here = *a;

    each_token(text, true, classify_wide, add, &here);
    a->waiting = here.waiting;
}
#endif

static void add_each(struct slice text, struct adding *a)
{
    struct adding here = *a;

#ifdef __SSE2__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
        add_each_wide(text, a);
        return;
    }
#endif
    each_token(text, true, classify_any, add, &here);
    a->waiting = here.waiting;
}

void token_set_add(struct token_set *t, struct slice text)
{
    struct adding a = { .set = t, .waiting = t->waiting };

    if (!t->recent)
        t->recent = calloc(RECENT + WAITING, sizeof(*t->recent));
    a.recent = t->recent;
    if (a.recent) {
        add_each(text, &a);
        t->waiting = a.waiting;
    } else
        t->failed = true;
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
