/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/lists.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sense/gate/listform.h"
#include "sys/memfile.h"

/* A name is short and a pattern is the administrator's own: what needs more than this does not match. */
enum { MATCH_STEPS = 10000, MATCH_DEPTH = 1000, MATCH_KIB = 1024 };

struct lists {
    struct slice bytes;
    struct list_head head; /* a copy: what was checked stays as it was */
    pcre2_code *patterns[LIST_NAMES][LIST_PATTERNS];
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* ---- shared with the compiler ---- */

struct list_key list_key(struct addr a)
{
    struct list_key k = { 0, 0 };

    for (size_t i = 0; i < 8; i++) { /* an IPv4 address stands in front of zeros */
        k.high = k.high << 8 | a.ip[i];
        k.low = k.low << 8 | a.ip[i + 8];
    }
    return k;
}

uint64_t list_hash(const uint8_t key[16], struct slice lower)
{
    uint64_t hash;

    (void)crypto_shorthash_siphash24((uint8_t *)&hash, lower.at, lower.len, key);
    return hash;
}

/* ---- mapping ---- */

static bool part_is_sound(struct list_part p, size_t row, uint64_t size)
{
    return p.at % 8 == 0 && p.at >= sizeof(struct list_head) && p.at <= size && p.count <= (size - p.at) / row;
}

static bool groups_are_sound(struct list_part p, size_t row, uint64_t size)
{
    p.count += (LIST_FAN - p.count % LIST_FAN) % LIST_FAN;
    return part_is_sound(p, row, size);
}

static bool tree_is_sound(const struct list_tree *t, uint64_t size)
{
    uint64_t count = t->ranges.count;

    if (count > size || !groups_are_sound(t->ranges, sizeof(struct list_range), size) ||
        !part_is_sound(t->subs, sizeof(struct list_sub), size) ||
        (t->top.count != 0 && (t->top.count != LIST_TOP || !part_is_sound(t->top, sizeof(uint32_t), size))))
        return false;
    for (size_t i = 0; i < LIST_LEVELS; i++) {
        count = count > LIST_FAN ? (count + LIST_FAN - 1) / LIST_FAN : 0;
        if (t->levels[i].count != count || !groups_are_sound(t->levels[i], sizeof(uint64_t), size))
            return false;
    }
    return count <= LIST_FAN;
}

static bool names_are_sound(const struct list_names *n, uint64_t size)
{
    return part_is_sound(n->slots, sizeof(struct list_name), size) && (n->slots.count & (n->slots.count - 1)) == 0 &&
           part_is_sound(n->texts, 1, size) && part_is_sound(n->patterns, sizeof(struct list_pattern), size) &&
           n->patterns.count <= LIST_PATTERNS;
}

static bool head_is_sound(const struct list_head *h, size_t size)
{
    if (memcmp(h->magic, LIST_MAGIC, sizeof(h->magic)) != 0 || h->size != size || h->lists_count > GATE_LISTS ||
        !tree_is_sound(&h->trees[0], size) || !tree_is_sound(&h->trees[1], size) ||
        !tree_is_sound(&h->countries[0], size) || !tree_is_sound(&h->countries[1], size))
        return false;
    for (uint32_t i = 0; i < h->lists_count; i++)
        if (!memchr(h->lists[i].name, '\0', sizeof(h->lists[i].name)) || h->lists[i].means > GATE_LIST_REFUSE ||
            h->lists[i].what > GATE_LIST_HELO)
            return false;
    for (size_t i = 0; i < LIST_NAMES; i++)
        if (!names_are_sound(&h->names[i], size))
            return false;
    return true;
}

/* `len` bytes at `text`, or nothing when they do not lie in the texts. */
static struct slice text_at(const struct lists *l, const struct list_names *n, uint64_t text, uint64_t len)
{
    if (text > n->texts.count || len > n->texts.count - text)
        return slice_of(NULL, 0);
    return slice_of(l->bytes.at + n->texts.at + text, (size_t)len);
}

static int make_patterns(struct lists *l, struct err *e)
{
    for (size_t kind = 0; kind < LIST_NAMES; kind++) {
        const struct list_names *n = &l->head.names[kind];

        for (uint64_t i = 0; i < n->patterns.count; i++) {
            struct list_pattern p;
            struct slice text;
            int code;
            PCRE2_SIZE at;

            memcpy(&p, l->bytes.at + n->patterns.at + i * sizeof(p), sizeof(p));
            text = text_at(l, n, p.text, p.len);
            if (text.len > LIST_PATTERN_MOST)
                return err_set(e, 0, "lists: a pattern is too long");
            l->patterns[kind][i] =
                pcre2_compile(text.at ? text.at : (const uint8_t *)"", text.len, PCRE2_CASELESS, &code, &at, NULL);
            if (!l->patterns[kind][i])
                return err_set(e, 0, "lists: a pattern can't be compiled");
        }
    }
    l->match = pcre2_match_data_create(1, NULL);
    l->limits = pcre2_match_context_create(NULL);
    if (!l->match || !l->limits)
        return err_set(e, ENOMEM, "lists");
    (void)pcre2_set_match_limit(l->limits, MATCH_STEPS);
    (void)pcre2_set_depth_limit(l->limits, MATCH_DEPTH);
    (void)pcre2_set_heap_limit(l->limits, MATCH_KIB);
    return 0;
}

struct lists *lists_map(int fd, struct err *e)
{
    struct lists *l = calloc(1, sizeof(*l));

