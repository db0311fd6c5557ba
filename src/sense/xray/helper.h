/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * helper - a forked process that may hang in our place.
 *
 * It asks what a sick disk might never answer, and writes what it heard into
 * a pipe.  Who does not answer in time is killed and left behind: a process
 * in state D dies when the disk lets it.
 */
#ifndef SERVIOLA_SENSE_XRAY_HELPER_H
#define SERVIOLA_SENSE_XRAY_HELPER_H
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"
#include "snap/snap.h"

enum { HELPER_MOST = 1 << 20 };

struct helper {
    pid_t pid; /* 0: none runs */
    int fd;
    uint8_t *at; /* owned: what it said */
    size_t len;
    bool ended; /* it said all that it had to say */
};

/* Runs work(fd, ctx) in the child; false when there is no process to be had. */
bool helper_start(struct helper *h, void (*work)(int fd, const void *ctx), const void *ctx);
/* Waits for all of them, until deadline_ms (clock_mono_us / 1000) at the latest. */
void helper_collect(struct helper *h, size_t count, int64_t deadline_ms);
struct slice helper_said(const struct helper *h);
void helper_done(struct helper *h);

/* For the child: all of it or the end. */
void helper_say(int fd, const void *at, size_t len);
/* A record on a line of its own, its part's name in front: helper_records takes such lines. */
void helper_say_record(int fd, enum snap_part part, const void *record);

/* What was said, into the picture. */
void helper_records(const struct helper *h, struct snap *s);
#endif
