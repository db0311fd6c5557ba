/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rotation - which files of a folder are one log, and in which order; and their lines, packed or not.
 *
 * syslog.4.gz syslog.3.gz syslog.2.gz syslog.1 syslog; messages-20260101.gz messages: the oldest first.
 */
#ifndef SERVIOLA_SENSE_LOG_ROTATION_H
#define SERVIOLA_SENSE_LOG_ROTATION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct rotation {
    char path[512];
    int64_t mtime_us;
    uint64_t bytes;
    size_t base_len; /* of the path: what the files of one log share */
    int64_t age;     /* the smaller, the older, among those */
};
/* Fills base_len and age from the path. */
void rotation_read(struct rotation *r);
/* For qsort: by base, then the oldest first. */
int rotation_order(const void *a, const void *b);

struct rotations {
    struct rotation *at;
    size_t count, cap;
    uint64_t passed_over; /* no regular files, or names that are too long */
};
/* A file, or all files below a folder, added; links are not followed.  Sort with rotation_sort when all are there. */
int rotations_add(struct rotations *all, const char *path, struct err *e);
void rotations_sort(struct rotations *all);
void rotations_free(struct rotations *all);

/*
 * All lines of a file, unpacked by libarchive when it is gzip, bzip2, xz or zstd (also of several members).  `seen`
 * returns false to end.  A line over `line_max` is given in pieces.  -1: what could be read was given, `e` says what is
 * wrong with the rest: it is cut, damaged, or unpacks to more than `most` bytes.
 */
int rotation_lines(const char *path, size_t line_max, uint64_t most, bool (*seen)(void *ctx, struct slice line),
                   void *ctx, struct err *e);
#endif
