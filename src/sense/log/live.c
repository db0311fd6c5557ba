/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/live.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "journal/crc32c.h"
#include "journal/folder.h"
#include "part/link.h"
#include "sense/log/inner.h"
#include "sense/log/lines.h"
#include "sense/log/outtray.h"
#include "sense/log/payload.h"
#include "sys/clock.h"

enum {
    BEAT_US = 1000000,
    SAVE_US = 1000000,
    IDLE_US = 30000000,
    NAP_MS = 50,
    NICE = 10,
    VAIN_MOST = 100,
    CURSOR_SUM = 16
};
#define DOWN_US (180 * (int64_t)1000000) /* nobody is called silent for a shorter pause of ours */

struct cursor { /* in the file */
    uint64_t seq;
    int64_t at_us; /* nothing else came until then */
    uint32_t crc, zero;
};

struct reader {
    struct live_reader is;
    uint64_t after;      /* lines up to here are not wanted */
    struct cursor told;  /* at the start: up to here all came in an earlier life */
    bool past;           /* told.at_us was passed: what comes is new */
    struct cursor kept;  /* in the file */
    struct cursor reach; /* will be, when what was said up to there has left */
    uint64_t reach_said, kept_said;
    int64_t kept_mono_us;
};

/* A moment of our clock, and the newest line then: all that came before is known. */
struct beat {
    uint64_t seq;
    int64_t at_us;        /* 0: none */
    int64_t down_from_us; /* 0, or: since then we had not listened */
};

struct live {
    struct intake *in;
    struct reader readers[LIVE_READERS];
    size_t count;
    int dir;
    struct outtray *outtray;
    pthread_t thread;
    bool running;

    /* the main thread's */
    uint32_t timer;
    int64_t beat_us; /* when it last beat */

    /* the reading thread's */
    struct lines *lines;
    struct lines_room room;
    uint64_t seq;    /* read up to here */
    uint64_t unread; /* first line of a block that could not be read */
    unsigned vain;   /* rounds without a line that should have one */
    int64_t now_us;  /* of the newest line or beat */

    pthread_mutex_t lock; /* of all below */
    uint64_t synced;
    struct beat next, due; /* next: its lines are not all on our disk; due: they are */
    bool stop;
};

static void set_seq(struct live *l, uint64_t seq)
{
    __atomic_store_n(&l->seq, seq, __ATOMIC_RELAXED); /* live_unread looks from the other thread */
}

/* ---- cursors ---- */

static struct file_name cursor_name(const struct reader *r)
{
    struct file_name n;

    (void)snprintf(n.text, sizeof(n.text), "cursor-%.20s", r->is.name);
    return n;
}

/* The first time: what is there already is old. */
static void load_cursor(struct live *l, struct reader *r)
{
    struct cursor c = { 0 };
    uint8_t *bytes = NULL;
    size_t len = 0;

    r->told.seq = l->synced;
    if (folder_read(l->dir, cursor_name(r).text, sizeof(c), &bytes, &len, NULL) < 0)
        return;
    if (len == sizeof(c)) {
        memcpy(&c, bytes, sizeof(c));
        if (c.crc == crc32c(0, &c, CURSOR_SUM) && c.seq <= r->told.seq)
            r->told = r->kept = c;
    }
    free(bytes);
}

static void keep_cursor(struct live *l, struct reader *r, int64_t mono_us)
{
    r->reach.crc = crc32c(0, &r->reach, CURSOR_SUM);
    if (folder_replace(l->dir, cursor_name(r).text, 0640, slice_of(&r->reach, sizeof(r->reach)), NULL) == 0)
        r->kept = r->reach;
    r->kept_said = r->reach_said;
    r->kept_mono_us = mono_us;
    r->reach = (struct cursor){ 0 };
}

/* Where a reader is becomes its cursor when its words have left us; at once when there were any. */
static void save_cursors(struct live *l)
{
    int64_t mono_us = clock_mono_us();
    uint64_t left = outtray_left(l->outtray);

    for (size_t i = 0; i < l->count; i++) {
        struct reader *r = &l->readers[i];
        bool left_us = left >= r->reach_said;

        if (r->reach.at_us > 0 && left_us &&
            (r->reach_said != r->kept_said ||
             mono_us - r->kept_mono_us >= (r->reach.seq != r->kept.seq ? SAVE_US : IDLE_US)))
            keep_cursor(l, r, mono_us);
        if (!r->past || l->now_us <= r->kept.at_us || (r->reach.at_us > 0 && !left_us))
            continue;
        if (r->is.settle)
            r->is.settle(r->is.own);
        r->reach = (struct cursor){ .seq = l->seq, .at_us = l->now_us };
        r->reach_said = outtray_said(l->outtray);
    }
}

/* ---- the reading thread ---- */

