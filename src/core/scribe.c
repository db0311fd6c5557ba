/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/scribe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/keeper.h"
#include "core/shelf.h"
#include "core/settings.h"
#include "journal/journal.h"
#include "journal/query.h"
#include "journal/replay.h"
#include "journal/tail.h"
#include "part/link.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { BATCH = 256, RETRY_US = 1000000, KEEP_US = 1000000, CHORES_US = 10000000 };

struct scribe {
    struct role *role;
    struct journal *journal;
    struct tail *tail; /* NULL until the core sends it */
    struct keeper *keeper;
    struct shelf *shelf;
    uint32_t sync_timer, retry_timer, keep_timer;
    bool failed;          /* the disk refuses: said once, retried each second */
    char log_folder[344]; /* where the story's log stands */
    const char *folders[3];
};

static const struct scribe_settings *conf(const struct scribe *s)
{
    return s->role->settings;
}

static void report(struct scribe *s, struct event *ev)
{
    ev->at_us = clock_wall_us();
    ev->mono_us = clock_mono_us();
    (void)chan_send(s->role->core, LINK_KEPT, 0, ev->cause, ev, sizeof(*ev), -1);
}

static void say_seq(struct scribe *s, uint16_t op, uint64_t seq)
{
    struct link_seq said = { seq };

    (void)chan_send(s->role->core, op, 0, 0, &said, sizeof(said), -1);
}

/* ---- writing ---- */

static void write_on(void *ctx);
static void close_segment(struct scribe *s);

/* Disk full or broken: the place is kept, the alarm is written from the reserve, and it is tried again. */
static void on_failure(struct scribe *s, const char *text)
{
    struct event ev = event_new(EV_SCRIBE_FAILED);

    if (!s->failed) {
        s->failed = true;
        (void)journal_release_reserve(s->journal);
        event_add_words(&ev, F_NAME, conf(s)->journal.folder);
        event_add_words(&ev, F_WHY, text);
        report(s, &ev);
        say("%s", text);
    }
    if (s->retry_timer == 0)
        s->retry_timer = loop_timer(s->role->loop, RETRY_US, 0, write_on, s);
}

static void sync_now(void *ctx)
{
    struct scribe *s = ctx;
    struct err e;
    struct event ev = event_new(EV_SCRIBE_BACK);

    s->sync_timer = 0;
    if (journal_sync(s->journal, &e) < 0) {
        on_failure(s, e.text);
        return;
    }
    if (s->failed) {
        s->failed = false;
        event_add_words(&ev, F_NAME, conf(s)->journal.folder);
        report(s, &ev);
        (void)journal_restore_reserve(s->journal, &e);
    }
    say_seq(s, LINK_SYNCED, journal_synced(s->journal)); /* first: packing takes a while, and these are safe */
    close_segment(s);
}

static void report_lost(struct scribe *s, uint64_t from, uint64_t to)
{
    struct link_lost lost = { from, to };

    (void)chan_send(s->role->core, LINK_LOST, 0, 0, &lost, sizeof(lost), -1);
}

/* The next events of the tail, at most BATCH; what the ring has overwritten is reported and stepped over. */
static size_t collect(struct scribe *s, struct event *events)
{
    uint64_t seq = journal_last(s->journal) + 1;
    uint64_t oldest = tail_oldest(s->tail);
    size_t n = 0;

    if (seq < oldest) {
        if (journal_last(s->journal) != 0 || oldest > 1)
            report_lost(s, seq, oldest - 1);
        seq = oldest;
    }
    while (n < BATCH && tail_get(s->tail, seq + n, &events[n]) == TAIL_GOT)
        n++;
    return n;
}

static void write_on(void *ctx)
{
    struct scribe *s = ctx;
    struct event events[BATCH];
    struct err e;
    size_t n;

    s->retry_timer = 0;
    while (s->tail && (n = collect(s, events)) > 0) {
        if (journal_append(s->journal, events, n, &e) < 0) {
            on_failure(s, e.text);
            return;
        }
        keeper_wrote(s->keeper, events, n);
    }
    if (s->sync_timer == 0 && journal_last(s->journal) > journal_synced(s->journal))
        s->sync_timer = loop_timer(s->role->loop, conf(s)->journal.sync_us, 0, sync_now, s);
}

