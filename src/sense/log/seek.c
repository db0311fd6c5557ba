/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/seek.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_A_THREAD = 4 };

struct job { /* one block */
    size_t block;
    bool done;
    struct search_hits hits; /* the lines' own copies, in `bytes` */
    size_t count;
    uint8_t *bytes;
    size_t room;
    bool failed;
    struct err why;
};

struct worker {
    struct seek *k;
    pthread_t thread;
    struct search_scan *scan;
    struct lines_room room;
    struct search_hits hits;
};

/* Jobs are a ring, [given, made): the reader waits for the first, and finds it done with something in it. */
struct seek {
    const struct search *search;
    const struct lines *lines;
    struct seek_settings set;
    struct worker workers[SEEK_THREADS];
    unsigned threads; /* that run */
    struct job jobs[SEEK_THREADS * JOBS_A_THREAD];
    size_t ring;
    pthread_mutex_t lock;
    pthread_cond_t to_workers, to_reader;
    size_t given, made;
    bool lent; /* the first is with the reader */
    bool stop;
    size_t next, left; /* blocks that nobody has looked at */
};

/* ---- a worker ---- */

static struct slice moved(struct slice s, struct slice from, const uint8_t *to)
{
    return s.at >= from.at && s.at <= from.at + from.len ? slice_of(to + (s.at - from.at), s.len) : s;
}

/* The payload goes with the next block: what was found is copied. */
static int copy_hits(struct job *j, const struct search_hits *h)
{
    size_t bytes = 0;
    uint8_t *to;

    for (size_t i = 0; i < h->count; i++)
        bytes += h->at[i].raw.len + h->at[i].peer.len;
    if (bytes > j->room) {
        free(j->bytes);
        j->room = 0;
        j->bytes = malloc(bytes);
        if (!j->bytes)
            return -1;
        j->room = bytes;
    }
    if (h->count > j->hits.room) {
        struct log_line *at = reallocarray(j->hits.at, h->count, sizeof(*at));

        if (!at)
            return -1;
        j->hits.at = at;
        j->hits.room = h->count;
    }
    to = j->bytes;
    for (size_t i = 0; i < h->count; i++) {
        struct log_line *line = &j->hits.at[i];

        *line = h->at[i];
        line->host = moved(line->host, h->at[i].raw, to);
        line->program = moved(line->program, h->at[i].raw, to);
        line->text = moved(line->text, h->at[i].raw, to);
        line->raw.at = to;
        to = (uint8_t *)mempcpy(to, h->at[i].raw.at, line->raw.len);
        line->peer.at = to;
        to = (uint8_t *)mempcpy(to, h->at[i].peer.at, line->peer.len);
    }
    return 0;
}

static void leave_old(struct search_hits *h, uint64_t after_seq)
{
    size_t old = 0;

    while (old < h->count && h->at[old].seq <= after_seq)
        old++;
    if (old > 0)
        memmove(h->at, h->at + old, (h->count - old) * sizeof(*h->at));
    h->count -= old;
}

static void look(struct worker *w, struct job *j)
{
    struct seek *k = w->k;
    struct slice payload;

    j->count = 0;
    j->failed = lines_load(k->lines, j->block, &w->room, &payload, &j->why) < 0 ||
                search_block(w->scan, payload, lines_block(k->lines, j->block)->first_seq, &w->hits, &j->why) < 0;
    if (j->failed)
        return;
    leave_old(&w->hits, k->set.after_seq);
    j->count = w->hits.count;
    if (!k->set.count_only && copy_hits(j, &w->hits) < 0) {
        j->failed = true;
        (void)err_set(&j->why, ENOMEM, "no memory");
    }
}

/* The next block that may hold a match; NULL: none is left, or the reader has to take something first. */
static struct job *take_job(struct seek *k) /* locked */
{
    while (k->left > 0 && k->made - k->given < k->ring) {
        size_t block = k->set.oldest_first ? k->next++ : --k->next;
        struct job *j = &k->jobs[k->made % k->ring];

        k->left--;
        if (!search_may_hold(k->search, lines_block(k->lines, block)))
            continue;
        j->block = block;
        j->done = false;
        k->made++;
        return j;
    }
    return NULL;
}