/* What came again is at its end. */
static void go_past(struct reader *r)
{
    r->past = true;
    if (r->is.tick && r->told.at_us > 0)
        r->is.tick(r->is.own, r->told.at_us, true);
}

static void give(struct live *l, struct log_line *line)
{
    log_line_read(line);
    line->source = payload_source(line->way, line->peer);
    for (size_t i = 0; i < l->count; i++) {
        struct reader *r = &l->readers[i];

        if (line->seq <= r->after)
            continue;
        if (!r->past && line->seq > r->told.seq)
            go_past(r);
        r->is.line(r->is.own, line, !r->past);
    }
    set_seq(l, line->seq);
    l->now_us = line->at_us > l->now_us ? line->at_us : l->now_us;
}

static bool stops(struct live *l)
{
    return __atomic_load_n(&l->stop, __ATOMIC_ACQUIRE);
}

/* False: the block could not be read; it may just be sealed, so the second time it is passed over. */
static bool read_block(struct live *l, size_t i, uint64_t to)
{
    const struct lines_block *b = lines_block(l->lines, i);
    struct lines_walk w;
    struct log_line line;
    struct slice payload;

    if (lines_load(l->lines, i, &l->room, &payload, NULL) < 0) {
        bool again = l->unread == b->first_seq;

        l->unread = b->first_seq;
        if (again)
            set_seq(l, b->last_seq);
        return again;
    }
    w = lines_walk(payload, b->first_seq);
    while (!stops(l) && lines_next(&w, &line) && line.seq <= to)
        if (line.seq > l->seq)
            give(l, &line);
    return true;
}

/* False: there was nothing new. */
static bool read_to(struct live *l, uint64_t to)
{
    uint64_t before = l->seq;

    if (to <= l->seq || lines_refresh(l->lines, NULL) < 0)
        return false;
    if (l->vain++ == VAIN_MOST) /* they are nowhere */
        set_seq(l, to);
    for (size_t i = lines_find(l->lines, l->seq + 1); i < lines_count(l->lines) && !stops(l) && l->seq < to; i++) {
        if (lines_block(l->lines, i)->first_seq > to) { /* what lay before has left the store */
            set_seq(l, to);
            break;
        }
        if (!read_block(l, i, to))
            break;
        save_cursors(l);
    }
    l->vain = l->seq != before ? 0 : l->vain;
    return l->seq != before;
}

static void pass(struct live *l, const struct beat *b)
{
    int64_t from_us = b->down_from_us > l->now_us ? b->down_from_us : l->now_us;

    for (size_t i = 0; i < l->count; i++) {
        struct reader *r = &l->readers[i];

        if (!r->past)
            go_past(r);
        if (r->is.down && b->down_from_us > 0 && b->at_us - from_us > DOWN_US)
            r->is.down(r->is.own, from_us, b->at_us);
        if (r->is.tick && b->at_us > l->now_us)
            r->is.tick(r->is.own, b->at_us, false);
    }
    l->now_us = b->at_us > l->now_us ? b->at_us : l->now_us;
}

/* Up to where may be read, and the moment that is to be passed there. */
static uint64_t goal(struct live *l, struct beat *b)
{
    uint64_t to;

    (void)pthread_mutex_lock(&l->lock);
    to = l->synced;
    *b = l->due;
    if (b->at_us > 0 && b->seq < to)
        to = b->seq;
    else if (l->next.down_from_us > 0 && l->next.seq < to)
        to = l->next.seq;
    (void)pthread_mutex_unlock(&l->lock);
    return to;
}

static void forget_due(struct live *l, const struct beat *b)
{
    (void)pthread_mutex_lock(&l->lock);
    if (l->due.at_us == b->at_us)
        l->due = (struct beat){ 0 };
    (void)pthread_mutex_unlock(&l->lock);
}

static void *live_main(void *arg)
{
    const struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
    struct live *l = arg;

    (void)setpriority(PRIO_PROCESS, 0, NICE); /* this thread alone: where cores are few, receiving goes first */
    while (!stops(l)) {
        struct beat b;
        bool news = read_to(l, goal(l, &b));

        if (b.at_us > 0 && l->seq >= b.seq && !stops(l)) {
            pass(l, &b);
            forget_due(l, &b);
        }
        save_cursors(l);
        if (!news)
            (void)nanosleep(&nap, NULL);
    }
    return NULL;
}

/* ---- the main thread ---- */

/* The moment is given on when its lines are on our disk, and the one before it was taken if it was a weighty one. */
static void give_on(struct live *l)
{
    if (l->next.at_us > 0 && l->synced >= l->next.seq && l->due.down_from_us == 0) {
        l->due = l->next;
        l->next = (struct beat){ 0 };
    }
}

