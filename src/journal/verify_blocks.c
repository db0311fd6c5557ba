/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/verify_blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/event.h"

enum { THREADS_MOST = 16, BLOCKS_A_THREAD = 4 };

struct work {
    struct block_check *at;
    size_t count, next; /* next: atomic */
    const uint8_t *head;
};

/* The payload against its head: numbers rise, times lie within. */
static bool events_fit(const struct seg_block *b, const uint8_t *raw)
{
    uint64_t last = 0;
    int64_t min = INT64_MAX;
    int64_t max = INT64_MIN;

    if (b->raw_len != (uint64_t)b->count * sizeof(struct event))
        return false;
    for (uint32_t i = 0; i < b->count; i++) {
        struct event ev;

        memcpy(&ev, raw + i * sizeof(ev), sizeof(ev));
        if (ev.seq <= last || (i == 0 && ev.seq != b->first_seq))
            return false;
        last = ev.seq;
        min = ev.at_us < min ? ev.at_us : min;
        max = ev.at_us > max ? ev.at_us : max;
    }
    return last == b->last_seq && min == b->min_us && max == b->max_us;
}

/* The chain over all commits; false when the list of commits or the result is not right. */
static bool chain_fits(struct block_check *c, const struct seg_block *b, const uint8_t *raw, const uint8_t *head)
{
    struct seg_commits commits = seg_commits_of(&c->el, b);
    uint8_t chain[SEG_HASH];
    struct block_head *wanted = c->heads;
    uint64_t seq = b->first_seq;
    uint32_t records;
    uint32_t bytes;

    memcpy(chain, b->prev, SEG_HASH);
    while (seg_next_commit(&commits, &records, &bytes)) {
        if (c->el.content == SEG_EVENTS)
            memcpy(&seq, raw, sizeof(seq));
        seg_chain(chain, c->el.content, records, seq, slice_of(raw, bytes));
        c->head_seen = c->head_seen || (head && memcmp(chain, head, SEG_HASH) == 0);
        seq += records;
        for (; wanted < c->heads + c->heads_count && wanted->seq < seq; wanted++) {
            wanted->met = true;
            wanted->fits = wanted->seq + 1 == seq && memcmp(wanted->chain, chain, SEG_HASH) == 0;
        }
        raw += bytes;
    }
    return commits.left == 0 && memcmp(chain, b->chain, SEG_HASH) == 0;
}

static bool is_proven(const struct block_check *c)
{
    uint8_t digest[SEG_HASH];

    seg_digest(digest, slice_of(c->el.whole.at, c->el.size));
    return memcmp(digest, c->proof, SEG_HASH) == 0;
}

static enum block_state check(struct block_check *c, uint8_t *raw, const uint8_t *head)
{
    struct seg_block b;

    if (c->proof)
        return is_proven(c) ? BLOCK_WHOLE : BLOCK_OFF_PROOF;
    if (!raw)
        return BLOCK_NO_MEMORY;
    if (!seg_read_block(&c->el, &b) || seg_unpack(&c->el, &b, raw, NULL) < 0)
        return BLOCK_NOT_UNPACKED;
    if (!chain_fits(c, &b, raw, head))
        return BLOCK_OFF_CHAIN;
    return c->el.content == SEG_EVENTS && !events_fit(&b, raw) ? BLOCK_OFF_HEAD : BLOCK_WHOLE;
}

static void *check_some(void *own)
{
    struct work *w = own;
    uint8_t *raw = malloc(SEG_RAW_MAX);
    size_t i;

    while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->count)
        if (w->at[i].is_block)
            w->at[i].state = check(&w->at[i], raw, w->head);
    free(raw);
    return NULL;
}

void verify_blocks(struct block_check *at, size_t count, const uint8_t *head)
{
    struct work w = { .at = at, .count = count, .head = head };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t threads[THREADS_MOST];
    size_t started = 0;

    while (started < THREADS_MOST && (long)started + 1 < processors && started < count / BLOCKS_A_THREAD &&
           pthread_create(&threads[started], NULL, check_some, &w) == 0)
        started++;
    (void)check_some(&w);
    while (started > 0)
        (void)pthread_join(threads[--started], NULL);
}
