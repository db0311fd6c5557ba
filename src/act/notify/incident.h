/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * incident - which events people should hear of, and how often: events go in, notices come out.
 *
 * The same kind about the same thing is one incident.  Its beginning is told
 * at once, and so is its end when it has one ("it is back after 3 min"); what
 * repeats itself meanwhile is counted and told once in a window, which grows.
 * What is neither over nor acknowledged is told again to others.
 *
 * It is a fold over events: after a restart the same events give the same
 * notices, of which notify.sent tells the ones that went out.  The clock is
 * an argument, steady, in microseconds.
 */
#ifndef SERVIOLA_NOTIFY_INCIDENT_H
#define SERVIOLA_NOTIFY_INCIDENT_H
#include "act/notify/settings.h"
#include "base/err.h"
#include "journal/event.h"

enum notice_stage { NOTICE_BEGAN = 1, NOTICE_MORE, NOTICE_STILL, NOTICE_OVER };

struct notice {
    uint64_t id;      /* number of the event that it is told for; with the stage it is told apart from all others */
    uint8_t stage;    /* enum notice_stage */
    uint8_t grade;    /* enum grade, of its beginning */
    bool lasts;       /* MORE: it is not over */
    bool unseen;      /* OVER: nobody saw its end; it was not found again after a start */
    bool has_end;     /* an end of it will be told, or was */
    uint32_t ways;    /* bits: who is told */
    uint64_t count;   /* MORE: how often since it was told last */
    int64_t span_us;  /* MORE: in how long; STILL, OVER: since its beginning */
    struct event ev;  /* what is told: the first event, the last one (MORE), the end (OVER) */
    uint64_t first;   /* number of the first event */
    int64_t began_us; /* wall clock */
};

struct incidents;
/* `told` gets each notice, borrowed.  The settings are borrowed for its life. */
struct incidents *incidents_new(const struct notify_settings *s, void (*told)(void *ctx, const struct notice *n),
                                void *ctx, struct err *e);
void incidents_free(struct incidents *in); /* NULL is fine */

/* `mute`: it is remembered, but nobody is told of it, nor of its end. */
void incidents_take(struct incidents *in, const struct event *ev, bool mute, int64_t now_us);
void incidents_tick(struct incidents *in, int64_t now_us); /* once a second or so */

/* Kinds that have to be known after a restart; how many were written. */
size_t incidents_kinds(enum event_kind *at, size_t most);
#endif
