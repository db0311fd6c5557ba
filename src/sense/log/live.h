/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live - the store's lines to who reads them as they come: the analysis, and others.
 *
 * One thread reads the store up to the newest line that is on our disk and hands each line to all readers, in the
 * order of their numbers.  Receiving never waits for it: a slow reader reads later.
 *
 * Threads: live_new, live_add, live_start, live_synced and live_free belong to the main thread; every call of a reader
 * comes from the one reading thread (so a reader needs no lock of its own), which may read and write files in the
 * store's folder, and nothing else: no loop, no chan, no intake.  What it has to say goes through live_event and
 * live_send, which copy it into a bounded queue that the main thread empties; they wait when it is full.
 *
 * At least once: each reader has a cursor, the file `cursor-NAME` in the store's folder.  It moves when what the
 * reader said about the lines up to there has left this process.  A reader that is started for the first time begins
 * behind the newest line, unless it asks for more (`after`).
 */
#ifndef SERVIOLA_SENSE_LOG_LIVE_H
#define SERVIOLA_SENSE_LOG_LIVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "journal/event.h"
#include "sense/log/line.h"

enum {
    LIVE_READERS = 4,
    LIVE_MESSAGE = 512, /* longest body of live_send */
};

struct live_reader {
    const char *name; /* "analysis": of its cursor; [a-z], at most 20 letters */
    void *own;
    /* NULL: from its cursor on.  Else: the number of the last line that it needs no more.  Lines behind that and up to
     * the cursor come `again`: they were handed over in an earlier life, and what was said of them was said. */
    uint64_t (*after)(void *own);
    /* host, program, text, stamp and source are filled in; all borrowed for the call. */
    void (*line)(void *own, const struct log_line *l, bool again);
    /* About once a second: every line that arrived before now_us (our wall clock) has been handed over.  May be
     * NULL. */
    void (*tick)(void *own, int64_t now_us, bool again);
    /* We did not listen, or our clock jumped.  May be NULL. */
    void (*down)(void *own, int64_t from_us, int64_t to_us);
    /* Its cursor is about to move here: what waits is to be done now.  May be NULL. */
    void (*settle)(void *own);
    /* After the last line, in the main thread: frees `own`.  May be NULL. */
    void (*end)(void *own);
};

struct intake;
struct live;
struct live *live_new(struct intake *in, struct err *e);                  /* the store is open */
int live_folder(const struct live *l);                                    /* the store's, for files of the readers */
int live_add(struct live *l, const struct live_reader *r, struct err *e); /* copies; `name` and `own` are borrowed */
int live_start(struct live *l, struct err *e);                            /* the thread */
void live_arrives(struct live *l, int64_t now_us); /* before what is received is kept; NULL is fine */
void live_synced(struct live *l, uint64_t seq);    /* lines up to here may be read */
uint64_t live_unread(const struct live *l);        /* lines on our disk that were not handed over yet */
void live_free(struct live *l);                    /* ends the thread first; NULL is fine */

/* Who handed us the line over the network; family 0: it came another way. */
struct addr live_sender(const struct log_line *line);

/* From a reader's calls only. */
void live_event(struct live *l, const struct event *ev); /* stamped when it is sent */
/* A message of part/link.h, to the core; it must be in the core's table for this part. */
void live_send(struct live *l, uint16_t op, const void *body, size_t len);
#endif
