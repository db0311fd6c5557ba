/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/notify/letter.h"
#include "act/notify/tray.h"
#include "act/notify/ways.h"
#include "journal/crc32c.h"
#include "journal/past.h"
#include "journal/tail.h"
#include "part/link.h"
#include "sys/clock.h"
#include "sys/say.h"

enum {
    SECOND_US = 1000000,
    PAST_US = 2 * SECOND_US, /* how long the disk may take to tell of the past before we begin without */
    DISK_US = SECOND_US,     /* how long a notice waits for the disk, so that it can say how the disk is */
    FROZEN_US = 900000,      /* a disk that took nothing for so long does not answer */
    SOON_US = 20000,
    LATE_US = 5 * SECOND_US,  /* a way that has not even failed so long after its time */
    FRESH_US = 3 * SECOND_US, /* a notice so young may have been on its way */
    LAST_WORDS_US = 2 * SECOND_US,
};

struct way {
    struct notify *all;
    uint32_t number;
    struct tray box;
    bool stuck; /* notify.stuck was said */
    uint64_t lost_said;
    bool waited;      /* while folding: its notices could not go out when they were due */
    int64_t until_us; /* of the message under way; 0: none */
};

struct notify {
    struct role *role;
    const struct notify_house *set;
    void (*tell)(struct text *t, const struct event *ev, const char *who, int64_t now_us);
    char host[64];
    struct incidents *incidents;
    struct ways *ways;
    struct way way[NOTIFY_WAYS];
    struct tail *tail;      /* NULL until the core sends it */
    uint64_t next;          /* event that is read next */
    bool begun;             /* what was before us is folded: events are news */
    bool active;            /* notices were sent at some time: what happened since then is told */
    uint64_t configuration; /* while folding: which one held; 0: not known */
    bool impatient;         /* the disk took too long to tell of the past */
    bool stopping;
    int64_t wall_us, mono_us; /* at our start: the steady clock is made of both */
    int64_t folded_us;        /* time of the event that is folded; 0: now */
    int past;                 /* descriptor; -1: all came, or none will */
    uint8_t *past_bytes;
    size_t past_len;
    uint64_t synced, known_next; /* as last seen: is the disk getting on? */
    int64_t moved_us;
    uint32_t timer;
};

static int64_t now_us(const struct notify *n)
{
    return n->wall_us + clock_mono_us() - n->mono_us;
}

static void say_event(struct way *w, struct event *ev)
{
    event_add_words(ev, F_NAME, w->all->set->set.ways[w->number].name);
    (void)role_emit(w->all->role, ev, 0);
}

/* ---- is the disk getting on? ---- */

static int64_t frozen_us(struct notify *n)
{
    uint64_t synced = tail_synced(n->tail);
    uint64_t next = tail_next(n->tail);
    int64_t mono_us = clock_mono_us();

    if (synced != n->synced || synced + 1 >= n->known_next)
        n->moved_us = mono_us; /* it moved, or had nothing to do until now */
    n->synced = synced;
    n->known_next = next;
    return synced + 1 < next && mono_us - n->moved_us >= FROZEN_US ? mono_us - n->moved_us : 0;
}

/* ---- sending ---- */

static void plan(struct notify *n);

static void on_sent(struct way *w, const char *said)
{
    const struct tray *box = &w->box;
    const struct notice *last = &box->at[box->sending - 1].notice;
    struct event ev = event_new(EV_NOTIFY_SENT);
    struct event back = event_new(EV_NOTIFY_BACK);

    if (w->stuck) {
        event_add_number(&back, F_SPAN, (uint64_t)(now_us(w->all) - box->failed_us));
        event_add_number(&back, F_COUNT, box->count);
        say_event(w, &back);
    }
    w->stuck = false;
    event_add_number(&ev, F_COUNT, box->sending);
    event_add_number(&ev, F_ORIGIN, last->id);
    event_add_number(&ev, F_VALUE, last->stage);
    if (said[0])
        event_add_words(&ev, F_REPLY, said);
    say_event(w, &ev);
    tray_sent(&w->box);
    w->box.lost = w->lost_said = 0;
    w->box.limited = w->box.limited && w->box.count > 0;
}

static void on_failed(struct way *w, const char *why)
{
    struct event ev = event_new(EV_NOTIFY_STUCK);

    tray_failed(&w->box, &w->all->set->set, now_us(w->all));
    if (w->stuck)
        return;
    w->stuck = true;
    event_add_words(&ev, F_WHY, why);
    say_event(w, &ev);
    say("notices on the way %s wait: %s", w->all->set->set.ways[w->number].name, why);
}

