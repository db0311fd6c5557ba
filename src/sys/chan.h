/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chan - one end of an AF_UNIX SOCK_SEQPACKET pair, and what may be said on it.
 *
 * One datagram is one message: a 16-byte header, then the fixed struct that
 * `op` names.  A table per link says for each op the size, whether a
 * descriptor may come along, and who handles it; anything else ends that peer
 * (chan_read returns -1), never this process.  Sending never blocks: what the
 * socket does not take waits in a queue of bounded bytes, and what the queue
 * does not take is refused and counted.
 */
#ifndef SERVIOLA_SYS_CHAN_H
#define SERVIOLA_SYS_CHAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/loop.h"

struct msg {
    uint16_t op;    /* a row of the link's table */
    uint16_t len;   /* bytes of body behind this header */
    uint32_t id;    /* pairs an answer with its ask; 0 for what wants none */
    uint64_t cause; /* the event on whose behalf this is said; 0 for none */
};

enum {
    CHAN_BODY = 65000,        /* largest body */
    CHAN_OPS = 1024,          /* an op's number must be below */
    CHAN_ROWS = 255,          /* of a table */
    CHAN_QUEUE = 1024 * 1024, /* bytes that may wait, unless chan_limit says otherwise */
    CHAN_QUEUED_FDS = 64,     /* descriptors that may wait */
    CHAN_TURN = 64,           /* messages read in one turn: a busy peer does not starve the others */
};

struct chan;
struct chan_op {
    uint16_t op;
    const char *name;
    uint16_t min, max; /* bytes of body */
    bool with_fd;      /* one descriptor may come along; without it, none */
    /*
     * `body` is 16-byte aligned and borrowed; `fd` (-1 when none came) becomes the
     * handler's to close.  -1 ends the peer.  The handler may chan_free any chan,
     * `from` included.
     */
    int (*handle)(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);
};

/* Owns fd from here on, also when it fails; the table and `what` are borrowed for life.  `what` names the peer in
 * messages ("hunt"). */
struct chan *chan_new(int fd, const char *what, const struct chan_op *table, size_t rows, void *ctx, struct err *e);
void chan_free(struct chan *c); /* closes, what still waits is lost; NULL is fine */

/* Watches it in the loop; `ended` is called once, with chan_new's ctx, when the peer is gone or broke the rules (`why`
 * says which).  The chan is still valid inside `ended`, which may chan_free it; nothing is read from it any more. */
int chan_attach(struct chan *c, struct loop *l, void (*ended)(void *ctx, struct chan *c, const char *why),
                struct err *e);

/* 0 said or queued, -1 refused (queue full: see chan_lost) or the peer is gone (then `ended` follows from the loop, not
 * from here).  Messages keep their order.  `fd` (or -1) stays the caller's, who may close it at once. */
int chan_send(struct chan *c, uint16_t op, uint32_t id, uint64_t cause, const void *body, size_t len, int fd);
uint64_t chan_lost(const struct chan *c);            /* messages refused since the start */
size_t chan_queued(const struct chan *c);            /* bytes that wait */
void chan_limit(struct chan *c, size_t queue_bytes); /* default CHAN_QUEUE */
int chan_fd(const struct chan *c);
const char *chan_what(const struct chan *c);

/* For programs without a loop (commands). */
int chan_read(struct chan *c, struct err *e); /* handles what is there now; -1: peer ended or broke the rules */
/* Sleeps until something can be read, then chan_read; sends what waits meanwhile.  0 on time-out too; < 0: no time-out.
 */
int chan_wait(struct chan *c, int64_t timeout_us, struct err *e);

/* A connected pair, close-on-exec, non-blocking. */
int chan_pair(int fds[2], struct err *e);
#endif
