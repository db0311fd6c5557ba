/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ring - frames of one interface out of a packet socket's mapped ring.
 *
 * The descriptor comes from the hand: bound, its filter locked.  Nothing here
 * needs a privilege.
 *
 * Slots of TPACKET_V2: the kernel reports each frame at once, so that a single
 * MAIL is read tens of microseconds after it was on the wire.  A reader that
 * is awake empties the ring without another system call, and at high rates it
 * naps between two rounds (ring_nap_us) instead of being woken per frame.  A
 * frame larger than a slot (GRO, GSO) comes whole through the socket's queue.
 *
 * Why not TPACKET_V3, whose blocks are cheaper: it wakes the reader when a
 * block is full or its timer, 1 ms at least (a tick of 4 ms on many kernels),
 * has run out.  tests/bench/capture.sh, veth, 2 cores, 4 MiB, medians:
 *
 *                   one frame alone: us      300,000 frames/s: us of CPU each
 *   ring            28 (p99 80)              0.23 (naps of 200 us: 0.37)
 *   V3, 1 ms        539 (p99 1372)           0.18
 *   V3, 8 ms                                 0.12
 *   recv            36 (p99 101)             2.0
 *
 * Slots smaller than a full Ethernet frame hold more of them but send the rest
 * through the queue at 1.6 us each: 0.65 us on average, and were not kept.
 */
#ifndef SERVIOLA_SYS_RING_H
#define SERVIOLA_SYS_RING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum ring_sum { /* what the kernel knows of the transport checksum */
                RING_SUM_UNKNOWN,
                RING_SUM_FINE,    /* the card checked it */
                RING_SUM_NOT_YET, /* sent by this host: the card fills it in later; the bytes are trustworthy, the sum
                                     is not */
};

enum ring_way { RING_TO_US, RING_TO_OTHERS, RING_TO_MANY, RING_FROM_US };

struct ring_frame {
    struct slice bytes; /* from the link-layer header on; borrowed until the callback returns */
    uint32_t wire_len;  /* more than bytes.len: the rest was lost (queue full) */
    int64_t at_us;      /* wall clock, by the kernel */
    bool tagged;        /* the outermost VLAN tag was taken out of the bytes: */
    uint16_t tag_type;  /* 0x8100 or 0x88a8 */
    uint16_t tag;       /* its TCI */
    uint8_t sum;        /* enum ring_sum */
    uint8_t way;        /* enum ring_way */
};

struct ring_counts { /* since ring_open */
    uint64_t frames; /* handed out */
    uint64_t lost;   /* the kernel had no room for them */
    uint64_t cut;    /* handed out, but not whole */
};

struct ring;
/* Owns fd when it returns a ring, else it stays the caller's.  `bytes` is the mapped memory (64 KiB to 1 GiB). */
struct ring *ring_open(int fd, size_t bytes, struct err *e);
void ring_close(struct ring *r); /* NULL is fine */
int ring_fd(const struct ring *r);

/*
 * Hands out what is there, at most `most` frames, and returns how many.
 * `frame` must not touch the ring.
 */
size_t ring_read(struct ring *r, size_t most, void (*frame)(void *ctx, const struct ring_frame *f), void *ctx);

/*
 * After a ring_read of `got` frames: how long to sleep before the next one.
 * 0: not busy, wait for the descriptor.  `now_us` is any steady clock.
 */
int64_t ring_nap_us(struct ring *r, size_t got, int64_t now_us);

uint64_t ring_seen(const struct ring *r); /* frames handed out since ring_open */
/* Asks the kernel what it dropped since the last call and gives the sums. */
struct ring_counts ring_counts(struct ring *r);

/* The error that waits on the descriptor (ENETDOWN: the interface is down), and takes it off; 0: none. */
int ring_error(struct ring *r);
#endif
