/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/store.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "journal/feed.h"
#include "sense/log/payload.h"
#include "sense/log/shelf.h"
#include "sys/clock.h"

enum {
    BATCH_GOAL = 240 << 10, /* one commit: two make a block of SHELF_GOAL, with little room left */
    BATCH_ROOM = BATCH_GOAL + STORE_LINE_MAX + PAYLOAD_MARK_MAX + 1,
    BATCHES_A_SYNC = 32,
    AGAIN_S = 1, /* after the disk refused */
    SEAL_AGAIN_S = 5,
    AGAIN_EVERY_S = 60,
    ACTIVE_TIMES = 8, /* an active segment may grow to so many times its size while the one before is packed */
};
_Static_assert((int)BATCH_ROOM <= (int)SEG_RAW_MAX, "a batch is a block");

struct batch {
    struct payload payload;
    uint64_t first_seq;
    struct batch *next;
    uint8_t bytes[BATCH_ROOM];
};

struct news { /* for store_turn */
    bool failed, full, back, sealed, expired, head;
    struct err why;
    int64_t span_us;
    struct journal_sealed seal;
    struct journal_expired gone;
    struct seg_seal open;
};

struct store {
    struct journal *j;
    struct store_limits limits;
    struct store_calls calls;
    int wake; /* eventfd */
    pthread_t writer, sealer;
    bool started;

    /* the appending thread's */
    struct batch *filling;
    uint64_t last_seq, told_seq;
    int64_t since_us; /* the oldest line in `filling`, as of the first push that saw it; 0: none */
    size_t batches;
    bool wants_room;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t to_writer, to_sealer;
    struct batch *spare, *first, **end;
    uint64_t synced_seq;
    bool busy, stop;
    bool seal_wanted; /* by store_seal */
    bool renewed;     /* `fresh` is for the writer to take */
    struct {          /* the writer's: of the open head that was told last */
        uint64_t seq;
        int64_t at_us;
    } head;
    struct store_limits fresh;

    struct shelf_how how;
    uint64_t packed_again; /* the sealer's: segments up to here */
    struct news news;
};

static const int64_t DAY_US = 86400 * (int64_t)1000000;

struct store_limits store_default_limits(void)
{
    struct store_limits l = { .files = journal_default_limits(),
                              .sync_us = 5000,
                              .memory_bytes = 32 << 20,
                              .level = 1,
                              .columns = true,
                              .head_us = 60 * (int64_t)1000000,
                              .again_us = DAY_US };

    l.files.segment_bytes = 32 << 20;
    l.files.segment_age_us = 3600 * (int64_t)1000000;
    l.files.total_bytes = (uint64_t)10 << 30;
    l.files.reserve_bytes = 4 << 20;
    return l;
}

static void wake_main(struct store *s)
{
    const uint64_t one = 1;
    ssize_t n = write(s->wake, &one, sizeof(one));

    (void)n; /* full: it is awake */
}

/* ---- the writer's thread ---- */

static void wait_a_while(struct store *s, pthread_cond_t *cond, int64_t seconds) /* locked */
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    (void)pthread_cond_timedwait(cond, &s->lock, &until);
}

static void tell_failure(struct store *s, const struct err *why)
{
    (void)pthread_mutex_lock(&s->lock);
    s->news.failed = true;
    s->news.full = why->code == ENOSPC || why->code == EDQUOT;
    s->news.why = *why;
    (void)pthread_mutex_unlock(&s->lock);
    wake_main(s);
}

/* All of them and a sync; what a failed try left behind is not counted by the journal. */
static int write_batches(struct store *s, struct batch *list, struct err *e)
{
    struct feed_block blocks[BATCHES_A_SYNC];
    size_t count = 0;

    for (struct batch *b = list; b; b = b->next)
        blocks[count++] = (struct feed_block){ .payload = slice_of(b->bytes, b->payload.len),
                                               .first_seq = b->first_seq,
                                               .records = b->payload.records,
                                               .min_us = b->payload.min_us,
                                               .max_us = b->payload.max_us };
    if (journal_last(s->j) < blocks[0].first_seq && feed_append(s->j, blocks, count, e) < 0)
        return -1;
    return journal_sync(s->j, e);
}

