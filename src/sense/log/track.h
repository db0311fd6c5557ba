/* SPDX-License-Identifier: GPL-3.0-or-later */
/* track - one log of logfiles.h: its files one after the other, its lines with an arrival. */
#ifndef SERVIOLA_SENSE_LOG_TRACK_H
#define SERVIOLA_SENSE_LOG_TRACK_H
#include "sense/log/logfiles.h"

struct track;
struct track *track_new(const struct logfiles_order *o, uint64_t source, struct err *e);
void track_free(struct track *t);                                /* NULL is fine */
int track_add(struct track *t, const char *path, struct err *e); /* the oldest first; the path is borrowed */
int track_ready(struct track *t, struct err *e);                 /* 1: there is a line; 0: no more; -1 */
int64_t track_at(const struct track *t);                         /* its arrival; only after track_ready gave 1 */
void track_line(const struct track *t, struct log_line *l);
void track_drop(struct track *t); /* on to the next one */
#endif
