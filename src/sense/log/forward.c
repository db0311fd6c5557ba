/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/forward.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal/crc32c.h"
#include "journal/folder.h"
#include "sense/log/lines.h"
#include "sense/log/offers.h"
#include "sense/log/sender.h"
#include "sys/clock.h"

enum { TELL_US = 1000000, SAVE_US = 1000000, NAP_MS = 50, AGAIN_MS = 1000, AGAIN_MOST_MS = 30000, STALLED_MS = 30000 };

struct cursor { /* in the file */
    uint64_t seq;
    uint32_t crc, zero;
};

struct forward {
    struct forwards *all;
    const struct log_forward *settings;
    const struct sender_kind *kind;
    pthread_t thread;
    bool running;
    int dir;
    struct lines *lines;
    struct lines_room room;
    struct sender *sender;
    uint64_t sent, acked, saved; /* line numbers */
    uint64_t unread;             /* first line of a block that could not be read */
    int64_t saved_us;
    struct offers offers;

    pthread_mutex_t lock; /* of what the main thread tells */
    bool down, told_down;
    uint64_t waited; /* lines, when it came back */
    char why[200];
    struct seg_seal open;           /* for the thread's offers */
    uint64_t differs, told_differs; /* segment of which our witness says otherwise */
    char differs_why[sizeof(((struct offers *)NULL)->why)];
};

struct forwards {
    struct intake *in;
    struct forward at[LOG_FORWARDS];
    size_t count;
    uint32_t timer;
    uint64_t synced; /* atomic: may be sent */
    bool stop;       /* atomic */
};

static const struct sender_kind *kind_of(int way)
{
    switch ((enum log_forward_way)way) {
    case LOG_TO_RELP:
        return &sender_relp;
    case LOG_TO_TLS:
        return &sender_tls;
    case LOG_TO_TCP:
        return &sender_tcp;
    case LOG_TO_SERVIOLA:
        break;
    }
    return &sender_serviola;
}

/* ---- the cursor ---- */

static struct file_name cursor_name(const struct forward *f)
{
    struct file_name n;

    (void)snprintf(n.text, sizeof(n.text), "cursor-%.20s", f->settings->name);
    return n;
}

static void load_cursor(struct forward *f)
{
    struct cursor c;
    uint8_t *bytes;
    size_t len;

    if (folder_read(f->dir, cursor_name(f).text, sizeof(c), &bytes, &len, NULL) < 0)
        return;
    if (len == sizeof(c)) {
        memcpy(&c, bytes, sizeof(c));
        if (c.crc == crc32c(0, &c.seq, sizeof(c.seq)))
            f->acked = f->saved = c.seq;
    }
    free(bytes);
}

static void save_cursor(struct forward *f, bool now)
{
    struct cursor c = { .seq = f->acked, .crc = crc32c(0, &f->acked, sizeof(f->acked)) };
    int64_t mono_us = clock_mono_us();

    if (f->acked == f->saved || (!now && mono_us - f->saved_us < SAVE_US))
        return;
    f->saved_us = mono_us;
    if (folder_replace(f->dir, cursor_name(f).text, 0640, slice_of(&c, sizeof(c)), NULL) == 0)
        f->saved = f->acked;
}

/* ---- the thread ---- */

static bool stops(const struct forward *f)
{
    return __atomic_load_n(&f->all->stop, __ATOMIC_ACQUIRE);
}

static void nap(const struct forward *f, int ms)
{
    const struct timespec t = { .tv_nsec = NAP_MS * 1000000L };

    for (; ms > 0 && !stops(f); ms -= NAP_MS)
        (void)nanosleep(&t, NULL);
}

static int take_acks(struct forward *f, int wait_ms, struct err *e)
{
    uint64_t seq;
    int result = f->kind->acked(f->sender, wait_ms, &seq, e);

    if (seq > f->acked)
        f->acked = seq;
    save_cursor(f, false);
    return result;
}

/* Not too many on their way. */
static int hold_back(struct forward *f, struct err *e)
{
    for (int waited = 0; f->sent - f->acked >= f->kind->window && !stops(f); waited += NAP_MS) {
        if (waited >= STALLED_MS)
            return err_set(e, 0, "nothing is acknowledged");
        if (f->kind->flush(f->sender, e) < 0 || take_acks(f, NAP_MS, e) < 0)
            return -1;
    }
    return 0;
}