/* Until the disk takes it; false: the store is to stop and it did not. */
static bool write_for_sure(struct store *s, struct batch *list)
{
    int64_t since_us = 0;
    struct err why;

    while (write_batches(s, list, &why) < 0) {
        if (since_us == 0)
            since_us = clock_mono_us();
        if (why.code == ENOSPC && journal_release_reserve(s->j))
            continue;
        tell_failure(s, &why);
        (void)pthread_mutex_lock(&s->lock);
        if (!s->stop)
            wait_a_while(s, &s->to_writer, AGAIN_S);
        if (s->stop) {
            (void)pthread_mutex_unlock(&s->lock);
            return false;
        }
        (void)pthread_mutex_unlock(&s->lock);
    }
    if (since_us == 0)
        return true;
    (void)journal_restore_reserve(s->j, NULL);
    (void)pthread_mutex_lock(&s->lock);
    s->news.back = true;
    s->news.span_us = clock_mono_us() - since_us;
    (void)pthread_mutex_unlock(&s->lock);
    return true;
}

static void give_back(struct store *s, struct batch *list) /* locked */
{
    struct batch *next;

    for (; list; list = next) {
        next = list->next;
        s->synced_seq = list->first_seq + list->payload.records - 1;
        list->next = s->spare;
        s->spare = list;
    }
}

void store_renew(struct store *s, const struct store_limits *l)
{
    s->limits.sync_us = l->sync_us; /* the appending thread's own */
    (void)pthread_mutex_lock(&s->lock);
    s->fresh = *l;
    s->renewed = true;
    (void)pthread_cond_signal(&s->to_writer);
    (void)pthread_mutex_unlock(&s->lock);
}

static void take_fresh_limits(struct store *s) /* locked */
{
    s->renewed = false;
    s->limits.files = s->fresh.files;
    s->limits.head_us = s->fresh.head_us;
    s->limits.again_us = s->fresh.again_us;
    __atomic_store_n(&s->how.level, s->fresh.level, __ATOMIC_RELAXED);
    __atomic_store_n(&s->how.columns, s->fresh.columns, __ATOMIC_RELAXED);
    journal_set_limits(s->j, &s->limits.files);
}

static void tell_head(struct store *s)
{
    const int64_t mono_us = clock_mono_us();
    struct seg_seal open;

    if (!s->calls.head || mono_us - s->head.at_us < s->limits.head_us || journal_synced(s->j) == s->head.seq ||
        !feed_open_head(s->j, clock_wall_us(), &open))
        return;
    s->head.at_us = mono_us;
    s->head.seq = open.last_seq;
    (void)pthread_mutex_lock(&s->lock);
    s->news.head = true;
    s->news.open = open;
    (void)pthread_mutex_unlock(&s->lock);
    wake_main(s);
}

/* A segment that is due is left to the sealer; what is too old or too much leaves. */
static void tend(struct store *s)
{
    struct journal_expired gone = { 0 };
    int64_t now_us = clock_wall_us();
    bool wanted;
    struct err why;

    (void)pthread_mutex_lock(&s->lock);
    if (s->renewed)
        take_fresh_limits(s);
    wanted = s->seal_wanted;
    (void)pthread_mutex_unlock(&s->lock);
    if ((wanted || journal_is_due(s->j, now_us)) && !feed_is_pending(s->j)) {
        if (feed_begin(s->j, now_us, &why) < 0) {
            tell_failure(s, &why);
            return;
        }
        (void)pthread_mutex_lock(&s->lock);
        s->seal_wanted = false;
        (void)pthread_cond_signal(&s->to_sealer);
        (void)pthread_mutex_unlock(&s->lock);
        if (journal_retain(s->j, now_us, &gone, &why) < 0)
            tell_failure(s, &why);
    }
    if (gone.segments > 0) {
        (void)pthread_mutex_lock(&s->lock);
        s->news.expired = true;
        s->news.gone = gone;
        (void)pthread_mutex_unlock(&s->lock);
        wake_main(s);
    }
}

