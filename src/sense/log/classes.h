/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * classes - lines that live longer than the others: of some facilities, programs or hosts, or so grave.
 *
 * A segment leaves the store as a whole, and its chain of hashes forbids to take single lines out.  So lines of a
 * class are kept a second time, in a store of the class (the folder kept/NAME below the store's) that has a chain,
 * seals, size and age of its own: the store's age is that of the lines nobody needs for long.  Each line says by
 * `origin` which number it has in the store.  A reader of live.h: what it took is on the disk before its cursor moves.
 */
#ifndef SERVIOLA_SENSE_LOG_CLASSES_H
#define SERVIOLA_SENSE_LOG_CLASSES_H
#include <stdbool.h>

#include "base/err.h"
#include "sense/log/line.h"
#include "sense/log/live.h"
#include "sense/log/settings.h"

/* What the keys can't know; false: `e` says of the class *name what is wrong. */
bool classes_sound(const struct log_settings *s, const char **name, struct err *e);
bool class_has(const struct log_class *c, const struct log_line *line);

/* Nothing is done where `s` names no class. */
int classes_add(struct live *l, const struct log_settings *s, struct err *e);
#endif
