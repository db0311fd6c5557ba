/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sender - one way of handing lines to another host; a fleet's bus will be one more.
 *
 * Used by one thread of its own (forward.c), so it may wait.  After a failure
 * it is closed and a new one is opened, which begins behind the last line that
 * was acknowledged.
 */
#ifndef SERVIOLA_SENSE_LOG_SENDER_H
#define SERVIOLA_SENSE_LOG_SENDER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "sense/log/line.h"

struct sender;
struct sender_kind {
    const char *name;
    /* Connects and greets. */
    struct sender *(*open)(struct addr to, const uint8_t store_id[32], struct err *e);
    /* Takes a line; may keep it until flush. */
    int (*send)(struct sender *s, const struct log_line *line, struct err *e);
    int (*flush)(struct sender *s, struct err *e);
    /* Waits at most `wait_ms` for news; *seq is the newest line that the other side surely has.  Where nothing is
     * acknowledged, that is the newest one that the kernel took. */
    int (*acked)(struct sender *s, int wait_ms, uint64_t *seq, struct err *e);
    void (*close)(struct sender *s);
    /* Heads for a witness (offers.h); NULL: nobody there signs any. */
    bool (*takes_heads)(const struct sender *s);
    int (*offer)(struct sender *s, struct slice seals, struct err *e);
    bool (*answered)(struct sender *s, struct slice *answer); /* to the offer, once; valid until the next call */
    uint64_t window;                                          /* lines that may be on their way */
};
extern const struct sender_kind sender_relp;     /* each line one message; acknowledged */
extern const struct sender_kind sender_serviola; /* blocks of lines with all that is known of them; each line once */
extern const struct sender_kind sender_tcp;      /* octet-counted syslog; not acknowledged */
extern const struct sender_kind sender_tls;      /* the same */

/* A connection, non-blocking; -1. */
int sender_connect(struct addr to, struct err *e);
int sender_write(int fd, const void *at, size_t len, struct err *e); /* all of it */
bool sender_wait(int fd, bool to_write);                             /* some seconds; false: nothing happened */
#endif
