/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logrules - which lines are known to be harmless, which are not: logcheck's rule folders taken as they are, and own
 * ones.
 *
 * Below a folder lie cracking.d, violations.d and ignore.d.LEVEL with the files of egrep's expressions, one a line, and
 * beside the first two cracking.ignore.d and violations.ignore.d.  A line is an attack when cracking.d matches it and
 * cracking.ignore.d does not; else a violation in the same way; else it is ignored by ignore.d, or unknown.
 *
 * Most expressions begin with a stamp and a host.  That beginning is taken off, and they are held against
 * `program[pid]: text`: so they work for every form of a line's header.  The others see the line as it came.
 *
 * Rules take no more once compiled.  A reload makes new ones; a scan that has lines finishes with the old.  The rules
 * of a program are compiled when its first line comes: of a thousand, a host's own programs have a few hundred.
 */
#ifndef SERVIOLA_SENSE_LOG_LOGRULES_H
#define SERVIOLA_SENSE_LOG_LOGRULES_H
#include "sense/log/line.h"
#include "sense/log/patterns.h"

enum rule_layer {
    LOGRULES_ATTACK,
    LOGRULES_ATTACK_NOT,
    LOGRULES_VIOLATION,
    LOGRULES_VIOLATION_NOT,
    LOGRULES_IGNORE,
    LOGRULES_LAYERS
};
enum logrules_verdict { LOGRULES_HARMLESS, LOGRULES_UNKNOWN, LOGRULES_VIOLATES, LOGRULES_ATTACKS };
enum logrules_level {
    LOGRULES_PARANOID,
    LOGRULES_SERVER,
    LOGRULES_WORKSTATION
}; /* each knows what the one before knows, and more */

enum { LOGRULES_BATCH = 64 << 10 }; /* bytes that are judged together */

struct logrules;
struct logrules *logrules_new(struct err *e);
void logrules_free(struct logrules *r); /* NULL is fine */
int logrules_add(struct logrules *r, enum rule_layer layer, struct slice expression, unsigned pattern_flags,
                 struct err *e);
/* Reads a logcheck folder; files as run-parts would take them.  An expression that is none is noted and left out. */
int logrules_logcheck(struct logrules *r, const char *folder, enum logrules_level level,
                      void (*note)(void *own, const char *file, unsigned line, const char *why), void *own,
                      struct err *e);
int logrules_compile(struct logrules *r, struct err *e);
size_t logrules_count(const struct logrules *r);

struct logrules_scan;
/* One scan at a time.  `judged` hears of each line in order; `text` is `program[pid]: text`, good during the call. */
struct logrules_scan *logrules_scan_new(struct logrules *r,
                                        void (*judged)(void *own, enum logrules_verdict v, struct slice text),
                                        void *own, struct err *e);
void logrules_scan_free(struct logrules_scan *s); /* NULL is fine; what waits is not judged */
int logrules_line(struct logrules_scan *s, const struct log_line *l, struct err *e);
int logrules_flush(struct logrules_scan *s, struct err *e); /* judges what waits; -1: that was left out */
#endif
