/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/book.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/gate/bookmem.h"

enum {
    SEALS = F_SEAL_SHRINK | F_SEAL_GROW,
    HASHED = 1200, /* bytes that are hashed in one piece */
    SECOND_US = 1000000,
};

/* ---- memory ---- */

uint64_t book_slots_for(uint64_t entries)
{
    uint64_t slots = entries * 2; /* half full: of a million, some fifteen find no place */

    if (slots < (uint64_t)16 * BOOK_GROUP)
        slots = (uint64_t)16 * BOOK_GROUP;
    return (slots + BOOK_GROUP - 1) / BOOK_GROUP * BOOK_GROUP;
}

static struct book *map_book(int fd, size_t size, struct err *e)
{
    struct book *b = calloc(1, sizeof(*b));
    void *map;

    if (!b) {
        (void)err_set(e, ENOMEM, "book");
        return NULL;
    }
    map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        (void)err_set(e, errno, "book: %zu bytes of memory", size);
        free(b);
        return NULL;
    }
    (void)madvise(map, size, MADV_RANDOM);
    b->map = map;
    b->size = size;
    b->fd = fd;
    b->head = map;
    b->ring = (uint32_t *)(void *)(b->map + BOOK_PAGE);
    b->slot = (struct book_entry *)(void *)(b->map + BOOK_SLOTS_AT);
    b->slots = (size - BOOK_SLOTS_AT) / sizeof(struct book_entry);
    return b;
}

struct book *book_make(uint64_t slots, const uint8_t key[BOOK_KEY], struct err *e)
{
    size_t size = BOOK_SLOTS_AT + slots * sizeof(struct book_entry);
    int fd = memfd_create("serviola-book", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct book *b = NULL;

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
        (void)err_set(e, errno, "book: memory file of %zu bytes", size);
    else
        b = map_book(fd, size, e);
    if (!b) {
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    memcpy(b->key, key, BOOK_KEY);
    memcpy(b->head->key, key, BOOK_KEY);
    memcpy(b->head->magic, BOOK_MAGIC, sizeof(b->head->magic));
    b->head->slots = slots;
    return b;
}

/* The memory of another process: what could still shrink, or is not what it says, is not mapped. */
static struct book *take_book(int fd, struct err *e)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    struct book *b;

    if (fstat(fd, &st) < 0 || seals < 0 || (seals & SEALS) != SEALS) {
        (void)err_set(e, 0, "book: not a sealed memory file");
        return NULL;
    }
    if (st.st_size < (off_t)(BOOK_SLOTS_AT + 2 * BOOK_GROUP * sizeof(struct book_entry)) ||
        ((uint64_t)st.st_size - BOOK_SLOTS_AT) % (BOOK_GROUP * sizeof(struct book_entry)) != 0) {
        (void)err_set(e, 0, "book: a memory file of %lld bytes can't be one", (long long)st.st_size);
        return NULL;
    }
    b = map_book(fd, (size_t)st.st_size, e);
    if (!b)
        return NULL;
    if (memcmp(b->head->magic, BOOK_MAGIC, sizeof(b->head->magic)) != 0 || b->head->slots != b->slots) {
        (void)err_set(e, 0, "book: the memory file holds something else");
        b->fd = -1; /* the caller closes it */
        book_free(b);
        return NULL;
    }
    memcpy(b->key, b->head->key, BOOK_KEY);
    return b;
}

struct book *book_new(int fd, uint64_t entries, struct err *e)
{
    uint8_t key[BOOK_KEY];
    struct book *b;

    if (fd < 0) {
        if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
            (void)err_set(e, errno, "getrandom");
            return NULL;
        }
        return book_make(book_slots_for(entries), key, e);
    }
    b = take_book(fd, e);
    if (!b)
        (void)close(fd);
    return b;
}

