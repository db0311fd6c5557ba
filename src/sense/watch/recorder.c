/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sense/watch/reel.h"
#include "sense/watch/ring.h"

enum {
    KEY_EVERY = 60,        /* pictures of the ring's reel */
    KEYED_BATCHES = 10,    /* batches of the disk's reel from key to key */
    BATCH_BYTES = 8 << 20, /* most that is collected for the disk */
    EARLY_US = 200000,     /* a sample may come a little before its time */
};
#define BATCH_US 60000000LL
#define HOUR_US  3600000000LL

struct recorder {
    struct recorder_limits limits;
    struct reel_writer *each_second, *thinned;
    struct frames *ring;
    uint32_t since_key;

    void (*shelve)(void *ctx, int64_t from_us, struct slice frames);
    void *ctx;
    uint8_t *batch; /* BATCH_BYTES, touched as needed */
    size_t batch_len;
    int64_t batch_at_us, batch_mono_us; /* of its first picture */
    int64_t disk_us;                    /* boot clock: the last picture for the disk */
    uint32_t batches;                   /* since the key */
};

struct recorder *recorder_new(const struct recorder_limits *l,
                              void (*shelve)(void *ctx, int64_t from_us, struct slice frames), void *ctx, struct err *e)
{
    struct recorder *r = calloc(1, sizeof(*r));

    if (!r) {
        err_set(e, ENOMEM, "the recorder");
        return NULL;
    }
    r->limits = *l;
    r->shelve = shelve;
    r->ctx = ctx;
    r->ring = frames_new(l->ring_bytes, e);
    r->each_second = r->ring ? reel_writer_new(e) : NULL;
    if (r->each_second && l->disk_every_us > 0) {
        r->thinned = reel_writer_new(e);
        r->batch = malloc(BATCH_BYTES);
    }
    if (r->each_second && (l->disk_every_us == 0 || (r->thinned && r->batch)))
        return r;
    recorder_free(r);
    return NULL;
}

void recorder_free(struct recorder *r)
{
    if (!r)
        return;
    reel_writer_free(r->each_second);
    reel_writer_free(r->thinned);
    frames_free(r->ring);
    free(r->batch);
    free(r);
}

int recorder_fd(const struct recorder *r)
{
    return frames_fd(r->ring);
}

uint64_t recorder_bytes(const struct recorder *r)
{
    return frames_bytes(r->ring);
}

void recorder_flush(struct recorder *r)
{
    if (r->batch_len > 0)
        r->shelve(r->ctx, r->batch_at_us, slice_of(r->batch, r->batch_len));
    r->batch_len = 0;
}

/* A batch is of one hour, so that a file of an hour begins with a key. */
static void thin(struct recorder *r, const struct facts *f, const struct values *v)
{
    bool new_hour = r->disk_us == 0 || f->at_us / HOUR_US != r->batch_at_us / HOUR_US;
    struct slice frame;

    if (r->disk_us != 0 && f->mono_us - r->disk_us < r->limits.disk_every_us - EARLY_US)
        return;
    if (new_hour || f->mono_us - r->batch_mono_us >= BATCH_US - EARLY_US) {
        recorder_flush(r);
        r->batches = new_hour || r->batches + 1 >= KEYED_BATCHES ? 0 : r->batches + 1;
        r->batch_at_us = f->at_us;
        r->batch_mono_us = f->mono_us;
    }
    r->disk_us = f->mono_us;
    frame = reel_write(r->thinned, f, v, r->batch_len == 0 && r->batches == 0);
    if (r->batch_len + frame.len > BATCH_BYTES)
        recorder_flush(r); /* goes on in the same hour: a reader needs no new key */
    if (frame.len > 0 && frame.len <= BATCH_BYTES) {
        memcpy(r->batch + r->batch_len, frame.at, frame.len);
        r->batch_len += frame.len;
    }
}

void recorder_take(struct recorder *r, const struct facts *f, const struct values *v)
{
    struct slice frame = reel_write(r->each_second, f, v, r->since_key == 0);

    r->since_key = (r->since_key + 1) % KEY_EVERY;
    frames_add(r->ring, frame, f->mono_us - r->limits.ring_us);
    if (r->thinned)
        thin(r, f, v);
}