static bool is_sending(const struct notify *n)
{
    for (uint32_t i = 0; i < n->set->set.ways_count; i++)
        if (n->way[i].until_us)
            return true;
    return false;
}

static void on_done(void *ctx, bool out, const char *said)
{
    struct way *w = ctx;

    w->until_us = 0;
    if (out)
        on_sent(w, said);
    else
        on_failed(w, said);
    if (w->all->stopping && !is_sending(w->all))
        loop_stop(w->all->role->loop);
    plan(w->all);
}

static void send_now(struct way *w, int64_t at_us, int64_t frozen)
{
    struct notify *n = w->all;
    size_t count = tray_take(&w->box, &n->set->set, at_us);
    struct letter l = {
        .at = w->box.at,
        .count = count,
        .more = w->box.more,
        .lost = w->box.lost,
        .host = n->host,
        .way = &n->set->set.ways[w->number],
        .set = &n->set->set,
        .frozen_us = frozen,
        .now_us = clock_wall_us(),
        .tell = n->tell,
    };

    if (count == 0)
        return;
    w->until_us = at_us + n->set->set.timeout_us + LATE_US;
    ways_send(n->ways, w->number, &l, on_done, w);
}

static void give_up_old(struct way *w, int64_t at_us)
{
    struct event ev = event_new(EV_NOTIFY_LOST);

    w->box.lost += tray_expire(&w->box, &w->all->set->set, at_us);
    if (w->box.lost <= w->lost_said)
        return;
    event_add_number(&ev, F_COUNT, w->box.lost - w->lost_said);
    event_add_words(&ev, F_WHY, "they found no way out for too long, or too many waited");
    w->lost_said = w->box.lost;
    say_event(w, &ev);
}

static void say_limit(struct way *w, int64_t at_us)
{
    struct event ev = event_new(EV_NOTIFY_LIMITED);
    const struct tray *box = &w->box;

    if (box->limited || box->count == 0 || box->sending > 0 || box->failures > 0 ||
        box->at[0].since_us + w->all->set->set.wait_us > at_us)
        return;
    w->box.limited = true;
    event_add_number(&ev, F_COUNT, box->count);
    say_event(w, &ev);
}

/* The newest of those that would go out is on the disk. */
static bool is_kept(const struct notify *n, const struct tray *box)
{
    for (size_t i = 0; i < box->count && i < TRAY_TURN; i++)
        if (box->at[i].notice.id > n->synced)
            return false;
    return true;
}

/* What is due goes out; when the next thing is to be done. */
static int64_t serve(struct way *w, int64_t at_us, int64_t frozen)
{
    struct notify *n = w->all;
    const struct notify_settings *s = &n->set->set;
    int64_t due_us;

    if (w->until_us != 0 && at_us >= w->until_us) {
        ways_forget(n->ways, w->number);
        on_done(w, false, "there was no answer");
    }
    give_up_old(w, at_us);
    due_us = tray_due_us(&w->box, s);
    if (due_us <= at_us && frozen == 0 && !is_kept(n, &w->box) && at_us < w->box.at[0].since_us + s->wait_us + DISK_US)
        return at_us + SOON_US;
    if (due_us > at_us)
        say_limit(w, at_us);
    else if (!n->stopping)
        send_now(w, at_us, frozen);
    return w->until_us ? w->until_us : tray_due_us(&w->box, s);
}

static void on_plan(void *ctx)
{
    struct notify *n = ctx;

    n->timer = 0;
    plan(n);
}

static void plan(struct notify *n)
{
    int64_t at_us = now_us(n);
    int64_t next_us = INT64_MAX;
    int64_t frozen;

    if (!n->begun || n->folded_us)
        return;
    n->folded_us = at_us; /* an answer that comes at once does not begin this again */
    frozen = frozen_us(n);
    for (uint32_t i = 0; i < n->set->set.ways_count; i++) {
        int64_t due_us = serve(&n->way[i], at_us, frozen);

        next_us = due_us < next_us ? due_us : next_us;
    }
    n->folded_us = 0;
    loop_untimer(n->role->loop, n->timer);
    n->timer = 0;
    if (next_us != INT64_MAX)
        n->timer = loop_timer(n->role->loop, next_us > at_us ? next_us - at_us : SOON_US, 0, on_plan, n);
}

/* ---- events in ---- */

static void on_notice(void *ctx, const struct notice *notice)
{
    struct notify *n = ctx;

    for (uint32_t i = 0; i < n->set->set.ways_count; i++)
        if (notice->ways & 1u << i)
            tray_add(&n->way[i].box, notice, n->folded_us ? n->folded_us : now_us(n));
}