/* ---- segments: closing, sealing, leaving ---- */

static void retain(struct scribe *s, int64_t now_us)
{
    struct journal_expired gone;
    struct event ev = event_new(EV_JOURNAL_EXPIRED);
    struct err e;

    if (journal_retain(s->journal, now_us, &gone, &e) < 0) {
        on_failure(s, e.text);
        return;
    }
    if (gone.held_back)
        (void)chan_send(s->role->core, LINK_ROTATED, 0, 0, NULL, 0, -1);
    if (gone.segments == 0)
        return;
    event_add_number(&ev, F_COUNT, gone.segments);
    event_add_number(&ev, F_OFFSET, gone.last_seq);
    report(s, &ev);
}

/* One that is large or old enough; then the oldest may have to leave. */
static void close_segment(struct scribe *s)
{
    int64_t now_us = clock_wall_us();
    struct journal_sealed sealed;
    struct event ev = event_new(EV_JOURNAL_SEALED);
    struct err e;

    if (s->failed || !journal_is_due(s->journal, now_us))
        return;
    if (journal_rotate(s->journal, now_us, &sealed, &e) < 0) {
        on_failure(s, e.text);
        return;
    }
    if (sealed.segment == 0)
        return;
    event_add_number(&ev, F_VALUE, sealed.segment);
    event_add_number(&ev, F_BYTES, sealed.stored_bytes);
    event_add_number(&ev, F_COUNT, sealed.last_seq - sealed.first_seq + 1);
    report(s, &ev);
    (void)chan_send(s->role->core, LINK_ROTATED, 0, 0, NULL, 0, -1);
    retain(s, now_us);
}

/* By age: also when nothing is written. */
static void chores(void *ctx)
{
    struct scribe *s = ctx;

    if (!s->tail)
        return;
    close_segment(s);
    retain(s, clock_wall_us());
}

/* ---- what the core says ---- */

static int on_tail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct scribe *s = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    return role_take_tail(&s->tail, fd);
}

static int on_more(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    write_on(((struct role *)ctx)->own);
    return 0;
}

static void keep(void *ctx)
{
    struct scribe *s = ctx;

    s->keep_timer = 0;
    keeper_sync(s->keeper);
}

static int on_evidence(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct scribe *s = ((struct role *)ctx)->own;
    struct event ev;

    (void)from;
    if (fd < 0)
        return -1;
    if (keeper_evidence(s->keeper, body, m->cause, fd, &ev))
        report(s, &ev);
    if (s->keep_timer == 0)
        s->keep_timer = loop_timer(s->role->loop, KEEP_US, 0, keep, s);
    (void)close(fd);
    return 0;
}

static int on_shelve(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct scribe *s = ((struct role *)ctx)->own;
    struct event ev = event_new(EV_XRAY_FAILED);
    const struct link_shelve *what = body;
    struct err e;

    (void)from;
    if (fd < 0)
        return -1;
    if (shelf_put(s->shelf, what, fd, &e) < 0) {
        say("%s", e.text);
        event_add_words(&ev, F_WHY, e.text);
        ev.cause = m->cause;
        if (what->shelf == SHELF_XRAY)
            report(s, &ev);
    }
    (void)close(fd);
    return 0;
}

static const struct chan_op scribe_ops[] = {
    { LINK_TAIL, "tail", 0, 0, true, on_tail },
    { LINK_MORE, "more", sizeof(struct link_seq), sizeof(struct link_seq), false, on_more },
    { LINK_EVIDENCE, "evidence", sizeof(struct link_evidence), sizeof(struct link_evidence), true, on_evidence },
    { LINK_SHELVE, "shelve", sizeof(struct link_shelve), sizeof(struct link_shelve), true, on_shelve },
};

/* ---- start and end ---- */

