/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "core/eye.h"
#include "journal/tail.h"
#include "part/link.h"
#include "sys/iter/load.h"
#include "sense/xray/xray.h"
#include "snap/file.h"
#include "sys/memfile.h"
#include "view/explain/explain.h"

enum { PATIENCE_S = 60, TOLD_MOST = 16, TAIL_MS = 1000 };

struct picture {
    struct snap *snap;
    char why[200]; /* there is none: why not */
    char name[64]; /* of its file */
};

static int picture_open(struct role *r, struct err *e)
{
    struct picture *p = calloc(1, sizeof(*p));
    struct err failed;
    struct xray_wish wish = { .plain = false };
    int links[ITER_LINKS];

    if (!p)
        return err_set(e, ENOMEM, "a picture");
    r->own = p;
    (void)alarm(PATIENCE_S); /* nobody waits for us, and the next picture does not begin before our end */
    if (iter_kept(EYE_ITERATORS_FD, links))
        wish.iterators = links;
    p->snap = xray_take_as(&wish, &failed);
    if (wish.iterators)
        iter_unload(links);
    if (!p->snap)
        memcpy(p->why, failed.text, sizeof(p->why) - 1);
    return 0;
}

static void tell_failed(struct role *r, const char *why)
{
    struct event ev = event_new(EV_XRAY_FAILED);

    event_add_words(&ev, F_WHY, why);
    (void)role_emit(r, &ev, 0);
}

/* "xray-20261122t182755-123.xray": in the alphabet of the shelf. */
static void file_name(const struct snap *s, char name[64])
{
    char stamp[40];
    struct text when = TEXT_IN(stamp);
    struct text t = text_in(name, 64);

    text_time(&when, snap_host(s)->begun_us, 3);
    text_word(&t, "xray-");
    for (size_t i = 0; i < when.len; i++)
        if (stamp[i] == 'T' || stamp[i] == 'Z')
            text_word(&t, stamp[i] == 'T' ? "t" : "");
        else if (stamp[i] != '-' && stamp[i] != ':')
            text_addf(&t, "%c", stamp[i] == '.' ? '-' : stamp[i]);
    text_word(&t, ".xray");
}

static void tell_finding(struct role *r, const struct finding *f)
{
    struct event ev = event_new(f->grade == GRADE_ALARM ? EV_XRAY_ALARM : EV_XRAY_FOUND);

    event_add_words(&ev, F_NAME, f->id);
    event_add_words(&ev, F_WHY, f->text);
    (void)role_emit(r, &ev, 0);
}

/* The newest of those events in memory that an explanation can use. */
static size_t read_past(const struct snap *s, const struct tail *tail, struct event *at)
{
    size_t count = 0;
    struct event ev;

    for (uint64_t seq = tail_next(tail); seq-- > tail_oldest(tail) && count < EXPLAIN_PAST_MOST;)
        if (tail_get(tail, seq, &ev) == TAIL_GOT && explain_past_wants(s, &ev))
            at[EXPLAIN_PAST_MOST - ++count] = ev;
    return count;
}

static void explain_it(struct role *r, const struct snap *s, const struct tail *tail)
{
    struct err e;
    struct event *past = tail ? calloc(EXPLAIN_PAST_MOST, sizeof(*past)) : NULL;
    size_t count = past ? read_past(s, tail, past) : 0;
    struct findings *f =
        explain_with(s, &(struct explain_past){ past ? past + EXPLAIN_PAST_MOST - count : NULL, count }, &e);
    unsigned told = 0;

    free(past);
    if (!f) {
        tell_failed(r, e.text);
        return;
    }
    for (size_t i = 0; i < f->count && told < TOLD_MOST; i++)
        if (f->at[i].grade > GRADE_NOTE) {
            tell_finding(r, &f->at[i]);
            told++;
        }
    free(f);
}

static int shelve(struct role *r, const struct snap *s, const char name[64], struct err *e)
{
    char first[] = "serviola";
    char second[] = "xray";
    char *command[] = { first, second, NULL };
    struct link_shelve what = { .shelf = SHELF_XRAY, .from_us = snap_host(s)->begun_us };
    struct snap_bytes file;
    int fd;
    int rc;

    memcpy(what.name, name, sizeof(what.name));
    if (snap_pack(s, command, &file, e) < 0)
        return -1;
    fd = memfile_from(file.at, file.len, "serviola-xray", e);
    snap_bytes_done(&file);
    if (fd < 0)
        return -1;
    rc = chan_send(r->core, LINK_SHELVE, 0, 0, &what, sizeof(what), fd);
    memfile_close(fd);
    return rc < 0 ? err_set(e, 0, "the core does not take it") : 0;
}

static void end(void *ctx)
{
    loop_stop(((struct role *)ctx)->loop);
}

/* With the journal's newest events, or without when the core does not give them. */
static void finish(struct role *r, const struct tail *tail)
{
    struct picture *p = r->own;
    struct err e;

    if (!p->snap)
        return;                   /* it is told already */
    explain_it(r, p->snap, tail); /* first: what it shows matters most */
    if (shelve(r, p->snap, p->name, &e) < 0)
        tell_failed(r, e.text);
    snap_free(p->snap);
    p->snap = NULL;
    if (!loop_timer(r->loop, 0, 0, end, r))
        loop_stop(r->loop);
}

static int on_tail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct err e;
    struct tail *tail;

    (void)from;
    (void)m;
    (void)body;
    if (fd < 0)
        return -1;
    tail = tail_open(fd, &e);
    (void)close(fd);
    finish(ctx, tail);
    tail_free(tail);
    return 0;
}

static void on_no_tail(void *ctx)
{
    finish(ctx, NULL);
}

static int picture_run(struct role *r, struct err *e)
{
    struct picture *p = r->own;
    struct event ev = event_new(EV_XRAY_TAKEN);

    if (!p->snap) {
        tell_failed(r, p->why);
        return loop_timer(r->loop, 0, 0, end, r) ? 0 : err_set(e, 0, "no room for a timer");
    }
    file_name(p->snap, p->name);
    event_add_words(&ev, F_NAME, p->name);
    event_add_number(&ev, F_SPAN, (uint64_t)(snap_host(p->snap)->ended_us - snap_host(p->snap)->begun_us));
    (void)role_emit(r, &ev, 0);
    return loop_timer(r->loop, TAIL_MS, 0, on_no_tail, r) ? 0 : err_set(e, 0, "no room for a timer");
}

static const struct chan_op ops[] = {
    { LINK_TAIL, "tail", 0, 0, true, on_tail },
};

const struct part core_picture = {
    .name = "xray",
    .what = "takes a picture of the whole host",
    .user = "serviola-look",
    .calls = JAIL_BASE,
    .wait = eye_wait,
    .open = picture_open,
    .run = picture_run,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
};