/* How it went on one way. */
static void fold_way(struct way *w, const struct event *ev)
{
    uint64_t id = 0;
    uint64_t stage = 0;

    if (ev->kind == EV_NOTIFY_STUCK || ev->kind == EV_NOTIFY_LIMITED)
        w->waited = true;
    if (ev->kind == EV_NOTIFY_SENT && event_get_number(ev, F_ORIGIN, &id) && event_get_number(ev, F_VALUE, &stage)) {
        w->waited = false;
        tray_strike(&w->box, id, (unsigned)stage);
    }
}

static void fold_ways(struct notify *n, const struct event *ev)
{
    struct slice name;

    for (uint32_t i = 0; event_get(ev, F_NAME, &name) && i < n->set->set.ways_count; i++)
        if (slice_eq(name, slice_text(n->set->set.ways[i].name)))
            fold_way(&n->way[i], ev);
}

static uint64_t own_configuration(const struct notify *n)
{
    return crc32c(0, &n->set->set, sizeof(n->set->set));
}

/* Other rules held until now: what today's rules would have told then is nobody's, unless it waited for a way out. */
static void change_rules(struct notify *n, uint64_t configuration, int64_t at_us)
{
    bool same = n->configuration == 0 || n->configuration == configuration;

    n->configuration = configuration;
    for (uint32_t i = 0; !same && i < n->set->set.ways_count; i++)
        if (!n->way[i].waited)
            tray_forget(&n->way[i].box, at_us - FRESH_US);
}

/* Of what was before us: what was told already is struck out. */
static void fold(struct notify *n, const struct event *ev)
{
    uint64_t configuration;

    n->folded_us = ev->at_us < n->wall_us ? ev->at_us : n->wall_us;
    if (ev->kind == EV_NOTIFY_STARTED && event_get_number(ev, F_VALUE, &configuration)) {
        n->active = true;
        change_rules(n, configuration, n->folded_us);
    }
    fold_ways(n, ev);
    incidents_take(n->incidents, ev, !n->active, n->folded_us);
    n->folded_us = 0;
}

static void read_news(struct notify *n)
{
    struct event ev;
    enum tail_got got;

    while ((got = tail_get(n->tail, n->next, &ev)) != TAIL_NOT_YET) {
        if (got == TAIL_GONE) {
            uint64_t oldest = tail_oldest(n->tail);

            n->next = oldest > n->next ? oldest : n->next + 1;
            continue;
        }
        n->next++;
        if (n->begun)
            incidents_take(n->incidents, &ev, false, now_us(n));
        else
            fold(n, &ev);
    }
}

/* ---- what was before us ---- */

static void fold_past(struct notify *n)
{
    uint64_t oldest = tail_oldest(n->tail);

    n->active = n->past_len >= sizeof(struct event);
    for (size_t at = 0; at + sizeof(struct event) <= n->past_len; at += sizeof(struct event)) {
        struct event ev;

        memcpy(&ev, n->past_bytes + at, sizeof(ev));
        if (ev.seq < oldest && event_is_whole(&ev) && ev.kind < EV_KINDS)
            fold(n, &ev);
    }
}

static void begin(struct notify *n)
{
    for (uint32_t i = 0; i < n->set->set.ways_count; i++) {
        memset(&n->way[i].box, 0, sizeof(n->way[i].box));
        n->way[i].waited = false;
    }
    n->begun = false;
    n->configuration = 0;
    if (n->past < 0)
        fold_past(n);
    n->next = tail_oldest(n->tail);
    read_news(n);
    change_rules(n, own_configuration(n), now_us(n));
    n->begun = true;
    n->known_next = tail_next(n->tail);
    n->moved_us = clock_mono_us();
}

/* As soon as events have numbers, and the disk has told of the past or takes too long. */
static void begin_if_possible(struct notify *n)
{
    struct event ev = event_new(EV_NOTIFY_STARTED);

    if (n->begun || !n->tail || tail_next(n->tail) == tail_oldest(n->tail) || (n->past >= 0 && !n->impatient))
        return;
    begin(n);
    event_add_number(&ev, F_COUNT, n->set->set.ways_count);
    event_add_number(&ev, F_VALUE, n->configuration);
    (void)role_emit(n->role, &ev, 0);
    plan(n);
}

/* A disk that hung tells late: all is folded anew, which gives what was told meanwhile and what was not. */
static void begin_anew(void *ctx)
{
    struct notify *n = ctx;
    struct incidents *fresh;
    struct err e;

    if (is_sending(n)) {
        (void)loop_timer(n->role->loop, SECOND_US, 0, begin_anew, n);
        return;
    }
    fresh = incidents_new(&n->set->set, on_notice, n, &e);
    if (!fresh) {
        say("%s", e.text);
        return;
    }
    incidents_free(n->incidents);
    n->incidents = fresh;
    begin(n);
    plan(n);
}