static bool replay_one(void *own, const struct event *ev)
{
    struct scribe *s = own;

    return chan_send(s->role->core, LINK_REPLAY, 0, 0, ev, sizeof(*ev), -1) == 0;
}

static int replay(struct scribe *s, struct err *e)
{
    struct reader *r = reader_open(conf(s)->journal.folder, e);
    struct query_told told;
    int rc;

    if (!r)
        return -1;
    rc = replay_state(r, replay_one, s, &told, e);
    reader_close(r);
    return rc;
}

static void tell_opened(struct scribe *s, const struct journal_opened *found)
{
    struct event ev = event_new(found->torn_bytes ? EV_JOURNAL_TORN : EV_JOURNAL_RECOVERED);

    event_add_words(&ev, F_NAME, conf(s)->journal.folder);
    if (found->torn_bytes) {
        event_add_number(&ev, F_VALUE, found->torn_segment);
        event_add_number(&ev, F_BYTES, found->torn_bytes);
    } else
        event_add_number(&ev, F_COUNT, found->last_seq);
    if (found->key_lost)
        event_add_words(&ev, F_WHY, "the sealing key was missing: seals begin anew from here");
    report(s, &ev);
}

static int scribe_open(struct role *r, struct err *e)
{
    struct scribe *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(e, 0, "no memory for the scribe");
    r->own = s;
    s->role = r;
    tzset(); /* the story's log has local times, and the jail no /etc/localtime */
    return 0;
}

static void scribe_confine(struct role *r, struct jail *j)
{
    struct scribe *s = r->own;

    char *slash;

    s->folders[0] = conf(s)->journal.folder;
    memcpy(s->log_folder, conf(s)->story_log, sizeof(s->log_folder));
    slash = strrchr(s->log_folder, '/');
    if (slash) {
        slash[slash == s->log_folder] = '\0';
        s->folders[1] = s->log_folder;
    }
    j->folders = s->folders;
}

static int scribe_run(struct role *r, struct err *e)
{
    struct scribe *s = r->own;
    const struct journal_settings *js = &conf(s)->journal;
    struct journal_limits limits = journal_default_limits();
    struct journal_opened found;

    limits.segment_bytes = js->segment_bytes;
    limits.segment_age_us = js->segment_us;
    limits.total_bytes = js->keep_bytes;
    limits.age_us = js->keep_us;
    chan_limit(r->core, 64u * 1024 * 1024); /* a replay of every block there may be */
    s->journal = journal_open(js->folder, &limits, clock_wall_us(), &found, e);
    s->keeper = keeper_new(conf(s), e);
    s->shelf = shelf_new(conf(s), e);
    if (!s->journal || !s->keeper || !s->shelf || replay(s, e) < 0)
        return -1;
    say_seq(s, LINK_REPLAY_DONE, found.last_seq);
    tell_opened(s, &found);
    return loop_timer(r->loop, CHORES_US, CHORES_US, chores, s) ? 0 : err_set(e, 0, "no room for a timer");
}

static void scribe_stop(struct role *r)
{
    struct scribe *s = r->own;
    struct err e;

    if (s->journal) {
        write_on(s);
        if (journal_sync(s->journal, &e) == 0)
            say_seq(s, LINK_SYNCED, journal_synced(s->journal));
        else
            say("%s", e.text);
        keeper_sync(s->keeper);
        journal_close(s->journal);
        s->journal = NULL;
    }
    loop_stop(r->loop);
}

static void scribe_reload(struct role *r)
{
    struct scribe *s = r->own;

    keeper_set(s->keeper, r->settings);
    shelf_set(s->shelf, r->settings);
}

const struct part scribe_part = {
    .name = "scribe",
    .what = "writes the journal to disk",
    .user = "serviola-scribe",
    .settings_size = sizeof(struct scribe_settings),
    .calls = JAIL_FILES,
    .confine = scribe_confine,
    .open = scribe_open,
    .run = scribe_run,
    .reload = scribe_reload,
    .ops = scribe_ops,
    .ops_count = sizeof(scribe_ops) / sizeof(scribe_ops[0]),
    .stop = scribe_stop,
};
