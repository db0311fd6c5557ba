/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * availability - when each service was there, from the journal's events alone: loss and recovery, and days or months.
 *
 * Pure: events go in by their order, with the end of what is known; nothing
 * is kept that a second look at the same events would not give.  While
 * nobody probed (serviola was stopped or killed, the host slept, our own
 * network was down) nothing is known: that time is neither up nor down.  A
 * service behind one that is down can't be reached: that is down.
 */
#ifndef SERVIOLA_VIEW_AVAILABILITY_H
#define SERVIOLA_VIEW_AVAILABILITY_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "journal/event.h"

enum { AVAILABILITY_SERVICES = 128, AVAILABILITY_LOSSES = 256, AVAILABILITY_PARTS = 400, AVAILABILITY_WHY = 80 };

struct availability_time {
    int64_t up_us, down_us, unknown_us;
};

struct availability_loss {
    int64_t since_us, until_us; /* until 0: it lasts */
    bool unsure;                /* it was back before somebody looked again */
    char why[AVAILABILITY_WHY];
};

struct availability_service {
    char name[64];
    int state; /* availability.c's own */
    int64_t mark_us;
    struct availability_time all;
    struct availability_time parts[AVAILABILITY_PARTS];
    uint64_t losses_count;                                /* all of them */
    struct availability_loss losses[AVAILABILITY_LOSSES]; /* a ring: the newest */
};

struct availability {
    int64_t from_us, to_us;
    bool months; /* parts are months, not days */
    bool network_lost, stopped;
    int64_t seen_us; /* the newest event */
    uint32_t parts_count, count;
    int64_t parts[AVAILABILITY_PARTS + 1];                  /* where each begins, in local time; the last ends there */
    struct availability_service *at[AVAILABILITY_SERVICES]; /* owned; by the order in which they were seen */
};

extern const enum event_kind availability_kinds[]; /* what availability_take wants to see */
extern const size_t availability_kinds_count;

/* Longer than two months is told by months. */
struct availability *availability_new(int64_t from_us, int64_t to_us, struct err *e);
void availability_free(struct availability *a); /* NULL is fine */
/* Also those before from_us, since they tell how things stood then. */
void availability_take(struct availability *a, const struct event *ev);
/* No more come; `runs`: it is being probed until to_us, else what is known ends with the newest event. */
void availability_end(struct availability *a, bool runs);

void availability_print(const struct availability *a, FILE *to, bool colour);
void availability_json(const struct availability *a, FILE *to); /* an object a service, one a line */
#endif