/* Jobs that found nothing leave by themselves. */
static void pass_over(struct seek *k) /* locked */
{
    const struct job *j;
    size_t before = k->given;

    while (!k->lent && k->given < k->made && (j = &k->jobs[k->given % k->ring])->done && j->count == 0 && !j->failed)
        k->given++;
    if (k->given != before)
        (void)pthread_cond_broadcast(&k->to_workers);
    if (!k->lent && (k->given == k->made ? k->left == 0 : k->jobs[k->given % k->ring].done))
        (void)pthread_cond_signal(&k->to_reader);
}

static void *work(void *own)
{
    struct worker *w = own;
    struct seek *k = w->k;

    (void)pthread_mutex_lock(&k->lock);
    while (!k->stop && k->left > 0) {
        struct job *j = take_job(k);

        if (!j) {
            if (k->left > 0)
                (void)pthread_cond_wait(&k->to_workers, &k->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&k->lock);
        look(w, j);
        (void)pthread_mutex_lock(&k->lock);
        j->done = true;
        pass_over(k);
    }
    pass_over(k);
    (void)pthread_mutex_unlock(&k->lock);
    return NULL;
}

/* ---- the reader ---- */

static unsigned threads_for(unsigned asked, size_t blocks)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = asked > 0 ? asked : processors > 0 ? (unsigned)processors : 1;

    if (n > SEEK_THREADS)
        n = SEEK_THREADS;
    return n > blocks ? (unsigned)blocks + 1 : n;
}

struct seek *seek_new(const struct search *s, const struct lines *lines, const struct seek_settings *set, struct err *e)
{
    struct seek *k = calloc(1, sizeof(*k));
    size_t first = set->after_seq > 0 ? lines_find(lines, set->after_seq + 1) : 0;
    unsigned threads;

    if (!k) {
        (void)err_set(e, ENOMEM, "no memory");
        return NULL;
    }
    k->search = s;
    k->lines = lines;
    k->set = *set;
    k->left = lines_count(lines) - first;
    k->next = set->oldest_first ? first : lines_count(lines);
    (void)pthread_mutex_init(&k->lock, NULL);
    (void)pthread_cond_init(&k->to_workers, NULL);
    (void)pthread_cond_init(&k->to_reader, NULL);
    threads = threads_for(set->threads, k->left);
    k->ring = (size_t)threads * JOBS_A_THREAD;
    for (; k->threads < threads; k->threads++) {
        struct worker *w = &k->workers[k->threads];
        int code;

        w->k = k;
        w->scan = search_scan_new(s, e);
        if (!w->scan)
            break;
        code = pthread_create(&w->thread, NULL, work, w);
        if (code != 0) {
            search_scan_free(w->scan);
            (void)err_set(e, code, "a thread of the search");
            break;
        }
    }
    if (k->threads > 0) /* fewer threads find the same */
        return k;
    seek_free(k);
    return NULL;
}

void seek_free(struct seek *k)
{
    if (!k)
        return;
    (void)pthread_mutex_lock(&k->lock);
    k->stop = true;
    (void)pthread_cond_broadcast(&k->to_workers);
    (void)pthread_mutex_unlock(&k->lock);
    for (unsigned i = 0; i < k->threads; i++) {
        struct worker *w = &k->workers[i];

        (void)pthread_join(w->thread, NULL);
        search_scan_free(w->scan);
        lines_room_done(&w->room);
        search_hits_done(&w->hits);
    }
    for (size_t i = 0; i < k->ring; i++) {
        search_hits_done(&k->jobs[i].hits);
        free(k->jobs[i].bytes);
    }
    (void)pthread_cond_destroy(&k->to_workers);
    (void)pthread_cond_destroy(&k->to_reader);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

int seek_next(struct seek *k, struct seek_found *found)
{
    const struct job *j;

    (void)pthread_mutex_lock(&k->lock);
    if (k->lent) {
        k->given++;
        k->lent = false;
        (void)pthread_cond_broadcast(&k->to_workers);
    }
    pass_over(k);
    while (k->given < k->made ? !k->jobs[k->given % k->ring].done : k->left > 0)
        (void)pthread_cond_wait(&k->to_reader, &k->lock);
    k->lent = k->given < k->made;
    j = &k->jobs[k->given % k->ring];
    (void)pthread_mutex_unlock(&k->lock);
    if (!k->lent)
        return 0;
    *found = (struct seek_found){ .line = k->set.count_only ? NULL : j->hits.at,
                                  .count = j->count,
                                  .block = j->block,
                                  .unreadable = j->failed ? j->why.text : NULL };
    return 1;
}

uint64_t seek_given_up(const struct seek *k)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < k->threads; i++)
        n += search_given_up(k->workers[i].scan);
    return n;
}
