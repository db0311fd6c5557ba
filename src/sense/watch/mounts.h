/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mounts - the file systems of this host and the disks under them, each asked by a process of its own.
 *
 * Which there are is found out at the start.  A disk is read each second (4
 * KiB, past every cache); how full a file system is, each ten seconds.
 */
#ifndef SERVIOLA_WATCH_MOUNTS_H
#define SERVIOLA_WATCH_MOUNTS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { MOUNTS_MOST = 24, MOUNT_POINT = 128, MOUNT_DISK = 40 };

struct mount_answer {     /* of a lookout */
    bool asked, answered; /* statfs */
    bool read, read_failed;
    int64_t read_us;
    uint64_t bytes, bytes_free; /* free: for users who are not root */
    uint64_t inodes, inodes_free;
};

struct mount_state {
    char point[MOUNT_POINT];
    char disk[MOUNT_DISK]; /* "vda1"; empty: none of its own */
    bool fills;            /* how full it is matters */
    struct mount_answer last;
    double latency; /* seconds, of the newest read or of the one that lasts; NaN: not read */
    bool hangs;     /* it has not answered since more than a second */
};

struct mounts;
/* `mountinfo`: text of /proc/self/mountinfo.  user: see lookout.h. */
struct mounts *mounts_new(struct slice mountinfo, bool read_disks, const char *user, struct err *e);
void mounts_free(struct mounts *m); /* NULL is fine */
/* Hears what was answered, and asks anew. */
void mounts_second(struct mounts *m, int64_t mono_us);
const struct mount_state *mounts_at(const struct mounts *m, uint32_t i); /* NULL: no more */
#endif