void book_free(struct book *b)
{
    if (!b)
        return;
    (void)munmap(b->map, b->size);
    if (b->fd >= 0)
        (void)close(b->fd);
    free(b);
}

static uint32_t seconds(int64_t us)
{
    int64_t s = us / SECOND_US;

    return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

void book_set(struct book *b, const struct gate_greylist *grey, const struct gate_callback *call)
{
    b->spans = (struct book_spans){
        .window_s = seconds(grey->window_us),
        .good_s = seconds(grey->good_us),
        .callback_s = { seconds(call->good_us), seconds(call->refused_us), seconds(call->silent_us) },
    };
}

int book_fd(const struct book *b)
{
    return b->fd;
}

uint64_t book_count(const struct book *b)
{
    return b->head->count;
}

uint64_t book_left(const struct book *b)
{
    return b->head->left;
}

uint64_t book_damaged(const struct book *b)
{
    return b->head->damaged;
}

/* ---- entries ---- */

static size_t add_slice(uint8_t *at, size_t used, struct slice s)
{
    uint32_t len = (uint32_t)s.len;

    memcpy(at + used, &len, sizeof(len));
    if (s.len > 0)
        memcpy(at + used + sizeof(len), s.at, s.len);
    return used + sizeof(len) + s.len;
}

struct book_key book_key(const struct book *b, enum book_kind kind, struct slice a, struct slice s, struct slice r)
{
    struct slice parts[3] = { a, s, r };
    uint8_t hashes[3][crypto_shorthash_siphashx24_BYTES];
    uint8_t text[HASHED];
    struct book_key k;
    size_t used = 1;

    text[0] = (uint8_t)kind;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].len > HASHED / 3 - sizeof(uint32_t) - 1) { /* by its own hash, and unlike any short one */
            (void)crypto_shorthash_siphashx24(hashes[i], parts[i].at, parts[i].len, b->key);
            parts[i] = slice_of(hashes[i], sizeof(hashes[i]));
            text[0] = (uint8_t)(text[0] | 0x10 << i);
        }
        used = add_slice(text, used, parts[i]);
    }
    (void)crypto_shorthash_siphashx24(k.at, text, used, b->key);
    return k;
}

uint32_t book_sum(const struct book_entry *en)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t word[3];
    uint32_t rest;
    uint64_t h = 0x5356424f4f4b0001u;

    memcpy(word, en, sizeof(word));
    memcpy(&rest, (const uint8_t *)en + sizeof(word), sizeof(rest));
    for (size_t i = 0; i < 3; i++) {
        h = (h ^ word[i]) * odd;
        h ^= h >> 29;
    }
    h = (h ^ rest) * odd;
    return (uint32_t)(h >> 32);
}

/* The first places of the two groups that may hold it. */
static void groups_of(const struct book *b, const struct book_key *k, uint64_t first[2])
{
    uint64_t groups = b->slots / BOOK_GROUP;
    uint64_t half[2];
    uint64_t g[2];

    memcpy(half, k->at, sizeof(half));
    for (int i = 0; i < 2; i++)
        g[i] = ((half[i] >> 32) * groups) >> 32;
    if (g[0] == g[1])
        g[1] = (g[1] + 1) % groups;
    first[0] = g[0] * BOOK_GROUP;
    first[1] = g[1] * BOOK_GROUP;
}

bool book_belongs(const struct book *b, const struct book_entry *en, uint64_t slot)
{
    uint64_t first[2];

    if (en->kind < BOOK_PAIR || en->kind > BOOK_CALLBACK || en->sum != book_sum(en))
        return false;
    groups_of(b, &en->key, first);
    return slot / BOOK_GROUP * BOOK_GROUP == first[0] || slot / BOOK_GROUP * BOOK_GROUP == first[1];
}

