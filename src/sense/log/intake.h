/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake - all receivers of lines, and the store that they fill.
 *
 * One loop, one thread (the store has two of its own).  When the store's
 * memory is full every receiver is held: TCP and files wait by themselves, of
 * UDP and /dev/log the kernel counts what it drops, and that becomes an event.
 *
 *   intake_new    from settings; opens all sockets (privileges are still there)
 *   intake_start  the store, its threads, watches (in the jail)
 */
#ifndef SERVIOLA_SENSE_LOG_INTAKE_H
#define SERVIOLA_SENSE_LOG_INTAKE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/event.h"
#include "part/link.h"
#include "sense/log/line.h"
#include "sense/log/papers.h"
#include "sense/log/ports.h"
#include "sense/log/settings.h"
#include "sense/log/store.h"
#include "sys/loop.h"

struct intake;

struct intake_calls {
    void *ctx;
    void (*event)(void *ctx, struct event *ev); /* something to report */
    void (*ended)(void *ctx);                   /* standard input, or files that are read once, are at their end */
    /* What the readers of live.h say: a message of part/link.h; false: not now, try again.  NULL: events go the way
     * above, the rest nowhere. */
    bool (*say)(void *ctx, uint16_t op, const void *body, size_t len);
    bool (*all_said)(void *ctx); /* nothing of it waits in this process; NULL: so it is */
};

/* `papers` are read once. */
struct intake *intake_new(struct loop *loop, const struct log_settings *s, const struct papers *papers,
                          const struct intake_calls *calls, struct err *e);
int intake_start(struct intake *in, struct err *e);
/* New settings, of which what log_needs_restart names is as it was.  Places that they name no more are closed, and
 * connections of who may not send any more; the others stay.  New places are for the caller to open: */
void intake_reload(struct intake *in, const struct log_settings *s, const struct papers *papers);
uint64_t intake_lacks(struct intake *in, const struct log_port *port); /* sockets that are to be opened there */
int intake_listen(struct intake *in, const struct log_port *port, int fd, struct err *e); /* takes the descriptor */
/* What came is written; waits for the disk at most `wait_us`.  NULL is fine. */
void intake_free(struct intake *in, int64_t wait_us);
/* Reads a descriptor line by line to its end (standard input); before intake_start. */
int intake_read(struct intake *in, int fd, enum log_way way, struct slice peer, struct err *e);

struct intake_counts {
    uint64_t lines, bytes, lost, cut, framing, connections, refused;
};
void intake_figures(const struct intake *in, struct link_lines *to); /* all but `lately` */
struct intake_counts intake_counts(const struct intake *in);
struct store *intake_store(struct intake *in);
#endif