    if (!l) {
        (void)err_set(e, ENOMEM, "lists");
        return NULL;
    }
    if (memfile_map_any(fd, SIZE_MAX / 2, &l->bytes, e) < 0)
        goto fail;
    if (l->bytes.len >= sizeof(l->head))
        memcpy(&l->head, l->bytes.at, sizeof(l->head));
    if (l->bytes.len < sizeof(l->head) || !head_is_sound(&l->head, l->bytes.len)) {
        (void)err_set(e, 0, "lists: the memory file holds something else");
        goto fail;
    }
    if (make_patterns(l, e) == 0)
        return l;
fail:
    lists_free(l);
    return NULL;
}

void lists_free(struct lists *l)
{
    if (!l)
        return;
    for (size_t kind = 0; kind < LIST_NAMES; kind++)
        for (size_t i = 0; i < LIST_PATTERNS; i++)
            pcre2_code_free(l->patterns[kind][i]);
    pcre2_match_data_free(l->match);
    pcre2_match_context_free(l->limits);
    memfile_unmap(l->bytes.at, l->bytes.len);
    free(l);
}

uint64_t lists_count(const struct lists *l)
{
    return l ? l->head.entries : 0;
}

bool lists_have(const struct lists *l, enum gate_list_what what)
{
    const struct list_names *n;

    if (!l)
        return false;
    if (what == GATE_LIST_ADDRESSES)
        return l->head.trees[0].ranges.count + l->head.trees[1].ranges.count > 0;
    n = &l->head.names[what - GATE_LIST_RDNS];
    return n->slots.count > 0 || n->patterns.count > 0;
}

/* ---- looking up ---- */

static bool hit_of(const struct lists *l, uint32_t value, struct list_hit *hit)
{
    uint32_t list = value >> LIST_LINE_BITS;

    if (value == 0 || list >= l->head.lists_count)
        return false;
    hit->list = l->head.lists[list].name;
    hit->means = (enum gate_list_means)l->head.lists[list].means;
    hit->line = value & LIST_LINES_MOST;
    return true;
}

static inline uint64_t key_at(const uint8_t *rows, size_t row, size_t i)
{
    uint64_t from;

    memcpy(&from, rows + i * row, sizeof(from));
    return from;
}

/*
 * Of LIST_FAN rows of `row` bytes, each beginning with its key, the last that
 * is not above; the first when all are.  All are read, without a branch on
 * any: half of those would be guessed wrong, and memory that is asked for at
 * once comes at once.
 */
static inline uint64_t last_below(const uint8_t *rows, size_t row, uint64_t k)
{
    uint64_t below[4] = { 0 };
    uint64_t all;

    for (size_t i = 0; i < LIST_FAN; i += 4) {
        below[0] += key_at(rows, row, i) <= k;
        below[1] += key_at(rows, row, i + 1) <= k;
        below[2] += key_at(rows, row, i + 2) <= k;
        below[3] += key_at(rows, row, i + 3) <= k;
    }
    all = below[0] + below[1] + below[2] + below[3];
    return all > 0 ? all - 1 : 0;
}

/* Where the last 64 bits matter, too: seldom, and few. */
static uint32_t find_sub(const struct lists *l, const struct list_tree *t, struct list_range r, uint64_t low)
{
    uint32_t value = 0;

    for (uint64_t first = r.value, count = r.subs; count > 0 && first < t->subs.count;) {
        uint64_t half = count / 2;
        struct list_sub s;

        if (first + half >= t->subs.count) {
            count = half;
            continue;
        }
        memcpy(&s, l->bytes.at + t->subs.at + (first + half) * sizeof(s), sizeof(s));
        if (s.from <= low) {
            value = s.value;
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return value;
}

/* The range that holds this key: among those between two rows of the top, which are few. */
static uint64_t by_top(const struct lists *l, const struct list_tree *t, uint64_t key)
{
    const uint8_t *ranges = l->bytes.at + t->ranges.at;
    uint32_t ends[2];
    uint64_t first;
    uint64_t count;

    memcpy(ends, l->bytes.at + t->top.at + (key >> (64 - LIST_TOP_BITS)) * sizeof(ends[0]), sizeof(ends));
    if (ends[0] > ends[1] || ends[1] >= t->ranges.count)
        return 0; /* not as it was compiled */
    first = ends[0];
    count = ends[1] - first + 1;
    while (count > 1) {
        uint64_t half = count / 2;
        bool above = key_at(ranges, sizeof(struct list_range), first + half) <= key;

        first += above ? half : 0;
        count -= half;
    }
    return first;
}

static uint64_t by_levels(const struct lists *l, const struct list_tree *t, uint64_t key)
{
    uint64_t at = 0;

    for (size_t i = LIST_LEVELS; i-- > 0;) /* above the top there is one group, the first */
        if (t->levels[i].count > 0) {
            at = at * LIST_FAN +
                 last_below(l->bytes.at + t->levels[i].at + at * LIST_FAN * sizeof(key), sizeof(key), key);
            at = at < t->levels[i].count ? at : t->levels[i].count - 1; /* what fills up the last group */
        }
    at = at * LIST_FAN + last_below(l->bytes.at + t->ranges.at + at * LIST_FAN * sizeof(struct list_range),
                                    sizeof(struct list_range), key);
    return at < t->ranges.count ? at : t->ranges.count - 1;
}

/* 0: nothing is said of it. */
static uint32_t find_addr(const struct lists *l, const struct list_tree *t, struct addr who)
{
    struct list_key k = list_key(who);
    struct list_range r;
    uint64_t at;

    if (t->ranges.count == 0 || who.family == 0)
        return 0;
    at = t->top.count > 0 ? by_top(l, t, k.high) : by_levels(l, t, k.high);
    memcpy(&r, l->bytes.at + t->ranges.at + at * sizeof(r), sizeof(r));
    return r.subs > 0 ? find_sub(l, t, r, k.low) : r.value;
}

bool lists_addr(const struct lists *l, struct addr who, struct list_hit *hit)
{
    return l && hit_of(l, find_addr(l, &l->head.trees[who.family == 6], who), hit);
}

uint16_t lists_country(const struct lists *l, struct addr who)
{
    uint32_t value = l ? find_addr(l, &l->head.countries[who.family == 6], who) : 0;
    uint8_t first = (uint8_t)(value >> 8);
    uint8_t second = (uint8_t)value;

    return first >= 'A' && first <= 'Z' && second >= 'A' && second <= 'Z' ? (uint16_t)value : 0;
}

/* Both `suffix` and `.suffix` may stand there: what is said of the name itself counts first. */
static uint32_t find_suffix(const struct lists *l, const struct list_names *n, struct slice suffix, bool whole)
{
    uint64_t hash = list_hash(n->key, suffix);
    uint32_t below = 0;

    for (uint64_t i = 0; i < LIST_PROBES && i < n->slots.count; i++) {
        struct list_name s;

        memcpy(&s, l->bytes.at + n->slots.at + ((hash + i) & (n->slots.count - 1)) * sizeof(s), sizeof(s));
        if (s.len == 0)
            break;
        if (s.hash != hash || !slice_eq(text_at(l, n, s.text, s.len), suffix))
            continue;
        if (!s.below)
            return s.value;
        if (!whole)
            below = s.value;
    }
    return below;
}

static uint32_t find_pattern(const struct lists *l, size_t kind, struct slice name)
{
    const struct list_names *n = &l->head.names[kind];

    for (uint64_t i = 0; i < n->patterns.count; i++) {
        struct list_pattern p;

        if (pcre2_match(l->patterns[kind][i], name.at, name.len, 0, 0, l->match, l->limits) < 0)
            continue;
        memcpy(&p, l->bytes.at + n->patterns.at + i * sizeof(p), sizeof(p));
        return p.value;
    }
    return 0;
}

bool lists_name(const struct lists *l, enum gate_list_what what, struct slice name, struct list_hit *hit)
{
    uint8_t lower[LIST_NAME_MOST];
    const struct list_names *n;
    struct slice whole;
    struct slice rest;
    uint32_t value = 0;

    if (!lists_have(l, what) || what == GATE_LIST_ADDRESSES || name.len == 0 || name.len > sizeof(lower))
        return false;
    n = &l->head.names[what - GATE_LIST_RDNS];
    for (size_t i = 0; i < name.len; i++)
        lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (uint8_t)(name.at[i] | 0x20) : name.at[i];
    whole = slice_of(lower, lower[name.len - 1] == '.' ? name.len - 1 : name.len);
    rest = whole;
    while (rest.len > 0 && n->slots.count > 0 && value == 0) {
        struct slice next;

        value = find_suffix(l, n, rest, rest.len == whole.len);
        (void)slice_until(rest, '.', &next);
        rest = next;
    }
    if (value == 0)
        value = find_pattern(l, (size_t)(what - GATE_LIST_RDNS), whole);
    return hit_of(l, value, hit);
}