static int send_block(struct forward *f, size_t i, uint64_t to, struct err *e)
{
    struct lines_walk w;
    struct log_line line;
    struct slice payload;

    if (lines_load(f->lines, i, &f->room, &payload, NULL) < 0) {
        const struct lines_block *b = lines_block(f->lines, i);

        if (f->unread == b->first_seq) /* for the second time: it was not just being sealed */
            f->sent = b->last_seq;
        f->unread = b->first_seq;
        return 0;
    }
    w = lines_walk(payload, lines_block(f->lines, i)->first_seq);
    while (!stops(f) && lines_next(&w, &line)) {
        if (line.seq <= f->sent)
            continue;
        if (line.seq > to)
            break;
        if (hold_back(f, e) < 0 || f->kind->send(f->sender, &line, e) < 0)
            return -1;
        f->sent = line.seq;
    }
    return f->kind->flush(f->sender, e) < 0 ? -1 : take_acks(f, 0, e);
}

/* What is on our disk and not yet sent; a block that can't be read is left out, and its readers hear of it elsewhere.
 */
static int send_news(struct forward *f, struct err *e)
{
    uint64_t to = __atomic_load_n(&f->all->synced, __ATOMIC_ACQUIRE);
    struct err damage;

    if (to <= f->sent)
        return 0;
    if (lines_refresh(f->lines, &damage) < 0)
        return 0;
    for (size_t i = lines_find(f->lines, f->sent + 1); i < lines_count(f->lines) && !stops(f); i++) {
        if (lines_block(f->lines, i)->first_seq > to)
            break;
        if (send_block(f, i, to, e) < 0)
            return -1;
        if (f->sent + 1 <= lines_block(f->lines, i)->last_seq && f->sent < to)
            break; /* it could not be read: look again */
    }
    return 0;
}

static void tell_state(struct forward *f, bool down, const char *why)
{
    (void)pthread_mutex_lock(&f->lock);
    if (f->down && !down)
        f->waited = __atomic_load_n(&f->all->synced, __ATOMIC_ACQUIRE) - f->acked;
    f->down = down;
    (void)snprintf(f->why, sizeof(f->why), "%.*s", (int)sizeof(f->why) - 1, why);
    (void)pthread_mutex_unlock(&f->lock);
}

/* Heads of what the other side has, for it to sign. */
static int offer_heads(struct forward *f, struct err *e)
{
    struct seg_seal seals[OFFERS_SEALS];
    struct offers *o = &f->offers;
    struct slice answer;
    size_t count;

    if (!f->kind->takes_heads || !f->kind->takes_heads(f->sender))
        return 0;
    if (f->kind->answered(f->sender, &answer))
        offers_take(o, answer);
    (void)pthread_mutex_lock(&f->lock);
    o->open = f->open;
    (void)pthread_mutex_unlock(&f->lock);
    count = offers_make(o, f->acked, clock_mono_us(), seals);
    if (o->differs != f->differs) {
        (void)pthread_mutex_lock(&f->lock);
        f->differs = o->differs;
        memcpy(f->differs_why, o->why, sizeof(f->differs_why));
        (void)pthread_mutex_unlock(&f->lock);
    }
    return count > 0 ? f->kind->offer(f->sender, slice_of(seals, count * sizeof(seals[0])), e) : 0;
}

/* Until it fails, or is to stop. */
static int send_all(struct forward *f, struct err *e)
{
    offers_begin(&f->offers);
    f->sent = f->acked;
    while (!stops(f)) {
        uint64_t before = f->sent;

        if (send_news(f, e) < 0 || take_acks(f, f->sent == before ? NAP_MS : 0, e) < 0 || offer_heads(f, e) < 0)
            return -1;
        if (f->sent == before)
            nap(f, NAP_MS);
    }
    return 0;
}