static void changed(struct book *b, uint64_t slot)
{
    uint64_t written = atomic_load_explicit(&b->head->written, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&b->head->taken, memory_order_acquire);

    if (written - taken >= BOOK_RING) {
        atomic_store_explicit(&b->head->all, 1, memory_order_release);
        return;
    }
    b->ring[written % BOOK_RING] = (uint32_t)slot;
    atomic_store_explicit(&b->head->written, written + 1, memory_order_release);
}

static void clear(struct book *b, uint64_t slot)
{
    memset(&b->slot[slot], 0, sizeof(b->slot[slot]));
    b->head->count -= b->head->count > 0;
    changed(b, slot);
}

/* Where it stands, or UINT64_MAX.  One whose bytes make no sense does not stand there. */
static uint64_t find(const struct book *b, const struct book_key *k)
{
    uint64_t first[2];

    groups_of(b, k, first);
    __builtin_prefetch(&b->slot[first[1]]);
    __builtin_prefetch(&b->slot[first[1] + 2]);
    for (int g = 0; g < 2; g++)
        for (uint64_t i = first[g]; i < first[g] + BOOK_GROUP; i++)
            if (b->slot[i].kind != 0 && memcmp(&b->slot[i].key, k, sizeof(*k)) == 0) {
                if (b->slot[i].sum == book_sum(&b->slot[i]))
                    return i;
                b->head->damaged++;
            }
    return UINT64_MAX;
}

bool book_get(const struct book *b, const struct book_key *k, struct book_entry *out)
{
    uint64_t i = find(b, k);

    if (i == UINT64_MAX)
        return false;
    *out = b->slot[i];
    return true;
}

bool book_expired(const struct book *b, const struct book_entry *en, uint32_t now_s)
{
    uint32_t since = en->last_s;
    uint32_t span = b->spans.good_s;

    if (en->kind == BOOK_PAIR && en->count == 0) {
        since = en->first_s;
        span = b->spans.window_s;
    } else if (en->kind == BOOK_CALLBACK) {
        span = en->value < BOOK_RESULTS ? b->spans.callback_s[en->value] : 0;
    }
    return now_s > since && now_s - since > span; /* a clock that was set back makes nobody old */
}

/* A free place in the emptier group, else the one that can be missed best. */
static uint64_t place_for(const struct book *b, const struct book_key *k, uint32_t now_s)
{
    uint64_t first[2];
    uint64_t free_at[2] = { UINT64_MAX, UINT64_MAX };
    unsigned free_count[2] = { 0, 0 };
    uint64_t victim = UINT64_MAX;
    uint64_t victim_age = 0;

    groups_of(b, k, first);
    for (int g = 0; g < 2; g++)
        for (uint64_t i = first[g]; i < first[g] + BOOK_GROUP; i++) {
            const struct book_entry *en = &b->slot[i];
            uint64_t age;

            if (en->kind == 0) {
                free_at[g] = i;
                free_count[g]++;
                continue;
            }
            age = now_s > en->last_s ? now_s - en->last_s : 0;
            if (en->sum != book_sum(en) || book_expired(b, en, now_s))
                age += (uint64_t)1 << 32;
            if (victim == UINT64_MAX || age > victim_age) {
                victim = i;
                victim_age = age;
            }
        }
    if (free_count[0] + free_count[1] > 0)
        return free_at[free_count[1] > free_count[0]];
    return victim;
}

void book_put(struct book *b, const struct book_entry *en, uint32_t now_s)
{
    struct book_entry fresh = *en;
    uint64_t i = find(b, &en->key);

    if (i == UINT64_MAX) {
        i = place_for(b, &en->key, now_s);
        if (b->slot[i].kind == 0)
            b->head->count++;
        else
            b->head->left += !book_expired(b, &b->slot[i], now_s);
    }
    fresh.sum = book_sum(&fresh);
    b->slot[i] = fresh;
    changed(b, i);
}

void book_remove(struct book *b, const struct book_key *k)
{
    uint64_t i = find(b, k);

    if (i != UINT64_MAX)
        clear(b, i);
}