static void beat(struct live *l, int64_t now_us)
{
    struct beat b = { store_last(l->in->store), now_us, now_us - l->beat_us > DOWN_US ? l->beat_us : 0 };

    l->beat_us = now_us;
    (void)pthread_mutex_lock(&l->lock);
    if (l->next.at_us == 0 || b.down_from_us > 0) {
        if (l->next.down_from_us > 0)
            b.down_from_us = l->next.down_from_us;
        l->next = b;
    }
    give_on(l);
    (void)pthread_mutex_unlock(&l->lock);
}

static void on_timer(void *ctx)
{
    beat(ctx, clock_wall_us());
}

void live_arrives(struct live *l, int64_t now_us)
{
    if (l && l->running && now_us - l->beat_us > DOWN_US)
        beat(l, now_us);
}

void live_synced(struct live *l, uint64_t seq)
{
    (void)pthread_mutex_lock(&l->lock);
    l->synced = seq;
    give_on(l);
    (void)pthread_mutex_unlock(&l->lock);
}

static bool say(void *ctx, uint16_t op, const void *body, size_t len)
{
    const struct intake_calls *calls = &((struct live *)ctx)->in->calls;
    struct event ev;

    if (calls->say)
        return calls->say(calls->ctx, op, body, len);
    if (op == LINK_EVENT && len == sizeof(ev)) {
        memcpy(&ev, body, sizeof(ev));
        calls->event(calls->ctx, &ev);
    }
    return true;
}

static bool all_said(void *ctx)
{
    const struct intake_calls *calls = &((struct live *)ctx)->in->calls;

    return !calls->all_said || calls->all_said(calls->ctx);
}

struct live *live_new(struct intake *in, struct err *e)
{
    struct live *l = calloc(1, sizeof(*l));
    const struct outtray_way way = { .ctx = l, .send = say, .empty = all_said };

    if (!l) {
        (void)err_set(e, ENOMEM, "log");
        return NULL;
    }
    l->in = in;
    l->synced = store_synced(in->store);
    (void)pthread_mutex_init(&l->lock, NULL);
    l->outtray = outtray_new(in->loop, &way, e);
    l->dir = l->outtray ? folder_open(in->settings.folder, e) : -1;
    l->lines = l->dir < 0 ? NULL : lines_open_at(l->dir, e);
    if (l->lines)
        return l;
    live_free(l);
    return NULL;
}

int live_folder(const struct live *l)
{
    return l->dir;
}

int live_add(struct live *l, const struct live_reader *r, struct err *e)
{
    struct reader *at = &l->readers[l->count];

    if (l->count == LIVE_READERS)
        return err_set(e, 0, "log: too many readers");
    at->is = *r;
    load_cursor(l, at);
    at->after = r->after ? r->after(r->own) : at->told.seq;
    if (at->after > at->told.seq)
        at->told.seq = at->after;
    l->now_us = at->told.at_us > l->now_us ? at->told.at_us : l->now_us;
    if (l->count++ == 0 || at->after < l->seq)
        l->seq = at->after;
    return 0;
}

/* Whatever was between the last line and now we did not hear. */
int live_start(struct live *l, struct err *e)
{
    int code;

    if (l->count == 0)
        return 0;
    l->beat_us = clock_wall_us();
    l->due = (struct beat){ .seq = l->synced, .at_us = l->beat_us, .down_from_us = 1 };
    if (outtray_start(l->outtray, e) < 0)
        return -1;
    code = pthread_create(&l->thread, NULL, live_main, l);
    if (code != 0)
        return err_set(e, code, "log: a thread that reads lines");
    l->running = true;
    l->timer = loop_timer(l->in->loop, BEAT_US, BEAT_US, on_timer, l);
    return 0;
}

uint64_t live_unread(const struct live *l)
{
    uint64_t seq = __atomic_load_n(&l->seq, __ATOMIC_RELAXED);
    uint64_t synced = store_synced(l->in->store);

    return l->running && synced > seq ? synced - seq : 0;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    __atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
    loop_untimer(l->in->loop, l->timer);
    if (l->running) {
        outtray_stop(l->outtray);
        (void)pthread_join(l->thread, NULL);
    }
    for (size_t i = 0; i < l->count; i++)
        if (l->readers[i].is.end)
            l->readers[i].is.end(l->readers[i].is.own);
    outtray_free(l->outtray);
    lines_close(l->lines);
    lines_room_done(&l->room);
    if (l->dir >= 0)
        (void)close(l->dir);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- for the readers ---- */

struct addr live_sender(const struct log_line *line)
{
    struct addr a = { 0 };
    struct slice rest;

    if (line->way >= LOG_UDP && line->way <= LOG_RELP)
        (void)addr_read_port(slice_until(line->peer, ',', &rest), &a);
    return addr_ip(a);
}

void live_event(struct live *l, const struct event *ev)
{
    outtray_put(l->outtray, LINK_EVENT, ev, sizeof(*ev));
}

void live_send(struct live *l, uint16_t op, const void *body, size_t len)
{
    outtray_put(l->outtray, op, body, len);
}
