/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logfiles - logs as they lie in files: rotations in their order, several files as one stream in the order of time.
 *
 * Files and folders in, lines out.  mail.log.4.gz ... mail.log.1, mail.log are one log, read from the oldest on; .gz,
 * .bz2, .xz, .zst are unpacked on the way.  What is no text (journals, wtmp) and what can't be read is left out and
 * noted.
 *
 * A file tells no arrival.  It is taken from the stamps: a line comes when its stamp says so, unless the lines around
 * it say otherwise (then its clock is wrong, and analyse/clock.c will say so).
 */
#ifndef SERVIOLA_SENSE_LOG_LOGFILES_H
#define SERVIOLA_SENSE_LOG_LOGFILES_H
#include "base/err.h"
#include "sense/log/line.h"

enum {
    LOGFILES_FILES = 100000, /* at most, below all folders */
    LOGFILES_LOGS = 400,     /* logs at a time: one open file each */
    LOGFILES_LINE = 1 << 16, /* of a longer line, its beginning */
};

struct logfiles_order {
    char *const *paths; /* borrowed */
    int count;
    int64_t now_us; /* no stamp without a year is after it */
    int year;       /* of the newest stamp without a year; 0: by the file's own time */
    int32_t zone_s; /* of stamps without a zone: seconds east of Greenwich */
    /* A file was left out, or ended early; `name` is as it was given or found. */
    void (*note)(void *own, const char *name, const char *why);
    void *own;
};

struct logfiles;
struct logfiles *logfiles_open(const struct logfiles_order *o,
                               struct err *e); /* the order is borrowed until logfiles_close */
void logfiles_close(struct logfiles *p);       /* NULL is fine */
/* 1: a line, good until the next call; 0: no more; -1: no memory. */
int logfiles_next(struct logfiles *p, struct log_line *l, struct err *e);
#endif
