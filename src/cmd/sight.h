/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sight - what a command can see: the journal on disk and, while serviola runs, its newest events in memory.
 *
 * Both together have no gap and nothing twice: the disk up to its last
 * number, the memory behind that.  Either may be missing; what is missing
 * and why is kept for the message.
 */
#ifndef SERVIOLA_CMD_SIGHT_H
#define SERVIOLA_CMD_SIGHT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/client.h"
#include "cmd/options.h"
#include "core/settings.h"
#include "journal/query.h"

struct sight {
    struct house_settings *conf; /* owned */
    struct reader *disk;         /* owned; NULL: see disk_error */
    struct client *client;       /* owned; NULL: see core_error */
    struct tail *tail;           /* owned; NULL without client */
    struct err disk_error, core_error;
};

/* Reads the configuration.  0, or an exit code after the faults were printed. */
int sight_configure(struct sight *s, const struct common_options *o);
int sight_connect(struct sight *s);   /* the running core: 0, or -1 with core_error */
int sight_open_disk(struct sight *s); /* the journal's folder: 0, or -1 with disk_error */
void sight_leave_core(struct sight *s);
void sight_close(struct sight *s);

/*
 * Matches oldest first; q->limit means the newest so many of them.  *next is
 * the number that a follower goes on with.  -1 when nothing can be read.
 */
int sight_query(struct sight *s, const struct query *q, bool (*seen)(void *own, const struct event *ev), void *own,
                uint64_t *next, struct err *e);
bool sight_get(struct sight *s, uint64_t seq, struct event *ev);
/* First and last number that can be seen; both 0: none. */
void sight_range(struct sight *s, uint64_t *first, uint64_t *last);
#endif
