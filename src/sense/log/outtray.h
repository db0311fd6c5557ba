/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outtray - messages of a thread that may not touch the link to the core, for the main thread to send.
 *
 * Bounded: who puts waits while it is full.  Nothing is lost but by an end that does not wait.
 */
#ifndef SERVIOLA_SENSE_LOG_OUTTRAY_H
#define SERVIOLA_SENSE_LOG_OUTTRAY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/loop.h"

enum { OUTTRAY_BODY = 512, OUTTRAY_ROOM = 256 };

struct outtray_way { /* main thread */
    void *ctx;
    bool (*send)(void *ctx, uint16_t op, const void *body, size_t len); /* false: not now, it is tried again */
    bool (*empty)(void *ctx); /* nothing that was sent waits in this process any more */
};

struct outtray;
struct outtray *outtray_new(struct loop *loop, const struct outtray_way *way, struct err *e);
int outtray_start(struct outtray *o, struct err *e);
void outtray_stop(struct outtray *o); /* who waits in outtray_put goes on; what is put from now on is dropped */
void outtray_free(struct outtray *o); /* sends what it can without waiting; NULL is fine */

/* The other thread's. */
void outtray_put(struct outtray *o, uint16_t op, const void *body, size_t len);
uint64_t outtray_said(struct outtray *o); /* messages put so far */
uint64_t outtray_left(struct outtray *o); /* how many of them have left this process */
#endif