static void *forward_main(void *arg)
{
    struct forward *f = arg;
    int again_ms = AGAIN_MS;
    struct err why;

    while (!stops(f)) {
        f->sender = f->kind->open(f->settings->to, store_id(f->all->in->store), &why);
        if (f->sender) {
            again_ms = AGAIN_MS;
            tell_state(f, false, "");
            if (send_all(f, &why) == 0)
                break;
        }
        f->kind->close(f->sender);
        f->sender = NULL;
        tell_state(f, true, why.text);
        nap(f, again_ms);
        again_ms = again_ms * 2 < AGAIN_MOST_MS ? again_ms * 2 : AGAIN_MOST_MS;
    }
    f->kind->close(f->sender);
    f->sender = NULL;
    save_cursor(f, true);
    return NULL;
}

/* ---- the main thread ---- */

static void tell_difference(struct forward *f)
{
    char why[sizeof(f->differs_why)];
    uint64_t segment;

    (void)pthread_mutex_lock(&f->lock);
    segment = f->differs;
    memcpy(why, f->differs_why, sizeof(why));
    (void)pthread_mutex_unlock(&f->lock);
    if (segment == f->told_differs)
        return;
    f->told_differs = segment;
    intake_tell(f->all->in, EV_LOG_HISTORY_DIFFERS, addr_ip(f->settings->to), f->settings->name, why, segment);
}

static void tell(void *ctx)
{
    struct forwards *all = ctx;

    for (size_t i = 0; i < all->count; i++) {
        struct forward *f = &all->at[i];
        bool down;
        uint64_t waited;
        char why[200];

        tell_difference(f);
        (void)pthread_mutex_lock(&f->lock);
        down = f->down;
        waited = f->waited;
        memcpy(why, f->why, sizeof(why));
        (void)pthread_mutex_unlock(&f->lock);
        if (down == f->told_down)
            continue;
        f->told_down = down;
        intake_tell(all->in, down ? EV_LOG_FORWARD_LOST : EV_LOG_FORWARD_BACK, addr_ip(f->settings->to),
                    f->settings->name, why, down ? 0 : waited);
    }
}

struct forwards *forwards_new(struct intake *in, struct err *e)
{
    struct forwards *all = calloc(1, sizeof(*all));

    if (!all) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    all->in = in;
    all->synced = store_synced(in->store);
    for (uint32_t i = 0; i < in->settings.forwards_count && i < LOG_FORWARDS; i++) {
        struct forward *f = &all->at[all->count++];

        f->all = all;
        f->settings = &in->settings.forwards[i];
        f->kind = kind_of(f->settings->way);
        (void)pthread_mutex_init(&f->lock, NULL);
        f->dir = folder_open(in->settings.folder, e);
        f->lines = f->dir < 0 ? NULL : lines_open_at(f->dir, e);
        if (!f->lines) {
            forwards_free(all);
            return NULL;
        }
        load_cursor(f);
        f->offers = (struct offers){ .dir = f->dir, .name = f->settings->name };
        memcpy(f->offers.id, store_id(in->store), SEG_HASH);
    }
    return all;
}

int forwards_start(struct forwards *all, struct err *e)
{
    for (size_t i = 0; i < all->count; i++) {
        int code = pthread_create(&all->at[i].thread, NULL, forward_main, &all->at[i]);

        if (code != 0)
            return err_set(e, code, "log: a thread to forward");
        all->at[i].running = true;
    }
    if (all->count > 0)
        all->timer = loop_timer(all->in->loop, TELL_US, TELL_US, tell, all);
    return 0;
}

void forwards_synced(struct forwards *all, uint64_t seq)
{
    __atomic_store_n(&all->synced, seq, __ATOMIC_RELEASE);
}

void forwards_head(struct forwards *all, const struct seg_seal *s)
{
    for (size_t i = 0; i < all->count; i++) {
        (void)pthread_mutex_lock(&all->at[i].lock);
        all->at[i].open = *s;
        (void)pthread_mutex_unlock(&all->at[i].lock);
    }
}

void forwards_free(struct forwards *all)
{
    if (!all)
        return;
    __atomic_store_n(&all->stop, true, __ATOMIC_RELEASE);
    loop_untimer(all->in->loop, all->timer);
    for (size_t i = 0; i < all->count; i++) {
        struct forward *f = &all->at[i];

        if (f->running)
            (void)pthread_join(f->thread, NULL);
        lines_close(f->lines);
        lines_room_done(&f->room);
        if (f->dir >= 0)
            (void)close(f->dir);
    }
    free(all);
}