static struct batch *take_batches(struct store *s) /* locked; waits at most a second */
{
    struct batch *list;
    struct batch **end;

    if (!s->first && !s->stop)
        wait_a_while(s, &s->to_writer, 1);
    while (feed_active_bytes(s->j) > ACTIVE_TIMES * s->limits.files.segment_bytes && feed_is_pending(s->j) && !s->stop)
        wait_a_while(s, &s->to_writer, 1);
    list = s->first;
    end = &list;
    for (size_t i = 0; i < BATCHES_A_SYNC && *end; i++)
        end = &(*end)->next;
    s->first = *end;
    *end = NULL;
    if (!s->first)
        s->end = &s->first;
    s->busy = list != NULL;
    return list;
}

static void *writer_main(void *arg)
{
    struct store *s = arg;
    bool fine = true;

    (void)pthread_mutex_lock(&s->lock);
    while (fine && !(s->stop && !s->first)) {
        struct batch *list = take_batches(s);

        (void)pthread_mutex_unlock(&s->lock);
        fine = !list || write_for_sure(s, list);
        (void)pthread_mutex_lock(&s->lock);
        if (fine && list)
            give_back(s, list);
        s->busy = false;
        (void)pthread_mutex_unlock(&s->lock);
        if (list)
            wake_main(s);
        if (fine) {
            tend(s);
            tell_head(s);
        }
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_cond_signal(&s->to_sealer);
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the sealer's ---- */

/* Packing again makes way for a segment that waits to be sealed. */
static bool is_busy(void *ctx)
{
    struct store *s = ctx;

    return feed_is_pending(s->j) || __atomic_load_n(&s->stop, __ATOMIC_RELAXED);
}

/* One old segment, when nothing else is to do; then a while of rest. */
static void pack_again(struct store *s) /* locked */
{
    const int64_t again_us = s->limits.again_us;
    int64_t now_us = clock_wall_us();
    struct err why;
    int result;

    (void)pthread_mutex_unlock(&s->lock);
    result = again_us == INT64_MAX ? 0 : feed_pack_again(s->j, &s->packed_again, now_us - again_us, now_us, &why);
    (void)pthread_mutex_lock(&s->lock);
    if (!feed_is_pending(s->j) && !s->stop)
        wait_a_while(s, &s->to_sealer, result == 1 ? 0 : AGAIN_EVERY_S); /* a full disk is told by who writes lines */
}

static void *sealer_main(void *arg)
{
    struct store *s = arg;
    struct journal_sealed sealed;
    struct err why;

    (void)pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        int result;

        if (!feed_is_pending(s->j)) {
            pack_again(s);
            continue;
        }
        (void)pthread_mutex_unlock(&s->lock);
        result = feed_pack(s->j, clock_wall_us(), &sealed, &why);
        if (result < 0)
            tell_failure(s, &why);
        (void)pthread_mutex_lock(&s->lock);
        if (result == 0 && sealed.segment > 0) {
            s->news.sealed = true;
            s->news.seal = sealed;
            (void)pthread_cond_signal(&s->to_writer);
            wake_main(s);
        }
        if (result < 0 && !s->stop)
            wait_a_while(s, &s->to_sealer, SEAL_AGAIN_S);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- open, start, close ---- */

static int make_conds(struct store *s, struct err *e)
{
    pthread_condattr_t attr;
    int code = pthread_condattr_init(&attr);

    if (code == 0)
        code = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (code == 0)
        code = pthread_cond_init(&s->to_writer, &attr);
    if (code == 0)
        code = pthread_cond_init(&s->to_sealer, &attr);
    if (code == 0)
        code = pthread_mutex_init(&s->lock, NULL);
    return code == 0 ? 0 : err_set(e, code, "threads");
}

static void store_free(struct store *s)
{
    struct batch *next;

    free(s->filling);
    for (struct batch *b = s->spare; b; b = next) {
        next = b->next;
        free(b);
    }
    for (struct batch *b = s->first; b; b = next) {
        next = b->next;
        free(b);
    }
    journal_close(s->j);
    if (s->wake >= 0)
        (void)close(s->wake);
    free(s);
}

/* A segment that is packed takes tens of MiB, again and again: given back and asked for anew, the kernel would clear
 * each page each time. */
static void keep_memory(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

struct store *store_open(const char *folder, const struct store_limits *l, const struct store_calls *calls,
                         int64_t now_us, struct journal_opened *found, struct err *e)
{
    struct store *s = calloc(1, sizeof(*s));
    struct feed_kind kind = { .content = SEG_LINES, .pack = shelf_pack, .pack_again = shelf_pack_again };

    if (!s) {
        err_set(e, ENOMEM, "log store");
        return NULL;
    }
    keep_memory();
    s->limits = *l;
    s->calls = *calls;
    s->end = &s->first;
    s->how = (struct shelf_how){ .level = l->level, .columns = l->columns, .busy = is_busy, .ctx = s };
    kind.own = &s->how;
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake < 0)
        err_set(e, errno, "eventfd");
    if (s->wake >= 0 && make_conds(s, e) == 0)
        s->j = feed_open(folder, &l->files, &kind, now_us, found, e);
    if (!s->j) {
        err_wrap(e, "log store");
        store_free(s);
        return NULL;
    }
    s->last_seq = s->synced_seq = s->told_seq = found->last_seq;
    return s;
}

int store_start(struct store *s, struct err *e)
{
    int code = pthread_create(&s->writer, NULL, writer_main, s);

    if (code == 0)
        code = pthread_create(&s->sealer, NULL, sealer_main, s);
    s->started = code == 0;
    return code == 0 ? 0 : err_set(e, code, "a thread of the log store");
}

int store_fd(const struct store *s)
{
    return s->wake;
}

/* ---- the appending thread ---- */

static void queue_filling(struct store *s)
{
    struct batch *b = s->filling;

    if (!b || b->payload.records == 0)
        return;
    s->filling = NULL;
    s->since_us = 0;
    b->next = NULL;
    (void)pthread_mutex_lock(&s->lock);
    *s->end = b;
    s->end = &b->next;
    (void)pthread_cond_signal(&s->to_writer);
    (void)pthread_mutex_unlock(&s->lock);
}

static bool get_batch(struct store *s)
{
    struct batch *b;

    if (s->filling)
        return true;
    (void)pthread_mutex_lock(&s->lock);
    b = s->spare;
    if (b)
        s->spare = b->next;
    (void)pthread_mutex_unlock(&s->lock);
    if (!b && s->batches * sizeof(*b) < s->limits.memory_bytes && (b = malloc(sizeof(*b))))
        s->batches++;
    if (!b)
        return false;
    b->payload = (struct payload){ .at = b->bytes, .cap = sizeof(b->bytes) };
    b->first_seq = s->last_seq + 1;
    s->filling = b;
    return true;
}

uint64_t store_append(struct store *s, const struct log_line *line, const uint8_t *digest)
{
    if (!get_batch(s)) {
        s->wants_room = true;
        return 0;
    }
    (void)payload_put(&s->filling->payload, line, digest); /* there is room: the batch is handed on at its goal */
    if (s->filling->payload.len >= BATCH_GOAL)
        queue_filling(s);
    return ++s->last_seq;
}

int64_t store_push(struct store *s, int64_t mono_us, bool ack_waits)
{
    bool idle;

    if (!s->filling || s->filling->payload.records == 0)
        return 0;
    if (s->since_us == 0)
        s->since_us = mono_us;
    (void)pthread_mutex_lock(&s->lock);
    idle = !s->busy && !s->first;
    (void)pthread_mutex_unlock(&s->lock);
    if (!idle)
        return 0; /* store_turn follows when it is, and the next push with it */
    if (!ack_waits && mono_us - s->since_us < s->limits.sync_us)
        return s->limits.sync_us - (mono_us - s->since_us);
    queue_filling(s);
    return 0;
}

bool store_has_room(const struct store *s)
{
    return !s->wants_room;
}

static void tell(struct store *s, const struct news *n)
{
    if (n->failed && s->calls.failed)
        s->calls.failed(s->calls.ctx, &n->why, n->full);
    if (n->back && s->calls.back)
        s->calls.back(s->calls.ctx, n->span_us);
    if (n->sealed && s->calls.sealed)
        s->calls.sealed(s->calls.ctx, &n->seal);
    if (n->head && s->calls.head)
        s->calls.head(s->calls.ctx, &n->open);
    if (n->expired && s->calls.expired)
        s->calls.expired(s->calls.ctx, &n->gone);
}

void store_turn(struct store *s)
{
    struct news news;
    uint64_t count;
    uint64_t synced;
    bool room;
    ssize_t n = read(s->wake, &count, sizeof(count));

    (void)n; /* nothing there is fine */
    (void)pthread_mutex_lock(&s->lock);
    news = s->news;
    s->news = (struct news){ 0 };
    synced = s->synced_seq;
    room = s->wants_room && s->spare;
    (void)pthread_mutex_unlock(&s->lock);
    tell(s, &news);
    if (synced != s->told_seq) {
        s->told_seq = synced;
        if (s->calls.synced)
            s->calls.synced(s->calls.ctx, synced);
    }
    if (!room)
        return;
    s->wants_room = false;
    if (s->calls.room)
        s->calls.room(s->calls.ctx);
}

uint64_t store_last(const struct store *s)
{
    return s->last_seq;
}

uint64_t store_synced(const struct store *s)
{
    return s->told_seq;
}

const uint8_t *store_id(const struct store *s)
{
    return journal_id(s->j);
}

static bool all_synced(struct store *s)
{
    bool all;

    (void)pthread_mutex_lock(&s->lock);
    all = s->synced_seq == s->last_seq && !s->busy;
    (void)pthread_mutex_unlock(&s->lock);
    return all;
}

bool store_seal(struct store *s, int64_t wait_us)
{
    const struct timespec nap = { .tv_nsec = 1000000 };
    int64_t until_us = clock_mono_us() + wait_us;
    bool over = false;

    (void)pthread_mutex_lock(&s->lock);
    s->seal_wanted = true;
    (void)pthread_cond_signal(&s->to_writer);
    (void)pthread_mutex_unlock(&s->lock);
    while (!over && clock_mono_us() < until_us) {
        (void)nanosleep(&nap, NULL);
        (void)pthread_mutex_lock(&s->lock);
        over = !s->seal_wanted && !feed_is_pending(s->j);
        (void)pthread_mutex_unlock(&s->lock);
    }
    return over;
}

void store_close(struct store *s, int64_t wait_us)
{
    const struct timespec nap = { .tv_nsec = 1000000 };
    int64_t until_us = clock_mono_us() + wait_us;

    if (!s)
        return;
    if (s->started) {
        queue_filling(s);
        while (!all_synced(s) && clock_mono_us() < until_us)
            (void)nanosleep(&nap, NULL);
        if (!all_synced(s))
            return; /* the disk does not answer: threads and memory end with the process */
        store_turn(s);
        (void)pthread_mutex_lock(&s->lock);
        __atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
        (void)pthread_cond_signal(&s->to_writer);
        (void)pthread_cond_signal(&s->to_sealer);
        (void)pthread_mutex_unlock(&s->lock);
        (void)pthread_join(s->writer, NULL);
        (void)pthread_join(s->sealer, NULL);
    }
    store_free(s);
}