static void on_past(void *ctx, int fd, int events)
{
    enum { MOST = PAST_MOST * sizeof(struct event) };
    struct notify *n = ctx;
    ssize_t got = n->past_len < MOST ? read(fd, n->past_bytes + n->past_len, MOST - n->past_len) : 0;

    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        n->past_len += (size_t)got;
        return;
    }
    loop_unwatch(n->role->loop, fd);
    (void)close(fd);
    n->past = -1;
    if (n->begun && n->past_len > 0)
        begin_anew(n);
    else
        begin_if_possible(n);
}

static void on_patience_over(void *ctx)
{
    struct notify *n = ctx;

    n->impatient = true;
    begin_if_possible(n);
}

static int on_tail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct notify *n = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    if (role_take_tail(&n->tail, fd) < 0)
        return -1;
    begin_if_possible(n);
    return 0;
}

static int on_more(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct notify *n = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    begin_if_possible(n);
    if (!n->begun)
        return 0;
    read_news(n);
    plan(n);
    return 0;
}

const struct chan_op notify_ops[NOTIFY_OPS] = {
    { LINK_TAIL, "tail", 0, 0, true, on_tail },
    { LINK_MORE, "more", sizeof(struct link_seq), sizeof(struct link_seq), false, on_more },
};

/* ---- start and end ---- */

static void on_second(void *ctx)
{
    struct notify *n = ctx;

    if (!n->begun)
        return;
    incidents_tick(n->incidents, now_us(n));
    plan(n);
}

static void find_host(struct notify *n)
{
    if (gethostname(n->host, sizeof(n->host) - 1) < 0 || n->host[0] == '\0')
        (void)text_cstr(n->host, sizeof(n->host), SLICE("localhost"));
    for (char *c = n->host; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '.' ||
              *c == '-'))
            *c = '-';
}

int notify_open(struct role *r, void (*tell)(struct text *t, const struct event *ev, const char *who, int64_t now_us),
                struct err *e)
{
    struct notify *n = calloc(1, sizeof(*n));
    enum event_kind kinds[EV_KINDS];
    struct past_of of = { .kinds = kinds, .kinds_count = incidents_kinds(kinds, EV_KINDS), .after = EV_NOTIFY_STARTED };

    if (!n)
        return err_set(e, ENOMEM, "notices");
    r->own = n;
    *n = (struct notify){
        .role = r, .set = r->settings, .tell = tell, .wall_us = clock_wall_us(), .mono_us = clock_mono_us()
    };
    tzset(); /* reads a file: not possible later */
    find_host(n);
    (void)signal(SIGCHLD, SIG_IGN);
    of.since_us = n->wall_us - n->set->set.keep_us;
    n->past = past_start(n->set->journal, &of, r->part->user, e); /* before any secret is read */
    n->past_bytes = malloc(PAST_MOST * sizeof(struct event));
    if (n->past < 0 || !n->past_bytes)
        return -1;
    n->incidents = incidents_new(&n->set->set, on_notice, n, e);
    if (!n->incidents)
        return -1;
    for (uint32_t i = 0; i < NOTIFY_WAYS; i++) {
        n->way[i].all = n;
        n->way[i].number = i;
    }
    n->ways = ways_new(r->loop, &n->set->set, n->host, e);
    return n->ways && loop_watch(r->loop, n->past, LOOP_IN, on_past, n, e) == 0 ? 0 : -1;
}

void notify_confine(struct role *r, struct jail *j)
{
    static uint16_t ports[2 * NOTIFY_WAYS];
    const struct notify *n = r->own;

    j->tcp = JAIL_TCP_CONNECT;
    j->tcp_ports = ports;
    j->tcp_ports_count = ways_ports(n->ways, ports);
}

int notify_run(struct role *r, struct err *e)
{
    struct notify *n = r->own;

    if (loop_timer(r->loop, PAST_US, 0, on_patience_over, n) == 0 ||
        loop_timer(r->loop, SECOND_US, SECOND_US, on_second, n) == 0)
        return err_set(e, 0, "no room for a timer");
    return 0;
}

static void on_end(void *ctx)
{
    loop_stop(((struct notify *)ctx)->role->loop);
}

/* A message under way may end; the others are told after the next start. */
void notify_stop(struct role *r)
{
    struct notify *n = r->own;

    if (n->stopping || !n->ways || !is_sending(n) || loop_timer(r->loop, LAST_WORDS_US, 0, on_end, n) == 0)
        loop_stop(r->loop);
    n->stopping = true;
}
