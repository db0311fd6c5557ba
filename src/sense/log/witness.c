/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/seal.h"
#include "sense/log/origins.h"

enum { TOO_OFTEN_US = 300000 };

struct known { /* a store that forwards to us */
    uint8_t id[SEG_HASH];
    struct cosign newest; /* of a seal; segment 0: none yet */
    struct cosign open;   /* of the segment behind it; segment 0: none */
    int64_t asked_us;
    uint64_t told; /* segment whose contradiction was told */
};

struct witness {
    int dir;
    struct cosign_key key;
    char host[COSIGN_HOST];
    struct known at[ORIGINS_MOST];
    size_t count;
};

const char *witness_word_text(enum witness_word w)
{
    static const char *const texts[] = { [WITNESS_BAD] = "BAD",
                                         [WITNESS_FINE] = "OK",
                                         [WITNESS_LATER] = "LATER",
                                         [WITNESS_FROM] = "FROM",
                                         [WITNESS_AGAINST] = "AGAINST" };

    return texts[w];
}

static void own_name(char host[COSIGN_HOST])
{
    char name[256] = "";

    (void)gethostname(name, sizeof(name) - 1);
    for (size_t i = 0; i < COSIGN_HOST - 1 && name[i]; i++)
        host[i] = name[i] > ' ' && name[i] < 0x7f ? name[i] : '?';
    if (!host[0])
        host[0] = '?';
}

struct witness *witness_open(const char *folder, struct err *e)
{
    struct witness *w = calloc(1, sizeof(*w));

    if (!w) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    own_name(w->host);
    w->dir = folder_open(folder, e);
    if (w->dir >= 0 && cosign_key_open(w->dir, &w->key, e) == 0)
        return w;
    witness_close(w);
    return NULL;
}

void witness_close(struct witness *w)
{
    if (!w)
        return;
    if (w->dir >= 0)
        (void)close(w->dir);
    explicit_bzero(&w->key, sizeof(w->key));
    free(w);
}

/*
 * What we said of this segment's seal, or of the last one when `segment` is 0, or of an open head: of what is still as
 * it was signed.  False, and all zero: nothing.
 */
static bool look_up(const struct witness *w, const uint8_t id[SEG_HASH], uint64_t segment, bool open, struct cosign *c)
{
    const struct file_name name = cosigned_name(id);
    uint8_t *at;
    size_t len;
    size_t left;
    bool found = false;

    *c = (struct cosign){ 0 };
    if (cosigned_read(w->dir, name.text, &at, &len, NULL) < 0)
        return false;
    for (left = len / sizeof(*c); left > 0 && !found; left--) {
        memcpy(c, at + (left - 1) * sizeof(*c), sizeof(*c));
        found = memcmp(c->origin, id, SEG_HASH) == 0 && memcmp(c->key, w->key.public, SEG_HASH) == 0 &&
                cosign_is_open(c) == open && (segment == 0 || c->segment == segment) && cosign_is_signed(c);
    }
    free(at);
    if (!found)
        *c = (struct cosign){ 0 };
    return found;
}

static struct known *find(struct witness *w, const uint8_t id[SEG_HASH])
{
    struct known *k;

    for (size_t i = 0; i < w->count; i++)
        if (memcmp(w->at[i].id, id, SEG_HASH) == 0)
            return &w->at[i];
    if (w->count == ORIGINS_MOST)
        return NULL;
    k = &w->at[w->count++];
    *k = (struct known){ .asked_us = INT64_MIN / 2 };
    memcpy(k->id, id, SEG_HASH);
    (void)look_up(w, id, 0, false, &k->newest);
    if (look_up(w, id, 0, true, &k->open) && k->open.segment <= k->newest.segment)
        k->open = (struct cosign){ 0 };
    return k;
}

/* All of one store, well signed, one behind the other. */
static bool are_seals(struct slice bytes, struct seg_seal *at, size_t *count)
{
    *count = bytes.len / sizeof(*at);
    if (*count == 0 || *count > WITNESS_SEALS || bytes.len % sizeof(*at) != 0)
        return false;
    memcpy(at, bytes.at, bytes.len);
    for (size_t i = 0; i < *count; i++)
        if (at[i].segment == 0 || (seal_is_open(&at[i]) && i + 1 < *count) || !seal_is_signed(&at[i]) ||
            memcmp(at[i].id, at[0].id, SEG_HASH) != 0 || (i > 0 && at[i].segment != at[i - 1].segment + 1) ||
            (at[i].segment == 1 && memcmp(at[i].key, at[i].id, SEG_HASH) != 0))
            return false;
    return true;
}

