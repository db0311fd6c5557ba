/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recorder - the flight recorder: a compressed picture each second, the last fifteen minutes in memory.
 *
 * reel.h    the form of a picture as bytes: whole, or what changed since the one before
 * ring.h    the pictures in a sealed memory file that other processes map read-only
 *
 * The recorder has two reels: one of each second, into the ring, one of each
 * ten seconds, handed to whoever writes disks.  It never waits for it.
 */
#ifndef SERVIOLA_WATCH_RECORDER_H
#define SERVIOLA_WATCH_RECORDER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/watch/facts.h"
#include "sense/watch/values.h"

struct recorder;
struct recorder_limits {
    uint64_t ring_bytes;
    int64_t ring_us;       /* older pictures leave the memory */
    int64_t disk_every_us; /* 0: nothing for the disk */
};
/* `shelve` takes a batch of pictures of the disk's reel, a minute or so; borrowed. */
struct recorder *recorder_new(const struct recorder_limits *l,
                              void (*shelve)(void *ctx, int64_t from_us, struct slice frames), void *ctx,
                              struct err *e);
void recorder_free(struct recorder *r);
void recorder_take(struct recorder *r, const struct facts *f, const struct values *v);
void recorder_flush(struct recorder *r);           /* what is collected for the disk goes out */
int recorder_fd(const struct recorder *r);         /* of the ring's memory file; its own */
uint64_t recorder_bytes(const struct recorder *r); /* of pictures in memory */
#endif