static enum witness_word contradict(struct witness_answer *a, const struct seg_seal *s, const struct cosign *c,
                                    const char *why)
{
    a->at[a->count++] = *c;
    a->segment = s->segment;
    a->why = why;
    return WITNESS_AGAINST;
}

/* An open head, or a seal, against the open head of the same segment that we signed. */
static bool goes_back(const struct cosign *open, const struct seg_seal *s)
{
    return open->segment == s->segment &&
           (s->last_seq < open->last_seq ||
            (s->last_seq == open->last_seq && memcmp(s->chain, open->chain, SEG_HASH) != 0));
}

static enum witness_word judge_open(const struct known *k, const struct seg_seal *s, struct witness_answer *a,
                                    bool *sign)
{
    const bool next = s->segment == k->newest.segment + 1;
    const bool same = next && k->open.segment == s->segment && k->open.last_seq == s->last_seq;

    *sign = next && !same;
    if (same)
        a->at[a->count++] = k->open;
    return s->segment > k->newest.segment + 1 ? WITNESS_LATER : WITNESS_FINE; /* or it was sealed long ago */
}

/* One seal against what we said before; FINE: *sign it is new, or it is as we said. */
static enum witness_word judge_one(const struct witness *w, const struct known *k, const struct seg_seal *s,
                                   struct witness_answer *a, bool *sign)
{
    const struct cosign *last = &k->newest;
    struct cosign old;

    *sign = last->segment == 0 || s->segment == last->segment + 1;
    if (*sign && last->segment > 0 && memcmp(s->prev, last->chain, SEG_HASH) != 0)
        return contradict(a, s, last, "it does not go on where the one before it ended");
    if (*sign && last->segment > 0 && memcmp(s->key, last->next_key, SEG_HASH) != 0)
        return contradict(a, s, last, "it is signed with another key than the one before it promised");
    if (s->segment > last->segment && goes_back(&k->open, s))
        return contradict(a, s, &k->open, "it does not lead to the line up to which its head was cosigned");
    if (seal_is_open(s))
        return judge_open(k, s, a, sign);
    if (*sign || s->segment > last->segment)
        return *sign ? WITNESS_FINE : WITNESS_FROM;
    if (s->segment == last->segment)
        old = *last;
    else if (!look_up(w, k->id, s->segment, false, &old))
        return WITNESS_FINE; /* from before our time */
    if (!cosign_fits(&old, s))
        return contradict(a, s, &old, "it ended otherwise when its head was cosigned");
    if (s->segment < last->segment)
        a->at[a->count++] = old;
    return WITNESS_FINE;
}

enum witness_word witness_judge(struct witness *w, struct slice seals, uint64_t have, int64_t wall_us, int64_t mono_us,
                                struct witness_answer *a)
{
    struct seg_seal at[WITNESS_SEALS];
    enum witness_word word = WITNESS_FINE;
    struct known before;
    struct known *k;
    size_t first; /* of a->at that is new */
    size_t count;

    *a = (struct witness_answer){ .why = "" };
    if (!are_seals(seals, at, &count))
        return WITNESS_BAD;
    k = find(w, at[0].id);
    if (!k || mono_us - k->asked_us < TOO_OFTEN_US)
        return WITNESS_LATER;
    k->asked_us = mono_us;
    before = *k;
    first = SIZE_MAX;
    for (size_t i = 0; i < count && word == WITNESS_FINE; i++) {
        bool sign;

        word = judge_one(w, k, &at[i], a, &sign);
        if (word != WITNESS_FINE || !sign)
            continue;
        if (at[i].records > 0 && at[i].last_seq > have) {
            word = WITNESS_LATER;
            continue;
        }
        first = first == SIZE_MAX ? a->count : first;
        a->at[a->count] = cosign_make(&w->key, &at[i], w->host, wall_us);
        *(seal_is_open(&at[i]) ? &k->open : &k->newest) = a->at[a->count];
        a->count++;
    }
    a->news = word == WITNESS_AGAINST && k->told != a->segment;
    k->told = a->news ? a->segment : k->told;
    if (first != SIZE_MAX) {
        const size_t made = a->count - first - (word == WITNESS_AGAINST);

        if (cosigned_add(w->dir, &a->at[first], made, NULL) < 0) {
            k->newest = before.newest;
            k->open = before.open;
            a->count = 0;
            return WITNESS_LATER;
        }
    } else if (word != WITNESS_AGAINST && k->newest.segment > 0)
        a->at[a->count++] = k->newest;
    return word;
}
